"""A live application: it takes its own rows and agencies' deep data, and forecasts at any time.

A forecast is made from what there is. Each agency is heard by the newest deep data of the
version the application was trained with, unless they are too old; whoever is late is told,
and the bands are as wide as they must be without it. Inputs are prepared when rows arrive,
so that a forecast is one look at the store and one pass through a small network.

Shapes: T steps, N places, H horizon steps, C cells of an agency, D deep width, A agencies.
"""

import logging
import threading
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from deepcity.city.arrays import Floats, Ints
from deepcity.city.errors import GrantError, LiveError, StoreError
from deepcity.city.field import Kind
from deepcity.data.panel import Panel
from deepcity.data.windows import Span
from deepcity.exchange.deep_wire import cell_names
from deepcity.learning.features import Inputs, fit_inputs
from deepcity.learning.fused_package import FusedPackage, HeardAgency
from deepcity.learning.hearing import DeepBatch
from deepcity.store.deep_data import DeepData, moment
from deepcity.store.deep_data_store import DeepDataStore

LATE_STEPS = 2
"""So many steps of its own may an agency's newest deep data be old."""
_SAME = 1e-3  # relative: how far a scale fitted again may lie from the one trained with
_DAY = 86_400
_log = logging.getLogger(__name__)


class Standing(StrEnum):
    """How an agency stands at the moment of a forecast."""

    HEARD = "heard"
    LATE = "late"  # its newest deep data are too old
    SILENT = "silent"  # it never spoke in the version trained with
    NOT_GRANTED = "not-granted"
    NOT_READ = "not-read"  # the store refused


@dataclass(frozen=True)
class AgencyState:
    """One agency at the moment of a forecast.

    Attributes:
        newest: time of its newest deep data; None: there are none.
        age_s: how old they are.
        limit_s: how old they may be.
        cells: of how many of its cells there are deep data young enough.
        note: what an operator should know; empty: nothing.
    """

    name: str
    standing: Standing
    version: str
    newest: int | None
    age_s: int | None
    limit_s: int
    cells: int
    note: str = ""


@dataclass(frozen=True, eq=False)
class LiveForecast:
    """A forecast and what it was made from.

    Attributes:
        at: the moment; the first step forecast begins there.
        time_H: start of each step forecast, UTC seconds.
        value_NH, low_NH, high_NH: in the field's unit.
        agencies: whom it heard, how old each is, who was late.
        own_newest: when the newest own row began.
        own_late_s: how far own rows lag behind; 0: they are all there.
    """

    at: int
    time_H: Ints
    places: tuple[str, ...]
    value_NH: Floats
    low_NH: Floats
    high_NH: Floats
    agencies: tuple[AgencyState, ...]
    own_newest: int
    own_late_s: int

    def first(self, steps: int) -> "LiveForecast":
        """Its first steps alone."""
        parts = {name: getattr(self, name)[:, :steps] for name in ("value_NH", "low_NH", "high_NH")}
        return replace(self, time_H=self.time_H[:steps], **parts)


@dataclass(frozen=True)
class _Prepared:
    """Own rows, ready for any origin."""

    inputs: Inputs
    time_T: Ints
    first: int
    known: int  # steps up to the newest own row
    counts: bool


class LiveApplication:
    """Answers forecasts from own rows, a store of deep data and a trained network.

    Args of `LiveApplication(...)`:
        package: the trained network; it names the versions it can hear.
        store: deep data; it asks the grants before every read.
        late_steps: how many steps of its own an agency's newest deep data may be old.

    Threads may share it.
    """

    def __init__(
        self, package: FusedPackage, store: DeepDataStore, *, late_steps: int = LATE_STEPS
    ) -> None:
        self.package, self.store, self.late_steps = package, store, late_steps
        self._places = {
            name: {cell: index for index, cell in enumerate(cell_names(cell_C).tolist())}
            for name, cell_C in package.cells.items()
        }
        self._prepared: _Prepared | None = None
        self._lock = threading.Lock()

    @property
    def agencies(self) -> tuple[HeardAgency, ...]:
        """Whom it was trained with."""
        return self.package.facts.agencies

    @property
    def ready(self) -> bool:
        """Whether own rows have come."""
        return self._prepared is not None

    def take(self, panel: Panel) -> None:
        """Take own rows: all from the training span on; prepares what forecasts need.

        Raises:
            LiveError: if they are not the field, places, step or rows that were trained with.
        """
        facts = self.package.facts
        self._see_own(panel)
        ahead = facts.settings.horizon + max(1, _DAY // facts.step_s)
        known_T = np.isfinite(panel.values_TNF[:, :, panel.field_index(facts.field)]).any(axis=1)
        known = int(np.flatnonzero(known_T)[-1]) + 1 if known_T.any() else 0
        longer = _longer(panel, known + ahead)
        first, last = np.searchsorted(panel.time_T, np.array(facts.train_s))
        train = Span(int(first), int(last) + 1)
        adjacency = panel.adjacency_NN
        inputs = fit_inputs(longer, facts.field, facts.settings, train, adjacency)
        if not np.allclose(inputs.scale_N1, self.package.scale_N1, rtol=_SAME, atol=0):
            raise LiveError(
                f"rows of {facts.agency}",
                "those of the training span are not the ones that were trained with",
                "restore them, or train again",
            )
        counts = panel.fields[panel.field_index(facts.field)].kind is Kind.COUNT
        earliest = train.start + facts.settings.history
        with self._lock:
            self._prepared = _Prepared(inputs, longer.time_T, earliest, known, counts)

    def forecast(self, at: int) -> LiveForecast:
        """The steps from a moment on (or from the step it lies in), from what is there.

        Raises:
            LiveError: if own rows end too long before, or begin after it.
        """
        prepared = self._ready()
        step_s, time_T = self.package.facts.step_s, prepared.time_T
        origin = (at - int(time_T[0])) // step_s
        self._see_time(prepared, at, origin)
        at = int(time_T[0]) + origin * step_s
        heard = [self._hear(agency, at) for agency in self.agencies]
        deep = {one.name: said for one, (_, said) in zip(self.agencies, heard, strict=True) if said}
        samples = prepared.inputs.samples(np.array([origin]))
        value_NH = self.package.say(samples, deep)[0]
        late = max(0, origin - prepared.known)
        half_NH = self._half_width(deep)
        if late:
            half_NH = np.maximum(half_NH, self.package.anchor_band_NH)
        least = np.float32(0 if prepared.counts else -np.inf)  # nobody counts fewer than none
        return LiveForecast(
            at=at,
            time_H=at + step_s * np.arange(value_NH.shape[1], dtype=np.int64),
            places=self.package.facts.places,
            value_NH=np.maximum(value_NH, least),
            low_NH=np.maximum(value_NH - half_NH, least),
            high_NH=np.maximum(value_NH + half_NH, least),
            agencies=tuple(state for state, _ in heard),
            own_newest=int(time_T[max(prepared.known - 1, 0)]),
            own_late_s=late * step_s,
        )

    def states(self, at: int) -> tuple[AgencyState, ...]:
        """How each agency stands at a moment."""
        return tuple(self._hear(agency, at)[0] for agency in self.agencies)

    def _see_own(self, panel: Panel) -> None:
        facts = self.package.facts
        what, places = f"rows of {facts.agency}", tuple(place.id for place in panel.places)
        units = {one.name: one.unit for one in panel.fields}
        if units.get(facts.field) != facts.unit:
            reason = f"trained was {facts.field} in {facts.unit}, these hold {units}"
        elif places != facts.places:
            reason = f"{len(places)} places are not the {len(facts.places)} trained with"
        elif panel.clock.step_s != facts.step_s:
            reason = f"a step of {panel.clock.step_s} s, trained was {facts.step_s} s"
        elif not len(panel.time_T) or not (
            panel.time_T[0] <= facts.train_s[0] and facts.train_s[1] <= panel.time_T[-1]
        ):
            span = f"{moment(facts.train_s[0])} to {moment(facts.train_s[1])}"
            reason = f"they do not hold the training span, {span}"
        else:
            return
        raise LiveError(what, reason, "correct the city file, or train again")

    def _ready(self) -> _Prepared:
        with self._lock:
            prepared = self._prepared
        if prepared is None:
            who = self.package.facts.agency
            raise LiveError(f"rows of {who}", "none have come yet", "see that its records are read")
        return prepared

    def _see_time(self, prepared: _Prepared, at: int, origin: int) -> None:
        horizon, time_T = self.package.facts.settings.horizon, prepared.time_T
        if origin + horizon > len(time_T):
            newest = moment(int(time_T[max(prepared.known - 1, 0)]))
            reason = f"the newest own row is of {newest}, over a day before"
            raise LiveError(f"at {moment(at)}", reason, "see why own records do not arrive")
        if origin < prepared.first:
            first = moment(int(time_T[prepared.first]))
            raise LiveError(
                f"at {moment(at)}", "there are no own rows so early", f"from {first} on"
            )

    def _hear(self, agency: HeardAgency, at: int) -> tuple[AgencyState, DeepBatch | None]:
        """What an agency says at a moment, or why it is not heard."""
        limit_s = self.late_steps * max(agency.step_s, agency.grid.step_s)
        state = AgencyState(
            agency.name, Standing.SILENT, agency.space.version, None, None, limit_s, 0
        )
        try:
            young, newest = self._read(agency, at, limit_s)
        except GrantError as error:
            return replace(state, standing=Standing.NOT_GRANTED, note=str(error)), None
        except StoreError as error:
            return self._not_there(state, agency, error), None
        if newest is None:
            return replace(state, note=self._other_versions(agency)), None
        state = replace(state, newest=newest, age_s=at - newest)
        said = self._said(agency, young)
        cells = int(said.known_BC.sum())
        if not cells:
            return replace(state, standing=Standing.LATE, note=self._why_late(agency, state)), None
        return replace(state, standing=Standing.HEARD, cells=cells), said

    def _read(self, agency: HeardAgency, at: int, limit_s: int) -> tuple[DeepData, int | None]:
        """Rows young enough at a moment, and the time of the newest of all."""
        space, reader = agency.space, self.package.facts.service
        young = self.store.read(space, None, at - limit_s, at + 1, reader=reader)
        found = young if len(young) else self.store.latest(space, None, at, reader=reader)
        return young, int(found.time_R.max()) if len(found) else None

    def _said(self, agency: HeardAgency, rows: DeepData) -> DeepBatch:
        """The newest row of each cell that the application knows."""
        where = self._places[agency.name]
        said = DeepBatch(
            np.zeros((1, len(where), agency.width), np.float32), np.zeros((1, len(where)), bool)
        )
        for row, cell in enumerate(rows.cell_R.tolist()):  # by time: a later one replaces
            if (index := where.get(cell)) is not None:
                said.vectors_BCD[0, index], said.known_BC[0, index] = rows.vectors_RW[row], True
        return said

    def _not_there(self, state: AgencyState, agency: HeardAgency, error: Exception) -> AgencyState:
        try:
            if agency.space not in {shelf.space for shelf in self.store.spaces()}:
                return replace(state, note=self._other_versions(agency))
        except StoreError:
            _log.warning("the store cannot be read", exc_info=True)
        return replace(state, standing=Standing.NOT_READ, note=str(error))

    def _other_versions(self, agency: HeardAgency) -> str:
        """Whether it speaks in a version that cannot be understood."""
        try:
            shelves = self.store.spaces()
        except StoreError:
            return ""
        wanted = agency.space
        others = [
            shelf.space.version
            for shelf in shelves
            if replace(shelf.space, version=wanted.version) == wanted != shelf.space
        ]
        if not others:
            return ""
        return (
            f"the store holds version {', '.join(others)}, trained was {wanted.version}: another "
            f"model's deep data are never heard; run the encoder {wanted.version}, or train again"
        )

    def _why_late(self, agency: HeardAgency, state: AgencyState) -> str:
        hours, rest = divmod(state.age_s or 0, 3600)
        told = f"its newest deep data are {hours}:{rest // 60:02d} h old"
        if hours and rest <= agency.grid.step_s:
            told += "; if it goes on sending, see the time zone of its records"
        return told + (f"; {other}" if (other := self._other_versions(agency)) else "")

    def _half_width(self, deep: dict[str, DeepBatch]) -> Floats:
        """By the set of agencies that each place hears, (N, H)."""
        names = sorted(deep)
        heard_AN = np.array(
            [(self.package.match[n] * deep[n].known_BC).sum(axis=1) > 0 for n in names], bool
        ).reshape(len(names), len(self.package.facts.places))
        half_NH = np.empty_like(self.package.anchor_band_NH)
        for column in np.unique(heard_AN, axis=1).T:
            places = (heard_AN == column[:, None]).all(axis=0)
            chosen = [name for name, hears in zip(names, column, strict=True) if hears]
            half_NH[places] = self.package.half_width(chosen)[places]
        return half_NH


def _longer(panel: Panel, steps: int) -> Panel:
    """The panel cut or drawn out to so many steps; nothing is measured in the new ones."""
    missing = max(0, steps - len(panel.time_T))
    last = int(panel.time_T[-1])
    time_T = last + panel.clock.step_s * np.arange(1, missing + 1, dtype=np.int64)
    empty = np.full((missing, *panel.values_TNF.shape[1:]), np.nan, np.float32)
    return replace(
        panel,
        time_T=np.concatenate([panel.time_T, time_T])[:steps],
        values_TNF=np.concatenate([panel.values_TNF, empty])[:steps],
    )
