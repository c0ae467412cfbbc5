"""Wire format of deep data: a blob of arrays, or JSON for other clients.

Columns `time` (seconds since 1970 in UTC), `cell` and `vector`; space and revision are parameters
of the request. A column `known` is present where a correction withdraws rows: false, with a vector
of zeros. JSON names a cell by its number in hexadecimal digits, which is an H3 cell's own name; a
blob holds the number.

A blob is read by the safetensors library: it holds flat arrays only and does not grow when read;
its header is bounded before anything is read.

Shapes: R rows, B times, C cells, D and W width of a vector.
"""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcity.city.arrays import Bools, Ints, Texts
from deepcity.city.errors import DeepDataError, RequestTooLargeError
from deepcity.city.problem import Problem
from deepcity.learning.split.fusion_inputs import DeepBatch
from deepcity.store import blob
from deepcity.store.deep_data.batch import DeepData, Space, in_order

BLOB = "application/vnd.deepcity.deep-data"
"""Media type of a blob."""
JSON = "application/json"
MAX_ROWS = 50_000
"""Default limit for one request."""

_GROUP, _HEADER = "rows", {"format": 1}
_COLUMNS = {
    "time": (np.dtype("<i8"), 1),
    "cell": (np.dtype("<i8"), 1),
    "vector": (np.dtype("<f4"), 2),
    "known": (np.dtype("?"), 1),
}
"""Columns of a blob: type and number of axes; `known` is optional."""
_LONGEST_HEADER = 1000  # bytes; four columns take 400
_LONGEST_TEXT = 200  # characters of a cell's name; in an array each takes the memory of the longest
_ARROW = b"\xff\xff\xff\xff"  # how an Arrow stream begins

_Columns = dict[str, NDArray[Any]]
_Reader = Callable[[bytes, int], _Columns]
_SPACE = "write city/domain/agency/layer@version, as the encoder's package names it"


def cell_names(cell_C: Ints) -> Texts:
    """Names of cells from their numbers.

    >>> cell_names(np.array([0x89BB5000577FFFF])).tolist()
    ['89bb5000577ffff']
    """
    return np.array([format(int(cell), "x") for cell in cell_C], np.str_)


def to_rows(space: Space, cells: Texts, times_B: Ints, batch: DeepBatch) -> DeepData:
    """An encoder's output as rows; cells without recent rows are left out."""
    time_R, cell_R = np.nonzero(batch.known_BC)
    vectors_RW = np.asarray(batch.vectors_BCD[time_R, cell_R], np.float32)
    return in_order(space, times_B[time_R], cells[cell_R], vectors_RW)


def revision_rows(
    space: Space,
    cells: Texts,
    times_B: Ints,
    batch: DeepBatch,
    changed_BC: Bools,
) -> DeepData:
    """Changed output of an encoder as rows, including withdrawn cells (`known` false)."""
    time_R, cell_R = np.nonzero(changed_BC)
    known_R = batch.known_BC[time_R, cell_R]
    vectors_RW = np.where(known_R[:, None], batch.vectors_BCD[time_R, cell_R], 0)
    return in_order(space, times_B[time_R], cells[cell_R], vectors_RW.astype(np.float32), known_R)


def pack_deep(batch: DeepData) -> bytes:
    """Rows as a blob.

    Raises:
        ValueError: if a cell's name is not a hexadecimal number.
    """
    cell_R = np.array([int(name, 16) for name in batch.cell_R.tolist()], np.int64)
    columns: _Columns = {"time": batch.time_R, "cell": cell_R, "vector": batch.vectors_RW}
    if batch.known_R is not None:
        columns["known"] = batch.known_R
    return blob.pack({_GROUP: columns}, _HEADER)


def read_space(text: str) -> Space:
    """Parse the name of a space.

    Raises:
        DeepDataError: if it is not one.

    >>> read_space("seoul/transport/metro/h3@0123456789abcdef").layer
    'h3'
    """
    path, _, version = text.partition("@")
    parts = path.split("/")
    if len(parts) != 4 or not version:
        raise DeepDataError([Problem("request", "space", text[:200], "not a space", _SPACE)])
    city, domain, agency, layer = parts
    return Space(city, domain, agency, layer, version)


def unpack_deep(space: Space, body: bytes, media_type: str, max_rows: int = MAX_ROWS) -> DeepData:
    """Parse a request's body into rows, ordered by time and cell.

    Raises:
        DeepDataError: if the format is invalid; values are checked by `deepcity.live.intake`.
        RequestTooLargeError: if it has more than `max_rows` rows.
    """
    readers: dict[str, _Reader] = {BLOB: _from_blob, JSON: _from_json}
    reader = readers.get(media_type.partition(";")[0].strip().lower())
    if reader is None:
        right = f"send {BLOB}, as this version's `deepcity agent` does, or {JSON}"
        problem = Problem(str(space), "Content-Type", media_type[:100], "unknown format", right)
        raise DeepDataError([problem])
    try:
        columns = reader(body, max_rows)
        with np.errstate(over="ignore"):  # becomes infinity, which is refused
            vectors_RW = columns["vector"].astype(np.float32)
        known_R = columns.get("known")
        return in_order(space, columns["time"], columns["cell"], vectors_RW, known_R)
    except KeyError as error:
        reason = f"no column {error}"
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        reason = str(error).splitlines()[0]
    except RecursionError:
        reason = "lists are nested too deeply"
    right = "send columns time (seconds since 1970 in UTC), cell (text) and vector (numbers)"
    raise DeepDataError([Problem(str(space), "body", None, reason, right)])


def _from_blob(body: bytes, max_rows: int) -> _Columns:
    if body.startswith(_ARROW):
        raise ValueError("an Arrow stream, as sent by versions before 0.2 only")
    length = int.from_bytes(body[:8], "little")
    if length > _LONGEST_HEADER:
        raise ValueError(f"a header of {length:,} bytes; at most {_LONGEST_HEADER:,} are allowed")
    arrays, header = blob.unpack(body)
    if header != _HEADER or set(arrays) != {_GROUP}:
        raise ValueError(f"not deep data of format 1: header {str(header)[:100]}")
    columns: _Columns = arrays[_GROUP]
    for name, array in columns.items():
        if _COLUMNS.get(name) != (array.dtype, array.ndim):
            raise ValueError(f"{name[:50]}: {array.dtype} of {array.ndim} axes fits no column")
    lengths = {len(array) for array in columns.values()}
    if len(lengths) != 1:
        raise ValueError(f"columns have {len(lengths)} different lengths")
    check_rows(len(columns["time"]), max_rows)
    if (columns["cell"] < 0).any():
        raise ValueError("cell: a number below 0")
    return {**columns, "cell": cell_names(columns["cell"])}


def _from_json(body: bytes, max_rows: int) -> _Columns:
    """``{"rows": [{"time": 1714521600, "cell": "89...", "vector": [0.1, 0.2]}]}``."""
    raw = json.loads(body)
    rows = raw.get("rows") if isinstance(raw, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows) or not rows:
        raise ValueError('not {"rows": [{"time": ..., "cell": ..., "vector": [...]}]}')
    check_rows(len(rows), max_rows)
    # checked one by one: in an array each takes the memory of the longest
    found: _Columns = {
        "time": np.array([_whole(row["time"]) for row in rows], np.int64),
        "cell": np.array([_short(row["cell"]) for row in rows], np.str_),
        "vector": np.array([_numbers(row["vector"], rows[0]["vector"]) for row in rows], float),
    }
    if any("known" in row for row in rows):
        found["known"] = np.array([_truth(row.get("known", True)) for row in rows], np.bool_)
    return found


def check_rows(rows: int, max_rows: int) -> None:
    """Check the number of rows in a request.

    Raises:
        RequestTooLargeError: if there are more than `max_rows`.
    """
    if rows > max_rows:
        reason = f"one request holds {max_rows:,} rows at most"
        raise RequestTooLargeError(f"{rows:,} rows", reason, "send them in several requests")


def _whole(value: object) -> int:
    if type(value) is not int:
        raise ValueError(f"time: {str(value)[:50]} is not an integer")
    return value


def _short(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"cell: {str(value)[:50]} is not text")
    if len(value) > _LONGEST_TEXT:
        raise ValueError(f"cell: {len(value):,} characters; at most {_LONGEST_TEXT} are allowed")
    return value


def _numbers(value: object, first: object) -> list[float]:
    if not isinstance(value, list) or not isinstance(first, list) or len(value) != len(first):
        raise ValueError("vector: not numbers, as many in each row")
    if not all(type(number) in (int, float) for number in value):
        raise ValueError("vector: not numbers, as many in each row")
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"known: {str(value)[:50]} is not true or false")
    return value
