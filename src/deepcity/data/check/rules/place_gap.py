"""A place without any value for a week or longer while the others report."""

from collections.abc import Iterable

import numpy as np

from deepcity.city.clock import DAY_S, WEEK_S
from deepcity.data.check.presence import others_report, presences
from deepcity.data.check.rules import View
from deepcity.data.findings import Finding, RuleEvidence


def find_warnings(view: View) -> Iterable[Finding]:
    """Places with long gaps of their own; the longest is named."""
    step_s = view.panel.clock.step_s
    least = -(-WEEK_S // step_s)
    if len(view.panel.places) < 2 or len(view.panel.time_T) < 2 * least:
        return
    for f in range(len(view.panel.fields)):
        known_TN = np.isfinite(view.values_TN(f))
        found = {
            n: own
            for n, place in presences(known_TN, least).items()
            if (own := [gap for gap in place.gaps if others_report(known_TN, n, *gap)])
        }
        if not found:
            continue
        worst = max(found, key=lambda n: found[n][0][1] - found[n][0][0])
        start, stop = found[worst][0]
        text = (
            f"no value for a week or longer while other places report; the longest gap is "
            f"{(stop - start) * step_s / DAY_S:.0f} days at {view.panel.places[worst].id} from "
            f"{view.when(start)}: masked; look whether values are kept elsewhere, or leave the "
            f"place out"
        )
        seen = RuleEvidence(*view.span(start, stop), place=view.panel.places[worst].id)
        yield view.warn("place-gap", f, list(found), text, view.day(start), seen)
