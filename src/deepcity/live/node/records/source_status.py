"""How new an agency's records are: a source that stops is shown as such, never repeated."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

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
    IN_DOUBT = "in-doubt"  # deep data that are unlike those trained with, or do harm


class TroubleCode(StrEnum):
    """What the trouble of a source is about."""

    UNREADABLE = "unreadable"  # its records are there, and cannot be read
    NOT_COMING = "not-coming"  # what prevents new rows from coming
    DEEP_DATA = "deep-data"  # why an agency's deep data are not used


@dataclass(frozen=True)
class RecordSummary:
    """What an agency's records say of their age, whenever that is asked.

    Attributes:
        newest_s: the end of the newest step with a measured value, UTC seconds; None: none.
        step_s: seconds a step.
        rows: steps with a measured value.
        places: how many there are.
        missing: share of values that are missing on the last day.
    """

    newest_s: int | None
    step_s: int
    rows: int
    places: int
    missing: float

    @classmethod
    def of(cls, panel: Panel) -> Self:
        """That of a panel."""
        step_s, places = panel.clock.step_s, len(panel.places)
        known_T = panel.mask_TNF.any(axis=(1, 2))
        if not known_T.any():
            return cls(None, step_s, 0, places, 1.0)
        newest_s = int(panel.time_T[np.flatnonzero(known_T)[-1]]) + step_s
        day = panel.between(newest_s - DAY_S, newest_s)
        missing = 1.0 - float(day.mask_TNF.mean()) if len(day.time_T) else 1.0
        return cls(newest_s, step_s, int(known_T.sum()), places, missing)


@dataclass(frozen=True)
class SourceState:
    """An agency's records at a time.

    Attributes:
        newest_s, rows, places, missing: as in `RecordSummary`.
        lag_s: how far the newest value is behind.
        trouble: what prevents its source from being read; empty: nothing.
        trouble_code: what that is about.
        doubt: of deep data: why they are in doubt, a note as JSON has it; None: they are not.
    """

    agency: str
    status: SourceStatus
    newest_s: int | None
    lag_s: int
    rows: int
    places: int
    missing: float
    trouble: str = ""
    trouble_code: TroubleCode = TroubleCode.NOT_COMING
    doubt: Mapping[str, Any] | None = None


def source_state(
    agency: str,
    found: RecordSummary,
    now_s: int,
    trouble: str = "",
    trouble_code: TroubleCode = TroubleCode.NOT_COMING,
) -> SourceState:
    """How new records are at a time."""
    status, lag_s = SourceStatus.WAITING, 0
    if found.newest_s is not None:
        lag_s = max(0, now_s - found.newest_s)
        late_s = LATE_STEPS * found.step_s
        status = SourceStatus.LATE if lag_s > late_s else SourceStatus.FRESH
        if lag_s > max(SILENT_DAYS * DAY_S, late_s):
            status = SourceStatus.SILENT
    return SourceState(
        agency=agency,
        status=status,
        newest_s=found.newest_s,
        lag_s=lag_s,
        rows=found.rows,
        places=found.places,
        missing=found.missing,
        trouble=trouble,
        trouble_code=trouble_code,
    )
