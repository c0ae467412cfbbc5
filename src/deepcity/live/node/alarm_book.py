"""Alarms: raised by decisions and by sources that fall silent, handled by people; from events.

An alarm goes on while its condition does, however many decisions repeat it; once over, the next
one is a new alarm. It stays in the queue until a person closes it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from deepcity.applications.application import Task
from deepcity.applications.decision import Decision
from deepcity.city.errors import LiveError
from deepcity.live.node.records.source_status import SourceState, SourceStatus
from deepcity.store.events.event import Event, EventDraft, EventKind

SILENT = f"source-{SourceStatus.SILENT.value}"
KEPT = 2_000
"""Alarms that the book holds; of older ones, those that are closed are in the events alone."""


class AlarmChange(StrEnum):
    """What happens to an alarm; the first two by themselves, the others by a person."""

    RAISED = "raised"
    OVER = "over"  # its condition
    ACKNOWLEDGE = "acknowledge"
    ASSIGN = "assign"
    COMMENT = "comment"
    ESCALATE = "escalate"
    CLOSE = "close"


class AlarmState(StrEnum):
    """Where an alarm stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class AlarmSeverity(StrEnum):
    """How pressing an alarm is."""

    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True)
class HistoryEntry:
    """One change of an alarm: what, who, when (UTC seconds), to whom, and a comment."""

    change: AlarmChange
    who: str
    at_s: int
    to: str = ""
    comment: str = ""


@dataclass(frozen=True)
class Alarm:
    """One alarm.

    Attributes:
        id: the number of the event that raised it.
        place: empty: of the whole party.
        code: of the decision's action, or `source-STATUS`.
        numbers: behind it.
        decision: the number of the decision that raised it; 0: none did.
        over: its condition has ended.
        replaced_by: the code of the alarm of the same place that began as it ended; empty: none.
        escalated: a person called for more.
    """

    id: int
    service: str
    party: str
    place: str
    code: str
    severity: AlarmSeverity
    since_s: int
    last_s: int
    numbers: Mapping[str, float]
    decision: int = 0
    over: bool = False
    replaced_by: str = ""
    state: AlarmState = AlarmState.OPEN
    assigned_to: str = ""
    escalated: bool = False
    history: tuple[HistoryEntry, ...] = ()

    @property
    def subject(self) -> tuple[str, str, str, str]:
        """What it is about."""
        return self.service, self.party, self.place, self.code

    @property
    def worsened(self) -> bool:
        """Whether a worse alarm replaced it."""
        return self.replaced_by == SILENT


Wanted = Mapping[tuple[str, str], Mapping[str, float]]
"""(place, code) of the conditions that hold -> the numbers behind each."""


@dataclass
class AlarmBook:
    """All newer alarms by number, oldest first."""

    alarms: dict[int, Alarm] = field(default_factory=dict)

    def apply(self, event: Event) -> None:
        """Take one more event; those about no alarm change nothing."""
        if event.kind is not EventKind.ALARM:
            return
        change = AlarmChange(event.body["change"])
        if change is AlarmChange.RAISED:
            self._raise(event)
            return
        known = self.alarms.get(int(event.body["alarm"]))
        if known is not None:
            self.alarms[known.id] = _changed(known, change, event)

    def after_decision(self, event: Event, made: Decision, task: Task) -> list[EventDraft]:
        """The events that a decision gives: alarms raised, and alarms over."""
        wanted: dict[tuple[str, str], Mapping[str, float]] = {}
        if task is Task.ALERT:
            for action in made.actions:
                wanted.setdefault(
                    (action.place, action.code), {**action.numbers, "at": action.at_s}
                )
        current = [
            one
            for one in self._going_on(event.service, event.party)
            if not one.code.startswith("source-")
        ]
        return self._moved(event, current, wanted, AlarmSeverity.WARNING, event.seq)

    def after_source(self, event: Event, state: SourceState) -> list[EventDraft]:
        """The events that a source's new status gives."""
        wanted: dict[tuple[str, str], Mapping[str, float]] = {}
        if state.status in (SourceStatus.LATE, SourceStatus.SILENT):
            wanted["", f"source-{state.status.value}"] = {"lag_s": float(state.lag_s)}
        silent = state.status is SourceStatus.SILENT
        current = self._going_on(event.service, event.party)
        severity = AlarmSeverity.CRITICAL if silent else AlarmSeverity.WARNING
        return self._moved(event, current, wanted, severity, 0)

    def change(
        self,
        number: int,
        change: AlarmChange,
        who: str,
        now_s: int,
        to: str = "",
        comment: str = "",
    ) -> EventDraft:
        """The event of a person's change. Two people who change it at once give one event.

        Raises:
            LiveError: if there is no such alarm, or it cannot be changed so.
        """
        known = self.alarms.get(number)
        if known is None:
            right = "look at the queue; older alarms can be read in the events alone"
            raise LiveError(f"alarm {number}", "not among the newest ones", right)
        if change in (AlarmChange.RAISED, AlarmChange.OVER):
            raise LiveError(change.value, "it happens by itself", "acknowledge or close the alarm")
        if known.state is AlarmState.CLOSED and change is not AlarmChange.COMMENT:
            raise LiveError(f"alarm {number}", "it is closed", "comment on it, or leave it")
        if change is AlarmChange.ACKNOWLEDGE and known.state is not AlarmState.OPEN:
            raise LiveError(f"alarm {number}", "it is acknowledged already", "assign or close it")
        if change is AlarmChange.ASSIGN and not to:
            raise LiveError(f"alarm {number}", "to nobody", "name a person or an agency")
        if change is AlarmChange.COMMENT and not comment:
            raise LiveError(f"alarm {number}", "an empty comment", "write what there is to say")
        body = {"alarm": number, "change": change.value, "to": to, "comment": comment}
        key = f"alarm/{number}/{len(known.history)}"
        return EventDraft(
            EventKind.ALARM, key, now_s, known.service, known.party, who=who, body=body
        )

    def _going_on(self, service: str, party: str) -> list[Alarm]:
        return [
            one
            for one in self.alarms.values()
            if not one.over and one.service == service and one.party == party
        ]

    def _moved(
        self,
        event: Event,
        current: Sequence[Alarm],
        wanted: Wanted,
        severity: AlarmSeverity,
        decision: int,
    ) -> list[EventDraft]:
        """Raise what holds and is no alarm yet; end what no longer holds."""
        known = {(one.place, one.code) for one in current}
        drafts = []
        new = {place: code for place, code in wanted if (place, code) not in known}
        for one in current:
            if (one.place, one.code) not in wanted:
                body = {"alarm": one.id, "change": AlarmChange.OVER.value, "to": "", "comment": ""}
                if one.place in new:
                    body["replaced_by"] = new[one.place]
                drafts.append(_draft(f"alarm/{one.id}/over", event, body))
        for (place, code), numbers in wanted.items():
            if (place, code) not in known:
                body = {
                    "change": AlarmChange.RAISED.value,
                    "place": place,
                    "code": code,
                    "numbers": dict(numbers),
                    "severity": severity.value,
                    "decision": decision,
                }
                drafts.append(_draft(f"alarm/of/{event.seq}/{place}/{code}", event, body))
        return drafts

    def _raise(self, event: Event) -> None:
        body: Mapping[str, Any] = event.body
        self.alarms[event.seq] = Alarm(
            id=event.seq,
            service=event.service,
            party=event.party,
            place=str(body["place"]),
            code=str(body["code"]),
            severity=AlarmSeverity(body["severity"]),
            since_s=event.at_s,
            last_s=event.at_s,
            numbers=dict(body["numbers"]),
            decision=int(body["decision"]),
            history=(HistoryEntry(AlarmChange.RAISED, "", event.at_s),),
        )
        closed = [one.id for one in self.alarms.values() if one.state is AlarmState.CLOSED]
        for number in closed[: max(0, len(self.alarms) - KEPT)]:
            del self.alarms[number]


def _draft(key: str, event: Event, body: Mapping[str, Any]) -> EventDraft:
    return EventDraft(EventKind.ALARM, key, event.at_s, event.service, event.party, body=body)


def _changed(known: Alarm, change: AlarmChange, event: Event) -> Alarm:
    to, comment = str(event.body["to"]), str(event.body["comment"])
    entry = HistoryEntry(change, event.who, event.at_s, to, comment)
    known = replace(known, history=(*known.history, entry), last_s=event.at_s)
    if change is AlarmChange.OVER:
        return replace(known, over=True, replaced_by=str(event.body.get("replaced_by", "")))
    if change is AlarmChange.ACKNOWLEDGE:
        return replace(known, state=AlarmState.ACKNOWLEDGED)
    if change is AlarmChange.ASSIGN:
        return replace(known, assigned_to=to)
    if change is AlarmChange.ESCALATE:
        return replace(known, escalated=True)
    return replace(known, state=AlarmState.CLOSED) if change is AlarmChange.CLOSE else known
