"""How much of the windows a decoder has rebuilt: R², and whether a window is found among many.

Shapes: R rows, X values of a window, G windows of a gallery.
"""

import numpy as np

from deepcity.city.arrays import Floats

GALLERY = 1_000
_LEAST_VARIANCE = 1e-9


def r2(rebuilt_RX: Floats, window_RX: Floats) -> float:
    """Share of all squared deviations that is rebuilt; 1 is all, 0 no more than a constant, or
    that nothing varies.

    >>> r2(np.zeros((4, 1)), np.array([[1.0], [-1.0], [1.0], [-1.0]]))
    0.0
    >>> r2(np.full((4, 1), 7.0), np.full((4, 1), 7.0))
    0.0
    """
    wrong, all_ = _squares(rebuilt_RX, window_RX)
    return float(1 - wrong.sum() / all_.sum()) if all_.sum() > _LEAST_VARIANCE else 0.0


def r2_by_input(rebuilt_RX: Floats, window_RX: Floats) -> tuple[float, ...]:
    """R² of each value of the window, the oldest step first; 0 for one that never varies."""
    wrong, all_ = _squares(rebuilt_RX, window_RX)
    found = np.where(all_ > _LEAST_VARIANCE, 1 - wrong / np.maximum(all_, _LEAST_VARIANCE), 0.0)
    return tuple(float(one) for one in found)


def identified(rebuilt_RX: Floats, window_RX: Floats, seed: int) -> tuple[float, int]:
    """Share of windows whose reconstruction lies nearest to the true one of a gallery; its size.

    Guessing finds one in as many as the gallery holds. Of equal windows each counts its share.
    """
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(window_RX))[:GALLERY]
    true_GX = window_RX[chosen].astype(np.float64)
    guess_GX = rebuilt_RX[chosen].astype(np.float64)
    distance_GG = (
        np.square(guess_GX).sum(1)[:, None]
        + np.square(true_GX).sum(1)[None]
        - 2 * guess_GX @ true_GX.T
    )
    right_G = np.diag(distance_GG)[:, None]
    slack = 1e-9 * (1 + np.abs(right_G))
    nearer_G = (distance_GG < right_G - slack).sum(1)
    equal_G = (np.abs(distance_GG - right_G) <= slack).sum(1)
    return float(np.where(nearer_G == 0, 1 / equal_G, 0.0).mean()), len(chosen)


def _squares(rebuilt_RX: Floats, window_RX: Floats) -> tuple[Floats, Floats]:
    window = window_RX.astype(np.float64)
    wrong = np.square(rebuilt_RX.astype(np.float64) - window).sum(0)
    return wrong, np.square(window - window.mean(0)).sum(0)
