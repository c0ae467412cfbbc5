from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from meetings import APPLICATION, agencies, exchange_of, parties, town

from deepcity.city.errors import ExchangeError
from deepcity.exchange.meeting import RemoteLabels
from deepcity.learning.labels import HeldLabels

TOWN = town(days=12)
TRAIN, VALIDATION = TOWN.samples(TOWN.train_rows), TOWN.samples(TOWN.validation_rows)
OFFICE = agencies(TOWN, ["office"], taught=0)


def labels(share=0.5, recall=None, train=TRAIN, validation=VALIDATION):
    return HeldLabels(train, validation, share, recall)


def remote(held):
    return RemoteLabels(exchange_of(parties(OFFICE, office=held)), "office")


def some_said(samples, seed=0):
    return np.random.default_rng(seed).normal(0, 1, samples.anchor_BNH.shape).astype(np.float32)


def with_gaps(samples, seed=0):
    truth = samples.truth_BNH.copy()
    gaps = np.random.default_rng(seed).random(truth.shape) < 0.4
    truth[gaps] = np.nan
    return replace(samples, truth_BNH=truth), gaps


@settings(max_examples=15)
@given(seed=st.integers(0, 99), share=st.sampled_from([0.0, 0.3, 1.0]), recalls=st.booleans())
def test_labels_elsewhere_judge_as_labels_at_hand(seed, share, recalls):
    held = labels(share, TOWN.inputs.recall_HS if recalls else None, with_gaps(TRAIN, seed)[0])
    rows = np.random.default_rng(seed).integers(0, len(TRAIN), 12)
    said = some_said(TRAIN, seed)[rows]
    np.testing.assert_array_equal(remote(held).slope(rows, said), held.slope(rows, said))
    said = some_said(VALIDATION, seed)
    assert remote(held).error(said) == held.error(said)


def test_a_slope_is_that_of_the_mean_error():
    held, rows = labels(0.0), np.array([3, 8])
    said = some_said(TRAIN)[rows]
    target = TRAIN.target_BNH[rows]
    np.testing.assert_allclose(
        held.slope(rows, said), 2 * (said - target) / target.size, rtol=1e-5, atol=1e-7
    )
    signs = np.sign(said - target) / target.size
    np.testing.assert_allclose(labels(1.0).slope(rows, said), signs, rtol=1e-5)


def test_a_missing_truth_counts_nowhere():
    gappy, gaps = with_gaps(TRAIN)
    rows = np.arange(40)
    slope = labels(0.5, train=gappy).slope(rows, some_said(TRAIN)[rows])
    assert (slope[gaps[rows]] == 0).all()
    assert (slope[~gaps[rows]] != 0).all()
    whole = labels(0.5).slope(rows, some_said(TRAIN)[rows])
    share = (~gaps[rows]).mean()  # a mean over fewer
    np.testing.assert_allclose(slope[~gaps[rows]] * share, whole[~gaps[rows]], rtol=1e-4, atol=1e-8)
    gappy, gaps = with_gaps(VALIDATION)
    said = some_said(VALIDATION)
    other = said.copy()
    other[gaps] += 100
    assert labels(validation=gappy).error(said) == labels(validation=gappy).error(other)
    assert labels().error(said) != labels().error(other)


def test_a_stretch_without_any_truth_gives_no_slope():
    nothing = replace(TRAIN, truth_BNH=np.full_like(TRAIN.truth_BNH, np.nan))
    slope = labels(train=nothing).slope(np.arange(5), some_said(TRAIN)[:5])
    assert (slope == 0).all()


def test_what_the_labels_recall_is_added_before_they_judge():
    recall = TOWN.inputs.recall_HS
    rows = np.arange(7)
    recalled = np.einsum("bnhs,hs->bnh", TRAIN.summaries_BNHS[rows], recall)
    said = some_said(TRAIN)[rows]
    np.testing.assert_allclose(
        labels(0.0, recall).slope(rows, said),
        labels(0.0).slope(rows, (said + recalled).astype(np.float32)),
        atol=1e-6,
    )
    assert np.abs(recalled).max() > 1e-3
    silence = np.zeros_like(VALIDATION.anchor_BNH)
    assert labels(0.5, recall).error(silence) != labels(0.5).error(silence)


def test_who_keeps_no_labels_judges_nothing():
    with pytest.raises(ExchangeError, match="office keeps no labels"):
        remote(None).error(some_said(VALIDATION))


def test_labels_answer_the_application_alone():
    handlers = parties(OFFICE, office=labels())
    exchange = exchange_of({**handlers, "spy": handlers["office"]}).seen_by("spy")
    with pytest.raises(ExchangeError, match=f"only {APPLICATION} may"):
        RemoteLabels(exchange, "office").error(some_said(VALIDATION))
