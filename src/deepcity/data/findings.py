"""Problems and findings of loading records: nothing is dropped or masked silently.

A *problem* prevents loading; a *finding* does not. It is either a `warning` (review it before
training) or a `note` (how rows were treated, as the city file states).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from deepcity.city.arrays import Ints
from deepcity.city.problem import Cause, Problem, Trial
from deepcity.data.errors import ReadError
from deepcity.data.observations import ColumnTally, HourTally, RepeatedRows

ROWS_SHOWN = 5
FILE_ROWS = 10_000_000_000
"""A row's number within its source is its number in its file, and so many for each file before."""
NO_COLUMN, NO_ROWS = Cause("no-column"), Cause("no-rows-of-place")
"""Of problems where a name is given that the records do not have."""
UNREVIEWED = ""  # the next step of a problem whose remedies are tried when all rows are read


class Severity(StrEnum):
    """How much a finding matters."""

    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class RuleEvidence:
    """When, where and what a rule saw, as far as it can state that; None or empty: it cannot.

    Attributes:
        from_s: start of its first step, UTC seconds.
        to_s: end of its last one; None where `from_s` is known: it goes on to the end.
        place: where this is seen, of all the places that a finding names.
        value: the value seen, in the field's unit.
        low, high: between them lie most of the values seen, in the field's unit.
        factor: of the values from then on to those before.
        hours: by which times are later (negative: earlier).
        unit, stated: the unit that values are in, by what they are, and as the city file says.
    """

    from_s: int | None = None
    to_s: int | None = None
    place: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    factor: float | None = None
    hours: float | None = None
    unit: str = ""
    stated: str = ""


NO_EVIDENCE = RuleEvidence()


@dataclass(frozen=True)
class Finding:
    """One observation on the records.

    Attributes:
        severity: warning or note.
        what: a short name for scripts, e.g. ``"gap"`` or ``"duplicate"``.
        where: source, field or place it concerns.
        count: how many rows, values or steps it touches.
        text: one sentence for people.
        shows: the field and the ids of places to plot; empty if there are none.
        day: since when, as a local date; empty where it has no beginning.
        evidence: what of it can be stated in numbers.
    """

    severity: Severity
    what: str
    where: str
    count: int
    text: str
    shows: tuple[str, tuple[str, ...]] = ("", ())
    day: str = ""
    evidence: RuleEvidence = NO_EVIDENCE

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


@dataclass
class IssueLog:
    """Collects problems and findings of one file, so that all are reported at once.

    Attributes:
        cells: by column, what its cells of text are.
        repeated: rows that share a time and a place, where they are refused.
        dropped: those of which one was kept, with other values than the others.
        hours: of times written as text.
    """

    file: str
    problems: list[Problem] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    cells: dict[str, ColumnTally] = field(default_factory=dict)
    repeated: RepeatedRows = field(default_factory=RepeatedRows)
    dropped: RepeatedRows = field(default_factory=RepeatedRows)
    hours: HourTally = field(default_factory=HourTally)

    def problem(
        self,
        key: str,
        value: object,
        reason: str,
        right: str,
        tried: tuple[Trial, ...] = (),
        *,
        cause: Cause | None = None,
    ) -> None:
        """Add a problem, which prevents loading."""
        self.problems.append(Problem(self.file, key, value, reason, right, tried, cause))

    def no_column(self, key: str, name: str, right: str) -> None:
        """Add that a column is named which the records do not have."""
        self.problem(key, name, "no such column", right, cause=NO_COLUMN)

    def unreadable(self, error: ReadError) -> None:
        """Add why records cannot be read."""
        self.problem(error.key, error.value, error.reason, error.right, cause=error.cause)

    def warn(self, what: str, where: str, count: int, text: str) -> None:
        """Add a warning, which the user should review."""
        self.findings.append(Finding(Severity.WARNING, what, where, count, text))

    def note(self, what: str, where: str, count: int, text: str) -> None:
        """Add a note on how rows were treated."""
        self.findings.append(Finding(Severity.NOTE, what, where, count, text))


def rows_text(rows: Sequence[int] | Ints, noun: str = "row", files: Sequence[str] = ()) -> str:
    """Row numbers for people.

    Args:
        rows: ascending, in a source of several files with the file's number (`FILE_ROWS`).
        noun: what the file calls a row.
        files: what the files are called, where there are several.

    >>> rows_text([3])
    'row 3'
    >>> rows_text([1, 2, 3, 4, 5, 6, 7])
    'rows 1, 2, 3, 4, 5 and 2 more'
    >>> rows_text([3, FILE_ROWS + 2, FILE_ROWS + 4], files=["jan.csv", "feb.csv"])
    'row 3 of jan.csv, rows 2, 4 of feb.csv'
    """
    more = f" and {len(rows) - ROWS_SHOWN:,} more" if len(rows) > ROWS_SHOWN else ""
    if len(files) > 1:
        return f"{_by_file([int(row) for row in rows[:ROWS_SHOWN]], noun, files)}{more}"
    shown = ", ".join(str(int(row) % FILE_ROWS) for row in rows[:ROWS_SHOWN])
    return f"{noun}{'s' if len(rows) != 1 else ''} {shown}{more}"


def _by_file(rows: Sequence[int], noun: str, files: Sequence[str]) -> str:
    groups: dict[int, list[str]] = {}
    for row in rows:
        groups.setdefault(row // FILE_ROWS, []).append(str(row % FILE_ROWS))
    return ", ".join(
        f"{noun}{'s' if len(some) > 1 else ''} {', '.join(some)} of {files[number]}"
        for number, some in groups.items()
    )
