"""A party's daily forecast errors, and detection of drift in them.

Shapes: B origins, N places, H horizon steps, D days.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Doubles, Floats, Ints
from deepcity.intercity.level_choice import LevelChoice
from deepcity.learning.evaluation.baselines import same_time_before
from deepcity.learning.evaluation.drift import LEAST_DAYS, daily_errors, detect_drift
from deepcity.learning.features.inputs import Inputs
from deepcity.parties.party import Party
from deepcity.runs.results import DriftFound
from deepcity.runs.update.forecaster_bundle import LoggedDay


@dataclass(frozen=True, eq=False)
class ErrorLog:
    """Truths at some origins, against which daily errors are computed."""

    inputs: Inputs
    time_T: Ints
    origins_B: Ints
    truth_BNH: Floats

    def last_week(self) -> Floats:
        """The forecast "same hour last week", (B, N, H)."""
        lag, horizon = 7 * self.inputs.grid.slots, self.truth_BNH.shape[-1]
        return same_time_before(self.inputs.values_TN, self.origins_B, horizon, lag)

    def days(self, forecast_BNH: Floats) -> tuple[LoggedDay, ...]:
        """Each day's errors; days without a defined error are left out."""
        day_T = self.inputs.grid.day_T
        days_B = day_T[self.origins_B]
        days, errors_D = daily_errors(forecast_BNH, self.truth_BNH, days_B)
        _, naive_D = daily_errors(self.last_week(), self.truth_BNH, days_B)
        starts = self.time_T[np.searchsorted(day_T, days)]
        return tuple(
            LoggedDay(
                start=int(start),
                error=float(error),
                naive=float(naive) if np.isfinite(naive) else None,
            )
            for start, error, naive in zip(starts, errors_D, naive_D, strict=True)
            if np.isfinite(error)
        )


def run_error_days(
    party: Party, choice: LevelChoice, test_BNH: Floats
) -> tuple[tuple[LoggedDay, ...], tuple[LoggedDay, ...]]:
    """Daily errors of a run's validation days, and of its test days forecast by `test_BNH`."""
    time_T, truth_BNH = party.panel.time_T, party.data.validation.truth_BNH
    validation = ErrorLog(party.inputs, time_T, party.validation_origins, truth_BNH)
    test = ErrorLog(party.inputs, time_T, party.test_origins, party.test.truth_BNH)
    return validation.days(choice.validation.forecast_BNH), test.days(test_BNH)


def drift_of_run(party: Party, choice: LevelChoice, test_BNH: Floats) -> DriftFound | None:
    """A rise of the ensemble's error in the test days against the validation days, if any."""
    before, later = run_error_days(party, choice, test_BNH)
    if len(before) < LEAST_DAYS:
        return None
    return latest_drift(append_days(before, later), 0, len(before))[0]


def append_days(days: Sequence[LoggedDay], more: Sequence[LoggedDay]) -> tuple[LoggedDay, ...]:
    """Days and those after them; of a day logged twice the first entry is kept."""
    last = days[-1].start if days else -1
    return (*days, *(day for day in more if day.start > last))


def latest_drift(
    days: Sequence[LoggedDay], watch_from: int, usual_days: int
) -> tuple[DriftFound | None, int]:
    """The latest rise of the error, if any, and the day to watch from next.

    After a rise is detected, its days become the reference for the next one.

    Args:
        days: daily errors.
        watch_from: position of the first day considered.
        usual_days: number of reference days at the start; at least two weeks.
    """
    watched = days[watch_from:]
    usual = max(usual_days if not watch_from else 0, LEAST_DAYS)
    errors_D = np.array([day.error for day in watched], np.float64)
    found = detect_drift(errors_D[usual:], errors_D[:usual])
    if found is None:
        return None, watch_from
    since, noticed = usual + found.since, usual + found.noticed
    naive_D = np.array([np.nan if day.naive is None else day.naive for day in watched], np.float64)
    return (
        DriftFound(
            since=watched[since].start,
            noticed=watched[noticed].start,
            excess=found.excess,
            naive_excess=_excess(naive_D[since:], naive_D[:usual]),
        ),
        watch_from + since,
    )


def _excess(later_D: Doubles, usual_D: Doubles) -> float:
    """Relative rise of the median against the reference days; NaN where it is undefined."""
    later, usual = later_D[np.isfinite(later_D)], usual_D[np.isfinite(usual_D)]
    if not len(later) or not len(usual) or not np.median(usual) > 0:
        return float("nan")
    return float(np.median(later) / np.median(usual) - 1)
