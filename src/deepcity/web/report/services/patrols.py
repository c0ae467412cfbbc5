"""A patrol plan in words: where, what it would have served, who bears it, and its feedback."""

from typing import TYPE_CHECKING

from deepcity.applications.decision import Decision
from deepcity.web.report.figures import percent
from deepcity.web.report.text import Text, joined, same, translate

if TYPE_CHECKING:
    from deepcity.web.report.decisions import DecisionFacts

_NAMED = 5  # cells; the others are counted


def patrol_words(decision: Decision, _facts: "DecisionFacts") -> list[Text]:
    """The plan, then the checks that stand beside it."""
    if not decision.actions:
        return [translate("patrols.none")]
    by_code = {one.code: one.numbers for one in decision.reasons}
    plan = by_code["patrols-planned"]
    named = [same(action.place) for action in decision.actions[:_NAMED]]
    more = len(decision.actions) - len(named)
    if more:
        named.append(translate("patrols.more", n=more))
    cells = f"{plan['cells']:,.0f}"
    found = [translate("patrols.plan", n=len(decision.actions), of=cells, cells=joined(named))]
    if plan["served"]:
        served, pai = percent(plan["served"], 0), f"{plan['pai']:.1f}"
        found.append(translate("patrols.served", p=served, pai=pai))
    if "burden" in by_code:
        shares = by_code["burden"]
        patrols, counts = (percent(shares[name], 0) for name in ("patrol-share", "count-share"))
        found.append(translate("patrols.burden", patrols=patrols, counts=counts))
    if "feedback" in by_code:
        drift = by_code["feedback"]
        before, after = (percent(drift[name], 0) for name in ("before", "after"))
        days = f"{drift['days']:.0f}"
        found.append(translate("patrols.feedback", days=days, before=before, after=after))
    return found
