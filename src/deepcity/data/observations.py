"""What was seen while records were read and refused: what remedies are tried on.

Collected batch by batch in bounded memory; parts of one file are merged.
"""

from dataclasses import dataclass, field, fields

ROWS_KEPT = 6  # one more than a message shows
TEXTS_KEPT = 500  # distinct texts of a column


@dataclass
class Seen:
    """How often a text occurs, and the numbers of the first rows that have it."""

    count: int = 0
    rows: list[int] = field(default_factory=list)

    def add(self, count: int, rows: list[int]) -> None:
        """Count further cells, which lie below the others."""
        self.count += count
        self.rows = [*self.rows, *rows][:ROWS_KEPT]


@dataclass
class ColumnTally:
    """The cells of one column of text.

    Attributes:
        bad: texts that are neither a number nor known to mean "not measured".
        bad_cells: how many cells hold such a text.
        numbers: how many cells are numbers.
        separated: some numbers with a decimal sign, and what they were read as.
        grouped: numbers that would read as well with a sign between thousands, e.g. 1.019.
        fractions: other numbers with a decimal sign.
        whole: numbers without one.
        largest_whole: the largest of those.
        never_fraction: whether the column's field is a count.
    """

    never_fraction: bool = False
    bad: dict[str, Seen] = field(default_factory=dict)
    bad_cells: int = 0
    numbers: int = 0
    separated: dict[str, float] = field(default_factory=dict)
    grouped: Seen = field(default_factory=Seen)
    fractions: int = 0
    whole: int = 0
    largest_whole: float = 0.0

    def merge(self, other: "ColumnTally") -> None:
        """Add the cells of a later batch."""
        for text, seen in other.bad.items():
            if text in self.bad or len(self.bad) < TEXTS_KEPT:
                self.bad.setdefault(text, Seen()).add(seen.count, seen.rows)
        for text, value in other.separated.items():
            if len(self.separated) < TEXTS_KEPT:
                self.separated[text] = value
        self.grouped.add(other.grouped.count, other.grouped.rows)
        self.bad_cells += other.bad_cells
        self.numbers += other.numbers
        self.fractions += other.fractions
        self.whole += other.whole
        self.largest_whole = max(self.largest_whole, other.largest_whole)


@dataclass
class RepeatedRows:
    """Several rows for one time and place.

    Attributes:
        times: how many times and places have several rows.
        rows: how many rows they have in all.
        agreeing: how many of these times have rows with the same values.
        total, first, last: sums of all their values, of the first rows', of the last rows'.
        first_s: the first of these times, in UTC seconds.
    """

    times: int = 0
    rows: int = 0
    agreeing: int = 0
    total: float = 0.0
    first: float = 0.0
    last: float = 0.0
    first_s: list[int] = field(default_factory=list)

    def merge(self, other: "RepeatedRows") -> None:
        """Add those of a later block of time."""
        first_s = [*self.first_s, *other.first_s]
        _add_up(self, other)
        self.first_s = first_s[:ROWS_KEPT]


@dataclass
class HourTally:
    """How many rows have the hour 0, the hour 24, and an hour after that."""

    zero: int = 0
    last: int = 0
    later: int = 0

    def merge(self, other: "HourTally") -> None:
        """Add those of a later batch."""
        _add_up(self, other)

    @property
    def to_24(self) -> bool:
        """Whether hours run from 1 to 24."""
        return self.last > 0 and not self.zero and not self.later


def _add_up(counts: RepeatedRows | HourTally, other: RepeatedRows | HourTally) -> None:
    for one in fields(counts):
        setattr(counts, one.name, getattr(counts, one.name) + getattr(other, one.name))
