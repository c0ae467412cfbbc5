"""A crowding warning in words: where first, how far above which limit, and how sure."""

from typing import TYPE_CHECKING

from deepcity.applications.decision import Decision
from deepcity.web.report.figures import percent
from deepcity.web.report.text import Text, translate

if TYPE_CHECKING:
    from deepcity.web.report.decisions import DecisionFacts


def crowd_words(decision: Decision, facts: "DecisionFacts") -> list[Text]:
    """What to warn of, then what the limits are."""
    numbers = decision.reasons[0].numbers
    if not numbers["limits"]:
        return [translate("crowds.no_limits")]
    share = percent(1 - numbers["quantile"], 0)
    return [_first(decision, facts), translate("crowds.limits", share=share)]


def _first(decision: Decision, facts: "DecisionFacts") -> Text:
    if not decision.actions:
        p = percent(decision.reasons[0].numbers["probability"], 0)
        return translate("crowds.no_warn", ahead=facts.ahead, p=p)
    first, now_s = decision.actions[0], decision.valid_until_s - facts.step_s
    minutes = (first.at_s - now_s) / 60
    when = translate("crowds.from_then", when=facts.moment(first.at_s), minutes=f"{minutes:g}")
    return translate(
        "crowds.warn",
        n=len(decision.actions),
        places=facts.places,
        place=first.place,
        from_=when if minutes else translate("decision.from_now"),
        value=facts.value(first.numbers["value"]),
        limit=facts.value(first.numbers["limit"]),
        p=percent(first.numbers["probability"], 0),
    )
