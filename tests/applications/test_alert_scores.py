"""Warnings are scored by hits, false alarms, lead time and probabilities."""

import numpy as np
import pytest

from deepcity.applications.tasks.alert_scores import alert_scores


def test_scores_of_warnings_by_hand():
    truth = np.array([[[80, 80, 10, np.nan]]], np.float32)
    probability = np.array([[[0.9, 0.2, 0.8, 1.0]]])
    found = alert_scores(probability, probability > 0.5, truth, 75.0, np.array([0]), 1.0)
    assert found.csi == pytest.approx(1 / 3)
    assert found.hit_rate == 0.5
    assert found.false_alarm_ratio == 0.5
    assert found.brier == pytest.approx((0.1**2 + 0.8**2 + 0.8**2) / 3)


def test_lead_time_counts_back_to_the_first_of_unbroken_warnings():
    horizon, origins = 12, np.arange(0, 24, 3)
    truth_T = np.where(np.arange(40) == 20, 100.0, 10.0)
    truth = np.stack([truth_T[o : o + horizon] for o in origins])[:, None].astype(np.float32)
    warned = truth > 75
    full = alert_scores(warned * 1.0, warned, truth, 75.0, origins, 1.0)
    assert (full.events, full.lead_hours) == (1, 20 - 9)  # from origin 9 on step 20 is in sight
    warned[4] = False  # origin 12 takes it back
    assert alert_scores(warned * 1.0, warned, truth, 75.0, origins, 1.0).lead_hours == 20 - 15
    none = np.zeros_like(warned)
    assert alert_scores(none * 1.0, none, truth, 75.0, origins, 1.0).lead_hours == 0


def test_scores_of_nothing_are_not_known():
    nothing = np.full((2, 1, 3), np.nan, np.float32)
    found = alert_scores(np.zeros(nothing.shape), nothing > 0, nothing, 75.0, np.array([0, 1]), 1.0)
    assert np.isnan([found.csi, found.hit_rate, found.false_alarm_ratio, found.brier]).all()
    assert found.events == 0
