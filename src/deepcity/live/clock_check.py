"""Detects records with a clock or time zone that is ahead: rows that cannot be measured yet.

An application detects deep data that are hours old. Records that run ahead only their agency can
detect: it encodes no future time, so it would take this morning's rows for this noon's. So it logs
when each newest step first had rows. A step that had not even begun gives a warning at once; one
that had begun, but too recently to be measured, only if this happens several steps in a row.

Records that are behind cannot be told from a late feed, and give no warning.

Shapes: T steps, N places, F fields.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepcity.city.field import Resample
from deepcity.data.panel import Panel
from deepcity.learning.split.encoder_package import EncoderPackage
from deepcity.store.deep_data.batch import moment
from deepcity.store.deep_data.checks import TOLERANCE_SECONDS
from deepcity.store.outbox import Outbox

_ZONES_S = 26 * 3600
"""No two time zones differ by more; rows further ahead are a calendar's or a forecast's."""

EARLY_STEPS = 3
"""Number of consecutive early steps for a warning, if they had begun."""

_MEASURED = {Resample.SUM: 1.0, Resample.MEAN: 0.5, Resample.LAST: 0.0, Resample.MAX: 0.0}
"""Share of a step after which it can have a row: a total needs all of it, an average half, and a
value of one instant none."""

_PAIR = struct.Struct("<qq")


@dataclass(frozen=True)
class Arrival:
    """When a step first had rows.

    Attributes:
        step: its start, UTC seconds.
        seen: that time, by this machine's clock.
    """

    step: int
    seen: int


@dataclass(frozen=True)
class ArrivalLog:
    """Arrivals of the newest steps, kept in the outbox to survive restarts.

    Attributes:
        at_once: rows of a step exist as soon as it begins: events, counted as they happen.
    """

    package: EncoderPackage
    outbox: Outbox
    at_once: bool = False

    def check(self, panel: Panel, now: int) -> str:
        """Log the newest step; returns a warning if the clock seems ahead, else an empty text."""
        newest = _newest(panel)
        if self.package.settings.ahead or newest is None:
            return ""
        before = self._stored()
        found = add_arrival(before, Arrival(newest, now))
        if found != before:
            packed = b"".join(_PAIR.pack(one.step, one.seen) for one in found)
            self.outbox.put([], {}, {self._name: {0: packed}})
        measured = min(_MEASURED[known.kind.resample] for known in panel.fields)
        measured_s = 0 if self.at_once else round(measured * panel.clock.step_s)
        return clock_warning(self.package.facts.agency, panel.clock.step_s, measured_s, found)

    @property
    def _name(self) -> str:
        return f"{self.package.space}/arrivals"

    def _stored(self) -> tuple[Arrival, ...]:
        packed = self.outbox.notes(self._name, 0).get(0, b"")
        return tuple(Arrival(*pair) for pair in _PAIR.iter_unpack(packed))


def add_arrival(before: Sequence[Arrival], newest: Arrival) -> tuple[Arrival, ...]:
    """Append an arrival; later steps that have no rows any more are dropped."""
    kept = [one for one in before if one.step <= newest.step]
    if not kept or kept[-1].step < newest.step:
        kept.append(newest)
    return tuple(kept[-EARLY_STEPS:])


def clock_warning(agency: str, step_s: int, measured_s: int, arrivals: Sequence[Arrival]) -> str:
    """Why the clock of the newest rows seems ahead; empty: it does not.

    Args:
        step_s: step of its rows.
        measured_s: the earliest time after its start at which a step can have rows.
        arrivals: of the newest steps, in order; rows of days ahead give no warning.
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
            f"the newest rows of {agency} begin at {begins}, but this machine's clock showed "
            f"{seen}: they lie in the future"
        )
    elif len(early) == EARLY_STEPS and all(early):
        why = (
            f"{EARLY_STEPS} times in a row, rows of {agency} arrived before their step of "
            f"{step_s} s could be measured, those of {begins} at {seen}: their clock seems to be "
            f"ahead by up to one step"
        )
    else:
        return ""
    return (
        f"{why}. Current deep data may rest on hours-old rows. Correct time.zone or time.stamp of "
        "their source, or the clock; if they are known ahead (a forecast, a calendar), train the "
        "encoder with `ahead`"
    )


def _newest(panel: Panel) -> int | None:
    """Start of the newest step with rows, UTC seconds."""
    known_T = np.isfinite(panel.values_TNF).any(axis=(1, 2))
    return int(panel.time_T[np.flatnonzero(known_T)[-1]]) if known_T.any() else None
