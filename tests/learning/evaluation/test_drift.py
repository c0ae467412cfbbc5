"""Drift is noticed where an error rises, and hardly where it does not."""

import numpy as np
import pytest

from deepcity.learning.evaluation.drift import daily_errors, detect_drift

DAYS = 75


def errors(seed, days, *, lasting=0.5, spread=0.2):
    """Daily errors around 1 whose deviations last from day to day."""
    rng = np.random.default_rng(seed)
    logs, last = np.zeros(days), 0.0
    for day in range(days):
        last = lasting * last + np.sqrt(1 - lasting**2) * rng.normal()
        logs[day] = spread * last
    return np.exp(logs)


def test_quiet_errors_raise_hardly_an_alarm():
    alarms = sum(
        detect_drift(both[60:], both[:60]) is not None
        for both in (errors(seed, 60 + DAYS) for seed in range(100))
    )
    assert alarms <= 8


def test_a_rise_is_noticed_and_its_beginning_and_size_are_reported():
    found = []
    for seed in range(100):
        both = errors(seed, 60 + DAYS)
        both[60 + 30 :] *= 1.6
        found.append(detect_drift(both[60:], both[:60]))
    known = [drift for drift in found if drift is not None]
    assert len(known) >= 97
    assert 25 <= np.median([drift.since for drift in known]) <= 32
    assert 30 < np.median([drift.noticed for drift in known]) <= 40
    assert np.median([drift.excess for drift in known]) == pytest.approx(0.6, abs=0.15)


def test_one_terrible_day_or_smaller_errors_are_no_drift():
    both = errors(1, 60 + DAYS, spread=0.05)
    both[80] *= 50
    assert detect_drift(both[60:], both[:60]) is None
    assert detect_drift(0.5 * both[60:], both[:60]) is None


def test_the_unit_does_not_matter():
    both = errors(2, 60 + DAYS)
    both[90:] *= 2
    one, other = (detect_drift(unit * both[60:], unit * both[:60]) for unit in (1.0, 1000.0))
    assert (one.since, one.noticed) == (other.since, other.noticed)


def test_days_not_measured_count_for_nothing_and_too_few_days_tell_nothing():
    both = errors(3, 60 + DAYS)
    both[90:] *= 2
    later = np.insert(both[60:], range(0, 70, 7), np.nan)
    assert detect_drift(later, both[:60]) is not None
    assert detect_drift(both[60:], both[:13]) is None
    assert detect_drift(both[60:], np.zeros(60)) is None
    assert detect_drift(np.full(20, np.nan), both[:60]) is None


def test_errors_by_day_are_means_over_measured_values():
    forecast = np.zeros((3, 1, 2), np.float32)
    truth = np.array([[[1, 3]], [[5, np.nan]], [[np.nan, np.nan]]], np.float32)
    days, found = daily_errors(forecast, truth, np.array([7, 7, 9]))
    assert days.tolist() == [7, 9]
    assert found[0] == 3.0
    assert np.isnan(found[1])
