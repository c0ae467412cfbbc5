"""Nothing that a network sees of an origin depends on what happens at it or after it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signals import panel

from deepcity.data.windows import Span
from deepcity.learning.evaluation.baselines import same_time_before
from deepcity.learning.features.inputs import ScaleBy, WindowSettings, fit_inputs
from deepcity.learning.features.typical_day import day_grid, typical_day

SEEN = ("features_BNF", "linear_BNHS", "baseline_BNH", "scale_N1")
HOURLY = WindowSettings(history=6, horizon=24, days=3)
CASES = {
    "a day ahead": (panel(50), HOURLY),
    "two leads": (panel(50), HOURLY.model_copy(update={"leads": 2})),
    "leads that are no whole days": (
        panel(50),
        WindowSettings(history=6, horizon=18, days=3, leads=3),
    ),
    "more than a day ahead": (panel(50), WindowSettings(history=6, horizon=40, days=3)),
    "smoothed steps, a day ahead": (
        panel(40, 1, step_minutes=15),
        WindowSettings(history=4, horizon=96, days=2),
    ),
    "smoothed steps, past midnight": (
        panel(40, 1, step_minutes=15),
        WindowSettings(history=4, horizon=8, days=2, scale_by=ScaleBy.PARTY),
    ),
    "clocks skip an hour": (panel(50, zone="Europe/Rome", start="2021-02-15"), HOURLY),
    "clocks repeat an hour": (panel(50, zone="Europe/Rome", start="2021-09-20"), HOURLY),
    "clocks skip half an hour": (
        panel(50, 1, zone="Australia/Lord_Howe", start="2021-08-25", step_minutes=30),
        WindowSettings(history=6, horizon=48, days=2),
    ),
    "typical days of the training span only": (
        panel(40, 1, step_minutes=15, zone="Europe/Rome", start="2021-02-20"),
        WindowSettings(history=4, horizon=8, days=0),
    ),
}


def seen(whole, settings, train, origin):
    inputs = fit_inputs(whole, "flow", settings, train)
    for lead in range(settings.leads):
        samples = inputs.samples(np.array([origin]), lead)
        yield from ((name, lead, getattr(samples, name)) for name in SEEN)


def changed_from(whole, step, seed):
    values = whole.values_TNF.copy()
    rng = np.random.default_rng(seed)
    values[step:] = rng.normal(50, 30, values[step:].shape)
    values[step:][rng.random(values[step:].shape) < 0.2] = np.nan
    return replace(whole, values_TNF=values)


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=12, deadline=None)
@given(draw=st.data())
def test_what_is_seen_ends_before_the_origin(name, draw):
    whole, window = CASES[name]
    per_day = whole.clock.steps_per_day
    cut = draw.draw(st.integers(0, per_day - 1), label="training ends within a day")
    train = Span(0, draw.draw(st.sampled_from([8, 25]), label="training days") * per_day + cut)
    ahead = window.horizon * window.leads
    origin = draw.draw(st.integers(train.end, len(whole.time_T) - ahead), label="origin")
    other = changed_from(whole, origin, draw.draw(st.integers(0, 9)))
    for (part, lead, before), (_, _, after) in zip(
        seen(whole, window, train, origin), seen(other, window, train, origin), strict=True
    ):
        np.testing.assert_array_equal(before, after, f"{part} of lead {lead}")


@pytest.mark.parametrize("name", ["clocks skip an hour", "smoothed steps, a day ahead"])
def test_every_origin_of_two_days(name):
    """Drawn origins may miss the one hour that counts; these are all of them."""
    whole, window = CASES[name]
    per_day = whole.clock.steps_per_day
    day = 40 if name == "clocks skip an hour" else 30  # 2021-03-27: the night before the skip
    train = Span(0, 25 * per_day)
    for origin in range((day - 1) * per_day, (day + 1) * per_day, per_day // 24):
        other = changed_from(whole, origin, 1)
        pairs = zip(
            seen(whole, window, train, origin), seen(other, window, train, origin), strict=True
        )
        for (part, _, before), (_, _, after) in pairs:
            np.testing.assert_array_equal(before, after, f"{part} at {origin}")


def test_what_is_seen_does_depend_on_the_step_before_the_origin():
    """So the tests above would notice: they change what the samples are made of."""
    whole, window = CASES["a day ahead"]
    train = Span(0, 25 * 24)
    other = changed_from(whole, 799, 1)
    before, after = (list(seen(one, window, train, 800)) for one in (whole, other))
    differ = {
        part
        for (part, _, a), (_, _, b) in zip(before, after, strict=True)
        if not np.array_equal(a, b)
    }
    assert differ == {"features_BNF", "linear_BNHS", "baseline_BNH"}


@settings(max_examples=20, deadline=None)
@given(
    day=st.integers(0, 39),
    step_minutes=st.sampled_from([60, 15]),
    frozen=st.booleans(),
    zone=st.sampled_from(["UTC", "Europe/Rome"]),
)
def test_no_day_is_in_its_own_typical_day(day, step_minutes, frozen, zone):
    """Not even in training, where other days on both sides may count."""
    whole = panel(40, 1, step_minutes=step_minutes, zone=zone, start="2021-03-01")
    values = whole.values_TNF[:, :, 0]
    grid = day_grid(whole.clock, whole.time_T)
    train_end = 35 * whole.clock.steps_per_day
    own = grid.day_T == day
    changed = values.copy()
    changed[own] += 100
    kept = [
        typical_day(one, grid, whole.clock, train_end=train_end, ahead=4, frozen=frozen)[own]
        for one in (values, changed)
    ]
    np.testing.assert_array_equal(*kept)


@settings(max_examples=60, deadline=None)
@given(
    origin=st.integers(30, 400),
    horizon=st.integers(1, 60),
    lag=st.sampled_from([1, 7, 24, 168]),
    lead=st.integers(0, 50),
)
def test_baselines_use_nothing_at_or_after_the_origin(origin, horizon, lag, lead):
    values_TN = np.arange(600, dtype=np.float32)[:, None]  # a value names its step
    forecast = same_time_before(values_TN, np.array([origin]), horizon, lag, lead)[0, 0]
    target = origin + lead + np.arange(horizon)
    known = np.isfinite(forecast)
    assert (forecast[known] < origin).all()
    assert ((target - forecast)[known] % lag == 0).all()
    assert (forecast[known] >= origin - lag).all()  # the newest such step


def test_baselines_go_further_back_where_a_value_is_missing():
    values_TN = np.arange(100, dtype=np.float32)[:, None]
    values_TN[[70, 60]] = np.nan
    assert same_time_before(values_TN, np.array([80]), 1, 10)[0, 0, 0] == 50
    values_TN[:] = np.nan
    assert np.isnan(same_time_before(values_TN, np.array([80]), 3, 10)).all()
