"""A live application: takes its own rows and agencies' deep data, and forecasts at any time.

A forecast uses the data available. From each agency it takes the newest deep data of the version
the application was trained with, unless they are too old; late agencies are reported, and the
bands are those measured without them. Inputs are prepared when rows arrive, so that a forecast is
one read of the store and one pass through a small network.

Shapes: T steps, N places, H horizon steps, C cells of an agency, D deep width, A agencies.
"""

import logging
import threading
from dataclasses import dataclass, replace

import numpy as np

from deepcity.city.arrays import Floats, Ints
from deepcity.city.errors import LiveError
from deepcity.data.panel import Panel
from deepcity.data.windows import Span
from deepcity.learning.evaluation.bands import floor_of
from deepcity.learning.features.inputs import Inputs, fit_inputs
from deepcity.learning.split.fused_package import FusedPackage, InputAgency
from deepcity.learning.split.fusion_inputs import DeepBatch
from deepcity.live.agency_inputs import AgencyInputs, AgencyState, AgencyStatus
from deepcity.live.deep_data_check import DeepDataCheck
from deepcity.runs.note import Note
from deepcity.store.deep_data.batch import moment
from deepcity.store.deep_data.store import DeepDataStore

__all__ = ["LATE_STEPS", "AgencyState", "AgencyStatus", "LiveApplication", "LiveForecast"]

LATE_STEPS = 2
"""Largest age of an agency's newest deep data, in its own steps."""
_SAME = 1e-3  # largest relative difference between a scale fitted again and in training
_DAY = 86_400
_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class LiveForecast:
    """A forecast and the data it was made from.

    Attributes:
        at: start of the first step forecast, UTC seconds.
        time_H: start of each step forecast, UTC seconds.
        value_NH, low_NH, high_NH: in the field's unit.
        agencies: status and age of each agency's deep data.
        newest_own_row: start of the newest own row, UTC seconds.
        own_lag_s: how far own rows lag behind; 0: none are missing.
    """

    at: int
    time_H: Ints
    places: tuple[str, ...]
    value_NH: Floats
    low_NH: Floats
    high_NH: Floats
    agencies: tuple[AgencyState, ...]
    newest_own_row: int
    own_lag_s: int

    def first(self, steps: int) -> "LiveForecast":
        """Only its first steps."""
        parts = {name: getattr(self, name)[:, :steps] for name in ("value_NH", "low_NH", "high_NH")}
        return replace(self, time_H=self.time_H[:steps], **parts)


@dataclass(frozen=True)
class _Prepared:
    """Own rows, ready for any origin."""

    inputs: Inputs
    time_T: Ints
    first: int
    known: int  # steps up to the newest own row
    rows: Panel  # of the field forecast alone
    floor: float


class LiveApplication:
    """Answers forecasts from own rows, a store of deep data and a trained network.

    Args of `LiveApplication(...)`:
        package: the trained network, with the encoder versions it was trained with.
        store: deep data; it checks the grants before every read.
        late_steps: largest age of an agency's newest deep data, in its own steps.

    Threads may share it.
    """

    def __init__(
        self, package: FusedPackage, store: DeepDataStore, *, late_steps: int = LATE_STEPS
    ) -> None:
        self.package, self.store, self.late_steps = package, store, late_steps
        self._inputs = AgencyInputs(package, store, late_steps)
        self._check = DeepDataCheck(package, self._inputs)
        self._doubts: dict[str, Note] = {}
        self._prepared: _Prepared | None = None
        self._version = 0
        self._lock = threading.Lock()

    @property
    def agencies(self) -> tuple[InputAgency, ...]:
        """The agencies it was trained with."""
        return self.package.facts.agencies

    @property
    def ready(self) -> bool:
        """Whether own rows have come."""
        return self._prepared is not None

    @property
    def version(self) -> int:
        """Changes with own rows and deep data: a forecast holds as long as it does not."""
        return self._version

    def deep_data_changed(self) -> None:
        """Deep data have come."""
        with self._lock:
            self._version += 1

    def step_of(self, at: int) -> int:
        """Start of the step that a time lies in, UTC seconds.

        Raises:
            LiveError: if no own rows have come yet.
        """
        first = int(self._ready().time_T[0])
        return at - (at - first) % self.package.facts.step_s

    def load_rows(self, panel: Panel) -> None:
        """Load own rows, all from the training span on, and prepare inputs.

        Raises:
            LiveError: if field, unit, places, step or training rows differ from those in training.
        """
        facts = self.package.facts
        self._check_own_rows(panel)
        ahead = facts.settings.horizon + max(1, _DAY // facts.step_s)
        known_T = np.isfinite(panel.values_TNF[:, :, panel.field_index(facts.field)]).any(axis=1)
        known = int(np.flatnonzero(known_T)[-1]) + 1 if known_T.any() else 0
        longer = _longer(panel, known + ahead)
        first, last = np.searchsorted(panel.time_T, np.array(facts.train_s))
        train = Span(int(first), int(last) + 1)
        inputs = fit_inputs(longer, facts.field, facts.settings, train, panel.adjacency_NN)
        if not np.allclose(inputs.scale_N1, self.package.scale_N1, rtol=_SAME, atol=0):
            reason = "rows of the training span differ from those in training"
            raise LiveError(f"rows of {facts.agency}", reason, "restore them, or train again")
        column = panel.field_index(facts.field)
        own_TNF = inputs.values_TN[:, :, None]
        rows = replace(longer, fields=(panel.fields[column],), values_TNF=own_TNF)
        learned_TN = panel.values_TNF[train.start : train.end, :, column]
        floor = floor_of(panel.fields[column], learned_TN)
        earliest = train.start + facts.settings.history
        with self._lock:
            self._prepared = _Prepared(inputs, longer.time_T, earliest, known, rows, floor)
            self._version += 1
        self.check_deep_data(int(longer.time_T[0]) + known * facts.step_s)

    def forecast(self, at: int) -> LiveForecast:
        """Forecast the steps from a time on (from the start of its step), with available data.

        Raises:
            LiveError: if own rows end more than a day before, or begin after that time.
        """
        prepared = self._ready()
        step_s, time_T = self.package.facts.step_s, prepared.time_T
        origin = (at - int(time_T[0])) // step_s
        self._check_time(prepared, at, origin)
        at = int(time_T[0]) + origin * step_s
        agency_inputs = [self._read(agency, at) for agency in self.agencies]
        deep = {
            one.name: activations
            for one, (_, activations) in zip(self.agencies, agency_inputs, strict=True)
            if activations
        }
        samples = prepared.inputs.samples(np.array([origin]))
        value_NH = self.package.predict(samples, deep)[0]
        late = max(0, origin - prepared.known)
        half_NH = self._half_width(deep)
        if late:
            half_NH = np.maximum(half_NH, self.package.baseline_band_NH)
        least = np.float32(prepared.floor)
        return LiveForecast(
            at=at,
            time_H=at + step_s * np.arange(value_NH.shape[1], dtype=np.int64),
            places=self.package.facts.places,
            value_NH=np.maximum(value_NH, least),
            low_NH=np.maximum(value_NH - half_NH, least),
            high_NH=np.maximum(value_NH + half_NH, least),
            agencies=tuple(state for state, _ in agency_inputs),
            newest_own_row=int(time_T[max(prepared.known - 1, 0)]),
            own_lag_s=late * step_s,
        )

    def check_deep_data(self, at: int) -> None:
        """Look which agencies' deep data are to be doubted, from what is known at a time.

        Done whenever own rows are loaded; see `deepcity.live.deep_data_check`.
        """
        prepared = self._ready()
        origin = min(prepared.known, (at - int(prepared.time_T[0])) // self.package.facts.step_s)
        doubts = self._check.find_doubts(prepared.inputs, prepared.time_T, origin, prepared.first)
        with self._lock:
            self._version += doubts != self._doubts
            self._doubts = doubts

    @property
    def rows(self) -> Panel:
        """Its own rows of the field forecast, from the training span on; NaN after the newest.

        Raises:
            LiveError: if no own rows have come yet.
        """
        return self._ready().rows

    def states(self, at: int) -> tuple[AgencyState, ...]:
        """Status of each agency at a time."""
        return tuple(self.state(agency, at) for agency in self.agencies)

    def state(self, agency: InputAgency, at: int) -> AgencyState:
        """Status of one agency at a time."""
        return self._read(agency, at)[0]

    def _check_own_rows(self, panel: Panel) -> None:
        facts = self.package.facts
        what, places = f"rows of {facts.agency}", tuple(place.id for place in panel.places)
        units = {one.name: one.unit for one in panel.fields}
        if units.get(facts.field) != facts.unit:
            reason = f"trained with {facts.field} in {facts.unit}, but the fields are {units}"
        elif places != facts.places:
            reason = f"the {len(places)} places differ from the {len(facts.places)} trained with"
        elif panel.clock.step_s != facts.step_s:
            reason = f"a step of {panel.clock.step_s} s; trained with {facts.step_s} s"
        elif not len(panel.time_T) or not (
            panel.time_T[0] <= facts.train_s[0] and facts.train_s[1] <= panel.time_T[-1]
        ):
            span = f"{moment(facts.train_s[0])} to {moment(facts.train_s[1])}"
            reason = f"they do not cover the training span, {span}"
        else:
            return
        raise LiveError(what, reason, "correct the city file, or train again")

    def _ready(self) -> _Prepared:
        with self._lock:
            prepared = self._prepared
        if prepared is None:
            who = self.package.facts.agency
            raise LiveError(f"rows of {who}", "none loaded yet", "check that its records are read")
        return prepared

    def _check_time(self, prepared: _Prepared, at: int, origin: int) -> None:
        horizon, time_T = self.package.facts.settings.horizon, prepared.time_T
        if origin + horizon > len(time_T):
            newest = moment(int(time_T[max(prepared.known - 1, 0)]))
            reason = f"the newest own row is of {newest}, more than a day before"
            raise LiveError(f"at {moment(at)}", reason, "check why own records do not arrive")
        if origin < prepared.first:
            right = f"choose a time from {moment(int(time_T[prepared.first]))} on"
            raise LiveError(f"at {moment(at)}", "own rows begin later", right)

    def _read(self, agency: InputAgency, at: int) -> tuple[AgencyState, DeepBatch | None]:
        """An agency's status at a time, and its deep data if they are used."""
        state, activations = self._inputs.read(agency, at)
        doubt = self._doubts.get(agency.name)
        if activations is None or doubt is None:
            return state, activations
        return replace(state, status=AgencyStatus.IN_DOUBT, doubt=doubt), None

    def _half_width(self, deep: dict[str, DeepBatch]) -> Floats:
        """Half widths of the bands, by the agencies available at each place, (N, H)."""
        names = sorted(deep)
        available_AN = np.array(
            [(self.package.cell_weights[n] * deep[n].known_BC).sum(axis=1) > 0 for n in names], bool
        ).reshape(len(names), len(self.package.facts.places))
        half_NH = np.empty_like(self.package.baseline_band_NH)
        for column in np.unique(available_AN, axis=1).T:
            places = (available_AN == column[:, None]).all(axis=0)
            chosen = [name for name, available in zip(names, column, strict=True) if available]
            half_NH[places] = self.package.half_width(chosen)[places]
        return half_NH


def _longer(panel: Panel, steps: int) -> Panel:
    """The panel with exactly `steps` steps; added steps are NaN."""
    missing = max(0, steps - len(panel.time_T))
    last = int(panel.time_T[-1])
    time_T = last + panel.clock.step_s * np.arange(1, missing + 1, dtype=np.int64)
    empty = np.full((missing, *panel.values_TNF.shape[1:]), np.nan, np.float32)
    return replace(
        panel,
        time_T=np.concatenate([panel.time_T, time_T])[:steps],
        values_TNF=np.concatenate([panel.values_TNF, empty])[:steps],
    )
