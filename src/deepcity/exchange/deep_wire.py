"""Deep data as they go over a wire: an Arrow IPC stream, or JSON for those who write it by hand.

Columns `time` (seconds since 1970 in UTC), `cell` (text) and `vector`; the space they belong to
is told beside them, and so is their revision. A column `known` is there where a correction
takes something back: false, and a vector of zeros. A cell is named by its number in hexadecimal
digits: an H3 cell's own name.
"""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcity.city.errors import DeepDataError, TooMuchError
from deepcity.city.problem import Problem
from deepcity.data.arrow import ARROW, LONGEST_TEXT, from_arrow, to_arrow
from deepcity.data.arrow_headers import announced_rows
from deepcity.learning.hearing import DeepBatch
from deepcity.store.deep_data import DeepData, Known, Space, Texts, in_order

JSON = "application/json"
MOST_ROWS = 50_000
"""Of one request, unless told otherwise."""

_Columns = dict[str, NDArray[Any]]
_Reader = Callable[[bytes, int], _Columns]
_SPACE = "write city/domain/agency/layer@version, as the encoder's package names it"


def cell_names(cell_C: NDArray[np.int64]) -> Texts:
    """Cells by number -> by name.

    >>> cell_names(np.array([0x89BB5000577FFFF])).tolist()
    ['89bb5000577ffff']
    """
    return np.array([format(int(cell), "x") for cell in cell_C], np.str_)


def batch_of(space: Space, cells: Texts, times_B: NDArray[np.int64], said: DeepBatch) -> DeepData:
    """What an encoder said at some times -> rows; silent cells are left out."""
    time_R, cell_R = np.nonzero(said.known_BC)
    vectors_RW = np.asarray(said.vectors_BCD[time_R, cell_R], np.float32)
    return in_order(space, times_B[time_R], cells[cell_R], vectors_RW)


def revised_of(
    space: Space,
    cells: Texts,
    times_B: NDArray[np.int64],
    said: DeepBatch,
    changed_BC: NDArray[np.bool_],
) -> DeepData:
    """What an encoder says otherwise than before -> rows; a cell that fell silent is one too."""
    time_R, cell_R = np.nonzero(changed_BC)
    known_R = said.known_BC[time_R, cell_R]
    vectors_RW = np.where(known_R[:, None], said.vectors_BCD[time_R, cell_R], 0)
    return in_order(space, times_B[time_R], cells[cell_R], vectors_RW.astype(np.float32), known_R)


def pack_deep(batch: DeepData) -> bytes:
    """Rows as an Arrow IPC stream."""
    columns = {"time": batch.time_R, "cell": batch.cell_R, "vector": batch.vectors_RW}
    return to_arrow(columns if batch.known_R is None else {**columns, "known": batch.known_R})


def read_space(text: str) -> Space:
    """A space by its name.

    Raises:
        DeepDataError: if it is none.

    >>> read_space("seoul/transport/metro/h3@0123456789abcdef").layer
    'h3'
    """
    path, _, version = text.partition("@")
    parts = path.split("/")
    if len(parts) != 4 or not version:
        raise DeepDataError([Problem("request", "space", text[:200], "not a space", _SPACE)])
    city, domain, agency, layer = parts
    return Space(city, domain, agency, layer, version)


def unpack_deep(space: Space, body: bytes, media_type: str, most_rows: int = MOST_ROWS) -> DeepData:
    """A request's body -> rows, by time and then by cell.

    How much it would become is known before it is unpacked.

    Raises:
        DeepDataError: if it is of another form; what rows say is checked where they are stored.
        TooMuchError: if it holds more rows.
    """
    readers: dict[str, _Reader] = {ARROW: _from_arrow, JSON: _from_json}
    reader = readers.get(media_type.partition(";")[0].strip().lower())
    if reader is None:
        right = f"send {ARROW} or {JSON}"
        problem = Problem(str(space), "Content-Type", media_type[:100], "not a known form", right)
        raise DeepDataError([problem])
    try:
        columns = reader(body, most_rows)
        time_R = _exact(columns["time"])
        vectors_RW = np.asarray(columns["vector"])
        if vectors_RW.dtype.kind not in "fiu" or vectors_RW.ndim != 2:
            raise ValueError("vector: not numbers, as many in each row")
        known_R = _known(columns.get("known"))
        cell_R = _texts(columns["cell"])
        return in_order(space, time_R, cell_R, vectors_RW.astype(np.float32), known_R)
    except KeyError as error:
        reason = f"no column {error}"
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        reason = str(error).splitlines()[0]
    except RecursionError:
        reason = "lists within lists, too deep"
    right = "send columns time (seconds since 1970 in UTC), cell (text) and vector (numbers)"
    raise DeepDataError([Problem(str(space), "body", None, reason, right)])


def _from_arrow(body: bytes, most_rows: int) -> _Columns:
    check_rows(announced_rows(body), most_rows)
    return from_arrow(body)


def _from_json(body: bytes, most_rows: int) -> _Columns:
    """``{"rows": [{"time": 1714521600, "cell": "89...", "vector": [0.1, 0.2]}]}``."""
    raw = json.loads(body)
    rows = raw.get("rows") if isinstance(raw, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows) or not rows:
        raise ValueError('not {"rows": [{"time": ..., "cell": ..., "vector": [...]}]}')
    check_rows(len(rows), most_rows)
    # seen one by one before they become arrays: there, each takes the room of the longest
    found: _Columns = {
        "time": np.array([_whole(row["time"]) for row in rows], np.int64),
        "cell": np.array([_short(row["cell"]) for row in rows], np.str_),
        "vector": np.array([_numbers(row["vector"], rows[0]["vector"]) for row in rows], float),
    }
    if any("known" in row for row in rows):
        found["known"] = np.array([_truth(row.get("known", True)) for row in rows], np.bool_)
    return found


def check_rows(rows: int, most_rows: int) -> None:
    """Let so many rows of one request pass.

    Raises:
        TooMuchError: if they are more than one may hold.
    """
    if rows > most_rows:
        reason = f"one request holds {most_rows:,} rows at most"
        raise TooMuchError(f"{rows:,} rows", reason, "send them in several requests")


def _whole(value: object) -> int:
    if type(value) is not int:
        raise ValueError(f"time: {str(value)[:50]} is not whole seconds")
    return value


def _short(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"cell: {str(value)[:50]} is not text")
    if len(value) > LONGEST_TEXT:
        raise ValueError(f"cell: a text of {len(value):,} characters; {LONGEST_TEXT} may be")
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


def _exact(time_R: NDArray[Any]) -> NDArray[np.int64]:
    if time_R.dtype.kind not in "iu" or time_R.ndim != 1:
        raise ValueError(f"time: {time_R.dtype} is not whole seconds")
    return time_R.astype(np.int64)


def _texts(cell_R: NDArray[Any]) -> Texts:
    if cell_R.dtype.kind != "U" or cell_R.ndim != 1:
        raise ValueError(f"cell: {cell_R.dtype} is not text")
    return cell_R


def _known(known_R: NDArray[Any] | None) -> Known | None:
    if known_R is not None and (known_R.dtype != np.bool_ or known_R.ndim != 1):
        raise ValueError(f"known: {known_R.dtype} is not true or false")
    return known_R
