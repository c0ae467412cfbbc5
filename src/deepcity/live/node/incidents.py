"""Incidents: what agencies do together about one thing, as a list of entries; from events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from deepcity.city.errors import LiveError
from deepcity.live.node.node import Node
from deepcity.store.events.event import Event, EventDraft, EventKind, EventQuery

MOST_TEXT, MOST_POINTS = 4_000, 2_000


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


def entry_draft(
    known: Incident | None,
    entry: EntryKind,
    who: str,
    role: str,
    now_s: int,
    body: Mapping[str, Any],
) -> EventDraft:
    """The event of a new entry; of a new incident, where none is known.

    Args:
        body: text, geometry (GeoJSON) and task, as far as they are given; service and party of
            a new incident; `roles` that an entry is for, everyone without; that a task is done
            is for those whom the task was for.

    Raises:
        LiveError: if it is not allowed, or too much.
    """
    text, geometry = str(body.get("text", "")), body.get("geometry")
    name = "incident" if known is None else f"incident {known.id}"
    if known is not None and known.closed_s is not None and entry is not EntryKind.SEEN:
        raise LiveError(name, "it is closed", "open a new one")
    if entry is not EntryKind.SEEN and entry is not EntryKind.CLOSE and not (text or geometry):
        raise LiveError(name, "an empty entry", "write what there is to say")
    if len(text) > MOST_TEXT or _points(geometry) > MOST_POINTS:
        right = f"at most {MOST_TEXT:,} signs and {MOST_POINTS:,} points"
        raise LiveError(name, "too long an entry", right)
    tasks = [] if known is None else _open_tasks(known.entries)
    if entry is EntryKind.DONE and body.get("task") not in tasks:
        raise LiveError(f"task {body.get('task')}", "not an open task of it", f"one of {tasks}")
    roles = list(body.get("roles", ()))
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
    }
    key = f"incident/{number}/{count}" if known else f"incident/{now_s}/{who}/{text}"
    service, party = str(body.get("service", "")), str(body.get("party", ""))
    return EventDraft(EventKind.INCIDENT, key, now_s, service, party, who, kept)


def roles_of(entry: Event) -> list[str]:
    """Roles that an entry is for; empty: everyone."""
    return [str(one) for one in entry.body.get("roles", ())]


def _open_tasks(entries: Sequence[Event]) -> list[int]:
    done = {one.body["task"] for one in entries if one.body["entry"] == EntryKind.DONE.value}
    tasks = [one.seq for one in entries if one.body["entry"] == EntryKind.TASK.value]
    return [task for task in tasks if task not in done]


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
