"""A party of a node: asked for its forecast and decision at every step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Protocol

from deepcity.applications.application import Task, applications
from deepcity.applications.decision import Decision
from deepcity.applications.state import State
from deepcity.applications.tasks.known_places import decide_where_known
from deepcity.city.errors import DeepCityError
from deepcity.data.city_file import CityFile
from deepcity.data.panel import Panel
from deepcity.forecasting.forecast_run import PartyForecaster, gap_of
from deepcity.forecasting.forecaster import Forecaster
from deepcity.forecasting.run_parties import RunParty
from deepcity.forecasting.table import PartyForecasts
from deepcity.learning.split.fused_package import InputAgency
from deepcity.live.agency_inputs import AgencyState, AgencyStatus
from deepcity.live.application import LiveApplication
from deepcity.live.deep_data_by_agency import DeepDataByAgency
from deepcity.live.forecasters import AnyForecaster
from deepcity.live.node.deep_source import DeepSource
from deepcity.live.node.received import ReceivedDeepData
from deepcity.live.vertical_forecasts import VerticalForecaster
from deepcity.parties.weather import weather_of
from deepcity.runs.update.forecaster_bundle import BundleStore

KnownPanel = Callable[[CityFile, str], Panel]
"""An agency's records as far as the node knows them."""


@dataclass(frozen=True, eq=False)
class PartyAnswer:
    """What a party says at a step.

    Attributes:
        forecasts: its forecast, or why there is none.
        decision: None where there is no forecast, or its service names no application.
        application: which decided; empty: none.
        agencies: whose deep data it looked at, with their status and age.
        state: what it decided on; None: it decided nothing.
        deep_key: names the received deep data that were used; empty: none.
    """

    forecasts: PartyForecasts
    decision: Decision | None
    application: str = ""
    agencies: tuple[AgencyState, ...] = ()
    state: State | None = None
    deep_key: str = ""

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

    @property
    def newest(self) -> PartyAnswer | None:
        """Its newest answer, which any thread may look at; None: it was not asked yet."""
        ...

    @property
    def learned_to_s(self) -> int | None:
        """Before when it forecasts nothing, as it learned from those rows; None: not known."""
        ...

    def answer(self, panel: Panel, at_s: int) -> PartyAnswer:
        """Its forecast from a time on (UTC seconds), from its agency's records before it."""
        ...

    def deep_sources(self, at_s: int) -> tuple[DeepSource, ...]:
        """The agencies whose processes send it deep data, as they are at a time (UTC seconds)."""
        ...

    def deep_key(self, at_s: int) -> str:
        """Names the received deep data that a forecast from a time on would use; empty: none.

        More may come before the forecast is made: its answer names those that it did use.
        """
        ...


@dataclass
class RunNodeParty:
    """A party of a run; its forecaster stays open, and is read again once an update saved one.

    Attributes:
        party: what it is.
        known: for the weather that its experts look at: what is known of it and no more.
        newest: as in the contract.
    """

    party: RunParty
    known: KnownPanel
    newest: PartyAnswer | None = None
    _forecaster: Forecaster | None = None
    _saved: int | None = None

    @cached_property
    def facts(self) -> PartyFacts:
        """As in the contract."""
        found = self._open()
        return PartyFacts(found.field, found.application, found.horizon, found.band)

    def answer(self, panel: Panel, at_s: int) -> PartyAnswer:
        """As in the contract."""
        self.newest = self._answer(panel, at_s)
        return self.newest

    def _answer(self, panel: Panel, at_s: int) -> PartyAnswer:
        failed = PartyForecasts(self.party.service, self.party.party, None)
        at = datetime.fromtimestamp(at_s, UTC)
        try:
            forecaster = self._attached(self.party.of_service(panel))
            found = forecaster.predict(at=at)
            application = self.facts.application
            state = forecaster.state(at=at) if application else None
        except DeepCityError as error:
            return PartyAnswer(replace(failed, gap=gap_of(error)), None)
        answered = replace(failed, forecasts=found)
        if state is None:
            return PartyAnswer(answered, None)
        made = decide_where_known(applications()[application].decide, state)
        return PartyAnswer(answered, made, application, state=state)

    @property
    def learned_to_s(self) -> int | None:
        """As in the contract."""
        try:
            bundle = BundleStore.of(self.party.site).load(self.party.service, self.party.party)
        except DeepCityError:  # its answers name the reason
            return None
        return None if bundle is None else bundle.times.learned_to

    def deep_sources(self, at_s: int) -> tuple[DeepSource, ...]:
        """None: an agency's deep data belong to vertical runs."""
        return ()

    def deep_key(self, at_s: int) -> str:
        """None."""
        return ""

    def _attached(self, rows: Panel) -> Forecaster:
        of_map = self.party.of_map
        weather = None if of_map is None else partial(weather_of, *of_map, load=self.known)
        return self._open().attach(rows, weather)

    def _open(self) -> Forecaster:
        saved = self.party.saved()
        if self._forecaster is None or saved != self._saved:
            self._forecaster, self._saved = self.party.open(), saved
        return self._forecaster


class VerticalNodeParty:
    """A party of a vertical run. Deep data of its agencies are received from their processes
    where the access file grants them, and encoded from records that the node knows elsewhere.

    Its application stays open, so that an agency that did harm has to earn its trust again.

    Args:
        forecaster: of the party.
        received: takes agencies' deep data; None: all are encoded here.
    """

    def __init__(
        self, forecaster: VerticalForecaster, received: ReceivedDeepData | None = None
    ) -> None:
        self.forecaster, self._received = forecaster, received
        self._senders: tuple[InputAgency, ...] = ()
        self._deep = DeepDataByAgency(None, ())
        if received is not None:
            self._senders = received.senders(forecaster.package)
            spaces = [one.space for one in self._senders]
            self._deep = DeepDataByAgency(received.store, spaces, received.spaces)
        self._application = LiveApplication(forecaster.package, self._deep)
        self._last_key = (-1, -1), ""
        self.newest: PartyAnswer | None = None

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
        self._deep.encoded = self.forecaster.encoded_rows({one.name for one in self._senders})
        at = datetime.fromtimestamp(at_s, UTC)
        asked = self.deep_key(at_s)
        found = self.forecaster.answer(at, panel, self._application)
        self.newest = PartyAnswer(
            found.forecasts,
            found.decision,
            self.facts.application,
            found.agencies,
            found.state,
            self._key(found.agencies) if found.agencies else asked,
        )
        return self.newest

    @property
    def learned_to_s(self) -> int | None:
        """None: packages do not say."""
        return None

    def deep_sources(self, at_s: int) -> tuple[DeepSource, ...]:
        """As in the contract."""
        service, name = self.party.service, self.party.party
        cells = self.forecaster.package.cells
        return tuple(
            DeepSource(service, name, one, self._application.state(one, at_s), len(cells[one.name]))
            for one in self._senders
        )

    def deep_key(self, at_s: int) -> str:
        """As in the contract; looked up again only when deep data have come."""
        if self._received is None or not self._senders:
            return ""
        version = at_s, self._received.version
        if self._last_key[0] != version:
            self._last_key = version, self._key([one.state for one in self.deep_sources(at_s)])
        return self._last_key[1]

    def _key(self, states: Sequence[AgencyState]) -> str:
        """By time alone: to send and withdraw by turns gives no forecasts without end."""
        senders = {one.name for one in self._senders}
        named = {
            AgencyStatus.FRESH: "{0.name}@{0.newest}",
            AgencyStatus.IN_DOUBT: "{0.name}?",  # left out, however new they are
        }
        known = [one for one in states if one.name in senders and one.status in named]
        return "+".join(named[one.status].format(one) for one in known)


def node_party(
    forecaster: AnyForecaster, known: KnownPanel, received: ReceivedDeepData | None = None
) -> NodeParty:
    """A forecaster's party, as a node asks it.

    Args:
        received: takes the deep data of agencies' own processes; None: there are none.
    """
    if isinstance(forecaster, VerticalForecaster):
        return VerticalNodeParty(replace(forecaster, load=known), received)
    assert isinstance(forecaster, PartyForecaster)
    return RunNodeParty(forecaster.party, known)
