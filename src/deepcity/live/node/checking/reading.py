"""What was wrong with rows while they were read, or as they came, as notes of the data check.

A note's code is `reading_` and what is wrong; its names are the file or the source (`file`), the
`column`, the first `value` and `rows`; its numbers are how many rows or cells are wrong (`count`).
Of rows that were refused as they came, `batches` counts the batches or messages, `from_s` and
`to_s` (UTC seconds) are the first's and the last's times. Warnings of reading have the codes and
names of `deepcity.runs.records.record_doubts`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from deepcity.city.errors import ProblemsError
from deepcity.city.printable import printable
from deepcity.city.problem import Cause, Problem
from deepcity.data.findings import ROWS_SHOWN, Finding, Severity
from deepcity.live.feeds.refused_rows import Refused
from deepcity.runs.note import Note
from deepcity.runs.records.finding_note import finding_note

READING = "reading_"  # how the codes of these notes begin
MOST_NOTES = 30
"""Of one agency; the last one then says how many more there are."""
_MOST_TEXT = 200
_Rejected = Sequence[tuple[str, Refused]]


@dataclass
class ReadingNotes:
    """What the newest reading of each agency's sources found. One thread changes it.

    Attributes:
        refused: agency -> rows refused as they came, with the source that they are of.
    """

    refused: Callable[[str], _Rejected] = lambda _agency: ()
    _of: dict[str, list[Note]] = field(default_factory=dict)

    def failed(self, agency: str, error: Exception) -> None:
        """Its records cannot be read."""
        self._of[agency] = _of_problems(_problems(error))

    def read(self, agency: str, findings: Iterable[Finding]) -> None:
        """Its records were read."""
        self._of[agency] = _of_warnings(findings)

    def of(self, agency: str) -> list[Note] | None:
        """All notes of an agency; None: its sources have not been read yet."""
        found, refused = self._of.get(agency), self.refused(agency)
        if found is None and not refused:
            return None
        return _bounded([*(found or []), *(_of_refused(name, one) for name, one in refused)])


def _problems(error: Exception) -> Sequence[Problem]:
    if isinstance(error, ProblemsError):
        return error.problems
    return [Problem("", "path", None, str(error), "", cause=Cause("unreadable"))]


def _of_problems(problems: Iterable[Problem]) -> list[Note]:
    """One note for each file, column and cause."""
    alike: dict[tuple[str, ...], list[Problem]] = {}
    for one in problems:
        alike.setdefault((one.file, _code(one), _column(one)), []).append(one)
    return [_note(some[0].file, some) for some in alike.values()]


def _note(
    file: str, problems: Sequence[Problem], numbers: Mapping[str, float] | None = None
) -> Note:
    first, code = problems[0], _code(problems[0])
    causes = [one.cause for one in problems if one.cause is not None]
    rows = [str(row) for cause in causes for row in cause.rows][:ROWS_SHOWN]
    names: dict[str, str | list[str]] = {"file": file, "column": _column(first), "rows": rows}
    if first.value is not None and code != "no_column":
        names["value"] = _cut(str(first.value))
    names["text"] = _cut(first.reason)
    count = sum(max(1, cause.count) for cause in causes) or len(problems)
    return Note(code=READING + code, numbers={"count": count, **(numbers or {})}, names=names)


def _of_refused(source: str, one: Refused) -> Note:
    numbers = {"batches": one.batches, "from_s": one.first_s, "to_s": one.last_s}
    if one.cells:
        numbers["count"] = one.cells
    return _note(source, [one.problem], numbers)


def _of_warnings(findings: Iterable[Finding]) -> list[Note]:
    alike: dict[tuple[str, str], list[Finding]] = {}
    for one in findings:
        if one.severity is Severity.WARNING:
            alike.setdefault((one.what, one.where), []).append(one)
    return [finding_note(what, some, where) for (what, where), some in alike.items()]


def _bounded(notes: list[Note]) -> list[Note]:
    if len(notes) <= MOST_NOTES:
        return notes
    kept = notes[: MOST_NOTES - 1]
    more = Note(code=f"{READING}more", numbers={"count": len(notes) - len(kept)})
    return [*kept, more]


def _code(problem: Problem) -> str:
    if problem.cause is not None:
        return problem.cause.code.replace("-", "_")
    return "unreadable" if problem.key == "path" else "other"


def _column(problem: Problem) -> str:
    """The column that a problem is of; empty: it is of rows or of the whole file."""
    if _code(problem) == "no_column":
        return str(problem.value)
    whole = problem.key in {"path", "rows", "row"} or problem.key.startswith("row ")
    return "" if whole else problem.key[:_MOST_TEXT]


def _cut(text: str) -> str:
    return printable(text)[:_MOST_TEXT]
