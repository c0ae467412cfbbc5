"""A suspected leak in words: which district's nights rose, by how much, and how sure."""

from typing import TYPE_CHECKING

from deepcity.applications.decision import Decision, Reason
from deepcity.web.report.figures import percent
from deepcity.web.report.text import Text, translate

if TYPE_CHECKING:
    from deepcity.web.report.decisions import DecisionFacts


def leak_words(decision: Decision, facts: "DecisionFacts") -> list[Text]:
    """Every district that is suspected; or the one that rises most; or that nights are missing."""
    first = decision.reasons[0]
    if first.code == "too-few-nights":
        known, needed = (f"{first.numbers[name]:.0f}" for name in ("nights", "needed"))
        return [translate("leaks.too_few", known=known, needed=needed)]
    codes = ("night-flow-high", "night-flow-usual")
    return [_words(one, facts) for one in decision.reasons if one.code in codes]


def _words(reason: Reason, facts: "DecisionFacts") -> Text:
    numbers, key = reason.numbers, "leaks.usual"
    if reason.code == "night-flow-high":
        by_share = numbers["rise"] < numbers["limit"]
        key = "leaks.suspected_by_share" if by_share else "leaks.suspected"
    return translate(
        key,
        place=reason.place,
        value=facts.value(numbers["value"]),
        usual=facts.value(numbers["usual"]),
        excess=facts.value(numbers["excess"]),
        nights=f"{numbers['nights']:.0f}",
        rise=f"{numbers['rise']:.1f}",
        limit=f"{numbers['limit']:g}",
        share=percent(numbers.get("share", 0.0), 0),  # older decisions have no such rule
        large=percent(numbers.get("large", 0.0), 0),
        large_nights=f"{numbers.get('large-nights', 0.0):.0f}",
        p=percent(numbers["probability"], 0),
    )
