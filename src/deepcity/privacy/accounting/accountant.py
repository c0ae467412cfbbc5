"""Epsilon of noisy sums over sampled units, where one unit's records are *replaced* by any others.

Opacus gives the Rényi divergence of the sampled Gaussian mechanism where a unit is *removed*
(Mironov, Talwar & Zhang 2019, "Rényi differential privacy of the sampled Gaussian mechanism").
Replacing is removing and then adding; the weak triangle inequality (Mironov 2017, "Rényi
differential privacy", proposition 11) joins both at order a:

    replaced(a) <= (a - 1/2) / (a - 1) * removed(2a) + removed(2a - 1)

which for Gaussian noise costs hardly more than the doubled distance does by itself. Orders are
halves, so that 2a is whole and its divergence has a closed form.
"""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from math import inf

ORDERS = tuple(half / 2 for half in (*range(3, 25), *range(26, 66, 4), 80, 96, 128, 192))
"""Rényi orders; the best one is sought for each epsilon."""
_MOST_NOISE = 1e5
_PRECISION = 3e-3  # of a noise multiplier that is solved for


@dataclass(frozen=True)
class NoisySums:
    """Sums over a random sample of units, each with Gaussian noise.

    Attributes:
        noise_multiplier: standard deviation of the noise, as a multiple of the largest norm that
            one unit's part may have.
        sampling_rate: probability with which each unit is in a sum, by itself.
        steps: how many sums.
    """

    noise_multiplier: float
    sampling_rate: float
    steps: int


def epsilon_of(sums: Iterable[NoisySums], delta: float, *, replaced: bool = True) -> float:
    """Epsilon of all these sums together; infinite where one has no noise.

    Args:
        replaced: a unit's records are replaced by any others; False: they are removed, which is
            what most figures in papers are for.

    >>> round(epsilon_of([NoisySums(4.0, 0.01, 10_000)], 1e-5, replaced=False), 2)
    1.04
    """
    totals = [0.0] * len(ORDERS)
    for one in sums:
        if not one.steps:
            continue
        if one.noise_multiplier <= 0:
            return inf
        costs = _costs(one.noise_multiplier, one.sampling_rate, replaced)
        totals = [total + one.steps * cost for total, cost in zip(totals, costs, strict=True)]
    if not any(totals):
        return 0.0
    from opacus.accountants.analysis import rdp

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the best order is the first or the last
        found, _ = rdp.get_privacy_spent(orders=list(ORDERS), rdp=totals, delta=delta)
    return max(float(found), 0.0)


def noise_multiplier_for(
    epsilon: float,
    delta: float,
    sampling_rate: float,
    steps: int,
    before: Iterable[NoisySums] = (),
) -> float:
    """The least noise multiplier with which these steps, after others, spend no more.

    Raises:
        ValueError: if what was before spends it already.
    """
    earlier = tuple(before)

    def spent(noise: float) -> float:
        return epsilon_of((*earlier, NoisySums(noise, sampling_rate, steps)), delta)

    if spent(_MOST_NOISE) > epsilon:
        msg = f"no noise keeps {steps} steps within epsilon {epsilon:g} at delta {delta:g}"
        raise ValueError(msg)
    low, high = 0.0, 1.0
    while spent(high) > epsilon:
        low, high = high, 2 * high
    while high - low > _PRECISION * high:
        middle = (low + high) / 2
        low, high = (middle, high) if spent(middle) > epsilon else (low, middle)
    return high


@lru_cache(maxsize=4096)
def _costs(noise: float, rate: float, replaced: bool) -> tuple[float, ...]:
    """The divergence of one step at each of `ORDERS`."""
    if not replaced:
        return tuple(_removed(noise, rate, order) for order in ORDERS)
    return tuple(
        (order - 0.5) / (order - 1) * _removed(noise, rate, 2 * order)
        + _removed(noise, rate, 2 * order - 1)
        for order in ORDERS
    )


@lru_cache(maxsize=65_536)
def _removed(noise: float, rate: float, order: float) -> float:
    from opacus.accountants.analysis import rdp

    found = rdp.compute_rdp(q=rate, noise_multiplier=noise, steps=1, orders=order)
    return float(found)
