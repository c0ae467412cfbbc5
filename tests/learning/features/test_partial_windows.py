"""A record shorter than a window: what is not known is missing, what comes later is not told."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signals import panel

from deepcity.data.panel import Panel
from deepcity.data.windows import Span
from deepcity.learning.features.inputs import WindowSettings, fit_inputs, train_origins
from deepcity.parties.party import selection_origins, training_samples

DAY = 24
WINDOW = WindowSettings(history=24, horizon=24, days=3)
WHOLE = panel(30)
PARTS = ("features_BNF", "linear_BNHS", "baseline_BNH", "truth_BNH", "scale_N1")


def rows(whole: Panel, train: Span, validation: Span, partly: bool = True):
    """What a party with these spans learns from and chooses by."""
    inputs = fit_inputs(whole, "flow", WINDOW, train, validation=validation, partly=partly)
    chosen = selection_origins(validation, WINDOW.horizon, partly=partly)
    learned = training_samples(inputs, train, 1, newcomer=partly)
    return inputs, learned, inputs.samples(chosen, until=validation.end)


def same(one, other):
    return all(np.array_equal(getattr(one, p), getattr(other, p), equal_nan=True) for p in PARTS)


def from_step(step: int, value: float, whole: Panel = WHOLE) -> Panel:
    values = whole.values_TNF.copy()
    values[step:] = value
    return replace(whole, values_TNF=values)


@settings(max_examples=40)
@given(
    start=st.integers(0, 5 * DAY),
    train=st.integers(1, 47),
    validation=st.integers(0, 23),
    value=st.sampled_from([-1e3, 0.0, 1e4, np.nan]),
)
def test_rows_never_see_a_value_after_their_span(start, train, validation, value):
    learn = Span(start, start + train)
    choose = Span(learn.end, learn.end + validation)
    inputs, learned, chosen = rows(WHOLE, learn, choose)
    assert np.isfinite(learned.truth_BNH).any(axis=(1, 2)).all()
    assert np.isfinite(inputs.ridge_skip_HS).all()
    assert len(chosen) == validation
    _, again, _ = rows(from_step(learn.end, value), learn, choose)
    assert same(learned, again)
    late, again, chosen_again = rows(from_step(choose.end, value), learn, choose)
    assert same(learned, again)
    assert same(chosen, chosen_again)
    assert np.array_equal(inputs.ridge_skip_HS, late.ridge_skip_HS)


@settings(max_examples=20)
@given(train=st.integers(1, 47), days=st.integers(1, 9))
def test_a_record_that_begins_is_one_whose_earlier_days_are_missing(train, days):
    shift = days * DAY
    values = WHOLE.values_TNF.copy()
    values[:shift] = np.nan
    padded = replace(WHOLE, values_TNF=values)
    begun = padded.between(int(padded.time_T[shift]), int(padded.time_T[-1]) + 1)
    _, whole, whole_chosen = rows(
        padded, Span(shift, shift + train), Span(shift + train, shift + 48)
    )
    _, part, part_chosen = rows(begun, Span(0, train), Span(train, 48))
    assert same(whole, part)
    assert same(whole_chosen, part_chosen)


def test_the_first_forecasts_of_a_begun_record_hear_of_no_day_before_it():
    """Where nothing was, its own first value must not stand for it."""
    values = WHOLE.values_TNF.copy()
    values[0] = 1e4
    inputs, learned, _ = rows(replace(WHOLE, values_TNF=values), Span(0, 16), Span(16, 24))
    assert inputs.short
    assert (learned.features_BNF[0, :, : learned.recent] == 0).all()
    assert not learned.linear_BNHS[0].any()


@pytest.mark.parametrize("train", [Span(0, 48), Span(24, 200)])
def test_who_has_whole_windows_learns_from_these_alone(train):
    validation = Span(train.end, train.end + 24)
    plain, learned, chosen = rows(WHOLE, train, validation, partly=False)
    part, as_newcomer, chosen_too = rows(WHOLE, train, validation)
    assert not part.short
    assert same(learned, as_newcomer)
    assert same(chosen, chosen_too)
    assert np.array_equal(plain.ridge_skip_HS, part.ridge_skip_HS)
    assert len(learned) == len(train) - 47
    assert np.isfinite(learned.truth_BNH).all()


def test_without_leave_a_short_record_is_refused():
    with pytest.raises(ValueError, match="the training span has 47 steps; one window needs 48"):
        train_origins(WINDOW, Span(0, 47))
    with pytest.raises(ValueError, match="one window needs 72"):  # nor is its second block known
        train_origins(WINDOW.model_copy(update={"leads": 2}), Span(0, 24), 1, partly=True)
