"""A service's state when it decides: what was measured, what is forecast, how earlier forecasts
came true, requests.

Shapes: T steps before now, B earlier origins, N places, H horizon steps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np

from deepcity.applications.tasks.known_weather import known_weather
from deepcity.city.arrays import Bools, Doubles, Floats, Ints
from deepcity.city.clock import DAY_S
from deepcity.city.field import Kind
from deepcity.city.place import Place
from deepcity.data.panel import Panel
from deepcity.learning.evaluation.bands import half_width

KNOWN_DAYS = 91
"""How many days of measured values a state holds at most, where its application asks for no more:
13 whole weeks.
"""


@dataclass(frozen=True, eq=False)
class Past:
    """Out-of-sample forecasts of earlier days and their truths, in order of time.

    Attributes:
        forecast_BNH, truth_BNH: in the field's unit; truths are NaN where not measured.
        others: forecasts of the same origins without learning, by name, (B, N, H) each.
        time_B: when each origin's first step begins, UTC seconds; None: not known, and every
            origin counts as a day.
        aside: where there are origins after the days kept aside, these days alone.
    """

    forecast_BNH: Floats
    truth_BNH: Floats
    others: Mapping[str, Floats] = field(default_factory=dict)
    time_B: Ints | None = None
    aside: "Past | None" = None

    @classmethod
    def of(
        cls,
        forecast_BNH: Floats,
        truth_BNH: Floats,
        steps: int,
        others: Mapping[str, Floats] | None = None,
        time_B: Ints | None = None,
    ) -> "Past":
        """The first steps alone."""
        first = {name: one_BNH[..., :steps] for name, one_BNH in (others or {}).items()}
        return cls(forecast_BNH[..., :steps], truth_BNH[..., :steps], first, time_B)

    @property
    def errors_BNH(self) -> Floats:
        """Truth minus forecast; NaN where not measured."""
        return self.truth_BNH - self.forecast_BNH

    @property
    def day_B(self) -> Ints:
        """The day of each origin, by UTC, as a number."""
        if self.time_B is None:
            return np.arange(len(self.truth_BNH))
        return np.asarray(self.time_B // DAY_S)

    def of_other(self, name: str) -> "Past":
        """The same truths with a naive forecast, and no other."""
        return Past(self.others[name], self.truth_BNH, time_B=self.time_B)

    def at_places(self, wanted_N: Bools) -> "Past":
        """Of some places alone."""
        others = {name: one_BNH[:, wanted_N] for name, one_BNH in self.others.items()}
        aside = self.aside and self.aside.at_places(wanted_N)
        return Past(
            self.forecast_BNH[:, wanted_N], self.truth_BNH[:, wanted_N], others, self.time_B, aside
        )

    def scaled(self, factor_N1: Floats) -> "Past":
        """Every value times the factor of its place."""
        others = {name: one_BNH * factor_N1 for name, one_BNH in self.others.items()}
        aside = self.aside and self.aside.scaled(factor_N1)
        return Past(
            self.forecast_BNH * factor_N1, self.truth_BNH * factor_N1, others, self.time_B, aside
        )


@dataclass(frozen=True)
class Request:
    """A group that wants a space, to be planned for.

    Attributes:
        id: unique among the requests of a state.
        lat, lon: where they want to go, in degrees (WGS 84).
        step: of the forecast in which they arrive, 0 .. H-1.
        count: cars in the group.
    """

    id: str
    lat: float
    lon: float
    step: int
    count: int = 1


@dataclass(frozen=True, eq=False)
class State:
    """The input of a service's decision.

    Attributes:
        now_s: UTC seconds at which the first step forecast begins; all before is known.
        places: N places, with positions and capacities where known.
        kind, unit: of the field forecast.
        forecast_NH: in that unit.
        past: earlier forecasts of the same places and steps, with their truths.
        requests: those that a plan must answer; none for other tasks.
        known_TN: measured values of the field up to now, oldest first, one step a row; the last
            row's step ends at `now_s`. NaN where not measured, as in the newest rows where
            records are late. None where its maker has no rows.
        adjacency_NN: weight of the edge between each two places, 0 or more; None without a graph.
        time_zone: IANA name, of the city's wall times.
        units: how many of them (patrols) a plan may place; None: as many as the service names.
        others: forecasts without learning, by name, (N, H) each: of those that `past` has, too.
        weather: what was measured of it by name, (T,) each, on the rows of `known_TN`, as
            `deepcity.applications.tasks.known_weather` makes it; empty where no agency measures it.
        holidays: days that count as Sundays.
    """

    now_s: int
    step_s: int
    places: tuple[Place, ...]
    kind: Kind
    unit: str
    forecast_NH: Floats
    past: Past
    requests: tuple[Request, ...] = ()
    known_TN: Floats | None = None
    adjacency_NN: Floats | None = None
    time_zone: str = "UTC"
    units: int | None = None
    others: Mapping[str, Floats] = field(default_factory=dict)
    weather: Mapping[str, Doubles] = field(default_factory=dict)
    holidays: frozenset[date] = frozenset()

    @classmethod
    def of(
        cls,
        panel: Panel,
        field: str,
        now_s: int,
        forecast_NH: Floats,
        past: Past,
        requests: Sequence[Request] = (),
        units: int | None = None,
        others: Mapping[str, Floats] | None = None,
        known_days: int = KNOWN_DAYS,
        weather: Panel | None = None,
    ) -> "State":
        """The state of a panel's places at a time.

        Args:
            panel: its rows before `now_s` are what is known, so many days at most; later rows
                are not looked at.
            forecast_NH, others: may look further ahead than `past`, whose steps alone count;
                of `others` those that it has, too.
            weather: what the city's weather agency measured; likewise.
        """
        column = panel.field_index(field)
        what, steps = panel.fields[column], past.truth_BNH.shape[-1]
        found = cls(
            now_s=now_s,
            step_s=panel.clock.step_s,
            places=panel.places,
            kind=what.kind,
            unit=what.unit,
            forecast_NH=forecast_NH[:, :steps],
            past=past,
            requests=tuple(requests),
            known_TN=_known(panel, column, now_s, known_days),
            adjacency_NN=panel.adjacency_NN,
            time_zone=panel.clock.time_zone,
            units=units,
            others={
                name: one_NH[:, :steps]
                for name, one_NH in (others or {}).items()
                if name in past.others
            },
            holidays=panel.clock.holidays,
        )
        if weather is None:
            return found
        return replace(found, weather=known_weather(weather, found.known_time_T, now_s))

    @property
    def valid_until_s(self) -> int:
        """The end of the first step, when a newer value and forecast are known."""
        return self.now_s + self.step_s

    def time_s(self, step: int) -> int:
        """When a step of the forecast begins, UTC seconds."""
        return self.now_s + step * self.step_s

    @property
    def known_time_T(self) -> Ints:
        """When each row of `known_TN` begins, UTC seconds; empty without any."""
        count = 0 if self.known_TN is None else len(self.known_TN)
        return self.now_s + self.step_s * np.arange(-count, 0, dtype=np.int64)

    def half_width_NH(self, level: float = 0.9) -> Floats:
        """Half the width of the band that covers the truth with this frequency; NaN where no past
        error is known.
        """
        if not np.isfinite(self.past.errors_BNH).any():
            return np.full_like(self.forecast_NH, np.nan)
        return half_width(self.past.forecast_BNH, self.past.truth_BNH, level)


def _known(panel: Panel, column: int, now_s: int, days: int) -> Floats | None:
    """A panel's newest values before a time, with rows of NaN up to it where it ends earlier."""
    step_s = panel.clock.step_s
    end = int(np.searchsorted(panel.time_T, now_s))
    if not end:
        return None
    late = (now_s - int(panel.time_T[end - 1])) // step_s - 1
    count = days * DAY_S // step_s
    rows_TN = panel.values_TNF[max(0, end + late - count) : end, :, column]
    if not late:
        return rows_TN
    empty = np.full((min(late, count), len(panel.places)), np.nan, np.float32)
    return np.concatenate([rows_TN, empty])
