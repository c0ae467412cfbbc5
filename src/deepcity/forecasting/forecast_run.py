"""Forecasts of every party of a run; one that fails does not stop the others."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from deepcity.city.errors import DataError, DeepCityError, ProblemsError
from deepcity.data.panel import Panel
from deepcity.forecasting.forecaster import Forecaster
from deepcity.forecasting.forecasts import Forecasts
from deepcity.forecasting.gaps import Gap
from deepcity.forecasting.panel_check import LateRecordsError
from deepcity.forecasting.run_parties import RunParty
from deepcity.forecasting.table import PartyForecasts


@dataclass(frozen=True)
class PartyForecaster:
    """A party of a run, asked whenever rows have come.

    Its forecaster is loaded for each answer and not kept: many parties take the memory of one,
    and what an update has saved since is what forecasts.

    Attributes:
        party: what it is.
    """

    party: RunParty

    @property
    def sources(self) -> tuple[RunParty, ...]:
        """Whose records it forecasts from."""
        return (self.party,)

    def forecast(self, at: datetime | None = None, panel: Panel | None = None) -> PartyForecasts:
        """Its forecast, or why there is none.

        Args:
            at: as `Forecaster.predict` takes it.
            panel: its agency's records; left out, they are read now.
        """
        return self._tried(lambda forecaster: forecaster.predict(at=at), panel)

    def backtest(
        self, start: datetime | None, end: datetime | None, stride: int | None
    ) -> PartyForecasts:
        """Its forecasts of past origins, with truths and the forecasts of learning alone.

        Args:
            start, end: as `Forecaster.backtest` takes them.
            stride: likewise; None: that of the run's own test days, 1 without a map.
        """
        of_map = self.party.of_map
        own = 1 if of_map is None else of_map[0].settings.span.test_stride
        every = own if stride is None else stride
        return self._tried(lambda one: one.backtest(None, start, end, every, alone=True), None)

    def _tried(self, ask: Callable[[Forecaster], Forecasts], panel: Panel | None) -> PartyForecasts:
        failed = PartyForecasts(self.party.service, self.party.party, None)
        try:
            forecaster = self.party.open()
            rows = self.party.panel() if panel is None else self.party.of_service(panel)
            found = ask(self.party.attach(forecaster, rows))
        except DeepCityError as error:
            return replace(failed, gap=gap_of(error))
        return replace(failed, forecasts=found)


def gap_of(error: DeepCityError) -> Gap:
    """Why a whole party has no forecast."""
    code = "forecaster"
    if isinstance(error, DataError):
        about_time = any(problem.key in ("at", "start", "end") for problem in error.problems)
        code = "time" if about_time else "records"
    if isinstance(error, LateRecordsError):
        code = "late-records"
    detail = str(error)
    if isinstance(error, ProblemsError):
        detail = " ".join(map(str, error.problems))
    return Gap(code, detail=detail)
