"""The days ahead as a Gaussian process: what it learns, and that it sees no future."""

from dataclasses import replace

import numpy as np
import pytest
from signals import panel

from deepcity.city.field import Field, Kind
from deepcity.city.localized_text import LocalizedText
from deepcity.city.place import Place
from deepcity.data.panel import Panel
from deepcity.data.windows import Span
from deepcity.learning.experts.day_kernel import covariance, noise
from deepcity.learning.experts.day_process import _means, fit_day_process
from deepcity.learning.features.typical_day import day_grid, typical_day
from deepcity.learning.features.weather import day_weather

TRAIN_DAYS = 50


def process_of(whole, values=None, traits=None, days=TRAIN_DAYS, **how):
    grid = day_grid(whole.clock, whole.time_T)
    values = whole.values_TNF[..., 0] if values is None else values
    traits = np.zeros((grid.days, 1), np.float32) if traits is None else traits
    train = Span(0, days * whole.clock.steps_per_day)
    return fit_day_process(values, grid, whole.clock, train, traits, **how)


def midnights(whole, days):
    grid = day_grid(whole.clock, whole.time_T)
    return np.array([np.flatnonzero((grid.day_T == day) & (grid.slot_T == 0))[0] for day in days])


@pytest.mark.parametrize("zone", ["UTC", "Europe/Rome"])
def test_values_from_an_origin_on_change_nothing_in_its_forecast(zone):
    whole = panel(70, 2, zone=zone, start="2021-02-15")  # in Rome the clocks skip an hour
    origin = midnights(whole, [55])
    values = whole.values_TNF[..., 0]
    later, earlier = values.copy(), values.copy()
    later[origin[0] :] = np.random.default_rng(1).normal(50, 9, later[origin[0] :].shape)
    earlier[origin[0] - 24 : origin[0]] += 1
    before, same, other = (
        process_of(whole, found).forecast(origin, 168) for found in (values, later, earlier)
    )
    assert np.isfinite(before).all()
    np.testing.assert_array_equal(before, same)
    assert np.abs(before - other).max() > 0.1


def test_every_origin_is_conditioned_on_its_own_days():
    whole = panel(70, 1)
    process = process_of(whole)
    place, asked = process.places[0], 52 + np.arange(10)[:, None] + np.arange(3)
    part, log_P = place.model.parts[1]
    series = place.series_IM[:, part]
    shared = _means(process.days, log_P, place.known_I, series, asked)
    for row, days in enumerate(asked):
        known = place.known_I[place.known_I < days[0]]
        total = covariance(process.days, log_P, known, known) + noise(log_P) * np.eye(len(known))
        weights = np.linalg.solve(total, series[: len(known)])
        alone = covariance(process.days, log_P, days, known) @ weights
        np.testing.assert_allclose(shared[row], alone, atol=1e-9)


@pytest.mark.parametrize("logarithms", [False, True])
def test_it_errs_less_than_a_typical_day(logarithms):
    whole = panel(90, 2, seed=3)
    values = whole.values_TNF[..., 0]
    grid = day_grid(whole.clock, whole.time_T)
    origins = midnights(whole, range(51, 82))
    predicted = process_of(whole, logarithms=logarithms).forecast(origins, 48)
    at = origins[:, None] + np.arange(48)
    truth = np.swapaxes(values[at], 1, 2)
    typical = [
        typical_day(values, grid, whole.clock, train_end=TRAIN_DAYS * 24, ahead=24 * (lead + 1))
        for lead in range(2)
    ]
    usual = np.swapaxes(np.where(np.arange(48)[:, None] < 24, *(one[at] for one in typical)), 1, 2)
    assert np.abs(predicted - truth).mean() < 0.9 * np.abs(usual - truth).mean()


def test_a_trait_moves_the_days_that_have_it():
    whole = panel(80, 1, seed=2)
    traits = (np.random.default_rng(5).random((80, 1)) < 0.3).astype(np.float32)
    traits[[60, 61]] = [[0], [1]]
    values = whole.values_TNF[..., 0] + 4 * np.repeat(traits, 24, axis=0)
    origin = midnights(whole, [60])
    knowing, blind = (
        process_of(whole, values, found).forecast(origin, 48)[0, 0].reshape(2, 24).mean(axis=1)
        for found in (traits, np.zeros_like(traits))
    )
    assert (knowing[1] - knowing[0]) - (blind[1] - blind[0]) > 2.5


def test_missing_hours_and_a_burst_hardly_matter():
    whole = panel(70, 1)
    origin = midnights(whole, [60])
    values = whole.values_TNF[..., 0].copy()
    whole_days = process_of(whole).forecast(origin, 24)
    values[59 * 24 + 3 : 59 * 24 + 6] = np.nan
    values[58 * 24 + 10] = 500.0
    values[57 * 24 + 2 : 58 * 24 - 2] = np.nan  # a day unknown
    assert np.abs(process_of(whole, values).forecast(origin, 24) - whole_days).mean() < 0.25


def test_logarithms_take_no_zero_for_a_value():
    whole = panel(70, 1)
    values = whole.values_TNF[..., 0].copy()
    values[55 * 24 + 4] = 0.0
    empty = values.copy()
    empty[55 * 24 + 4] = np.nan
    origin = midnights(whole, [60])
    np.testing.assert_array_equal(
        *(process_of(whole, one, logarithms=True).forecast(origin, 24) for one in (values, empty))
    )


def test_within_a_day_its_forecast_goes_on_as_at_midnight():
    whole = panel(70, 1)
    process, midnight = process_of(whole), midnights(whole, [60])
    from_midnight, from_noon = (process.forecast(midnight + hour, 24) for hour in (0, 12))
    np.testing.assert_array_equal(from_midnight[..., 12:], from_noon[..., :12])


def test_too_few_days_are_refused():
    with pytest.raises(ValueError, match="12 training days"):
        process_of(panel(60, 1), days=12)


def test_days_are_warm_or_wet_as_this_place_knows_them():
    whole = panel(60, 1)
    day = np.arange(60)
    temperature, rain = np.where(day < 30, 10.0, 10 + day / 2), np.where(day == 50, 12.0, 0.0)
    values = np.repeat(np.stack([temperature, rain / 24], axis=1), 24, axis=0)[:, None]
    fields = tuple(
        Field(name, kind, unit, LocalizedText(name, name))
        for name, kind, unit in (
            ("temperature", Kind.TEMPERATURE, "degC"),
            ("rain", Kind.RAIN, "mm"),
        )
    )
    weather = Panel(whole.clock, whole.time_T, (Place("mast"),), fields, values.astype("f4"))
    grid = day_grid(whole.clock, whole.time_T)
    found = day_weather(weather, grid, Span(0, 60 * 24))
    assert found.shape == (60, 7)
    warm, _, _, _, wet, wet_before, wet_cold = found.T
    assert warm[10] == 0 < warm[59]
    assert wet[50] == pytest.approx(np.log1p(12), rel=0.2)
    assert wet_before[51] == pytest.approx(np.log1p(12), rel=0.2)
    assert wet_cold[50] < 0.5 < wet[50]
    assert not wet[49]
    later = replace(
        weather, values_TNF=weather.values_TNF + (np.arange(1440) > 1200)[:, None, None]
    )
    np.testing.assert_array_equal(
        *(day_weather(one, grid, Span(0, 1200))[:50] for one in (weather, later))
    )
