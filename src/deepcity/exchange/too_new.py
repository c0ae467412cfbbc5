"""Rows that nobody can have measured yet: a clock, or a time zone, that is ahead.

An application sees when an agency's deep data are hours behind. That records run ahead, only
their agency can see: it speaks of no time that has not come, and would say rows of this
morning for this noon. So it notes of each newest step when it was there first. A step that had
not even begun then is doubted at once; one that had begun, and of which too little can have
been measured, only if it happens step after step.

Records that are behind look as those of a feed that is late, and are not doubted.

Shapes: T steps, N places, F fields.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepcity.city.field import Resample
from deepcity.data.panel import Panel
from deepcity.learning.encoder_package import EncoderPackage
from deepcity.store.deep_data import moment
from deepcity.store.deep_data_check import TOLERANCE_SECONDS
from deepcity.store.outbox import Outbox

_ZONES_S = 26 * 3600
"""No two clocks on Earth differ by more; rows of days ahead are a calendar's or a forecast's."""

EARLY_STEPS = 3
"""So many steps, one after the other, must come early, if they had begun."""

_MEASURED = {Resample.SUM: 1.0, Resample.MEAN: 0.5, Resample.LAST: 0.0, Resample.MAX: 0.0}
"""Share of a step after which a row of it can be there: a total needs all of it, an average
half, and what stands at one moment may be of its first."""

_PAIR = struct.Struct("<qq")


@dataclass(frozen=True)
class Arrival:
    """When rows of a step were there first.

    Attributes:
        step: when it begins.
        seen: by this machine's clock.
    """

    step: int
    seen: int


@dataclass(frozen=True)
class Arrivals:
    """The newest steps' arrivals, kept in the outbox, so that a restart forgets none.

    Attributes:
        at_once: rows of a step are there as soon as it begins: events, counted as they happen.
    """

    package: EncoderPackage
    outbox: Outbox
    at_once: bool = False

    def look_at(self, panel: Panel, now: int) -> str:
        """Note the newest step, and say why the clock of the rows is doubted; empty: it is not."""
        newest = _newest(panel)
        if self.package.settings.ahead or newest is None:
            return ""
        before = self._noted()
        found = noted(before, Arrival(newest, now))
        if found != before:
            packed = b"".join(_PAIR.pack(one.step, one.seen) for one in found)
            self.outbox.put_all([], {}, {self._name: {0: packed}})
        measured = min(_MEASURED[known.kind.resample] for known in panel.fields)
        measured_s = 0 if self.at_once else round(measured * panel.clock.step_s)
        return too_new(self.package.facts.agency, panel.clock.step_s, measured_s, found)

    @property
    def _name(self) -> str:
        return f"{self.package.space}/arrivals"

    def _noted(self) -> tuple[Arrival, ...]:
        packed = self.outbox.notes(self._name, 0).get(0, b"")
        return tuple(Arrival(*pair) for pair in _PAIR.iter_unpack(packed))


def noted(before: Sequence[Arrival], newest: Arrival) -> tuple[Arrival, ...]:
    """The last arrivals with a newest one; later steps that are no longer there are forgotten."""
    kept = [one for one in before if one.step <= newest.step]
    if not kept or kept[-1].step < newest.step:
        kept.append(newest)
    return tuple(kept[-EARLY_STEPS:])


def too_new(agency: str, step_s: int, measured_s: int, arrivals: Sequence[Arrival]) -> str:
    """Why the newest rows cannot be as new as they say; empty: they can.

    Args:
        agency: whose rows they are.
        step_s: of its rows.
        measured_s: how long after its beginning a step's rows can be there at the earliest.
        arrivals: of the newest steps, in order; rows of days ahead are no matter of clocks.
    """
    slack = min(TOLERANCE_SECONDS, step_s // 4)
    leads = [one.step + measured_s - one.seen for one in arrivals]
    early = [slack < lead <= _ZONES_S for lead in leads]
    if not early or not early[-1]:
        return ""
    last = arrivals[-1]
    begins, seen = moment(last.step), moment(last.seen)
    if last.step - last.seen > slack:
        why = (
            f"the newest rows of {agency} begin at {begins}, which by this machine's clock, "
            f"{seen}, is yet to come: nobody can have measured them"
        )
    elif len(early) == EARLY_STEPS and all(early):
        why = (
            f"{EARLY_STEPS} times, one after the other, rows of {agency} were there before enough "
            f"of their step of {step_s} s had passed to measure them, those of {begins} at "
            f"{seen}: their clock seems to be ahead, by one step or by part of one"
        )
    else:
        return ""
    return (
        f"{why}, so what is said of now may be of hours before. Correct time.zone or time.stamp "
        "of their source, or the clock; if they are known ahead (a forecast, a calendar), train "
        "the encoder with `ahead`"
    )


def _newest(panel: Panel) -> int | None:
    """When the newest step with rows begins."""
    known_T = np.isfinite(panel.values_TNF).any(axis=(1, 2))
    return int(panel.time_T[np.flatnonzero(known_T)[-1]]) if known_T.any() else None
