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

from deepcity.city.errors import DeepDataError
from deepcity.city.problem import Problem
from deepcity.data.arrow import ARROW, from_arrow, to_arrow
from deepcity.learning.hearing import DeepBatch
from deepcity.store.deep_data import DeepData, Known, Space, Texts, in_order

JSON = "application/json"
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


def unpack_deep(space: Space, body: bytes, media_type: str) -> DeepData:
    """A request's body -> rows, by time and then by cell.

    Raises:
        DeepDataError: if it is of another form; what rows say is checked where they are stored.
    """
    readers: dict[str, Callable[[bytes], dict[str, NDArray[Any]]]] = {
        ARROW: from_arrow,
        JSON: _from_json,
    }
    reader = readers.get(media_type.partition(";")[0].strip().lower())
    if reader is None:
        right = f"send {ARROW} or {JSON}"
        problem = Problem(str(space), "Content-Type", media_type[:100], "not a known form", right)
        raise DeepDataError([problem])
    try:
        columns = reader(body)
        time_R = _exact(columns["time"])
        vectors_RW = np.asarray(columns["vector"])
        if vectors_RW.dtype.kind not in "fiu" or vectors_RW.ndim != 2:
            raise ValueError("vector: not numbers, as many in each row")
        known_R = _known(columns.get("known"))
        cell_R = _texts(columns["cell"])
        return in_order(space, time_R, cell_R, vectors_RW.astype(np.float32), known_R)
    except KeyError as error:
        reason = f"no column {error}"
    except (ValueError, TypeError, IndexError) as error:
        reason = str(error).splitlines()[0]
    right = "send columns time (seconds since 1970 in UTC), cell (text) and vector (numbers)"
    raise DeepDataError([Problem(str(space), "body", None, reason, right)])


def _from_json(body: bytes) -> dict[str, NDArray[Any]]:
    """``{"rows": [{"time": 1714521600, "cell": "89...", "vector": [0.1, 0.2]}]}``."""
    raw = json.loads(body)
    rows = raw.get("rows") if isinstance(raw, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows) or not rows:
        raise ValueError('not {"rows": [{"time": ..., "cell": ..., "vector": [...]}]}')
    names = ("time", "cell", "vector", *(("known",) if "known" in rows[0] else ()))
    return {name: np.array([row[name] for row in rows]) for name in names}


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
