"""Rows that nobody can have measured yet: a clock, or a time zone, that is ahead.

An application sees when an agency's deep data are hours behind. That records run ahead, only
their agency can see: it speaks of no time that has not come, and would say rows of this
morning for this noon.

Shapes: T steps, N places, F fields.
"""

import numpy as np

from deepcity.city.field import Resample
from deepcity.data.panel import Panel
from deepcity.learning.encoder_package import EncoderPackage
from deepcity.store.deep_data import moment
from deepcity.store.deep_data_check import TOLERANCE_SECONDS

_ZONES_S = 26 * 3600
"""No two clocks on Earth differ by more; rows of days ahead are a calendar's or a forecast's."""


def too_new(panel: Panel, package: EncoderPackage, now: int) -> str:
    """Why the newest rows cannot be as new as they say; empty: they can.

    A step counts as measured once half of it is, or as soon as it begins (a level), so a row
    that is there earlier tells of a clock ahead, be it by a single step. An encoder that was
    trained with steps ahead is told such rows, and not asked.
    """
    known_T = np.isfinite(panel.values_TNF).any(axis=(1, 2))
    if package.settings.ahead or not known_T.any():
        return ""
    step_s, newest = panel.clock.step_s, int(panel.time_T[np.flatnonzero(known_T)[-1]])
    at_once = any(known.kind.resample in {Resample.LAST, Resample.MAX} for known in panel.fields)
    earliest = newest if at_once else newest + step_s // 2
    ahead_s = earliest - now - min(TOLERANCE_SECONDS, step_s // 4)
    if not 0 < ahead_s <= _ZONES_S:
        return ""
    return (
        f"the newest rows of {package.facts.agency} begin at {moment(newest)}, which by this "
        "machine's clock is yet to come: nobody can have measured them, so what is said of now "
        "may be of hours before. Correct time.zone or time.stamp of their source, or the clock; if "
        "they are known ahead (a forecast, a calendar), train the encoder with `ahead`"
    )
