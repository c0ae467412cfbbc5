"""A decision is made from each source by what it was worth: neither joining nor habit spoils it."""

from dataclasses import replace

import numpy as np
import pytest
from application_contract import NOW_S, STEP_S
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from deepcity.applications.application import applications
from deepcity.applications.state import Past, State
from deepcity.applications.tasks.alert import WarnAbove
from deepcity.applications.tasks.crossing import NOW, Costs, learned_warner, least_cost_cutoff
from deepcity.applications.tasks.peak import PeakOfDay, peak_of
from deepcity.applications.tasks.pool import LEARNED, WEIGHED, weigh
from deepcity.city.clock import DAY_S
from deepcity.city.field import Kind
from deepcity.city.place import Place

DAYS, HOURS = 60, np.arange(24)
PEAK, WARN = PeakOfDay("cover-peak"), WarnAbove(75.0, "ug/m3")
USUAL = "same_hour_yesterday"


def course(height):
    """A day's course that peaks at noon."""
    return 60 + height * np.exp(-((HOURS - 12.0) ** 2) / 8)


def city(learned, usual, kind=Kind.LOAD, unit="MW", seed=0):
    """A city whose days differ in height; each source errs by its own noise, a share of the height.

    Returns its state: the day to come is of height 40, and a source without noise says so.
    """
    rng = np.random.default_rng(seed)
    height_B = rng.uniform(10, 50, DAYS)
    truth_BNH = np.stack([course(one) for one in height_B])[:, None].astype(np.float32)

    def forecasts(noise):
        off_B = rng.normal(0, noise, DAYS + 1) if np.isfinite(noise) else rng.uniform(-1, 1, 61)
        found = [course(one * (1 + off)) for one, off in zip([*height_B, 40], off_B, strict=True)]
        return np.stack(found)[:, None].astype(np.float32)

    ours_BNH, others = forecasts(learned), {name: forecasts(one) for name, one in usual.items()}
    time_B = NOW_S - DAY_S * np.arange(DAYS, 0, -1)
    past = {name: one_BNH[:-1] for name, one_BNH in others.items()}
    return State(
        now_s=NOW_S,
        step_s=STEP_S,
        places=(Place("p"),),
        kind=kind,
        unit=unit,
        forecast_NH=ours_BNH[-1],
        past=Past(ours_BNH[:-1], truth_BNH, past, time_B),
        others={name: one_BNH[-1] for name, one_BNH in others.items()},
    )


def by_itself(state, name=LEARNED):
    """The state of a source alone."""
    if name == LEARNED:
        return replace(state, past=replace(state.past, others={}), others={})
    past = state.past.of_other(name)
    return replace(state, forecast_NH=state.others[name], past=past, others={})


def shares(decision, of=""):
    """Source -> share, of a decision's reason."""
    code = f"{of}-{WEIGHED}" if of else WEIGHED
    (reason,) = [one for one in decision.reasons if one.code == code]
    return {
        name.removeprefix("share-"): one
        for name, one in reason.numbers.items()
        if name.startswith("share-")
    }


def test_where_networks_are_useless_the_peak_is_that_of_the_usual_practice():
    state = city(learned=0.8, usual={USUAL: 0.01})
    usual = peak_of(by_itself(state, USUAL), 1.0)
    found = PEAK(state)
    assert peak_of(state, 1.0).value == pytest.approx(usual.value, rel=0.02)
    assert peak_of(state, 1.0).value == pytest.approx(100, rel=0.03)
    ours = sum(one for name, one in shares(found, "height").items() if name.startswith(LEARNED))
    assert ours < 0.1
    reason = next(one for one in found.reasons if one.code == f"height-{WEIGHED}")
    assert reason.numbers["error"] < reason.numbers["learned-error"] / 3


def test_where_the_usual_practice_is_useless_the_peak_is_the_network_s():
    state = city(learned=0.01, usual={USUAL: 0.8, "persistence": np.inf})
    alone = peak_of(by_itself(state), 1.0)
    assert peak_of(state, 1.0).value == pytest.approx(alone.value, rel=0.01)
    ours = sum(
        one for name, one in shares(PEAK(state), "height").items() if name.startswith(LEARNED)
    )
    assert ours > 0.9


def test_warnings_follow_the_source_that_warned_right():
    for learned, usual in ((0.8, 0.02), (0.02, 0.8)):
        state = city(learned, {USUAL: usual}, Kind.CONCENTRATION, "ug/m3")
        right = LEARNED if learned < usual else USUAL
        found = WARN.probability_NH(state)
        alone = WARN.probability_NH(by_itself(state, right))
        np.testing.assert_allclose(found, alone, atol=0.1)
        assert shares(WARN(state))[right.replace("_", "-")] > 0.85


def test_equal_sources_leave_the_learned_forecast_alone():
    state = city(learned=0.1, usual={})
    same = replace(
        state,
        others={USUAL: state.forecast_NH},
        past=replace(state.past, others={USUAL: state.past.forecast_BNH}),
    )
    assert shares(WARN(replace(same, unit="ug/m3"))) == {LEARNED: 1.0}
    assert shares(PEAK(same), "hour") == {LEARNED: 1.0}
    assert peak_of(same, 1.0).step == peak_of(state, 1.0).step


def test_few_days_move_little_from_the_learned_forecast():
    rng = np.random.default_rng(0)
    truth_X = rng.normal(0, 1, 24)
    found = {LEARNED: truth_X + rng.normal(0, 1, 24), "other": truth_X + rng.normal(0, 1, 24)}
    few, many = (weigh(found, truth_X, days) for days in (1, 1000))
    assert few.weights[LEARNED] > many.weights[LEARNED]
    assert few.weights[LEARNED] > 0.6


@given(
    values=hnp.arrays(np.float64, (4, 30), elements=st.floats(-1e6, 1e6)),
    missing=hnp.arrays(np.bool_, (4, 30)),
    days=st.integers(0, 90),
)
def test_weights_are_shares_and_never_err_more_than_the_learned_source(values, missing, days):
    learned_X, *others, truth_X = np.where(missing, np.nan, values)
    found = {LEARNED: learned_X, "a": others[0], "b": others[1]}
    pool = weigh(found, truth_X, days)
    weights = list(pool.weights.values())
    assert min(weights) >= 0
    assert sum(weights) == pytest.approx(1)
    assert pool.error <= pool.learned_error * 1.02 + 1e-9
    known = np.isfinite(learned_X)
    assert np.isfinite(pool.mean(found)[known]).all()


def test_a_missing_day_or_source_is_no_error():
    state = city(learned=0.3, usual={USUAL: 0.05})
    past_BNH = state.past.others[USUAL].copy()
    past_BNH[5:9] = np.nan
    truth_BNH = state.past.truth_BNH.copy()
    truth_BNH[20:23] = np.nan
    gappy = replace(state, past=replace(state.past, truth_BNH=truth_BNH, others={USUAL: past_BNH}))
    for decide in (PEAK, WARN):
        made = decide(replace(gappy, unit="MW" if decide is PEAK else "ug/m3"))
        assert 0 <= made.certainty <= 1
    silent = replace(state, others={USUAL: np.full_like(state.forecast_NH, np.nan)})
    assert peak_of(silent, 1.0).value == pytest.approx(peak_of(by_itself(state), 1.0).value)
    alone = WARN.probability_NH(replace(by_itself(state), unit="ug/m3"))
    missing = replace(silent, unit="ug/m3")
    assert WARN.probability_NH(missing).shape == alone.shape
    assert np.isfinite(WARN.probability_NH(missing)).all()


def test_an_ensemble_that_turns_bad_loses_its_share():
    """As hostile joined experts would make it: right on old days, far off on the newest."""
    state = city(learned=0.01, usual={USUAL: 0.05})
    forecast_BNH = state.past.forecast_BNH.copy()
    forecast_BNH[-14:] *= 5
    turned = replace(
        state,
        forecast_NH=state.forecast_NH * 5,
        past=replace(state.past, forecast_BNH=forecast_BNH),
    )
    usual = peak_of(by_itself(turned, USUAL), 1.0).value
    assert peak_of(turned, 1.0).value == pytest.approx(usual, rel=0.1)


def test_that_it_is_above_now_is_a_source():
    rng = np.random.default_rng(0)
    truth_BNH = np.repeat(rng.choice([50.0, 100.0], 200), 4).reshape(200, 1, 4).astype(np.float32)
    noise_BNH = truth_BNH + rng.normal(0, 60, truth_BNH.shape).astype(np.float32)
    past = Past(noise_BNH, truth_BNH, {"persistence": truth_BNH})
    warner = learned_warner(past, 75.0, Costs(2.0, 1.0), False)
    assert warner.pool.weights[NOW] + warner.pool.weights["persistence"] > 0.95
    found = warner.probability(
        noise_BNH[:3], {"persistence": truth_BNH[:3]}, past, 75.0, relative=False
    )
    np.testing.assert_allclose(found, truth_BNH[:3] > 75, atol=0.05)


def test_flat_costs_leave_the_cutoff_where_the_costs_ask_for_it():
    day_X = np.repeat(np.arange(50), 20)
    rng = np.random.default_rng(0)
    sure_X = rng.choice([0.0, 1.0], 1000)  # every cutoff warns of the same
    costs = Costs(2.0, 1.0)
    assert least_cost_cutoff(sure_X, sure_X > 0.5, day_X, costs) == pytest.approx(1 / 3, abs=0.006)
    shifted_X = np.clip(sure_X, 0.55, 0.95)  # all cutoffs up to a half warn of everything
    assert least_cost_cutoff(shifted_X, sure_X > 0.5, day_X, costs) >= 0.55


def test_only_the_peak_looks_at_days_since_the_validation_days():
    assert [name for name, one in applications().items() if one.recent] == ["electricity"]
