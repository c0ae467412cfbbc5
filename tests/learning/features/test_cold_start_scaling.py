"""What others tell a party of few days: weekdays' names, and how far values stray."""

import numpy as np
import pytest
from signals import panel

from deepcity.data.windows import Span
from deepcity.learning.features.cold_start_scaling import shrink_scale, with_all_weekdays
from deepcity.learning.features.inputs import WindowSettings, fit_inputs

SETTINGS = WindowSettings(history=6, horizon=24, days=3)
FIRST = Span(28 * 24, 30 * 24)  # two days known


@pytest.fixture(scope="module")
def few():
    return fit_inputs(panel(50), "flow", SETTINGS, FIRST)


def evidence(inputs, origin):
    """The two features before clock and weekdays."""
    return inputs.samples(np.array([origin])).features_BNF[0, 0, -13:-11]


def test_a_day_of_a_sort_never_seen_has_hardly_any_evidence(few):
    weekday = few.grid.weekday_D
    known = {int(weekday[day]) >= 5 for day in (28, 29)}
    assert len(known) == 1
    unlike = next(d for d in range(31, 45) if (weekday[d] >= 5) not in known)
    like = next(d for d in range(31, 45) if (weekday[d] >= 5) in known)
    assert evidence(few, unlike * 24).max() < evidence(few, like * 24).min() - 1


def test_evidence_grows_as_days_come_in(few):
    first, later = (evidence(few, day * 24) for day in (31, 45))
    assert (later > first).all()


def test_weekdays_are_named_though_met_but_once(few):
    assert few.weekday_D7[few.grid.day_T[FIRST.start]].sum() == 0
    assert (with_all_weekdays(few).weekday_D7.sum(axis=1) == 1).all()
    other = with_all_weekdays(few).samples(np.array([35 * 24]))
    own = few.samples(np.array([35 * 24]))
    assert np.array_equal(other.baseline_BNH, own.baseline_BNH)
    assert np.array_equal(other.features_BNF[..., :-7], own.features_BNF[..., :-7])


def test_the_others_scale_is_worth_two_days_of_ones_own(few):
    heard = shrink_scale(few, 0.5, FIRST)
    expected = np.sqrt((few.scale_N1**2 + (0.5 * few.spread_N1) ** 2) / 2)
    assert np.allclose(heard.scale_N1, expected, rtol=1e-5)
    ratio = heard.scale_N1 / few.scale_N1
    inside = np.abs(few.deviation_TN) < 4
    assert np.allclose(
        (heard.deviation_TN * ratio[:, 0])[inside], few.deviation_TN[inside], atol=1e-3
    )
    assert np.allclose(heard.summed_TN[1:], heard.deviation_TN.cumsum(0), atol=1e-3)
    origins = np.array([35 * 24])
    assert np.array_equal(heard.samples(origins).baseline_BNH, few.samples(origins).baseline_BNH)


def test_share_is_what_the_typical_day_leaves():
    whole = fit_inputs(panel(50), "flow", SETTINGS, Span(0, 40 * 24))
    assert whole.residual_ratio == pytest.approx(float(np.median(whole.scale_N1 / whole.spread_N1)))
    assert 0 < whole.residual_ratio < 1
