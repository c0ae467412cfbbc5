"""Models whose leakage is known beforehand: one that releases its inputs, one that sees nothing."""

from dataclasses import replace

import numpy as np

from deepcity.audit.effort import FAST
from deepcity.audit.window.releases import Releases
from deepcity.audit.window.victim import Victim

QUICK = replace(FAST, mlp_steps=24, mlp_width=16)
PLACES, WINDOW, WIDTH = 2, 4, 4


def series(steps, *, seed):
    """(T, N) deviations that go on from step to step, as records do."""
    rng = np.random.default_rng(seed)
    found = np.zeros((steps, PLACES), np.float32)
    for step in range(1, steps):
        found[step] = 0.8 * found[step - 1] + rng.normal(size=PLACES)
    return found


def releases(steps, encode, *, seed):
    """Releases of one layer `x` and of a forecast (the newest value), by `encode(window, rng)`."""
    values = series(steps + WINDOW, seed=seed)
    back = np.arange(steps)[:, None] + np.arange(WINDOW)
    window_BNX = np.moveaxis(values[back], 1, 2)
    layer_BND = encode(window_BNX, np.random.default_rng(seed + 1)).astype(np.float32)
    forecast = window_BNX[..., -1:]
    clock = np.zeros((steps, 4), np.float32)
    return Releases({"x": layer_BND, "forecast": forecast}, window_BNX, clock, np.zeros(steps, int))


def victim(encode, *, seed=0):
    """Three spans of records of the same places."""
    return Victim(
        releases(500, encode, seed=seed),
        releases(250, encode, seed=seed + 10),
        releases(300, encode, seed=seed + 20),
    )


def leaky(window_BNX, _rng):
    """Activations that are the inputs."""
    return window_BNX


def constant(window_BNX, _rng):
    """Activations that never vary."""
    return np.ones((*window_BNX.shape[:2], WIDTH))


def noise(window_BNX, rng):
    """Activations that know nothing of the inputs."""
    return rng.normal(size=(*window_BNX.shape[:2], WIDTH))


def folded(window_BNX, _rng):
    """Inputs that no linear decoder rebuilds: their sizes in one place, their signs in another."""
    return np.concatenate([np.abs(window_BNX), np.sign(window_BNX)], axis=-1)
