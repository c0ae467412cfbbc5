"""Whether a party's forecast became worse over the test days, and how it is said."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from deepcity.intercity.automatic import Choice
from deepcity.intercity.parties import Party
from deepcity.intercity.results import DriftFound, Words
from deepcity.learning.baselines import same_time_before
from deepcity.learning.drift import daily_errors, notice

Floats = NDArray[np.float32]


def worsening(party: Party, choice: Choice, said_BNH: Floats) -> DriftFound | None:
    """Drift of the automatic forecast over the test days, against the validation days."""
    before, later = _days(party)
    _, usual_D = before.errors(choice.validation.forecast_BNH)
    days, errors_D = later.errors(said_BNH)
    found = notice(errors_D, usual_D)
    if found is None:
        return None
    usual_naive = np.nanmedian(before.naive(party)[1])
    naive = np.nanmedian(later.naive(party)[1][found.since :])
    return DriftFound(
        since=_start_of(party, int(days[found.since])),
        noticed=_start_of(party, int(days[found.noticed])),
        excess=found.excess,
        naive_excess=float(naive / usual_naive - 1) if usual_naive > 0 else float("nan"),
    )


@dataclass(frozen=True)
class _Days:
    """Forecasts of some days, and what was measured then."""

    origins_B: NDArray[np.int64]
    day_B: NDArray[np.int64]
    truth_BNH: Floats

    def errors(self, said_BNH: Floats) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The days, and the mean absolute error of each."""
        return daily_errors(said_BNH, self.truth_BNH, self.day_B)

    def naive(self, party: Party) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The same of the same hour last week."""
        inputs = party.inputs
        lag, horizon = 7 * inputs.grid.slots, inputs.settings.horizon
        return self.errors(same_time_before(inputs.values_TN, self.origins_B, horizon, lag))


def _days(party: Party) -> tuple[_Days, _Days]:
    """The validation days and the test days."""
    day_T = party.inputs.grid.day_T
    validation, test = party.validation_origins, party.test_origins
    return (
        _Days(validation, day_T[validation], party.data.validation.truth_BNH),
        _Days(test, day_T[test], party.test.truth_BNH),
    )


def drift_words(time_zone: str, found: DriftFound) -> Words:
    """The finding as a sentence."""
    zone = ZoneInfo(time_zone)
    since, noticed = (datetime.fromtimestamp(s, zone) for s in (found.since, found.noticed))
    en = (
        f"Drift: since {since.day} {since:%b %Y} its error is {found.excess:.0%} above the usual "
        f"(noticed on {noticed.day} {noticed:%b})."
    )
    ko = (
        f"변화 감지: {since:%Y}년 {since.month}월 {since.day}일부터 오차가 평소보다 "
        f"{found.excess:.0%} 큽니다({noticed.month}월 {noticed.day}일에 감지)."
    )
    if np.isfinite(found.naive_excess):
        harder = f"{found.naive_excess:+.0%}".replace("-", "−")
        en += f" The same hour last week: {harder}."
        ko += f" 지난주 같은 시각 규칙은 {harder}입니다."
    return Words(en=en, ko=ko)


def _start_of(party: Party, day: int) -> int:
    return int(party.panel.time_T[np.argmax(party.inputs.grid.day_T == day)])
