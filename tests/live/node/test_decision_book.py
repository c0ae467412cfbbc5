"""Decisions wait for the confirmation that their application asks for; answers can be undone."""

import json
from dataclasses import asdict, replace

import pytest

from deepcity.applications.application import Task
from deepcity.applications.decision import Action, Confirm, Decision, Reason
from deepcity.city.errors import LiveError
from deepcity.live.node.decision_book import (
    AnswerKind,
    DecisionBook,
    DecisionStatus,
    decision_event,
    known_decision,
)
from deepcity.live.node.records.source_status import SourceState, SourceStatus
from deepcity.store.events.event import Event, EventDraft, EventKind

STATE = SourceState("x", SourceStatus.FRESH, 7200, 0, 10, 2, 0.25)


def event(draft, seq):
    values = {name: getattr(draft, name) for name in EventDraft.__dataclass_fields__}
    body = json.loads(json.dumps(dict(values.pop("body"))))  # as a store returns it
    return Event(**values, body=body, seq=seq)


def made(now_s=7200, confirm=Confirm.OPERATOR, actions=1):
    found = Decision(
        tuple(Action("fill-tanks", f"p{n}", now_s, {"value": 2.5}) for n in range(actions)),
        (Reason("peak", {"usual": 2.0}),),
        0.7,
        now_s + 3600,
        confirm,
    )
    forecast = EventDraft(
        EventKind.FORECAST, f"forecast/water/a/x/{now_s}", now_s, body={"origin_s": now_s}
    )
    return found, decision_event("water", "a/x", found, Task.FORECAST, STATE, forecast)


def book(*drafts):
    found = DecisionBook()
    for seq, draft in enumerate(drafts, 1):
        found.apply(event(draft, seq))
    return found


def test_a_decision_comes_back_as_it_was_made():
    decision, draft = made()
    known = known_decision(event(draft, 4))
    assert known.decision == decision
    assert (known.id, known.origin_s, known.evidence[0]["missing"]) == (4, 7200, 0.25)


def test_places_and_routes_come_back_and_decisions_kept_before_have_none():
    decision, draft = made()
    drive = replace(decision.actions[0], route=("p0", "p1"))
    reason = replace(decision.reasons[0], place="p1")
    whole = replace(decision, actions=(drive,), reasons=(reason,))
    body = {**draft.body, "decision": json.loads(json.dumps(asdict(whole)))}
    assert known_decision(event(replace(draft, body=body), 4)).decision == whole
    del body["decision"]["actions"][0]["route"], body["decision"]["reasons"][0]["place"]
    assert known_decision(event(replace(draft, body=body), 4)).decision == decision


@pytest.mark.parametrize(
    ("confirm", "actions", "status"),
    [
        (Confirm.OPERATOR, 1, DecisionStatus.WAITING),
        (Confirm.AUTHORITY, 1, DecisionStatus.WAITING),
        (Confirm.NOBODY, 1, DecisionStatus.ADVICE),
        (Confirm.OPERATOR, 0, DecisionStatus.ADVICE),
    ],
)
def test_what_has_to_be_confirmed_waits(confirm, actions, status):
    known = book(made(confirm=confirm, actions=actions)[1]).decisions[1]
    assert known.status(7200) is status


def test_it_expires_and_is_replaced():
    found = book(made()[1])
    assert found.decisions[1].status(7200 + 3600) is DecisionStatus.EXPIRED
    found.apply(event(made(10_800)[1], 2))
    assert found.decisions[1].status(7300) is DecisionStatus.REPLACED


def test_confirmed_undone_rejected():
    found = book(made()[1])
    for seq, (kind, status) in enumerate(
        [
            (AnswerKind.CONFIRM, DecisionStatus.CONFIRMED),
            (AnswerKind.UNDO, DecisionStatus.WAITING),
            (AnswerKind.REJECT, DecisionStatus.REJECTED),
        ],
        2,
    ):
        draft = found.answer(1, kind, "kim", 7300, "because")
        found.apply(event(draft, seq))
        assert found.decisions[1].status(7300) is status
    assert [one.who for one in found.decisions[1].answers] == ["kim"] * 3


def test_an_answer_stays_after_the_next_decision():
    found = book(made()[1])
    found.apply(event(found.answer(1, AnswerKind.CONFIRM, "kim", 7300), 2))
    found.apply(event(made(10_800)[1], 3))
    assert found.decisions[1].status(20_000) is DecisionStatus.CONFIRMED


@pytest.mark.parametrize(
    ("kind", "now_s"),
    [(AnswerKind.UNDO, 7300), (AnswerKind.CONFIRM, 20_000), (AnswerKind.REJECT, 20_000)],
)
def test_what_cannot_be_answered_is_refused(kind, now_s):
    found = book(made()[1])
    with pytest.raises(LiveError, match=r"waiting|expired"):
        found.answer(1, kind, "kim", now_s)
    with pytest.raises(LiveError, match="not among"):
        found.answer(7, kind, "kim", now_s)


def test_two_people_at_once_give_one_event():
    found = book(made()[1])
    one = found.answer(1, AnswerKind.CONFIRM, "kim", 7300)
    other = found.answer(1, AnswerKind.REJECT, "lee", 7300)
    assert one.key == other.key
