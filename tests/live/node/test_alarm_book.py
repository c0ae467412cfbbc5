"""Alarms: raised once while a condition holds, handled by people, one event a change."""

import pytest

from deepcity.applications.application import Task
from deepcity.applications.decision import Action, Confirm, Decision, Reason
from deepcity.city.errors import LiveError
from deepcity.live.node.alarm_book import AlarmBook, AlarmChange, AlarmState
from deepcity.live.node.records.source_status import SourceState, SourceStatus
from deepcity.store.events.event import Event, EventDraft, EventKind


class Store:
    """Numbers events as a store does."""

    def __init__(self):
        self.book, self.events = AlarmBook(), []

    def keep(self, drafts):
        for draft in drafts:
            if draft.key not in {one.key for one in self.events}:
                names = EventDraft.__dataclass_fields__
                values = {name: getattr(draft, name) for name in names}
                event = Event(**values, seq=len(self.events) + 1)
                self.events.append(event)
                self.book.apply(event)
        return self.events[-1] if self.events else None

    def decide(self, now_s, *places):
        actions = tuple(Action("warn", place, now_s, {"probability": 0.8}) for place in places)
        made = Decision(actions, (Reason("x"),), 0.8, now_s + 3600, Confirm.OPERATOR)
        event = self.keep(
            [EventDraft(EventKind.DECISION, f"decision/{now_s}", now_s, "air", "a/x")]
        )
        self.keep(self.book.after_decision(event, made, Task.ALERT))


@pytest.fixture
def store():
    return Store()


def test_a_condition_that_goes_on_is_one_alarm(store):
    store.decide(0, "p", "q")
    store.decide(3600, "p")
    store.decide(7200, "p")
    found = list(store.book.alarms.values())
    assert [(one.place, one.over) for one in found] == [("p", False), ("q", True)]
    store.decide(10_800)
    store.decide(14_400, "p")
    assert [(one.place, one.over) for one in store.book.alarms.values()] == [
        ("p", True),
        ("q", True),
        ("p", False),
    ]


def test_an_alarm_that_is_over_stays_until_a_person_closes_it(store):
    store.decide(0, "p")
    store.decide(3600)
    number = next(iter(store.book.alarms))
    assert store.book.alarms[number].state is AlarmState.OPEN
    store.keep([store.book.change(number, AlarmChange.CLOSE, "kim", 3700)])
    assert store.book.alarms[number].state is AlarmState.CLOSED


def test_a_closed_alarm_is_not_raised_again_while_its_condition_goes_on(store):
    store.decide(0, "p")
    number = next(iter(store.book.alarms))
    store.keep([store.book.change(number, AlarmChange.CLOSE, "kim", 100)])
    store.decide(3600, "p")
    assert len(store.book.alarms) == 1


def test_every_change_has_who_and_when(store):
    store.decide(0, "p")
    number = next(iter(store.book.alarms))
    for change, more in (
        (AlarmChange.ACKNOWLEDGE, {}),
        (AlarmChange.ASSIGN, {"to": "lee"}),
        (AlarmChange.COMMENT, {"comment": "a fire nearby"}),
        (AlarmChange.ESCALATE, {}),
    ):
        store.keep([store.book.change(number, change, "kim", 60, **more)])
    alarm = store.book.alarms[number]
    assert alarm.state is AlarmState.ACKNOWLEDGED
    assert (alarm.assigned_to, alarm.escalated) == ("lee", True)
    assert [(one.change, one.who, one.at_s) for one in alarm.history[1:]] == [
        (AlarmChange.ACKNOWLEDGE, "kim", 60),
        (AlarmChange.ASSIGN, "kim", 60),
        (AlarmChange.COMMENT, "kim", 60),
        (AlarmChange.ESCALATE, "kim", 60),
    ]


def test_two_people_at_once_give_one_event(store):
    store.decide(0, "p")
    number = next(iter(store.book.alarms))
    one = store.book.change(number, AlarmChange.ACKNOWLEDGE, "kim", 60)
    other = store.book.change(number, AlarmChange.ACKNOWLEDGE, "lee", 60)
    assert one.key == other.key


@pytest.mark.parametrize(
    ("change", "more"),
    [
        (AlarmChange.ASSIGN, {}),
        (AlarmChange.COMMENT, {}),
        (AlarmChange.RAISED, {}),
        (AlarmChange.OVER, {}),
    ],
)
def test_what_cannot_be_done_is_refused(store, change, more):
    store.decide(0, "p")
    with pytest.raises(LiveError):
        store.book.change(next(iter(store.book.alarms)), change, "kim", 0, **more)
    with pytest.raises(LiveError, match="not among"):
        store.book.change(99, AlarmChange.CLOSE, "kim", 0)


def test_a_silent_source_is_an_alarm_until_it_is_back(store):
    def report(now_s, status):
        event = store.keep([EventDraft(EventKind.SOURCE, f"source/{now_s}", now_s, "", "north")])
        state = SourceState("north", status, 0, now_s, 1, 1, 0.0)
        store.keep(store.book.after_source(event, state))

    report(10_000, SourceStatus.LATE)
    report(400_000, SourceStatus.SILENT)
    report(500_000, SourceStatus.FRESH)
    assert [(one.code, one.over) for one in store.book.alarms.values()] == [
        ("source-late", True),
        ("source-silent", True),
    ]
    late, silent = store.book.alarms.values()
    assert (late.replaced_by, late.worsened) == ("source-silent", True)
    assert (silent.replaced_by, silent.worsened) == ("", False)
    report(600_000, SourceStatus.SILENT)
    report(700_000, SourceStatus.LATE)
    better = list(store.book.alarms.values())[2]
    assert (better.code, better.replaced_by, better.worsened) == (
        *("source-silent", "source-late", False),
    )
