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
    numbers = reason.numbers
    return translate(
        "leaks.suspected" if reason.code == "night-flow-high" else "leaks.usual",
        place=reason.place,
        value=facts.value(numbers["value"]),
        usual=facts.value(numbers["usual"]),
        excess=facts.value(numbers["excess"]),
        nights=f"{numbers['nights']:.0f}",
        rise=f"{numbers['rise']:.1f}",
        limit=f"{numbers['limit']:g}",
        p=percent(numbers["probability"], 0),
    )
