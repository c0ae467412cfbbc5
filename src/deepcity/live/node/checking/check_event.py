"""What the data check doubts of an agency's records, as an event of a running city.

An event holds all doubts about an agency's records by then, and what was wrong with its rows when
they were last read. One like the newest is not kept again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import TypeAdapter

from deepcity.data.panel import Panel
from deepcity.runs.note import Note
from deepcity.runs.records.record_doubts import identity
from deepcity.store.events.event import Event, EventDraft, EventKind

_NOTES = TypeAdapter(tuple[Note, ...])
_READING_PAUSE_S = 60  # between two events of what was wrong with rows


@dataclass(frozen=True)
class CheckedRecords:
    """What the data check found in an agency's records.

    Attributes:
        doubts: newest ones; where a later check failed, those of before.
        reading: what was wrong with rows when they were last read, or came.
        at_s: the city's time at which the doubts were found first, UTC seconds; None: rows have
            been read, and not checked.
        from_s, to_s: which of the records were looked at; None: no check has ended yet.
        problem: why the newest check gave no result; empty: it did.
    """

    doubts: tuple[Note, ...]
    reading: tuple[Note, ...]
    at_s: int | None
    from_s: int | None
    to_s: int | None
    problem: str = ""


def check_draft(agency: str, panel: Panel, doubts: Sequence[Note], now_s: int) -> EventDraft:
    """The event of a check.

    Args:
        panel: the records that were looked at.
        now_s: the city's time at which the check began.
    """
    body = {
        "from_s": int(panel.time_T[0]),
        "to_s": int(panel.time_T[-1]) + panel.clock.step_s,
        "doubts": [one.model_dump(mode="json") for one in doubts],
        "problem": "",
    }
    return _draft(agency, body, now_s)


def failed_draft(agency: str, before: Event | None, problem: str, now_s: int) -> EventDraft:
    """The event that a check gave no result: the doubts are those of before."""
    return _draft(agency, {**_known(before), "problem": problem}, now_s)


def reading_drafts(
    agency: str, before: EventDraft | None, reading: Sequence[Note] | None, now_s: int
) -> list[EventDraft]:
    """The event of what was wrong with rows when they were read, with the doubts of before.

    None if they were not, or if it says what the newest event does; numbers that have grown to
    less than twice theirs are told with the next check.
    """
    if reading is None:
        return []
    noted = [] if before is None else checked_records(before).reading
    counts = {_kind(one): _count(one) for one in noted}
    if counts.keys() == {_kind(one) for one in reading} and all(
        _count(one) < 2 * counts[_kind(one)] for one in reading
    ):
        return []
    if before is not None and before.at_s > now_s - _READING_PAUSE_S and noted:
        return []
    known = _known(before)
    body = {**known, "reading": _json(reading), "checked_s": _checked_s(before)}
    key = f"{_key(agency, now_s)}/reading"
    return [EventDraft(EventKind.CHECK, key, now_s, party=agency, body=body)]


def checked_records(event: EventDraft) -> CheckedRecords:
    """What an event says."""
    body = event.body
    return CheckedRecords(
        doubts=_NOTES.validate_python(body["doubts"]),
        reading=_NOTES.validate_python(body.get("reading", [])),
        at_s=_checked_s(event),
        from_s=body["from_s"],
        to_s=body["to_s"],
        problem=str(body["problem"]),
    )


def changed_drafts(
    drafts: Sequence[EventDraft],
    newest: Callable[[str], EventDraft | None],
    now_s: int,
    reading: Callable[[str], Sequence[Note] | None] = lambda _agency: None,
) -> list[EventDraft]:
    """The events that say another thing than the newest of their agency, known from now on.

    Args:
        reading: agency -> what was wrong with rows when they were last read; None: they were not.
    """
    found = []
    for one in drafts:
        before, notes = newest(one.party), reading(one.party)
        noted = _known(before).get("reading", []) if notes is None else _json(notes)
        body = {**one.body, "reading": noted, "checked_s": now_s}
        draft = replace(one, at_s=now_s, body=body)
        if before is None or _says(draft) != _says(before) or _checked_s(before) is None:
            found.append(draft)
    return found


def _draft(agency: str, body: Mapping[str, Any], now_s: int) -> EventDraft:
    body = {**body, "checked_s": now_s}
    return EventDraft(EventKind.CHECK, _key(agency, now_s), now_s, party=agency, body=body)


def _known(before: EventDraft | None) -> Mapping[str, Any]:
    if before is not None:
        return before.body
    return {"from_s": None, "to_s": None, "doubts": [], "problem": ""}


def _checked_s(event: EventDraft | None) -> int | None:
    """When the check was; None: rows have been read, and not checked."""
    return None if event is None else event.body.get("checked_s", event.at_s)


def _kind(note: Note) -> tuple[object, ...]:
    """What makes a note on reading the one of before: not what grows with every row."""
    return note.code, *(note.names.get(name) for name in ("file", "column", "field", "value"))


def _count(note: Note) -> float:
    return float(note.numbers.get("batches", note.numbers.get("count", 1)))


def _json(notes: Sequence[Note]) -> list[dict[str, Any]]:
    return [one.model_dump(mode="json") for one in notes]


def _says(event: EventDraft) -> tuple[object, ...]:
    found = checked_records(event)
    return found.problem, found.reading, *(identity(one) for one in found.doubts)


def _key(agency: str, now_s: int) -> str:
    return f"check/{agency}/{now_s}"
