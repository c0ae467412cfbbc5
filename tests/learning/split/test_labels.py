from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vertical_town import APPLICATION, agencies, exchange_of, parties, town

from deepcity.city.errors import ExchangeError
from deepcity.learning.split.labels import HeldLabels
from deepcity.vertical.training import RemoteLabels

TOWN = town(days=12)
TRAIN, VALIDATION = TOWN.samples(TOWN.train_rows), TOWN.samples(TOWN.validation_rows)
OFFICE = agencies(TOWN, ["office"], taught=0)


def labels(share=0.5, ridge_skip=None, train=TRAIN, validation=VALIDATION):
    return HeldLabels(train, validation, share, ridge_skip)


def remote(held):
    return RemoteLabels(exchange_of(parties(OFFICE, office=held)), "office")


def random_forecast(samples, seed=0):
    return np.random.default_rng(seed).normal(0, 1, samples.baseline_BNH.shape).astype(np.float32)


def with_gaps(samples, seed=0):
    truth = samples.truth_BNH.copy()
    gaps = np.random.default_rng(seed).random(truth.shape) < 0.4
    truth[gaps] = np.nan
    return replace(samples, truth_BNH=truth), gaps


@settings(max_examples=15)
@given(seed=st.integers(0, 99), share=st.sampled_from([0.0, 0.3, 1.0]), recalls=st.booleans())
def test_labels_elsewhere_judge_as_labels_at_hand(seed, share, recalls):
    held = labels(share, TOWN.inputs.ridge_skip_HS if recalls else None, with_gaps(TRAIN, seed)[0])
    rows = np.random.default_rng(seed).integers(0, len(TRAIN), 12)
    forecast = random_forecast(TRAIN, seed)[rows]
    np.testing.assert_array_equal(
        remote(held).gradient(rows, forecast), held.gradient(rows, forecast)
    )
    forecast = random_forecast(VALIDATION, seed)
    assert remote(held).error(forecast) == held.error(forecast)


def test_a_slope_is_that_of_the_mean_error():
    held, rows = labels(0.0), np.array([3, 8])
    forecast = random_forecast(TRAIN)[rows]
    target = TRAIN.target_BNH[rows]
    np.testing.assert_allclose(
        held.gradient(rows, forecast), 2 * (forecast - target) / target.size, rtol=1e-5, atol=1e-7
    )
    signs = np.sign(forecast - target) / target.size
    np.testing.assert_allclose(labels(1.0).gradient(rows, forecast), signs, rtol=1e-5)


def test_a_missing_truth_counts_nowhere():
    gappy, gaps = with_gaps(TRAIN)
    rows = np.arange(40)
    gradient = labels(0.5, train=gappy).gradient(rows, random_forecast(TRAIN)[rows])
    assert (gradient[gaps[rows]] == 0).all()
    assert (gradient[~gaps[rows]] != 0).all()
    whole = labels(0.5).gradient(rows, random_forecast(TRAIN)[rows])
    share = (~gaps[rows]).mean()  # a mean over fewer
    np.testing.assert_allclose(
        gradient[~gaps[rows]] * share, whole[~gaps[rows]], rtol=1e-4, atol=1e-8
    )
    gappy, gaps = with_gaps(VALIDATION)
    forecast = random_forecast(VALIDATION)
    other = forecast.copy()
    other[gaps] += 100
    assert labels(validation=gappy).error(forecast) == labels(validation=gappy).error(other)
    assert labels().error(forecast) != labels().error(other)


def test_a_stretch_without_any_truth_gives_no_slope():
    nothing = replace(TRAIN, truth_BNH=np.full_like(TRAIN.truth_BNH, np.nan))
    gradient = labels(train=nothing).gradient(np.arange(5), random_forecast(TRAIN)[:5])
    assert (gradient == 0).all()


def test_what_the_labels_recall_is_added_before_they_judge():
    ridge_skip = TOWN.inputs.ridge_skip_HS
    rows = np.arange(7)
    apply_ridge_skip = np.einsum("bnhs,hs->bnh", TRAIN.linear_BNHS[rows], ridge_skip)
    forecast = random_forecast(TRAIN)[rows]
    np.testing.assert_allclose(
        labels(0.0, ridge_skip).gradient(rows, forecast),
        labels(0.0).gradient(rows, (forecast + apply_ridge_skip).astype(np.float32)),
        atol=1e-6,
    )
    assert np.abs(apply_ridge_skip).max() > 1e-3
    agency_dropout = np.zeros_like(VALIDATION.baseline_BNH)
    assert labels(0.5, ridge_skip).error(agency_dropout) != labels(0.5).error(agency_dropout)


def test_who_keeps_no_labels_judges_nothing():
    with pytest.raises(ExchangeError, match="office holds no labels"):
        remote(None).error(random_forecast(VALIDATION))


def test_labels_answer_the_application_alone():
    handlers = parties(OFFICE, office=labels())
    exchange = replace(exchange_of(handlers), name="spy")
    with pytest.raises(ExchangeError, match=f"only {APPLICATION} may"):
        RemoteLabels(exchange, "office").error(random_forecast(VALIDATION))
