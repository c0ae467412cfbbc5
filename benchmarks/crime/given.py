"""A forecast of days with an offence alone: what the published metric rewards, and nobody needs.

Nobody knows in advance which cells will see an offence. But a metric that counts those alone
is met best by saying how many offences there will be *if* there is any. From a mean rate that
is the mean or the median of a Poisson count that is known not to be zero.
"""

import numpy as np

from deepcity.city.arrays import Floats

_LEAST = 1e-6  # offences a day: under this the one offence is all there will be


def mean_given_one(rate: Floats) -> Floats:
    """Mean of a Poisson count of this mean that is at least one.

    >>> mean_given_one(np.array([0.0, 1.0, 20.0], np.float32)).round(3)
    array([ 1.   ,  1.582, 20.   ], dtype=float32)
    """
    safe = np.maximum(rate.astype(np.float64), _LEAST)
    return np.asarray(safe / -np.expm1(-safe), dtype=np.float32)


def median_given_one(rate: Floats) -> Floats:
    """Median of a Poisson count of this mean (under 700) that is at least one.

    >>> median_given_one(np.array([0.0, 1.0, 3.0], np.float32))
    array([1., 1., 3.], dtype=float32)
    """
    safe = np.maximum(rate.astype(np.float64), _LEAST)
    chance = np.exp(-safe)
    half, below = chance + 0.5 * (1 - chance), chance  # what lies at or below 0, and so on
    median, count = np.ones_like(safe), 1
    while True:
        chance = chance * safe / count
        below = below + chance
        short = below < half
        if not short.any():
            return np.asarray(median, dtype=np.float32)
        count += 1
        median[short] = count


FORMS = {"mean": mean_given_one, "median": median_given_one}
