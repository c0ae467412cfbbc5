"""What the data check doubts of an agency's records, as an event of a running city.

An event holds all doubts about an agency's records by then. One like the newest is not kept again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import TypeAdapter

from deepcity.data.panel import Panel
from deepcity.runs.note import Note
from deepcity.runs.records.record_doubts import identity
from deepcity.store.events.event import Event, EventDraft, EventKind

_NOTES = TypeAdapter(tuple[Note, ...])


@dataclass(frozen=True)
class CheckedRecords:
    """What the data check found in an agency's records.

    Attributes:
        doubts: newest ones; where a later check failed, those of before.
        at_s: the city's time at which this was found first, UTC seconds.
        from_s, to_s: which of the records were looked at; None: no check has ended yet.
        problem: why the newest check gave no result; empty: it did.
    """

    doubts: tuple[Note, ...]
    at_s: int
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
    return EventDraft(EventKind.CHECK, _key(agency, now_s), now_s, party=agency, body=body)


def failed_draft(agency: str, before: Event | None, problem: str, now_s: int) -> EventDraft:
    """The event that a check gave no result: the doubts are those of before."""
    known = {"from_s": None, "to_s": None, "doubts": []} if before is None else before.body
    body = {**known, "problem": problem}
    return EventDraft(EventKind.CHECK, _key(agency, now_s), now_s, party=agency, body=body)


def checked_records(event: EventDraft) -> CheckedRecords:
    """What an event says."""
    body = event.body
    doubts = _NOTES.validate_python(body["doubts"])
    return CheckedRecords(doubts, event.at_s, body["from_s"], body["to_s"], str(body["problem"]))


def changed_drafts(
    drafts: Sequence[EventDraft], newest: Callable[[str], Event | None], now_s: int
) -> list[EventDraft]:
    """The events that say another thing than the newest of their agency, known from now on."""
    return [
        replace(one, at_s=now_s)
        for one in drafts
        if (before := newest(one.party)) is None or _says(one.body) != _says(before.body)
    ]


def _says(body: Mapping[str, object]) -> tuple[object, ...]:
    doubts = _NOTES.validate_python(body["doubts"])
    return body["problem"], *(identity(one) for one in doubts)


def _key(agency: str, now_s: int) -> str:
    return f"check/{agency}/{now_s}"
