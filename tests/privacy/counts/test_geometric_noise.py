"""Noise is whole numbers of the stated distribution, drawn anew each time, or there is none."""

import sys

import numpy as np
import pytest
from scipy.stats import chi2

from deepcity.city.errors import GrantError
from deepcity.privacy.counts.geometric_noise import with_noise
from deepcity.privacy.counts.terms import CountTerms

DRAWN = 20_000
CHANCE = (
    1e-9  # with which a right one fails: it is drawn by the system's randomness, without a seed
)


@pytest.mark.parametrize(("epsilon", "per_unit"), [(1.0, 1), (0.5, 2), (2.0, 1)])
def test_noise_has_the_stated_distribution(epsilon, per_unit):
    terms = CountTerms(epsilon, 1, per_unit)
    noise = with_noise(np.full(DRAWN, 7, np.int64), terms) - 7
    a = np.exp(-epsilon / per_unit)
    most = int(np.log(50 * (1 + a) / (1 - a) / DRAWN) / np.log(a))  # cells of 50 or more
    values = np.arange(-most, most + 1)
    expected = DRAWN * (1 - a) / (1 + a) * a ** np.abs(values)
    seen = np.array([(noise == one).sum() for one in values])
    tail, seen_tail = DRAWN - expected.sum(), DRAWN - seen.sum()
    statistic = ((seen - expected) ** 2 / expected).sum() + (seen_tail - tail) ** 2 / tail
    assert statistic < chi2.isf(CHANCE, len(values))


def test_noise_is_drawn_anew_and_for_each_cell():
    terms, none = CountTerms(0.1, 1), np.zeros(200, np.int64)
    first, second = with_noise(none, terms), with_noise(none, terms)
    assert (first != second).sum() > 100
    assert len(np.unique(first)) > 10


def test_many_cells_are_drawn_in_parts(monkeypatch):
    monkeypatch.setattr("deepcity.privacy.counts.geometric_noise._AT_ONCE", 7)
    count = np.arange(1000, 1050)
    assert np.abs(with_noise(count, CountTerms(5.0, 1)) - count).max() < 30
    assert len(with_noise(count[:0], CountTerms(5.0, 1))) == 0


@pytest.mark.parametrize("per_unit", [1, 3, 7, 1000])
@pytest.mark.parametrize("epsilon", [1e-3, 0.1, 0.3, 1 / 3, 0.7, 2.2, 99.9])
def test_opendp_agrees_that_no_more_is_spent(epsilon, per_unit):
    assert len(with_noise(np.zeros(3, np.int64), CountTerms(epsilon, 1, per_unit))) == 3


def test_without_opendp_nothing_leaves(monkeypatch):
    monkeypatch.setitem(sys.modules, "opendp.prelude", None)
    with pytest.raises(GrantError, match=r"pip install 'deepcity\[counts\]'"):
        with_noise(np.zeros(3, np.int64), CountTerms(1.0, 1))


@pytest.mark.parametrize(
    "wrong",
    [
        {"epsilon": 0.0},
        {"epsilon": float("nan")},
        {"epsilon": float("inf")},
        {"epsilon": 101.0},
        {"k": 0},
        {"per_unit": 0},
        {"unit": ""},
        {"unit": "x" * 41},
        {"unit": "a\nb"},
    ],
)
def test_terms_that_bound_nothing_are_refused(wrong):
    with pytest.raises(ValueError, match="not"):
        CountTerms(**{"epsilon": 1.0, "k": 10} | wrong)


@pytest.mark.parametrize("epsilon", [0.2, 1.0, 5.0])
def test_the_stated_error_holds_for_its_share_of_counts(epsilon):
    terms = CountTerms(epsilon, 1)
    a, m = np.exp(-epsilon), terms.error(0.95)
    beyond = 2 * a ** (m + 1) / (1 + a)
    assert beyond <= 0.05 + 1e-12
    assert m == 0 or 2 * a**m / (1 + a) > 0.05
