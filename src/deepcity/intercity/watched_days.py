"""A party's errors day by day, as they were forecast, and whether they rose of late.

Shapes: B origins, N places, H horizon steps, D days.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Doubles, Floats, Ints
from deepcity.intercity.automatic import Choice
from deepcity.intercity.own_package import Day
from deepcity.intercity.parties import Party
from deepcity.intercity.results import DriftFound
from deepcity.learning.baselines import same_time_before
from deepcity.learning.drift import LEAST_DAYS, daily_errors, notice
from deepcity.learning.features import Inputs


@dataclass(frozen=True, eq=False)
class Told:
    """Forecasts of some origins, and what was measured then."""

    inputs: Inputs
    time_T: Ints
    origins_B: Ints
    truth_BNH: Floats

    def last_week(self) -> Floats:
        """The same hour of last week, (B, N, H)."""
        lag, horizon = 7 * self.inputs.grid.slots, self.truth_BNH.shape[-1]
        return same_time_before(self.inputs.values_TN, self.origins_B, horizon, lag)

    def days(self, said_BNH: Floats) -> tuple[Day, ...]:
        """Each day's errors; days without a measured value are left out."""
        day_T = self.inputs.grid.day_T
        days_B = day_T[self.origins_B]
        days, errors_D = daily_errors(said_BNH, self.truth_BNH, days_B)
        _, naive_D = daily_errors(self.last_week(), self.truth_BNH, days_B)
        starts = self.time_T[np.searchsorted(day_T, days)]
        return tuple(
            Day(
                start=int(start),
                error=float(error),
                naive=float(naive) if np.isfinite(naive) else None,
            )
            for start, error, naive in zip(starts, errors_D, naive_D, strict=True)
            if np.isfinite(error)
        )


def days_of_run(
    party: Party, choice: Choice, test_BNH: Floats
) -> tuple[tuple[Day, ...], tuple[Day, ...]]:
    """The validation days and the test days of a run, those forecast by `test_BNH`."""
    time_T, truth_BNH = party.panel.time_T, party.data.validation.truth_BNH
    validation = Told(party.inputs, time_T, party.validation_origins, truth_BNH)
    test = Told(party.inputs, time_T, party.test_origins, party.test.truth_BNH)
    return validation.days(choice.validation.forecast_BNH), test.days(test_BNH)


def drift_of_run(party: Party, choice: Choice, test_BNH: Floats) -> DriftFound | None:
    """A rise of the automatic forecast's error over the test days, against the validation days."""
    before, later = days_of_run(party, choice, test_BNH)
    if len(before) < LEAST_DAYS:
        return None
    return drift_of(joined(before, later), 0, len(before))[0]


def joined(days: Sequence[Day], more: Sequence[Day]) -> tuple[Day, ...]:
    """Days and those after them; of a day told twice the first word stands."""
    last = days[-1].start if days else -1
    return (*days, *(day for day in more if day.start > last))


def drift_of(
    days: Sequence[Day], watch_from: int, usual_days: int
) -> tuple[DriftFound | None, int]:
    """A rise since the days watched from, and where to watch from next.

    What is noticed once becomes the usual: the next rise is told against it.

    Args:
        usual_days: of those watched, how many tell what is usual; two weeks at least.
    """
    watched = days[watch_from:]
    usual = max(usual_days if not watch_from else 0, LEAST_DAYS)
    errors_D = np.array([day.error for day in watched], np.float64)
    found = notice(errors_D[usual:], errors_D[:usual])
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
    """Median of the later days, less the usual, as a share of it; NaN where none is known."""
    later, usual = later_D[np.isfinite(later_D)], usual_D[np.isfinite(usual_D)]
    if not len(later) or not len(usual) or not np.median(usual) > 0:
        return float("nan")
    return float(np.median(later) / np.median(usual) - 1)
