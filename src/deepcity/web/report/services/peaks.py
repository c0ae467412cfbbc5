"""A peak in words: when, how high, how sure, and which places carry it above their usual share."""

from typing import TYPE_CHECKING

from deepcity.applications.decision import Decision
from deepcity.web.report.figures import percent, stretch
from deepcity.web.report.text import Text, joined, translate

if TYPE_CHECKING:
    from deepcity.web.report.decisions import DecisionFacts


def peak_words(decision: Decision, facts: "DecisionFacts") -> list[Text]:
    """The peak, then what is usual, then who could shift."""
    numbers = decision.reasons[0].numbers
    found = [
        translate(
            "peaks.ahead",
            when=facts.moment(decision.actions[0].at_s),
            value=facts.value(numbers["value"]),
            low=facts.value(numbers["low"]),
            high=facts.value(numbers["high"]),
            near=stretch(60 * numbers["near-hours"]),
            p=percent(numbers["probability"], 0),
        )
    ]
    if facts.places > 1:
        largest = decision.actions[0]
        value = facts.value(largest.numbers["value"])
        found.append(translate("peaks.largest", place=largest.place, value=value))
    if "usual" in numbers:
        found.append(translate("peaks.usual", usual=facts.value(numbers["usual"])))
    above = [one for one in decision.reasons if one.code == "above-usual-share"]
    if above:
        places = joined(
            translate(
                "peaks.carrier",
                place=one.place,
                excess=facts.value(one.numbers["excess"]),
                share=percent(one.numbers["share"]),
                usual=percent(one.numbers["usual-share"]),
                p=percent(one.numbers["probability"], 0),
            )
            for one in above
        )
        found.append(translate("peaks.shift", places=places))
    return found
