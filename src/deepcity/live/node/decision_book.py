"""Decisions and what people answered to them, folded from their events.

Nothing acts before the confirmation that an application asks for: a decision waits until a person
with the right to do so has confirmed it. An answer can be undone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter

from deepcity.applications.application import Task
from deepcity.applications.decision import Confirm, Decision
from deepcity.city.errors import DecisionClosedError, LiveError
from deepcity.live.agency_inputs import AgencyState
from deepcity.live.node.deep_source import agency_evidence
from deepcity.live.node.records.source_status import SourceState
from deepcity.store.events.event import Event, EventDraft, EventKind

_DECISION = TypeAdapter(Decision)
KEPT = 2_000
"""Decisions that the book holds; older ones are in the events alone."""


class AnswerKind(StrEnum):
    """What a person answers to a decision."""

    CONFIRM = "confirm"
    REJECT = "reject"
    UNDO = "undo"  # of the answer before


class DecisionStatus(StrEnum):
    """Where a decision stands."""

    ADVICE = "advice"  # nobody has to confirm it
    WAITING = "waiting"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    EXPIRED = "expired"  # nobody answered while it held
    REPLACED = "replaced"  # nobody answered before the next one


@dataclass(frozen=True)
class GivenAnswer:
    """A person's answer.

    Attributes:
        at_s: by the city's time, UTC seconds.
    """

    who: str
    answer: AnswerKind
    at_s: int
    comment: str


@dataclass(frozen=True)
class KnownDecision:
    """A decision with its answers.

    Attributes:
        id: the number of its event.
        made_s: by the city's time, UTC seconds.
        origin_s: start of the first step of its forecast.
        forecast: key of its forecast's event.
        evidence: the state of its agency's records when it was made, then that of the deep data
            that its forecast looked at.
        replaced: a newer one of the same party has been made.
    """

    id: int
    service: str
    party: str
    made_s: int
    origin_s: int
    forecast: str
    task: Task
    decision: Decision
    evidence: tuple[Mapping[str, Any], ...]
    answers: tuple[GivenAnswer, ...] = ()
    replaced: bool = False

    @property
    def answer(self) -> GivenAnswer | None:
        """The answer that counts: the newest one, unless it was undone."""
        counted: list[GivenAnswer] = []
        for one in self.answers:
            if one.answer is AnswerKind.UNDO:
                counted = counted[:-1]
            else:
                counted.append(one)
        return counted[-1] if counted else None

    def status(self, now_s: int) -> DecisionStatus:
        """Where it stands at a time."""
        if self.decision.confirm is Confirm.NOBODY or not self.decision.actions:
            return DecisionStatus.ADVICE
        if self.answer is not None:
            confirmed = self.answer.answer is AnswerKind.CONFIRM
            return DecisionStatus.CONFIRMED if confirmed else DecisionStatus.REJECTED
        if self.replaced:
            return DecisionStatus.REPLACED
        over = now_s >= self.decision.valid_until_s
        return DecisionStatus.EXPIRED if over else DecisionStatus.WAITING


def decision_event(
    service: str,
    party: str,
    made: Decision,
    task: Task,
    evidence: SourceState,
    forecast: EventDraft,
    agencies: Sequence[AgencyState] = (),
) -> EventDraft:
    """The event of a decision made on a forecast.

    Args:
        evidence: its own agency's records.
        agencies: whose deep data the forecast looked at.
    """
    body = {
        "task": task.value,
        "decision": {**asdict(made), "confirm": made.confirm.value},
        "origin_s": forecast.body["origin_s"],
        "forecast": forecast.key,
        "evidence": [asdict(evidence), *map(agency_evidence, agencies)],
    }
    key = forecast.key.replace("forecast/", "decision/", 1)
    return EventDraft(EventKind.DECISION, key, forecast.at_s, service, party, body=body)


@dataclass
class DecisionBook:
    """All newer decisions by number, oldest first."""

    decisions: dict[int, KnownDecision] = field(default_factory=dict)
    _newest: dict[tuple[str, str], int] = field(default_factory=dict)

    def apply(self, event: Event) -> None:
        """Take one more event; those about no decision change nothing."""
        if event.kind is EventKind.DECISION:
            self._add(known_decision(event))
        elif event.kind is EventKind.ANSWER:
            known = self.decisions.get(int(event.body["decision"]))
            if known is not None:
                kind = AnswerKind(event.body["answer"])
                given = GivenAnswer(event.who, kind, event.at_s, event.body["comment"])
                self.decisions[known.id] = replace(known, answers=(*known.answers, given))

    def answer(
        self, number: int, kind: AnswerKind, who: str, now_s: int, comment: str = ""
    ) -> EventDraft:
        """The event of an answer. Two people who answer at once give one event.

        Raises:
            LiveError: if there is no such decision.
            DecisionClosedError: if it cannot be answered so now.
        """
        known = self.decisions.get(number)
        if known is None:
            right = "look at the newest decisions; older ones can be read in the events alone"
            raise LiveError(f"decision {number}", "not among the newest ones", right)
        status = known.status(now_s)
        answered = (DecisionStatus.CONFIRMED, DecisionStatus.REJECTED)
        wanted = answered if kind is AnswerKind.UNDO else (DecisionStatus.WAITING,)
        if status not in wanted:
            right = {
                DecisionStatus.ADVICE: "nobody has to confirm it",
                DecisionStatus.CONFIRMED: "undo the answer first",
                DecisionStatus.REJECTED: "undo the answer first",
            }.get(status, "answer the newest decision of this party")
            what = f"{kind.value} decision {number}"
            raise DecisionClosedError(what, f"it is {status.value}, so no answer was kept", right)
        body = {"decision": number, "answer": kind.value, "comment": comment}
        key = f"answer/{number}/{len(known.answers)}"
        return EventDraft(
            EventKind.ANSWER, key, now_s, known.service, known.party, who=who, body=body
        )

    def _add(self, made: KnownDecision) -> None:
        party = made.service, made.party
        before = self.decisions.get(self._newest.get(party, 0))
        if before is not None:
            self.decisions[before.id] = replace(before, replaced=True)
        self.decisions[made.id], self._newest[party] = made, made.id
        while len(self.decisions) > KEPT:
            del self.decisions[next(iter(self.decisions))]


def known_decision(event: Event) -> KnownDecision:
    """The decision that an event keeps."""
    body = event.body
    return KnownDecision(
        id=event.seq,
        service=event.service,
        party=event.party,
        made_s=event.at_s,
        origin_s=int(body["origin_s"]),
        forecast=str(body["forecast"]),
        task=Task(body["task"]),
        decision=_DECISION.validate_python(body["decision"]),
        evidence=tuple(body["evidence"]),
    )
