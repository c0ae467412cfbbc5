"""Warnings one after another: which ones a newer decision of the same party updates or ends."""

from deepcity.applications.application import Task
from deepcity.applications.decision import Confirm
from deepcity.city.errors import LiveError
from deepcity.live.node.alarm_book import Alarm, AlarmBook, AlarmChange
from deepcity.live.node.decision_book import AnswerKind, DecisionBook, KnownDecision

MOST_BEFORE = 100
"""Earlier warnings that a newer one names: the newest of them."""


def is_issued(made: KnownDecision) -> bool:
    """Whether a warning counts: nobody has to confirm it, or somebody has."""
    if not made.decision.actions:
        return False
    answer = made.answer
    confirmed = answer is not None and answer.answer is AnswerKind.CONFIRM
    return made.decision.confirm is Confirm.NOBODY or confirmed


def warnings_before(book: DecisionBook, made: KnownDecision) -> list[KnownDecision]:
    """Issued warnings of the same party that a decision finds still standing, oldest first.

    A decision without actions ends those before it.
    """
    found: list[KnownDecision] = []
    for one in book.decisions.values():
        if one.id >= made.id:
            break
        if (one.service, one.party, one.task) != (made.service, made.party, Task.ALERT):
            continue
        if is_issued(one):
            found.append(one)
        elif not one.decision.actions:
            found = []
    return found[-MOST_BEFORE:]


def newest_decision_of(alarms: AlarmBook, book: DecisionBook, number: int) -> KnownDecision:
    """The newest decision about an alarm: the last that repeated it, or the one that ended it.

    Raises:
        LiveError: if there is no such alarm, or no decision is about it.
    """
    alarm = alarms.alarms.get(number)
    if alarm is None:
        right = "look at the queue; older alarms can be read in the events alone"
        raise LiveError(f"alarm {number}", "not among the newest ones", right)
    over_s = _over_s(alarm)
    found = [
        one
        for one in book.decisions.values()
        if (one.service, one.party) == (alarm.service, alarm.party)
        and alarm.decision <= one.id
        and (over_s is None or one.made_s <= over_s)
    ]
    if not alarm.decision or not found:
        reason = "no decision raised it" if not alarm.decision else "its decisions are old"
        raise LiveError(f"alarm {number}", reason, "ask for an alarm that a newer decision raised")
    return found[-1]


def _over_s(alarm: Alarm) -> int | None:
    ends = (one.at_s for one in alarm.history if one.change is AlarmChange.OVER)
    return next(ends, None)
