"""A network that remembers its days is found out, one that does not is not."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcity.audit.effort import FAST
from deepcity.audit.membership.attacks import lira, rmia
from deepcity.audit.membership.audit_membership import MembershipVictim, audit_membership
from deepcity.audit.membership.rates import LEAST_FALSE, area, found_at
from deepcity.audit.membership.units import LEAST_PLACES, days_of, halves, places_of
from deepcity.audit.results import MembershipAttack, MembershipUnit
from deepcity.data.windows import Span

TRAIN, ASIDE = Span(0, 24 * 60), Span(24 * 60, 24 * 80)
PLACES = 12
SMALL = replace(FAST, shadows=8)


def records(places=PLACES):
    rng = np.random.default_rng(0)
    return rng.normal(size=(ASIDE.end, places)).astype(np.float32)


def victim(shadow, places=PLACES):
    return MembershipVictim(records(places), TRAIN, ASIDE, 3600, shadow)


def remembers(values_TN, seed):
    """Small errors where records were there to learn from, in the span that is learned from."""
    noise = np.random.default_rng(seed).uniform(0.5, 1.5, size=values_TN.shape)
    learned_TN = np.isfinite(values_TN) & (np.arange(len(values_TN)) < TRAIN.end)[:, None]
    return np.where(learned_TN, 0.1, 1.0) * noise


def learns_nothing(values_TN, seed):
    """Errors of which each step has its own, whatever was learned."""
    hard_TN = np.random.default_rng(7).uniform(0.2, 2.0, size=values_TN.shape)
    return hard_TN * np.random.default_rng(seed).uniform(0.9, 1.1, size=values_TN.shape)


@pytest.mark.parametrize("kind", MembershipUnit)
def test_a_network_that_remembers_is_found_out(kind):
    lira_, rmia_ = audit_membership(victim(remembers), kind, SMALL, 0)
    assert (lira_.attack, rmia_.attack) == tuple(MembershipAttack)
    assert min(lira_.area, rmia_.area) > 0.99
    if kind is MembershipUnit.DAY:
        assert lira_.units == round(0.2 * 60 * PLACES)
        assert lira_.others == lira_.units * 8 // 2
        assert min(lira_.found_at_hundredth, rmia_.found_at_hundredth) > 0.9


@pytest.mark.parametrize("kind", MembershipUnit)
def test_a_network_that_learns_nothing_betrays_nothing(kind):
    effort = replace(SMALL, seeds=3)
    for leak in audit_membership(victim(learns_nothing), kind, effort, 0):
        assert abs(leak.area - 0.5) < (0.05 if kind is MembershipUnit.DAY else 0.2)
        assert leak.area_spread is not None
        if kind is MembershipUnit.DAY:
            assert leak.found_at_hundredth < 0.05


@pytest.mark.parametrize("shadows", [2, 5])
def test_an_attacker_has_a_network_of_each_kind(shadows):
    with pytest.raises(ValueError, match=f"{shadows} shadow networks"):
        halves(10, shadows, 0)


def test_rates_that_would_hang_on_single_units_are_not_named():
    leaks = audit_membership(victim(remembers, places=LEAST_PLACES), MembershipUnit.PLACE, SMALL, 0)
    assert all(leak.found_at_hundredth is None for leak in leaks)
    assert not audit_membership(victim(remembers, places=1), MembershipUnit.PLACE, SMALL, 0)
    few = replace(victim(remembers, places=1), train=Span(0, 24 * 39))
    assert not audit_membership(few, MembershipUnit.DAY, SMALL, 0)


def test_a_shadow_sees_nothing_of_what_is_hidden_from_it_and_all_else():
    values = records()
    units = days_of(values, TRAIN, 3600, 2_000, 3)
    assert len({*zip(units.place_U, units.first_U, strict=True)}) == len(units)
    learned = halves(len(units), 8, 0)
    assert (learned.sum(axis=0) == 4).all()
    hidden = units.hidden(values, ~learned[0])
    assert np.isnan(hidden).sum() == 24 * (~learned[0]).sum()
    assert np.isfinite(values).all()  # of a copy
    kept = np.isfinite(hidden)
    np.testing.assert_array_equal(hidden[kept], values[kept])
    places = places_of(values, TRAIN)
    assert np.isfinite(places.hidden(values, np.ones(PLACES, bool))[TRAIN.end :]).all()


def test_days_without_records_are_not_asked_about():
    values = records(2)
    values[: 24 * 30, 0] = np.nan
    units = days_of(values, TRAIN, 3600, 2_000, 0)
    assert all(first >= 24 * 30 for first in units.first_U[units.place_U == 0])


@given(st.integers(0, 10**6), st.integers(2, 40), st.integers(2, 12))
def test_scores_are_finite_whatever_the_errors(seed, units, pairs):
    rng = np.random.default_rng(seed)
    error = np.exp(rng.normal(scale=20, size=(2 * pairs, units))) * (rng.random(units) > 0.2)
    learned = halves(units, 2 * pairs, seed)
    unseen = np.exp(rng.normal(scale=20, size=(2 * pairs, 5)))
    for score in (lira(error, learned), rmia(error, learned, unseen)):
        assert score.shape == error.shape
        assert np.isfinite(score).all()


@given(st.integers(0, 10**6), st.integers(0, 3))
def test_no_more_false_alarms_than_allowed(seed, digits):
    """Also where scores tie."""
    rng = np.random.default_rng(seed)
    score, member = rng.normal(size=1_500).round(digits), rng.random(1_500) < 0.5
    others = np.sort(score[~member])
    found = found_at(score, member, 0.01)
    threshold = others[len(others) - int(0.01 * len(others)) - 1]
    assert (score[~member] > threshold).mean() <= 0.01
    assert found == (score[member] > threshold).mean()
    assert abs(area(score, member) + area(-score, member) - 1) < 1e-9
    assert found_at(score[: 20 * LEAST_FALSE], member[: 20 * LEAST_FALSE], 0.01) is None
