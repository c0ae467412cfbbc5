"""A party of a node: asked for its forecast and decision at every step."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Protocol

from deepcity.applications.application import Task, applications
from deepcity.applications.decision import Decision
from deepcity.city.errors import DeepCityError
from deepcity.data.city_file import CityFile
from deepcity.data.panel import Panel
from deepcity.forecasting.forecast_run import PartyForecaster, gap_of
from deepcity.forecasting.forecaster import Forecaster
from deepcity.forecasting.run_parties import RunParty
from deepcity.forecasting.table import PartyForecasts
from deepcity.live.forecasters import AnyForecaster
from deepcity.live.vertical_forecasts import VerticalForecaster
from deepcity.parties.weather import weather_of

KnownPanel = Callable[[CityFile, str], Panel]
"""An agency's records as far as the node knows them."""


@dataclass(frozen=True, eq=False)
class PartyAnswer:
    """What a party says at a step.

    Attributes:
        forecasts: its forecast, or why there is none.
        decision: None where there is no forecast, or its service names no application.
        application: which decided; empty: none.
    """

    forecasts: PartyForecasts
    decision: Decision | None
    application: str = ""

    @property
    def task(self) -> Task:
        """The type of its decision."""
        return applications()[self.application].task


@dataclass(frozen=True)
class PartyFacts:
    """What does not change from step to step.

    Attributes:
        field: of its agency's records that is forecast.
        application: which decides; empty: none.
        horizon: steps ahead.
        band: share of truths that a band should hold.
    """

    field: str
    application: str
    horizon: int
    band: float


class NodeParty(Protocol):
    """A party that is asked at every step."""

    @property
    def party(self) -> RunParty:
        """What it is."""
        ...

    @property
    def facts(self) -> PartyFacts:
        """What it forecasts."""
        ...

    def answer(self, panel: Panel, at_s: int) -> PartyAnswer:
        """Its forecast from a time on (UTC seconds), from its agency's records before it."""
        ...


@dataclass
class RunNodeParty:
    """A party of a run; its forecaster stays open, and is read again once an update saved one.

    Attributes:
        party: what it is.
        known: for the weather that its experts look at: what is known of it and no more.
    """

    party: RunParty
    known: KnownPanel
    _forecaster: Forecaster | None = None
    _saved: int | None = None

    @cached_property
    def facts(self) -> PartyFacts:
        """As in the contract."""
        found = self._open()
        return PartyFacts(found.field, found.application, found.horizon, found.band)

    def answer(self, panel: Panel, at_s: int) -> PartyAnswer:
        """As in the contract."""
        failed = PartyForecasts(self.party.service, self.party.party, None)
        at = datetime.fromtimestamp(at_s, UTC)
        try:
            forecaster = self._attached(self.party.of_service(panel))
            found = forecaster.predict(at=at)
            application = self.facts.application
            made = forecaster.decide(at=at) if application else None
        except DeepCityError as error:
            return PartyAnswer(replace(failed, gap=gap_of(error)), None)
        return PartyAnswer(replace(failed, forecasts=found), made, application)

    def _attached(self, rows: Panel) -> Forecaster:
        of_map = self.party.of_map
        weather = None if of_map is None else partial(weather_of, *of_map, load=self.known)
        return self._open().attach(rows, weather)

    def _open(self) -> Forecaster:
        saved = self.party.saved()
        if self._forecaster is None or saved != self._saved:
            self._forecaster, self._saved = self.party.open(), saved
        return self._forecaster


@dataclass(frozen=True)
class VerticalNodeParty:
    """A party of a vertical run, whose agencies' records the node knows too.

    Attributes:
        forecaster: of the party.
    """

    forecaster: VerticalForecaster

    @property
    def party(self) -> RunParty:
        """As in the contract."""
        return self.forecaster.party

    @property
    def facts(self) -> PartyFacts:
        """As in the contract."""
        found = self.forecaster.package.facts
        return PartyFacts(found.field, found.application, found.settings.horizon, found.band)

    def answer(self, panel: Panel, at_s: int) -> PartyAnswer:
        """As in the contract."""
        found, made = self.forecaster.answer(datetime.fromtimestamp(at_s, UTC), panel)
        return PartyAnswer(found, made, self.facts.application)


def node_party(forecaster: AnyForecaster, known: KnownPanel) -> NodeParty:
    """A forecaster's party, as a node asks it."""
    if isinstance(forecaster, VerticalForecaster):
        return VerticalNodeParty(replace(forecaster, load=known))
    assert isinstance(forecaster, PartyForecaster)
    return RunNodeParty(forecaster.party, known)
