"""In any span a mixture with joined experts errs no more than the own network and an allowance."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcity.learning.ensemble.loss_allowance import (
    FORECASTS,
    PENDING,
    REACH,
    REFILL,
    LossAllowance,
    Pending,
    allowance,
)
from deepcity.learning.ensemble.multi_view_ensemble import (
    PARTS,
    PausedRun,
    continue_ensemble,
    init_ensemble,
    run_ensemble,
)
from deepcity.runs.update.kept_replay import ensemble_groups, ensemble_of

JOINED = np.array([False, False, True])
FAR = np.float32(1e6)


def origin_by_origin(forecast_EBNH, truth_BNH, origins_B, joined=JOINED):
    """The run's forecasts, and its ensemble at each origin."""
    part_BH = (origins_B[:, None] + np.arange(truth_BNH.shape[2])) // 3 % PARTS
    begun = init_ensemble([1.0] * len(forecast_EBNH), truth_BNH.shape[1], joined)
    paused, forecasts, states = PausedRun.begin(begun, len(forecast_EBNH), truth_BNH), [], []
    for at in range(len(origins_B)):
        rows = slice(at - len(paused), at + 1)
        new = slice(at, at + 1)
        found, paused = continue_ensemble(
            paused, forecast_EBNH[:, new], truth_BNH[rows], origins_B[new], part_BH[rows]
        )
        forecasts.append(found.forecast_BNH)
        states.append(found.ensemble)
    return np.concatenate(forecasts), states


def most_allowed(states, origins_B, horizon):
    """The greatest allowance in force until each origin, from the own network's errors alone."""
    found = []
    for at, state in enumerate(states):
        left_J = np.maximum(origins_B[:at] + horizon - origins_B[at], 0)
        steps = FORECASTS * horizon + PENDING * (left_J.sum() + horizon)
        found.append(steps * state.recent.own.cautious_N.sum())
    return np.maximum.accumulate(found)


def worst_span(mixed_BNH, own_BNH, truth_BNH, origins_B):
    """For each step, the most by which the mixture erred above its share of the own network's
    errors in any span that ends there, over all forecasts of the span's steps.
    """
    step_BH = origins_B[:, None] + np.arange(truth_BNH.shape[2])
    mixed_off, own_off = (np.abs(one.astype(float) - truth_BNH) for one in (mixed_BNH, own_BNH))
    excess_BH = np.nan_to_num(mixed_off - (1 + REFILL) * own_off).sum(axis=1)
    excess_T = np.bincount(step_BH.ravel(), excess_BH.ravel())
    worst, found = 0.0, []
    for one in excess_T:
        worst = max(0.0, worst + one)
        found.append(worst)
    return np.array(found)


def towns(rng, origins_B, places, horizon, missing=0.0):
    """Truths of one series and forecasts of the own network, which errs by about 1."""
    series_TN = rng.normal(size=(int(origins_B[-1]) + horizon, places)).astype(np.float32)
    series_TN[rng.random(series_TN.shape) < missing] = np.nan
    step_BH = origins_B[:, None] + np.arange(horizon)
    truth_BNH = series_TN[step_BH].swapaxes(1, 2)
    shape = truth_BNH.shape
    own_BNH = (np.nan_to_num(truth_BNH) + rng.laplace(size=shape)).astype(np.float32)
    # What nobody could forecast may also come as the own network expected it: the worst case.
    met_BNH = rng.random(shape) < rng.choice([0.0, 0.5, 1.0])
    return truth_BNH, np.where(met_BNH, np.nan_to_num(truth_BNH), own_BNH).astype(np.float32)


def attacks(rng, truth_BNH, own_BNH):
    """A joined expert's forecasts: at each origin and step right, far off, or a little off."""
    batch, _, horizon = truth_BNH.shape
    good_BNH = np.nan_to_num(truth_BNH)
    away_BNH = np.where(good_BNH > own_BNH, -FAR, FAR)
    near_BNH = good_BNH + 1.9 * (own_BNH - good_BNH)
    kinds = rng.choice(3, size=batch)  # of each origin
    held = int(rng.integers(1, 40))  # an attacker that is good or bad for so many origins
    kinds = np.repeat(kinds[::held], held)[:batch]
    first_bad = int(rng.integers(0, horizon))  # good in near steps, which are scored first
    far_BH = np.arange(horizon) >= first_bad * np.ones((batch, 1))
    lie_BNH = np.where((kinds == 1)[:, None, None], away_BNH, near_BNH)
    lies_BH = (kinds > 0)[:, None] & far_BH
    return np.where(lies_BH[:, None], lie_BNH, good_BNH).astype(np.float32)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    apart=st.integers(1, 5),
    horizon=st.sampled_from([1, 3, 6]),
    places=st.integers(1, 3),
    missing=st.sampled_from([0.0, 0.2]),
)
def test_in_any_span_no_more_is_lost_than_the_allowance(seed, apart, horizon, places, missing):
    rng = np.random.default_rng(seed)
    origins_B = apart * np.arange(60)
    truth_BNH, own_BNH = towns(rng, origins_B, places, horizon, missing)
    lies_BNH = attacks(rng, truth_BNH, own_BNH)
    other_BNH = own_BNH + rng.normal(size=own_BNH.shape).astype(np.float32)
    experts = np.stack([own_BNH, other_BNH, lies_BNH])
    mixed_BNH, states = origin_by_origin(experts, truth_BNH, origins_B)
    lost_T = worst_span(mixed_BNH, own_BNH, truth_BNH, origins_B)
    most_B = most_allowed(states, origins_B, horizon)
    most_T = most_B[np.searchsorted(origins_B, np.arange(len(lost_T)), side="right") - 1]
    assert (lost_T <= most_T * (1 + 1e-5) + 1e-6).all()


def lost_by_far_steps(horizon, joined=JOINED):
    """The most that is lost in a span to an expert that is right in its nearest step alone, in
    forecasts that err by 1 at every step. The watch of recent errors sees that step.
    """
    rng = np.random.default_rng(0)
    origins_B = np.arange(200)
    truth_BNH = np.zeros((200, 1, horizon), np.float32)
    own_BNH = rng.choice([-1.0, 1.0], truth_BNH.shape).astype(np.float32)
    own_BNH[60:] *= 0.02  # the truth comes as expected: what is lost is lost
    lies_BNH = truth_BNH.copy()
    lies_BNH[60:, :, 1:] = FAR
    experts = np.stack([own_BNH, own_BNH, lies_BNH])
    mixed_BNH, _ = origin_by_origin(experts, truth_BNH, origins_B, joined)
    return worst_span(mixed_BNH, own_BNH, truth_BNH, origins_B).max() / horizon


@pytest.mark.parametrize("horizon", [6, 24])
def test_a_day_ahead_does_not_escape_because_its_truth_comes_late(horizon):
    assert 1.0 < lost_by_far_steps(horizon) <= FORECASTS + PENDING * (horizon + 1) / 2


def test_without_joined_experts_there_is_no_account_and_no_limit():
    assert init_ensemble([0.5, 0.5], 1, JOINED[:2]).allowance is None
    assert init_ensemble([0.5, 0.5], 1).allowance is None
    assert lost_by_far_steps(6, None) > 1000


ERROR_N = np.array([1.0, 2.0])
OWN_NH = np.array([[10.0, 11.0], [20.0, 22.0]], np.float32)


def test_the_mixture_lies_within_reach_of_the_own_forecast():
    near = LossAllowance().limit(OWN_NH + FAR, OWN_NH, ERROR_N, Pending())
    np.testing.assert_allclose(near - OWN_NH, REACH * ERROR_N[:, None] * np.ones((1, 2)))
    inside = OWN_NH + np.float32(0.5)
    assert LossAllowance().limit(inside, OWN_NH, ERROR_N, Pending()) is not inside
    np.testing.assert_array_equal(LossAllowance().limit(inside, OWN_NH, ERROR_N, Pending()), inside)


def test_before_the_own_network_is_known_forecasts_are_its_own():
    found = LossAllowance().limit(OWN_NH + 1, OWN_NH, np.zeros(2), Pending())
    np.testing.assert_array_equal(found, OWN_NH)


def test_an_allowance_half_spent_halves_what_is_left_and_a_spent_one_leaves_the_own_forecast():
    mixed_NH, whole = OWN_NH + np.float32(1), allowance(ERROR_N, 2, Pending())
    half = whole - 2.0
    for lost, worst, share in ((half, 0, 0.5), (0, half, 0.5), (whole, 0, 0), (1e9, 0, 0)):
        found = LossAllowance(lost).limit(mixed_NH, OWN_NH, ERROR_N, Pending(worst))
        np.testing.assert_allclose(found, OWN_NH + share, rtol=1e-6)


def test_what_is_gained_and_a_share_of_own_errors_are_taken_off_down_to_nothing():
    truth, own = np.zeros((3, 2), np.float32), np.full((3, 2), 2.0, np.float32)
    state = LossAllowance(10.0)
    assert state.update(own, own, truth).lost == pytest.approx(10 - 12 * REFILL)
    assert state.update(own - 1, own, truth).lost == pytest.approx(10 - 6 - 12 * REFILL)
    assert state.update(own + 1, own, truth).lost == pytest.approx(10 + 6 - 12 * REFILL)
    assert LossAllowance(1.0).update(truth, own, truth).lost == 0
    unknown = np.full((3, 2), np.nan, np.float32)
    assert state.update(own + 1, own, unknown).lost == 10


def test_forecasts_not_scored_yet_are_those_with_steps_from_now_on():
    worst_BH = np.array([[1.0, 2, 4], [8, 16, 32], [64, 128, 256]])
    assert Pending.of(np.array([0, 2, 3]), worst_BH, 4) == Pending(32 + 128 + 256, 3)
    assert Pending.of(np.array([0, 2, 3]), worst_BH, 6) == Pending()


def test_an_honest_expert_is_let_do_what_it_can():
    rng = np.random.default_rng(3)
    origins_B = np.arange(300)
    truth_BNH, _ = towns(rng, origins_B, 2, 6)
    own_BNH, joined_BNH = (
        (truth_BNH + size * rng.laplace(size=truth_BNH.shape)).astype(np.float32)
        for size in (1.0, 0.5)
    )
    experts = np.stack([own_BNH, own_BNH, joined_BNH])
    part_BH = np.zeros((300, 6), int)
    begun = init_ensemble([1, 1, 1], 2, JOINED)
    errors = []
    for one in (begun, replace(begun, allowance=None)):
        found = run_ensemble(experts, truth_BNH, origins_B, part_BH, one)
        errors.append(np.abs(found.forecast_BNH - truth_BNH)[20:].mean())
    assert errors[0] < 1.05 * errors[1] < 0.6


def test_a_bundle_keeps_what_was_lost_and_an_older_one_begins_with_nothing_lost():
    kept = replace(init_ensemble([1, 1, 1], 2, JOINED), allowance=LossAllowance(7.5))
    groups = ensemble_groups(kept, "ensemble")
    assert ensemble_of(groups, "ensemble").allowance == LossAllowance(7.5)
    older = {name: part for name, part in groups.items() if not name.endswith("allowance")}
    assert ensemble_of(older, "ensemble").allowance == LossAllowance()
    own = ensemble_groups(init_ensemble([1, 1], 2, JOINED[:2]), "ensemble")
    assert ensemble_of(own, "ensemble").allowance is None
