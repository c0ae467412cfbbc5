"""A place whose values begin at the very end of the record, or end long before it.

What begins in the last weeks falls into the test days of a run: its network has never seen it.
"""

from collections.abc import Iterable

import numpy as np

from deepcity.city.clock import DAY_S
from deepcity.data.check.presence import others_report, presences
from deepcity.data.check.rules import View
from deepcity.data.findings import Finding, RuleEvidence

MIN_DAYS = 28  # of a record
LATE_SHARE = 0.2  # of the record: what begins in its last part is late
MIN_AWAY_DAYS = 14  # without a value at an end, while the others report


def find_warnings(view: View) -> Iterable[Finding]:
    """Places that begin late, then places that ended."""
    per_day = DAY_S / view.panel.clock.step_s
    steps = len(view.panel.time_T)
    if len(view.panel.places) < 2 or steps < MIN_DAYS * per_day:
        return
    away = round(MIN_AWAY_DAYS * per_day)
    for f in range(len(view.panel.fields)):
        known_TN = np.isfinite(view.values_TN(f))
        found = presences(known_TN, steps)
        late = {
            n: one.first
            for n, one in found.items()
            if one.first >= max(away, (1 - LATE_SHARE) * steps)
            and others_report(known_TN, n, 0, one.first)
        }
        if late:
            first = min(late.values())
            text = (
                f"first value on {view.day(first)} or later, in the last fifth of the record: too "
                f"little to learn from before the test days of a run; leave it out, or name its "
                f"party among newcomers"
            )
            seen = RuleEvidence(view.second(first))
            yield view.warn("late-place", f, list(late), text, view.day(first), seen)
        ended = {
            n: one.stop
            for n, one in found.items()
            if steps - one.stop >= away and others_report(known_TN, n, one.stop, steps)
        }
        if ended:
            last = max(ended.values())
            text = (
                f"no value since {view.day(last)} or earlier while other places report: leave it "
                f"out, as nothing of it can be forecast"
            )
            seen = RuleEvidence(view.second(last))
            yield view.warn("ended-place", f, list(ended), text, view.day(last), seen)
