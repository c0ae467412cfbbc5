from datetime import timedelta
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcity.city.clock import Clock
from deepcity.learning.ensemble.multi_view_ensemble import (
    PARTS,
    STATE_NAMES,
    PausedRun,
    absolute_gradient,
    continue_ensemble,
    init_ensemble,
    parts_of_day,
)
from deepcity.learning.ensemble.multi_view_ensemble import run_ensemble as aggregate_by_part
from deepcity.learning.features.typical_day import day_grid


def run_ensemble(forecasts, truth, origins, ensemble, part=None):
    """All steps in one part of the day, where a test does not say otherwise."""
    part = np.zeros((len(truth), truth.shape[-1]), np.int64) if part is None else part
    return aggregate_by_part(forecasts, truth, np.asarray(origins), part, ensemble)


def in_its_part(found):
    """Weights where all steps lay in one part of the day."""
    return found.ensemble.weights_in(np.zeros(1, np.int64))


def stream(seed, good, origins=120, places=2, horizon=3):
    """Truths, and experts that err by the given shares of a truth's spread."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=(origins, places, horizon)).astype(np.float32)
    forecasts = [truth + share * rng.normal(size=truth.shape) for share in good]
    return np.array(forecasts, np.float32), truth, np.arange(origins) * horizon


def mae(forecasts, truth):
    return float(np.nanmean(np.abs(forecasts - truth)))


def test_an_expert_with_half_the_prior_is_hardly_lost_to():
    forecasts, truth, origins = stream(1, (1, 3, 3, 3, 3, 3))
    found = run_ensemble(forecasts, truth, origins, init_ensemble([0.5] + [0.1] * 5, 2))
    assert mae(found.forecast_BNH, truth) <= mae(forecasts[0], truth) * 1.05
    assert in_its_part(found)[0] > 0.5


def test_weights_leave_an_expert_that_errs_more():
    forecasts, truth, origins = stream(2, (0.2, 3))
    found = run_ensemble(forecasts, truth, origins, init_ensemble([0.1, 0.9], 2))
    assert in_its_part(found)[0] > 0.9
    assert mae(found.forecast_BNH[60:], truth[60:]) < 1.2 * mae(forecasts[0, 60:], truth[60:])


def test_mixes_where_two_err_apart():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(300, 1, 1)).astype(np.float32)
    forecasts = np.array([truth + 1 + 0.1 * rng.normal(size=truth.shape), truth - 1], np.float32)
    found = run_ensemble(forecasts, truth, np.arange(300), init_ensemble([0.5, 0.5], 1))
    assert mae(found.forecast_BNH, truth) < 0.3 * min(mae(one, truth) for one in forecasts)


@given(scale=st.sampled_from([1e-6, 1e-2, 1e3, 1e6]))
@settings(max_examples=20)
def test_units_do_not_matter(scale):
    forecasts, truth, origins = stream(3, (0.5, 1, 2))
    found = run_ensemble(forecasts, truth, origins, init_ensemble([0.5, 0.3, 0.2], 2))
    scaled = run_ensemble(
        forecasts * scale, truth * scale, origins, init_ensemble([0.5, 0.3, 0.2], 2)
    )
    assert np.allclose(found.weights_BE, scaled.weights_BE, atol=1e-3)


@given(cut=st.integers(1, 119), apart=st.sampled_from([1, 2, 3, 5]))
@settings(max_examples=20)
def test_no_forecast_sees_a_truth_to_come(cut, apart):
    forecasts, truth, _ = stream(3, (0.5, 1, 2))
    origins = np.arange(len(truth)) * apart
    known = (origins[:, None] + np.arange(3) < origins[cut])[:, None]
    other = np.where(known, truth, 99).astype(np.float32)
    kept = run_ensemble(forecasts, truth, origins, _prior())
    changed = run_ensemble(forecasts, other, origins, _prior())
    assert np.array_equal(changed.weights_BE[: cut + 1], kept.weights_BE[: cut + 1])
    assert not np.array_equal(changed.ensemble.weights_E, kept.ensemble.weights_E)


def test_near_steps_teach_before_far_ones_have_passed():
    forecasts, truth, _ = stream(7, (0.2, 3), origins=12, horizon=24)
    found = run_ensemble(forecasts, truth, np.arange(12), init_ensemble([0.5, 0.5], 2))
    assert np.allclose(found.weights_BE[0], 0.5)
    assert found.weights_BE[6, 0] > 0.7
    before = run_ensemble(forecasts[:, :6], truth[:6], np.arange(6), init_ensemble([0.5, 0.5], 2))
    assert in_its_part(before)[0] > found.weights_BE[6, 0]  # its far steps teach as well


def test_forecasts_of_one_step_teach_once():
    forecasts, truth, origins = stream(8, (0.5, 1))
    once = run_ensemble(forecasts, truth, origins, init_ensemble([0.5, 0.5], 2))
    twice = run_ensemble(
        np.repeat(forecasts, 2, axis=1),
        np.repeat(truth, 2, axis=0),
        np.repeat(origins, 2),
        init_ensemble([0.5, 0.5], 2),
    )
    assert np.allclose(once.ensemble.place.regret_GE, twice.ensemble.place.regret_GE)


def _prior():
    return init_ensemble([0.5, 0.3, 0.2], 2)


def test_goes_on_where_it_stood():
    forecasts, truth, origins = stream(4, (0.3, 1))
    whole = run_ensemble(forecasts, truth, origins, init_ensemble([0.5, 0.5], 2))
    first = run_ensemble(forecasts[:, :50], truth[:50], origins[:50], init_ensemble([0.5, 0.5], 2))
    rest = run_ensemble(forecasts[:, 50:], truth[50:], origins[50:], first.ensemble)
    assert np.array_equal(
        whole.forecast_BNH, np.concatenate([first.forecast_BNH, rest.forecast_BNH])
    )


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 99),
    cuts=st.sets(st.integers(0, 20), max_size=4),
    apart=st.integers(1, 5),
    horizon=st.integers(1, 6),
)
def test_a_run_that_was_paused_goes_on_as_if_it_had_not_been(seed, cuts, apart, horizon):
    rng = np.random.default_rng(seed)
    origins_B = apart * np.arange(20)
    truth_BNH = rng.normal(size=(20, 2, horizon)).astype(np.float32)
    truth_BNH[rng.random(truth_BNH.shape) < 0.1] = np.nan
    forecast_EBNH = rng.normal(size=(3, *truth_BNH.shape)).astype(np.float32)
    part_BH = rng.integers(0, PARTS, (20, horizon))
    began = init_ensemble([0.5, 0.3, 0.2], 2)
    whole = aggregate_by_part(forecast_EBNH, truth_BNH, origins_B, part_BH, began)
    paused, mixed, ends = PausedRun.begin(began, 3, truth_BNH), [], [0, *sorted(cuts), 20]
    for start, end in pairwise(ends):
        rows = slice(start - len(paused), end)
        found, paused = continue_ensemble(
            paused,
            forecast_EBNH[:, start:end],
            truth_BNH[rows],
            origins_B[start:end],
            part_BH[rows],
        )
        mixed.append(found.forecast_BNH)
    np.testing.assert_array_equal(np.concatenate(mixed), whole.forecast_BNH)
    last = slice(-len(paused), None)
    ended = paused.ended(truth_BNH[last], part_BH[last], absolute_gradient)
    for view in STATE_NAMES:
        one, other = getattr(ended, view), getattr(whole.ensemble, view)
        np.testing.assert_array_equal(one.regret_GE, other.regret_GE)


def test_missing_truths_teach_nothing():
    forecasts, truth, origins = stream(5, (0.3, 1))
    found = run_ensemble(forecasts, truth * np.nan, origins, init_ensemble([0.7, 0.3], 2))
    assert np.allclose(found.weights_BE, [0.7, 0.3])
    assert np.isfinite(found.forecast_BNH).all()


def test_experts_that_say_the_same_keep_their_priors():
    forecasts, truth, origins = stream(6, (0.5,))
    found = run_ensemble(
        np.repeat(forecasts, 3, axis=0), truth, origins, init_ensemble([0.5, 0.25, 0.25], 2)
    )
    assert np.allclose(found.forecast_BNH, forecasts[0], atol=1e-5)


def test_each_place_has_its_own_best():
    forecasts, truth, origins = stream(9, (0.1, 2), origins=200)
    forecasts[:, :, 1] = forecasts[::-1, :, 1]  # the other expert is the better one there
    found = run_ensemble(forecasts, truth, origins, init_ensemble([0.5, 0.5], 2))
    best = np.stack([forecasts[0, :, 0], forecasts[1, :, 1]], axis=1)
    assert mae(found.forecast_BNH[100:], truth[100:]) < 1.5 * mae(best[100:], truth[100:])
    assert found.ensemble.views.weights_GE[0].argmax() == 1
    assert found.ensemble.place.weights_GE.argmax(axis=1).tolist() == [0, 1]


def test_each_part_of_the_day_has_its_own_best():
    forecasts, truth, origins = stream(10, (0.1, 2), origins=400, horizon=1)
    part = (np.arange(400) // 4 % PARTS)[:, None]
    night = part[:, 0] == 3
    forecasts[:, night] = forecasts[::-1, night]
    found = run_ensemble(forecasts, truth, origins, init_ensemble([0.5, 0.5], 2), part)
    best = np.where(night[:, None, None], forecasts[1], forecasts[0])
    assert mae(found.forecast_BNH[200:], truth[200:]) < 2 * mae(best[200:], truth[200:])
    assert found.ensemble.views.weights_GE[0].argmax() == 2
    assert found.ensemble.part.weights_GE.argmax(axis=1).tolist() == [0, 0, 0, 1, 0, 0, 0, 0]


def test_views_cost_little_where_all_forecasts_are_alike():
    """Three views of noise are no worse than one: the promise over alone stands."""
    forecasts, truth, origins = stream(11, (1, 1.05, 1.1, 3), places=8, horizon=6, origins=300)
    part = (origins[:, None] + np.arange(6)) // 3 % PARTS
    found = run_ensemble(forecasts, truth, origins, init_ensemble([0.5, 0.2, 0.2, 0.1], 8), part)
    assert mae(found.forecast_BNH, truth) <= mae(forecasts[0], truth) * 1.01


def test_a_place_that_is_not_measured_keeps_its_priors():
    forecasts, truth, origins = stream(12, (0.3, 1))
    truth[:, 1] = np.nan
    found = run_ensemble(forecasts, truth, origins, init_ensemble([0.6, 0.4], 2))
    assert np.allclose(found.ensemble.place.weights_GE[1], [0.6, 0.4])
    assert found.ensemble.place.weights_GE[0, 0] > 0.8


def test_parts_are_of_the_city_s_own_day():
    clock = Clock("Asia/Seoul", timedelta(hours=1))
    time = np.arange(48, dtype=np.int64) * 3600  # from 1970-01-01 09:00 in Seoul
    part = parts_of_day(day_grid(clock, time), np.array([0, 15]), 4)
    assert part.tolist() == [[3, 3, 3, 4], [0, 0, 0, 1]]
