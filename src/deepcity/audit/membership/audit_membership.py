"""What a network betrays of the units it learned from, as results.

Networks are trained anew as the party's own is when it learns alone, each on its records without a
half of the units: the party's own has learned from all of its days, and days of another season
would be told apart by their season alone.

Shapes: T steps, N places, U units, M networks.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from deepcity.audit.effort import Effort
from deepcity.audit.membership.attacks import lira, rmia
from deepcity.audit.membership.rates import area, found_at
from deepcity.audit.membership.units import LEAST_UNITS, Units, days_of, halves, places_of
from deepcity.audit.results import MembershipAttack, MembershipLeak, MembershipUnit
from deepcity.city.arrays import Floats
from deepcity.data.windows import Span

_DIGITS = 4

Shadow = Callable[[Floats, int], Floats]
"""From records (T, N) and a seed to the absolute errors of a network that learned from them, on the
true records, (T, N), in the scale of each place; NaN where nothing was forecast."""


@dataclass(frozen=True, eq=False)
class MembershipVictim:
    """Records, and how networks learn from them.

    Attributes:
        values_TN: of the field that is forecast.
        train: the steps learned from.
        aside: steps that nobody learns from.
        step_s: seconds of a step.
        shadow: trains a network.
    """

    values_TN: Floats
    train: Span
    aside: Span
    step_s: int
    shadow: Shadow

    def units(self, kind: MembershipUnit, effort: Effort, seed: int) -> Units | None:
        """The units of a kind; None where there are too few of them."""
        if kind is MembershipUnit.PLACE:
            return places_of(self.values_TN, self.train)
        found = days_of(self.values_TN, self.train, self.step_s, effort.units, seed)
        return found if len(found) >= LEAST_UNITS else None


def audit_membership(
    victim: MembershipVictim, kind: MembershipUnit, effort: Effort, seed: int
) -> list[MembershipLeak]:
    """Both attacks on units of a kind; nothing where there are too few of them."""
    runs = [_errors(victim, kind, effort, one) for one in range(seed, seed + effort.seeds)]
    found = [one for one in runs if one is not None]
    if len(found) < len(runs):
        return []
    return [
        _leak(kind, attack, [one.scores(attack) for one in found], found)
        for attack in MembershipAttack
    ]


@dataclass(frozen=True, eq=False)
class _Errors:
    """Errors of all networks on units, and on days that none learned from."""

    error_MU: Floats
    learned_MU: np.ndarray
    unseen_MZ: Floats

    def scores(self, attack: MembershipAttack) -> Floats:
        """The scores of an attack, (M, U)."""
        if attack is MembershipAttack.LIRA:
            return lira(self.error_MU, self.learned_MU)
        return rmia(self.error_MU, self.learned_MU, self.unseen_MZ)


def _errors(
    victim: MembershipVictim, kind: MembershipUnit, effort: Effort, seed: int
) -> _Errors | None:
    units = victim.units(kind, effort, seed)
    if units is None:
        return None
    unseen = days_of(victim.values_TN, victim.aside, victim.step_s, effort.units, seed)
    learned_MU = halves(len(units), effort.shadows, seed)
    errors, others = zip(
        *(
            (units.means(found_TN), unseen.means(found_TN))
            for found_TN in _networks(victim, units, learned_MU, seed)
        ),
        strict=True,
    )
    error_MU, unseen_MZ = np.array(errors), np.array(others)
    known_U, known_Z = np.isfinite(error_MU).all(axis=0), np.isfinite(unseen_MZ).all(axis=0)
    if known_U.sum() < min(LEAST_UNITS, len(units)) or not known_Z.any():
        return None
    return _Errors(error_MU[:, known_U], learned_MU[:, known_U], unseen_MZ[:, known_Z])


def _networks(
    victim: MembershipVictim, units: Units, learned_MU: np.ndarray, seed: int
) -> Iterator[Floats]:
    for number, learned_U in enumerate(learned_MU):
        yield victim.shadow(units.hidden(victim.values_TN, ~learned_U), seed * 1_000 + number)


def _leak(
    kind: MembershipUnit,
    attack: MembershipAttack,
    scores: list[Floats],
    runs: list[_Errors],
) -> MembershipLeak:
    flat = [
        (score.ravel(), run.learned_MU.ravel()) for score, run in zip(scores, runs, strict=True)
    ]
    areas = [area(*one) for one in flat]

    def mean(rate: float) -> float | None:
        found = [found_at(*one, rate) for one in flat]
        known = [one for one in found if one is not None]
        return round(float(np.mean(known)), _DIGITS) if len(known) == len(found) else None

    return MembershipLeak(
        unit=kind,
        attack=attack,
        shadows=len(runs[0].error_MU),
        units=int(np.mean([run.error_MU.shape[1] for run in runs])),
        others=int(np.mean([(~run.learned_MU).sum() for run in runs])),
        area=round(float(np.mean(areas)), _DIGITS),
        area_spread=round(float(np.std(areas, ddof=1)), _DIGITS) if len(areas) > 1 else None,
        found_at_hundredth=mean(0.01),
        found_at_thousandth=mean(0.001),
    )
