"""Penalties in training, in an agency's own learner: deep data tell less of the rows."""

from dataclasses import replace

import numpy as np
import pytest
from vertical_town import COLUMNS, SALT, town

from deepcity.audit.window.releases import Pairs
from deepcity.audit.window.ridge_decoder import Learned, fit_ridge
from deepcity.audit.window.scores import r2
from deepcity.learning.features.agency_columns import fit_columns
from deepcity.learning.split.agency_learner import AgencyLearner, EncoderSettings
from deepcity.privacy.defences.settings import Defences

TOWN = town(days=12)
SETTINGS = EncoderSettings(level=3, width=4, batch_size=48, rate=3e-3)


def trained(defences):
    """An encoder that was pretrained, its last error, and how much of its rows is rebuilt."""
    columns = fit_columns(TOWN.panels["office"], COLUMNS, TOWN.train, SALT)
    learner = AgencyLearner("office", columns, replace(SETTINGS, defences=defences), 0, 3600)
    error = learner.pretrain(TOWN.time_T[TOWN.train_rows], 150)
    learned, attacked = (
        Pairs(learner.encode(times).vectors_BCD.reshape(-1, 4), rows_of(columns, times))
        for times in (TOWN.time_T[TOWN.train_rows], TOWN.time_T[TOWN.validation_rows])
    )
    rebuilt = fit_ridge(Learned.of(learned)).whole.rebuild(attacked.released_RD)
    return learner, error, r2(rebuilt, attacked.window_RX)


def rows_of(columns, times):
    return columns.rows(times).reshape(-1, columns.width)


@pytest.fixture(scope="module")
def plain():
    return trained(Defences())


def test_distance_correlation_lowers_what_is_rebuilt_of_the_rows(plain):
    """Here all columns are to be foretold, so it costs: the trade itself is tested by itself."""
    _, error, leaked = trained(Defences(distance_correlation=2.0))
    assert leaked < plain[2] - 0.05
    assert error > plain[1]


def test_an_adversary_changes_what_is_learned(plain):
    learner, _, _ = trained(Defences(adversary=3.0))
    times = TOWN.time_T[TOWN.train_rows][:40]
    moved = learner.encode(times).vectors_BCD - plain[0].encode(times).vectors_BCD
    assert np.abs(moved).max() > 0.1


def test_gradients_of_the_application_are_followed_under_a_penalty():
    learner, _, _ = trained(Defences(adversary=0.3, distance_correlation=0.3))
    times = TOWN.time_T[TOWN.train_rows][:40]
    before = learner.encode(times).vectors_BCD
    gradient = np.full(before.shape, 0.1, np.float32)
    other = learner.copy()
    other.apply_gradients(times, gradient, 20, 0)
    assert other.encode(times).vectors_BCD.mean() < before.mean() - 0.02
    np.testing.assert_array_equal(learner.encode(times).vectors_BCD, before)  # a copy apart
