"""How new an agency's records are: a source that stops is shown as such, never repeated."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from deepcity.city.clock import DAY_S
from deepcity.data.panel import Panel
from deepcity.forecasting.gaps import SILENT_DAYS

LATE_STEPS = 2
"""Steps that records may be behind before they are late."""


class SourceStatus(StrEnum):
    """How new an agency's records are."""

    WAITING = "waiting"  # none has come
    FRESH = "fresh"
    LATE = "late"
    SILENT = "silent"  # too old to be forecast from


@dataclass(frozen=True)
class SourceState:
    """An agency's records at a time.

    Attributes:
        newest_s: the end of the newest step with a measured value, UTC seconds; None: none.
        lag_s: how far that is behind.
        rows: steps with a measured value.
        missing: share of values that are missing on the last day.
        trouble: what prevents its source from being read; empty: nothing.
    """

    agency: str
    status: SourceStatus
    newest_s: int | None
    lag_s: int
    rows: int
    places: int
    missing: float
    trouble: str = ""


def source_state(agency: str, panel: Panel | None, now_s: int, trouble: str = "") -> SourceState:
    """How new a panel's values are at a time."""
    if panel is None or not panel.mask_TNF.any():
        places = 0 if panel is None else len(panel.places)
        return SourceState(agency, SourceStatus.WAITING, None, 0, 0, places, 1.0, trouble)
    step_s = panel.clock.step_s
    known_T = panel.mask_TNF.any(axis=(1, 2))
    newest_s = int(panel.time_T[np.flatnonzero(known_T)[-1]]) + step_s
    lag_s = max(0, now_s - newest_s)
    status = SourceStatus.FRESH
    if lag_s > LATE_STEPS * step_s:
        silent = lag_s > max(SILENT_DAYS * DAY_S, LATE_STEPS * step_s)
        status = SourceStatus.SILENT if silent else SourceStatus.LATE
    day = panel.between(newest_s - DAY_S, newest_s)
    missing = 1.0 - float(day.mask_TNF.mean()) if len(day.time_T) else 1.0
    return SourceState(
        agency, status, newest_s, lag_s, int(known_T.sum()), len(panel.places), missing, trouble
    )
