"""A forecaster: one party's, of a run or alone, with `fit`, `predict` and `backtest`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import torch

from deepcity.applications.application import applications
from deepcity.applications.decision import Decision
from deepcity.applications.state import Request, State
from deepcity.applications.tasks.known_places import decide_where_known
from deepcity.city.errors import CheckpointError, DataError
from deepcity.city.problem import Problem
from deepcity.data.panel import Panel, extended, measured_end
from deepcity.data.windows import Span, origins
from deepcity.forecasting.forecasts import Forecasts
from deepcity.forecasting.learn_alone import PARTY, learn_alone, lone_settings
from deepcity.forecasting.panel_check import (
    check_newest,
    checked_panel,
    panel_of_frame,
    second_of,
)
from deepcity.forecasting.replay import OpenBundle
from deepcity.maps.map_settings import EXPERTS
from deepcity.runs.update.forecaster_bundle import (
    FOLDER,
    BundleStore,
    BundleTerms,
    ForecasterBundle,
)
from deepcity.runs.update.kept_replay import Memory
from deepcity.runs.update.record_check import moment
from deepcity.runs.update.weighed_bundle import WeatherOf
from deepcity.store.run_folder import site_folder


class Forecaster:
    """Forecasts one field of one party's places, with bands.

    That of a run comes from `Forecaster.load` or `Federation.forecaster`; one that learns alone,
    without a map, from `Forecaster(...).fit(panel)`.

    >>> import numpy as np, polars as pl
    >>> from datetime import datetime, timedelta
    >>> from deepcity import Forecaster, Panel
    >>> hours = np.arange(21 * 24)
    >>> frame = pl.DataFrame({
    ...     "time": [datetime(2024, 3, 1) + timedelta(hours=int(hour)) for hour in hours],
    ...     "north": 10 + 3 * np.sin(2 * np.pi * hours / 24),
    ... })
    >>> flow = {"flow": {"kind": "flow", "unit": "L/s"}}
    >>> panel = Panel.from_frame(
    ...     frame, time="time", fields=flow, time_zone="Asia/Seoul", step="1h"
    ... )
    >>> forecaster = Forecaster(
    ...     horizon=6,
    ...     history=6,
    ...     training={"rounds": 1, "local_steps": 2},
    ...     span={"validation_days": 3, "test_days": 3},
    ... ).fit(panel)
    >>> forecaster.predict().to_frame().columns
    ['origin', 'time', 'place', 'forecast', 'low', 'high', 'truth']
    """

    def __init__(
        self,
        *,
        horizon: int = 24,
        history: int = 24,
        days: int = 14,
        experts: Sequence[str] = EXPERTS,
        training: Mapping[str, Any] | None = None,
        span: Mapping[str, Any] | None = None,
        band: float = 0.9,
        seed: int = 0,
        threads: int = 1,
    ) -> None:
        """How `fit` learns; keys and defaults are those of a map's `[[service]]`.

        Args:
            horizon, history, days: its `window`: steps forecast, steps and days looked back on.
            experts: what is weighed beside the network.
            training: e.g. ``{"rounds": 12}``.
            span: e.g. ``{"validation_days": 14, "test_days": 14}``.
            band: share of truths that a band should hold.
            threads: of the processor.

        Raises:
            ConfigError: with every setting that is wrong.
        """
        raw = {
            "experts": list(experts),
            "window": {"horizon": horizon, "history": history, "days": days},
            "training": dict(training or {}),
            "span": dict(span or {}),
            "band": band,
        }
        self._settings = lone_settings(raw, type(self).__name__)
        self._seed, self._threads = seed, threads
        self._bundle: ForecasterBundle | None = None
        self._panel: Panel | None = None
        self._weather: WeatherOf | None = None
        self._opened: tuple[Panel, datetime | None, OpenBundle] | None = None
        self._memory: Memory | None = None

    @classmethod
    def load(cls, folder: Path | str, service: str, party: str) -> Self:
        """The forecaster of a party, as a run, or an update since, has left it.

        Args:
            folder: of the run; or a site's own, which may have been carried elsewhere.
            party: "city/agency", as the map names it.

        Raises:
            CheckpointError: if there is none, or it is damaged.
        """
        folder = Path(folder)
        own = folder if (folder / FOLDER).is_dir() else site_folder(folder, party)
        bundle = BundleStore.of(own).load(service, party)
        if bundle is None:
            msg = (
                f"{own / FOLDER} holds no forecaster of {party} in {service}; name the folder of "
                f"a finished run, or of a site (sites/CITY.AGENCY)"
            )
            raise CheckpointError(msg)
        found = cls()
        found._bundle = bundle
        found._terms()
        return found

    def attach(self, panel: Panel, weather: WeatherOf | None = None) -> Self:
        """Itself, with the panel that is meant where none is given, and where weather is from."""
        self._remember()
        self._panel, self._weather, self._opened = panel, weather, None
        return self

    def save(self, folder: Path | str) -> Path:
        """Write it to FOLDER/own, as a site's folder holds it; returns the file.

        Raises:
            CheckpointError: if it cannot be written.
        """
        self._remember()
        bundle = self._fitted()
        if self._memory is not None:
            bundle = replace(bundle, replay=self._memory.replay)
        return BundleStore.of(Path(folder)).save(bundle)

    def fit(self, panel: Panel, field: str | None = None) -> Self:
        """Learn alone from a panel, as the method `alone` of a run does; returns itself.

        Args:
            field: which to forecast; may be left out where there is one.

        Raises:
            DataError: if the panel lacks the field, or its records do not suffice.
        """
        torch.set_num_threads(self._threads)
        self._bundle = learn_alone(self._settings, panel, field, self._seed)
        self._panel, self._weather, self._opened, self._memory = panel, None, None, None
        return self

    def prepare(self, panel: Panel | None = None, at: datetime | None = None) -> Self:
        """Do now what the first prediction does from these rows: fit the inputs to them, and
        weigh experts and measure bands by the truths before `at`. Returns itself.

        Args:
            panel, at: as `predict` is given them then.

        Raises:
            DataError: as `predict` does.
        """
        _ = self.open_at(panel, at).prepared
        return self

    def predict(
        self,
        panel: Any = None,  # noqa: ANN401 - a panel, or a frame of polars or pandas
        at: datetime | None = None,
        *,
        horizon: int | None = None,
    ) -> Forecasts:
        """Forecast the steps from `at` on, from all rows before it.

        A place without recent values has no forecast, but a reason (`Forecasts.gaps`).

        Args:
            panel: of the places, field, unit, step and time zone learned from, with the rows
                that were learned from and newer ones; left out, the one it was fitted to, or
                its agency's records. Or a frame of polars or pandas as `Panel.from_frame` takes
                it: times in a column `time` (or a pandas index); places in a column `place`
                beside one of the field's name, or a column each.
            at: start of the first step forecast, without a zone in the panel's, at most three
                days after the newest measured value; left out, the step after that value.
            horizon: how many steps, at most as many as were learned; left out, all.

        Raises:
            DataError: with every reason why the panel or the time cannot be used.
        """
        bundle = self._fitted()
        steps = bundle.identity.window.horizon if horizon is None else horizon
        if not 1 <= steps <= bundle.identity.window.horizon:
            reason = f"it learned to forecast 1 to {bundle.identity.window.horizon} steps"
            raise self._refused("horizon", steps, reason, "ask for fewer, or fit a longer horizon")
        return self.open_at(panel, at).newest().first(steps)

    def backtest(
        self,
        panel: Panel | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        stride: int = 1,
        *,
        alone: bool = False,
    ) -> Forecasts:
        """Forecasts of past origins, each from the rows before it, with what came.

        Weights begin as they were before any truth and move with each truth once it is known;
        networks stay as they are. Over a run's test days these are the run's own forecasts.

        Args:
            panel: as in `predict`.
            start: of the first step forecast; left out, the first that no network learned from.
            end: all steps forecast lie before it; left out, the end of the panel.
            stride: keep every so-many-th origin, counted back from the last.
            alone: also what the party's own experts forecast without those of others.

        Raises:
            DataError: with every reason why the panel or the times cannot be used.
        """
        bundle = self._fitted()
        panel = self._panel_for(panel)
        view = self._open(panel)
        first = view.learned_to if start is None else self._step(panel, start, "start")
        self._check_unlearned("start", int(panel.time_T[0]) + first * panel.clock.step_s)
        last = len(panel.time_T) if end is None else self._step(panel, end, "end")
        horizon = bundle.identity.window.horizon
        if stride < 1 or last > len(panel.time_T) or last - first < horizon:
            reason = f"no forecast of {horizon} steps fits between start and end in the panel"
            value = f"{first} .. {last}, stride {stride}"
            raise self._refused("steps", value, reason, "give more rows, or a stride of 1 or more")
        origins_B = origins(Span(view.learned_to, last), horizon, stride=stride)
        return view.replay(origins_B, alone=alone).take(origins_B >= first)

    def decide(
        self,
        panel: Panel | None = None,
        at: datetime | None = None,
        requests: Sequence[Request] = (),
        units: int | None = None,
    ) -> Decision:
        """What its application recommends on the forecast that `predict` makes, and on naive ones
        where those were worth something on earlier days.

        Places without a forecast take no part; a last reason, `places-without-forecast`, counts
        them. Where there is none at all, nothing is recommended, with certainty 0.

        Args:
            panel, at: as in `predict`.
            requests: that a plan must answer.
            units: how many patrols a plan may send; left out, the application's own number.

        Raises:
            DataError: as `predict`, or where its service names no application, as after `fit`.
        """
        state = replace(self.state(panel, at), requests=tuple(requests), units=units)
        return decide_where_known(applications()[self.application].decide, state)

    def state(self, panel: Panel | None = None, at: datetime | None = None) -> State:
        """What `decide` decides on, without requests; arguments and errors are those of it."""
        self._fitted()
        application = applications().get(self._terms().application)
        if application is None:
            right = "run a map that names its application, and load the forecaster from there"
            name = self._terms().application
            raise self._refused("application", name, "its service names none", right)
        view = self.open_at(panel, at)
        known, found = view.data.panel, view.newest()
        steps = application.horizon_steps(known.clock.step_s)
        past, naive = view.past(steps, recent=application.recent), view.naive_now()
        now_s, forecast_NH = int(found.origin_B[0]), found.forecast_BNH[0]
        days = application.known_days
        weather = view.data.weather
        return State.of(known, self.field, now_s, forecast_NH, past, (), None, naive, days, weather)

    @property
    def application(self) -> str:
        """The application that its service names; empty: none that there is."""
        name = self._terms().application
        return name if name in applications() else ""

    @property
    def field(self) -> str:
        """Which field it forecasts."""
        return self._fitted().identity.field

    @property
    def horizon(self) -> int:
        """How many steps ahead it forecasts at most."""
        return self._fitted().identity.window.horizon

    @property
    def band(self) -> float:
        """Share of truths that a band should hold."""
        return self._terms().band

    def _fitted(self) -> ForecasterBundle:
        if self._bundle is None:
            raise self._refused("forecaster", None, "it has not learned yet", "call fit(panel)")
        return self._bundle

    def _terms(self) -> BundleTerms:
        bundle = self._fitted()
        if bundle.terms is None:
            msg = (
                f"the forecaster of {bundle.identity.party} was saved by a version that did not "
                f"keep what its service says; run the map anew into another folder"
            )
            raise CheckpointError(msg)
        return bundle.terms

    def _refused(self, key: str, value: object, reason: str, right: str) -> DataError:
        name = PARTY if self._bundle is None else self._bundle.identity.party
        return DataError([Problem(name, key, value, reason, right)])

    def open_at(
        self,
        panel: Any = None,  # noqa: ANN401 - see `predict`
        at: datetime | None = None,
    ) -> OpenBundle:
        """Its experts beside the rows before a time; arguments and errors are those of `predict`.

        That of the same panel and time as before is kept.
        """
        given = self._panel if panel is None else panel
        last = self._opened
        if last is not None and last[0] is given and last[1] == at:
            return last[2]
        known, bundle = self._panel_for(panel), self._fitted()
        values_TN = known.values_TNF[:, :, known.field_index(bundle.identity.field)]
        newest = measured_end(values_TN)
        step = newest if at is None else self._step(known, at, "at")
        first, step_s = int(known.time_T[0]), known.clock.step_s
        second = first + step * step_s
        check_newest(bundle, first + newest * step_s, None if at is None else second)
        self._check_unlearned("at", second)
        view = self._open(extended(known, second, bundle.identity.window.horizon))
        if isinstance(given, Panel):
            self._opened = given, at, view
        return view

    def _panel_for(self, panel: Any) -> Panel:  # noqa: ANN401 - see `predict`
        panel = self._panel if panel is None else panel
        if panel is None:
            reason = "a forecaster that was loaded holds no rows"
            raise self._refused("panel", None, reason, "give one, with the rows it learned from")
        terms = self._terms()
        if terms.weather and self._weather is None:
            reason = "its experts look at the weather, which no panel of one agency holds"
            right = "take it from Federation(...).forecaster(...), which reads the city's"
            raise self._refused("weather", None, reason, right)
        if not isinstance(panel, Panel):
            panel = panel_of_frame(self._fitted(), terms, panel)
        return checked_panel(self._fitted(), terms, panel)

    def _open(self, panel: Panel) -> OpenBundle:
        weather = self._weather or (lambda _panel: None)
        self._remember()
        return OpenBundle.open(self._fitted(), self._terms(), panel, weather, self._memory)

    def _remember(self) -> None:
        """Keep what the last opening has replayed, for the next to go on from."""
        if self._opened is not None:
            self._memory = self._opened[2].remembered

    def _step(self, panel: Panel, at: datetime, key: str) -> int:
        """The step of the panel that begins then."""
        party = self._fitted().identity.party
        second = second_of(party, key, at, panel.clock.time_zone)
        step, rest = divmod(second - int(panel.time_T[0]), panel.clock.step_s)
        if rest:
            reason = f"no step of the panel begins then; one does at {moment(int(second - rest))}"
            raise self._refused(key, str(at), reason, "give the start of a step")
        return int(step)

    def _check_unlearned(self, key: str, second: int) -> None:
        """Refuse a time before which its networks have learned: they would know the answer."""
        learned_to = self._fitted().times.learned_to
        if second < learned_to:
            reason = f"its networks learned from rows until {moment(learned_to)}"
            right = "give that time or a later one, and a panel with newer rows"
            raise self._refused(key, moment(second), reason, right)
