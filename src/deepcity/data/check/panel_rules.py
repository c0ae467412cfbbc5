"""Warnings on a panel's values: gaps, places without values, constants, short records.

Shapes: T steps, N places, F fields.
"""

import numpy as np

from deepcity.city.arrays import Bools, Floats
from deepcity.city.clock import DAY_S, WEEK_S
from deepcity.data.config.duration import duration_text
from deepcity.data.findings import NO_EVIDENCE, Finding, RuleEvidence, Severity
from deepcity.data.panel import Panel
from deepcity.data.timestamps.dst import wall_text


def find_warnings(panel: Panel) -> list[Finding]:
    """All warnings on a panel's values."""
    return [*_gaps(panel), *_silent(panel), *_constant(panel), *_short(panel)]


def _gaps(panel: Panel) -> list[Finding]:
    """Stretches of at least a day without any value."""
    step_s = panel.clock.step_s
    absent_T = np.asarray(~panel.mask_TNF.any(axis=(1, 2)))
    gaps = [(a, b) for a, b in runs(absent_T) if (b - a) * step_s >= DAY_S]
    if not gaps:
        return []
    start, stop = max(gaps, key=lambda gap: gap[1] - gap[0])
    steps = sum(b - a for a, b in gaps)
    local = panel.clock.local_seconds(panel.time_T[[start, stop - 1]])
    text = (
        f"{_plural(len(gaps), 'gap')} of a day or longer, {steps:,} steps in all, masked;"
        f" the longest is {_plural((stop - start) * step_s // DAY_S, 'day')}"
        f" ({wall_text(local[0])} .. {wall_text(local[1])})"
    )
    first, step_s = int(panel.time_T[0]), panel.clock.step_s
    seen = RuleEvidence(first + start * step_s, first + stop * step_s)
    return [Finding(Severity.WARNING, "gap", "time", steps, text, evidence=seen)]


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' if count != 1 else ''}"


def runs(flag_T: Bools) -> list[tuple[int, int]]:
    """Start and stop of each stretch of True.

    >>> runs(np.array([True, False, True, True]))
    [(0, 1), (2, 4)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flag_T.astype(np.int8), [0]))))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _each(
    panel: Panel, flag_NF: Bools, what: str, text: str, value_NF: Floats | None = None
) -> list[Finding]:
    return [
        Finding(
            Severity.WARNING,
            what,
            f"{panel.places[n].id} / {panel.fields[f].name}",
            1,
            text,
            (panel.fields[f].name, (panel.places[n].id,)),
            evidence=NO_EVIDENCE if value_NF is None else RuleEvidence(value=float(value_NF[n, f])),
        )
        for n, f in np.argwhere(flag_NF)
    ]


def _silent(panel: Panel) -> list[Finding]:
    silent_NF = np.asarray(~panel.mask_TNF.any(axis=0))
    return _each(panel, silent_NF, "all-missing", "no value was measured")


def _constant(panel: Panel) -> list[Finding]:
    """Series whose values never change; those without values have minimum inf, maximum -inf."""
    measured_TNF = panel.mask_TNF
    low_NF = np.where(measured_TNF, panel.values_TNF, np.inf).min(axis=0, initial=np.inf)
    high_NF = np.where(measured_TNF, panel.values_TNF, -np.inf).max(axis=0, initial=-np.inf)
    constant_NF = (low_NF == high_NF) & (measured_TNF.sum(axis=0) > 1)
    return _each(panel, constant_NF, "constant", "every measured value is the same", low_NF)


def _short(panel: Panel) -> list[Finding]:
    steps = len(panel.time_T)
    if steps * panel.clock.step_s >= 2 * WEEK_S:
        return []
    span = duration_text(steps * panel.clock.step_s)
    text = f"only {steps:,} steps ({span}): under two weeks, too short for a weekly pattern"
    return [Finding(Severity.WARNING, "short", "time", steps, text)]
