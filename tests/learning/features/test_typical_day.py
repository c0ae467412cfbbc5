import numpy as np
import pytest
from signals import panel

from deepcity.data.windows import Span
from deepcity.learning.features.inputs import WindowSettings, fit_inputs, train_origins
from deepcity.learning.features.typical_day import day_grid, typical_day


def typical(whole, values=None, train_days=25, **how):
    values = whole.values_TNF[:, :, 0] if values is None else values
    grid = day_grid(whole.clock, whole.time_T)
    return typical_day(
        values, grid, whole.clock, train_end=train_days * whole.clock.steps_per_day, **how
    )


def test_working_days_and_weekends_are_distinguished():
    whole = panel(42, 1)
    day_T = np.arange(42 * 24) // 24
    law = np.where(day_T % 7 < 5, 5.0, 1.0).astype(np.float32)[:, None]
    np.testing.assert_allclose(typical(whole, law)[14 * 24 :], law[14 * 24 :], rtol=5e-3)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Rome"])
@pytest.mark.parametrize("step_minutes", [15, 60, 120])
def test_a_constant_place_is_typical_at_its_constant(zone, step_minutes):
    whole = panel(40, 1, step_minutes=step_minutes, zone=zone, start="2021-03-01")
    found = typical(whole, np.full_like(whole.values_TNF[:, :, 0], 7.0))
    np.testing.assert_allclose(found, 7.0, rtol=1e-6)


def test_a_place_without_values_is_typical_at_zero_and_disturbs_nobody():
    whole = panel(40, 2)
    values = whole.values_TNF[:, :, 0].copy()
    values[:, 1] = np.nan
    found = typical(whole, values)
    assert (found[:, 1] == 0).all()
    np.testing.assert_array_equal(found[:, 0], typical(whole)[:, 0])
    assert np.isfinite(found).all()


def test_a_place_that_begins_late_has_early_weeks_of_its_own():
    whole = panel(40, 2)
    values = whole.values_TNF[:, :, 0].copy()
    values[: 10 * 24, 1] = np.nan
    found = typical(whole, values, train_days=35)
    first_days = np.abs(found - values)[10 * 24 : 12 * 24, 1]
    assert np.nanmean(first_days) < 2.0  # not its mean over all hours: the day's law is +-3


@pytest.mark.parametrize(("start", "hours"), [("2021-03-27", 23), ("2021-10-30", 25)])
def test_a_changed_clock_keeps_wall_time(start, hours):
    whole = panel(30, 1, zone="Europe/Rome", start=start)
    grid = day_grid(whole.clock, whole.time_T)
    assert (grid.day_T == 1).sum() == hours
    assert grid.slot_T[grid.day_T == 2][0] == 0  # midnight is midnight
    wall = grid.slot_T.astype(np.float32)[:, None]
    np.testing.assert_allclose(typical(whole, wall)[3 * 24 :], wall[3 * 24 :], atol=1e-5)
    least_D, most_D = grid.shifts()
    min_step_gap = least_D[:, None] - most_D
    assert min_step_gap[1, 0] == (23 if hours == 23 else 24)
    assert min_step_gap[2, 1] == (23 if hours == 23 else 24)
    assert min_step_gap[2, 0] == (47 if hours == 23 else 49)
    assert min_step_gap[4, 3] == 24


@pytest.mark.parametrize(("ahead", "newest"), [(1, 1), (24, 1), (25, 2), (48, 2), (49, 3)])
def test_the_newest_day_used_lies_ahead_steps_back(ahead, newest):
    whole = panel(40, 1)
    for back in range(1, 5):
        values = whole.values_TNF[:, :, 0].copy()
        values[(38 - back) * 24 : (39 - back) * 24] += 50
        moved = typical(whole, values, ahead=ahead) - typical(whole, ahead=ahead)
        assert bool((moved[38 * 24 : 39 * 24] != 0).all()) == (back >= newest)


def test_leads_forecast_from_older_days_and_keep_their_own_summaries():
    settings = WindowSettings(history=6, horizon=24, days=2, leads=2)
    whole = panel(40, 1)
    inputs = fit_inputs(whole, "flow", settings, Span(0, 30 * 24))
    assert inputs.typical_KTN.shape == (2, 40 * 24, 1)
    origins = np.array([35 * 24])
    first, second = (inputs.samples(origins, lead) for lead in range(2))
    np.testing.assert_array_equal(second.truth_BNH[0, 0], whole.values_TNF[36 * 24 : 37 * 24, 0, 0])
    half = first.linear_BNHS.shape[-1] // 2
    assert (first.linear_BNHS[..., half:] == 0).all()
    assert (second.linear_BNHS[..., :half] == 0).all()
    assert first.features_BNF.shape == second.features_BNF.shape
    assert (first.features_BNF[..., -2:] == [1, 0]).all()
    assert (second.features_BNF[..., -2:] == [0, 1]).all()


def test_without_days_only_recent_steps_and_the_training_span_speak():
    settings = WindowSettings(history=6, horizon=6, days=0)
    whole = panel(40, 2)
    inputs = fit_inputs(whole, "flow", settings, Span(0, 30 * 24))
    samples = inputs.samples(np.array([36 * 24, 37 * 24]))
    with_days = settings.model_copy(update={"days": 3})
    richer = fit_inputs(whole, "flow", with_days, Span(0, 30 * 24)).samples(np.array([36 * 24]))
    assert samples.features_BNF.shape[-1] < richer.features_BNF.shape[-1]
    assert samples.linear_BNHS.shape[-1] < richer.linear_BNHS.shape[-1]
    assert samples.recent == 24


def test_truths_beyond_the_panel_are_missing_not_repeated():
    whole = panel(40, 1)
    inputs = fit_inputs(whole, "flow", WindowSettings(history=6, horizon=6), Span(0, 30 * 24))
    truth = inputs.samples(np.array([40 * 24 - 2])).truth_BNH[0, 0]
    assert np.isfinite(truth).tolist() == [True, True, False, False, False, False]


def test_too_short_a_training_span_says_how_many_steps_it_needs():
    settings = WindowSettings(history=24, horizon=24)
    with pytest.raises(ValueError, match="has 30 steps; one window needs 48"):
        train_origins(settings, Span(0, 30))
    for steps in (1, 10, 47):
        with pytest.raises(ValueError, match=f"has {steps} steps; one window needs 48"):
            fit_inputs(panel(40, 3), "flow", settings, Span(0, steps))
    with pytest.raises(KeyError, match="no field 'flw'; the panel has flow"):
        fit_inputs(panel(40), "flw", settings, Span(0, 400))


def test_broken_and_constant_sensors_keep_samples_finite_and_bounded():
    whole = panel(40, 4)
    whole.values_TNF[:, 1] = 5.0  # constant
    whole.values_TNF[:, 2] = np.nan  # never measured
    whole.values_TNF[700:720, 3] = 1e9  # broken
    inputs = fit_inputs(whole, "flow", WindowSettings(history=6, horizon=6), Span(0, 30 * 24))
    samples = inputs.samples(np.arange(690, 900, 5))
    for part in (samples.features_BNF, samples.linear_BNHS, samples.baseline_BNH):
        assert np.isfinite(part).all()
    assert np.abs(samples.features_BNF).max() <= 8.0
    assert np.isnan(samples.target_BNH[:, 2]).all()
    assert (samples.baseline_BNH[:, 1] == 5.0).all()
