"""A party whose sources are watched: forecast again when rows have come."""

from dataclasses import dataclass
from pathlib import Path

from deepcity.city.errors import DataError
from deepcity.data.follow.follow_source import SourceFollower
from deepcity.data.panel import Panel
from deepcity.forecasting.forecast_run import gap_of
from deepcity.forecasting.table import PartyForecasts
from deepcity.live.forecasters import AnyForecaster


@dataclass
class WatchedParty:
    """One party, and followers of its agency's sources and of those it hears.

    Attributes:
        forecaster: of the party.
        followers: its own first.
    """

    forecaster: AnyForecaster
    followers: list[SourceFollower]
    _panel: Panel | None = None
    _trouble: str = ""

    @staticmethod
    def of(forecaster: AnyForecaster, spool: Path) -> "WatchedParty":
        """With copies of growing files in a folder of its own."""
        followers = [
            SourceFollower(one.city_file, one.agency, spool / one.agency)
            for one in forecaster.sources
        ]
        return WatchedParty(forecaster, followers)

    def poll(self) -> PartyForecasts | None:
        """A new forecast; None if no rows have come, or the same trouble as before goes on."""
        party = self.forecaster.party
        try:
            panels = [one.poll() for one in self.followers]
        except DataError as error:
            repeated, self._trouble = self._trouble == str(error), str(error)
            failed = PartyForecasts(party.service, party.party, None, gap_of(error))
            return None if repeated else failed
        self._trouble = ""
        self._panel = panels[0] or self._panel
        if self._panel is None or not any(panel is not None for panel in panels):
            return None
        return self.forecaster.forecast(panel=self._panel)
