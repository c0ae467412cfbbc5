"""An event: what happened in a running city, when, and by whom."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class EventKind(StrEnum):
    """What an event is about."""

    ROWS = "rows"  # records that have arrived
    FORECAST = "forecast"
    DECISION = "decision"
    ANSWER = "answer"  # of a person to a decision
    ALARM = "alarm"  # raised, changed by a person, or over
    SOURCE = "source"  # it fell silent, or came back
    CHECK = "check"  # what the data check doubts of an agency's records
    UPDATE = "update"  # forecasters learned from new days
    NOTE = "note"  # of a shift for the next
    INCIDENT = "incident"
    NODE = "node"  # started, stopped
    SUBSCRIPTION = "subscription"  # of another system to what changes


@dataclass(frozen=True)
class EventDraft:
    """An event before it is stored.

    Attributes:
        key: unique; of two events with one key, the first alone is stored.
        at_s: the city's time at which it was known, UTC seconds; that of a replay is in the past.
        service, party, who: empty where it is about none.
        body: JSON values.
        data: arrays, as `deepcity.store.blob` packs them; empty: none.
    """

    kind: EventKind
    key: str
    at_s: int
    service: str = ""
    party: str = ""
    who: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)
    data: bytes = b""


@dataclass(frozen=True)
class Event(EventDraft):
    """A stored event.

    Attributes:
        seq: its place in the order of storing, from 1.
        recorded_s: when it was stored by the machine's own clock, seconds since 1970.
    """

    seq: int = 0
    recorded_s: float = 0.0


@dataclass(frozen=True)
class EventQuery:
    """Which events, in order of storing.

    Attributes:
        kinds: empty: all.
        service, party: None: all.
        after: those stored after this one.
        since_s, until_s: since_s <= at_s < until_s.
        limit: at most so many.
        newest: the newest of them, newest first.
        data: with their arrays; without, `data` is empty.
    """

    kinds: tuple[EventKind, ...] = ()
    service: str | None = None
    party: str | None = None
    after: int = 0
    since_s: int | None = None
    until_s: int | None = None
    limit: int | None = None
    newest: bool = False
    data: bool = True
