"""Each defence on the way out lowers what the audit measures, and a forecast is still to be had."""

import numpy as np
import pytest
from audit_victims import QUICK, WIDTH, releases
from audit_victims import victim as victim_of

from deepcity.audit.window.audit_layer import audit_layer
from deepcity.privacy.defences.release import release_stream
from deepcity.privacy.defences.settings import Defences

KEY = bytes(32)


def released(defences):
    """Activations that are the inputs, between -1 and 1, behind a defence."""

    def encode(window_BNX, _rng):
        raw = np.tanh(window_BNX / 4).astype(np.float32)
        times = 3600 * np.arange(len(raw))
        return release_stream(raw, np.ones(raw.shape[:2], bool), times, defences, KEY)

    return encode


def leakage(defences, stream=1):
    found = audit_layer(victim_of(released(defences)), "x", QUICK, 0)
    return max(one.r2 for one in found if one.stream == stream)


def forecast_r2(defences):
    """Of the next value, by least squares from what is released."""
    one = releases(500, released(defences), seed=0)
    seen, following = one.layers["x"][:-1].reshape(-1, WIDTH), one.window_BNX[1:, :, -1].ravel()
    with_one = np.c_[seen, np.ones(len(seen))]
    fit = with_one @ np.linalg.lstsq(with_one, following, rcond=None)[0]
    return 1 - np.square(fit - following).sum() / np.square(following - following.mean()).sum()


UNDEFENDED = leakage(Defences())


@pytest.mark.parametrize(
    ("defences", "most"),
    [
        (Defences(noise=0.3), 0.75),
        (Defences(bits=1), 0.8),
        (Defences(clip=0.1), 0.85),
        (Defences(min_change=0.4, hold_s=4 * 3600), 0.95),
    ],
)
def test_a_defence_lowers_what_one_release_leaks_and_a_forecast_is_left(defences, most):
    assert UNDEFENDED > 0.98
    assert leakage(defences) < most
    assert forecast_r2(Defences()) > 0.5
    assert forecast_r2(defences) > 0.3


def test_a_stream_averages_noise_away_in_part():
    defences = Defences(noise=0.6)
    assert leakage(defences) + 0.05 < leakage(defences, 24) < 0.95


def test_strong_noise_leaves_nothing_of_a_stream():
    assert leakage(Defences(noise=10.0, clip=0.1), 24) < 0.2
