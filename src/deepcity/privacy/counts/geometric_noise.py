"""Geometric noise: whole numbers z with P(z) proportional to exp(-|z| / scale).

Ghosh, Roughgarden & Sundararajan 2009, "Universally utility-maximizing privacy mechanisms": of all
noise for one count it is the best for whoever uses it. Drawn by OpenDP, exactly and from the
system's randomness (Canonne, Kamath & Steinke 2020, "The discrete Gaussian for differential
privacy", algorithm 2): noise of floating-point numbers has gaps that show what it hides.

Shapes: K cells.
"""

from collections.abc import Callable
from math import nextafter

import numpy as np

from deepcity.city.arrays import Ints
from deepcity.city.errors import GrantError
from deepcity.privacy.counts.terms import CountTerms

_AT_ONCE = 100_000  # values that OpenDP takes as one list; 2 s of one core


def with_noise(count_K: Ints, terms: CountTerms) -> Ints:
    """Counts with noise; drawn anew at each call.

    Raises:
        GrantError: if OpenDP is not installed: nothing leaves without noise.
    """
    draw = _mechanism(terms)
    parts = [
        draw(count_K[first : first + _AT_ONCE].tolist())
        for first in range(0, len(count_K), _AT_ONCE)
    ]
    return np.array([one for part in parts for one in part], dtype=np.int64)


def _mechanism(terms: CountTerms) -> Callable[[list[int]], list[int]]:
    """OpenDP's measurement, of which OpenDP itself says that it spends no more than epsilon.

    Its bounds are rounded up, so that the scale is widened by units in the last place until they
    hold.
    """
    try:
        import opendp.prelude as dp
    except ImportError:
        raise GrantError(
            "counts leave with noise alone, which OpenDP draws, and it is not installed. "
            "Next: pip install 'deepcity[counts]'"
        ) from None
    dp.enable_features("contrib")  # OpenDP's word for all that its own proofs cover by now
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l1_distance(T="i64")
    scale = terms.scale
    for _ in range(8):
        found = dp.m.make_laplace(*space, scale=scale)
        if found.map(terms.per_unit) <= terms.epsilon:
            draw: Callable[[list[int]], list[int]] = found
            return draw
        scale = nextafter(scale, float("inf"))
    raise GrantError(f"no noise keeps {terms.per_unit} cells a unit within {terms.epsilon!r}")
