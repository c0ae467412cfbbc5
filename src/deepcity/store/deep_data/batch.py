"""Deep data: what a learned bottleneck gives for a place and a time, instead of raw records.

Shapes: R rows, W width of a vector (2 to 64). Times are seconds since 1970 in UTC; a cell is
a place's id or an H3 cell. Vectors can be compared within one *space* only: the same layer
of the same agency's model, in the same version.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import UTC, datetime

import numpy as np

from deepcity.city.arrays import Bools, Floats, Ints, Texts
from deepcity.city.errors import DeepDataError
from deepcity.city.problem import Problem

MIN_WIDTH, MAX_WIDTH = 2, 64
_LONGEST = 200
SHOWN = 5
"""Rows or names that a message lists; the rest are counted."""


@dataclass(frozen=True, order=True)
class Space:
    """Within a space vectors can be compared; across spaces never.

    >>> str(Space("seoul", "transport", "metro", "h3", "0123456789abcdef"))
    'seoul/transport/metro/h3@0123456789abcdef'

    Attributes:
        layer: whose activations they are, e.g. ``"h3"``.
        version: of the model, e.g. the first 16 hex digits of its layer package's SHA-256.
    """

    city: str
    domain: str
    agency: str
    layer: str
    version: str

    def __post_init__(self) -> None:
        parts = {field.name: getattr(self, field.name) for field in fields(self)}
        right = "name it in 1 to 200 printed characters, no / or @"
        wrong = [
            Problem("space", name, part, reason, right)
            for name, part in parts.items()
            if (reason := name_problem(part, "/@"))
        ]
        if wrong:
            raise DeepDataError(wrong)

    def __str__(self) -> str:
        return f"{self.city}/{self.domain}/{self.agency}/{self.layer}@{self.version}"


@dataclass(frozen=True, eq=False)
class DeepData:
    """Vectors of one space, earliest first.

    Attributes:
        time_R: int64, seconds since 1970 in UTC, never decreasing.
        cell_R: text, the place or H3 cell of each row.
        vectors_RW: float32, all finite.
        known_R: False where a correction of the records withdrew the vector of the cell: the
            row is all zeros then. None: all are known.
    """

    space: Space
    time_R: Ints
    cell_R: Texts
    vectors_RW: Floats
    known_R: Bools | None = None

    def __len__(self) -> int:
        return len(self.time_R)

    def __getitem__(self, rows: slice) -> "DeepData":
        known_R = None if self.known_R is None else self.known_R[rows]
        parts = self.time_R[rows], self.cell_R[rows], self.vectors_RW[rows]
        return DeepData(self.space, *parts, known_R)

    @property
    def width(self) -> int:
        """Numbers a vector."""
        return int(self.vectors_RW.shape[1])

    @property
    def all_known_R(self) -> Bools:
        """`known_R`, whether it was given or not."""
        return np.ones(len(self), bool) if self.known_R is None else self.known_R


def coded(cell_R: Texts) -> tuple[Texts, Ints]:
    """Names of cells -> each name once, in order, and the index of each row's.

    >>> names, code_R = coded(np.array(["b", "a", "b"]))
    >>> names.tolist(), code_R.tolist()
    (['a', 'b'], [1, 0, 1])
    """
    names = np.unique(cell_R)
    place = {name: code for code, name in enumerate(names.tolist())}
    # one look-up per row: quicker than to sort a million texts
    return names, np.array([place[name] for name in cell_R.tolist()], np.int64)


def in_order(
    space: Space,
    time_R: Ints,
    cell_R: Texts,
    vectors_RW: Floats,
    known_R: Bools | None = None,
) -> DeepData:
    """Rows in any order -> a batch, by time and then by cell."""
    order_R = np.lexsort((coded(cell_R)[1], time_R))
    known_R = None if known_R is None else known_R[order_R]
    return DeepData(space, time_R[order_R], cell_R[order_R], vectors_RW[order_R], known_R)


def moment(seconds: int) -> str:
    """Seconds since 1970 as a date and time in UTC.

    >>> moment(1714521600)
    '2024-05-01T00:00:00Z'
    """
    try:
        return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return f"{seconds} s"


def rows_text(rows: Iterable[int]) -> str:
    """Some row numbers, the rest counted.

    >>> rows_text([3]), rows_text(range(9))
    ('row 3', 'rows 0, 1, 2, 3, 4 and 4 more')
    """
    numbers = [int(row) for row in rows]
    shown = ", ".join(map(str, numbers[:SHOWN]))
    more = f" and {len(numbers) - SHOWN} more" if len(numbers) > SHOWN else ""
    return f"row{'s' if len(numbers) != 1 else ''} {shown}{more}"


def name_problem(name: object, forbidden: str = "") -> str | None:
    """Why a text cannot name a cell or a part of a space; None if it can."""
    if not isinstance(name, str):
        return "not a text"
    if not name or len(name) > _LONGEST or not name.isprintable() or name != name.strip():
        return "empty, too long, or with characters that cannot be printed"
    return "it holds / or @" if any(sign in name for sign in forbidden) else None
