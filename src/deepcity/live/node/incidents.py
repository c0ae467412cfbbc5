"""Incidents: what agencies do together about one thing, as a list of entries; from events."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from deepcity.city.errors import LiveError
from deepcity.live.node.node import Node
from deepcity.store.events.event import Event, EventDraft, EventKind, EventQuery

MOST_TEXT, MOST_POINTS = 4_000, 2_000
_AGAIN_S = 60  # of the machine's clock: the same words of a person within this came twice


class EntryKind(StrEnum):
    """What an entry of an incident is."""

    OPEN = "open"
    TASK = "task"
    NOTE = "note"
    DRAWING = "drawing"
    SEEN = "seen"
    DONE = "done"  # a task
    CLOSE = "close"


@dataclass(frozen=True)
class Incident:
    """One incident.

    Attributes:
        id: the number of the event that opened it.
        entries: its events in order; the first one opened it.
    """

    id: int
    entries: tuple[Event, ...]

    @property
    def closed_s(self) -> int | None:
        """When it was closed, UTC seconds; None: it is open."""
        closing = (one.at_s for one in self.entries if one.body["entry"] == EntryKind.CLOSE.value)
        return next(closing, None)


def incidents(node: Node) -> list[Incident]:
    """All incidents, newest first.

    Raises:
        StoreError: if they cannot be read.
    """
    by_id: dict[int, list[Event]] = {}
    for event in node.events.read(EventQuery((EventKind.INCIDENT,), data=False)):
        number = int(event.body["incident"]) or event.seq
        by_id.setdefault(number, []).append(event)
    return [Incident(number, tuple(found)) for number, found in sorted(by_id.items(), reverse=True)]


def incident(node: Node, number: int) -> Incident:
    """One incident.

    Raises:
        LiveError: if there is none of that number.
        StoreError: if it cannot be read.
    """
    found = next((one for one in incidents(node) if one.id == number), None)
    if found is None:
        raise LiveError(f"incident {number}", "there is none", "look at the list of incidents")
    return found


def opening_draft(
    known: Sequence[Incident], who: str, role: str, now_s: int, body: Mapping[str, Any]
) -> EventDraft:
    """The event of a new incident.

    Args:
        known: all that there are.
        body: its title as `text`, service and party.

    Raises:
        LiveError: if this person has opened the same a moment ago and it is open, as a message
            that comes twice does; or as `entry_draft` does.
    """
    given = tuple(body.get(name, "") for name in ("text", "service", "party"))
    for one in known:
        first = one.entries[0]
        same = (first.body["text"], first.service, first.party) == given and first.who == who
        if same and one.closed_s is None and _just_now(first):
            right = f"go on with it: GET /api/incidents/{one.id}"
            raise LiveError(f"incident {one.id}", "you opened it a moment ago", right)
    return entry_draft(None, EntryKind.OPEN, who, role, now_s, body)


def entry_draft(
    known: Incident | None,
    entry: EntryKind,
    who: str,
    role: str,
    now_s: int,
    body: Mapping[str, Any],
    sees: Callable[[Event], bool] = lambda _entry: True,
) -> EventDraft:
    """The event of a new entry; of a new incident, where none is known.

    Args:
        body: text, geometry (GeoJSON), task and `agency`, whom a task is given to, as far as they
            are given; service and party of a new incident; `roles` that an entry is for,
            everyone without; that a task is done is for those whom the task was for.
        sees: whether an entry is for this person; a task that is not is as if there were none.

    Raises:
        LiveError: if it is not allowed, or too much; it names nothing that is not for this person.
    """
    text, geometry = str(body.get("text", "")), body.get("geometry")
    name = "incident" if known is None else f"incident {known.id}"
    agency = " ".join(str(body.get("agency", "")).split())
    if known is not None and known.closed_s is not None:
        raise LiveError(name, "it is closed", "open a new one")
    if entry not in (EntryKind.CLOSE, EntryKind.DONE) and not (text.strip() or geometry):
        raise LiveError(name, "an empty entry", "write what there is to say")
    if agency and entry is not EntryKind.TASK:
        right = "name it in an entry of kind task, or leave it out"
        raise LiveError(f"agency {agency[:100]}", f"a {entry.value} is given to nobody", right)
    if len(text) > MOST_TEXT or _points(geometry) > MOST_POINTS:
        right = f"at most {MOST_TEXT:,} signs and {MOST_POINTS:,} points"
        raise LiveError(name, "too long an entry", right)
    if entry is EntryKind.DONE:
        _check_open(body.get("task"), () if known is None else known.entries, sees)
    roles = list(body.get("roles", ()))
    if known is not None and _repeated(known, entry, who, {**body, "agency": agency}):
        raise LiveError(name, "you wrote the same a moment ago", "look at the incident anew")
    if known is not None and entry is EntryKind.DONE:
        roles = next(roles_of(one) for one in known.entries if one.seq == body["task"])
    number = 0 if known is None else known.id
    count = 0 if known is None else len(known.entries)
    kept = {
        "incident": number,
        "entry": entry.value,
        "role": role,
        "roles": roles,
        "text": text,
        "geometry": geometry,
        "task": body.get("task"),
        "agency": agency,
    }
    key = f"incident/{number}/{count}" if known else f"incident/{now_s}/{who}/{text}"
    service, party = str(body.get("service", "")), str(body.get("party", ""))
    return EventDraft(EventKind.INCIDENT, key, now_s, service, party, who, kept)


def look_draft(
    known: Incident,
    entry: int,
    who: str,
    role: str,
    now_s: int,
    sees: Callable[[Event], bool],
) -> EventDraft:
    """The event that a person had an incident before them, up to an entry. Its key makes one look
    of a look that is sent again; it is for those whom that entry is for.

    Args:
        entry: the number of the newest one.
        sees: whether an entry is for this person.

    Raises:
        LiveError: if it is no entry of it that is for this person.
    """
    looked = next((one for one in known.entries if one.seq == entry), None)
    if looked is None or looked.body["entry"] == EntryKind.SEEN.value or not sees(looked):
        right = f"GET /api/incidents/{known.id} has those that there are"
        raise LiveError(f"entry {entry}", f"no entry of incident {known.id}", right)
    body = {
        "incident": known.id,
        "entry": EntryKind.SEEN.value,
        "role": role,
        "roles": roles_of(looked),
        "text": "",
        "geometry": None,
        "task": entry,
        "agency": "",
    }
    key = f"incident/{known.id}/seen/{entry}/{who}"
    return EventDraft(EventKind.INCIDENT, key, now_s, who=who, body=body)


def roles_of(entry: Event) -> list[str]:
    """Roles that an entry is for; empty: everyone."""
    return [str(one) for one in entry.body.get("roles", ())]


_WRITTEN: Mapping[str, object] = {
    "text": "",
    "geometry": None,
    "task": None,
    "agency": "",
    "roles": [],
}


def _repeated(known: Incident, entry: EntryKind, who: str, body: Mapping[str, Any]) -> bool:
    """Whether it is this person's last entry once more, as a message that came twice is."""
    own = [one for one in known.entries if one.who == who and one.body["entry"] != EntryKind.SEEN]
    if not own or own[-1].body["entry"] != entry or not _just_now(own[-1]):
        return False
    last = own[-1].body
    return all(body.get(name, no) == last.get(name, no) for name, no in _WRITTEN.items())


def _just_now(entry: Event) -> bool:
    """By the machine's clock: in a fast replay the city's minute is over in no time. That clock
    may have been set back.
    """
    return abs(time.time() - entry.recorded_s) <= _AGAIN_S


def _check_open(task: object, entries: Sequence[Event], sees: Callable[[Event], bool]) -> None:
    """Whether a task is open, and one that this person sees.

    Raises:
        LiveError: if not.
    """
    done = {one.body["task"] for one in entries if one.body["entry"] == EntryKind.DONE.value}
    tasks = [
        one.seq
        for one in entries
        if one.body["entry"] == EntryKind.TASK.value and one.seq not in done and sees(one)
    ]
    if task not in tasks:
        right = f"name one of {', '.join(map(str, tasks))}" if tasks else "add a task first"
        raise LiveError(f"task {task}", "not an open task of it", right)


def _points(geometry: object) -> int:
    """How many numbers pairs a geometry has, at most one more than is allowed."""
    count, waiting = 0, [geometry]
    while waiting and count <= MOST_POINTS:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += list(one.values())
        elif isinstance(one, list):
            numbers = all(isinstance(part, int | float) for part in one)
            count += 1 if numbers and one else 0
            waiting += [] if numbers else one
    return count
