"""What of a party's records was spent, by everything that ever left with noise: layers and counts.

A value: `deepcity.parties.releases.privacy_budget` keeps it in the site's folder. Two trainings,
runs or services on the same records add up here. Units do not: a bound for single days says
nothing about a place with all of its days, so a second unit is refused.

Epsilon of layers is for a unit whose records are *replaced*, that of counts for one unit *more or
less*, as is usual for either. Replacing is taking away and adding, so beside layers each count
counts twice (basic composition: Dwork & Roth 2014, "The algorithmic foundations of differential
privacy", theorem 3.16).
"""

from dataclasses import dataclass
from math import fsum
from typing import Annotated

from pydantic import ConfigDict, Field

from deepcity.city.errors import GrantError
from deepcity.city.frozen_model import FrozenModel
from deepcity.privacy.accounting.accountant import NoisySums, epsilon_of

MOST_CHARGES = 100_000
_TINY = 1e-9  # of rounding


class Charge(FrozenModel):
    """One use of the records.

    Attributes:
        key: of all that its noise depends on; the same answer given again costs nothing.
        service, training: for which; the statistics that inputs are scaled by have no training.
        round: of the training; -1: none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    service: Annotated[str, Field(max_length=200)]
    training: Annotated[str, Field(max_length=200)] = ""
    round: Annotated[int, Field(ge=-1, le=10**9)] = -1
    noise_multiplier: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
    sampling_rate: Annotated[float, Field(gt=0, le=1)]
    steps: Annotated[int, Field(ge=1, le=10**9)]

    @property
    def sums(self) -> NoisySums:
        """As the accountant takes it."""
        return NoisySums(self.noise_multiplier, self.sampling_rate, self.steps)


class CountsCharge(FrozenModel):
    """One release of counts with geometric noise; its epsilon holds without a delta.

    Attributes:
        key: drawn at random: its noise is drawn anew, so that the same counts again cost again.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    service: Annotated[str, Field(max_length=200)]
    epsilon: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]


class Spending(FrozenModel):
    """All uses of one party's records so far.

    Attributes:
        unit: whose influence they bound; empty before the first.
        charges, counts: of layers, and of counts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    unit: Annotated[str, Field(max_length=40)] = ""
    charges: Annotated[tuple[Charge, ...], Field(max_length=MOST_CHARGES)] = ()
    counts: Annotated[tuple[CountsCharge, ...], Field(max_length=MOST_CHARGES)] = ()

    def epsilon(self, delta: float) -> float:
        """What they spend together; `delta` is for layers alone."""
        of_counts = fsum(one.epsilon for one in self.counts)
        if not self.charges:
            return of_counts
        return epsilon_of([one.sums for one in self.charges], delta) + 2 * of_counts

    def holds(self, key: str) -> bool:
        """Whether an answer was given before."""
        return key in {one.key for one in self.charges} | {one.key for one in self.counts}

    def plus(self, charge: Charge | CountsCharge, unit: str) -> "Spending":
        """With one more use."""
        charges, counts = self.charges, self.counts
        if isinstance(charge, CountsCharge):
            counts = (*counts, charge)
        else:
            charges = (*charges, charge)
        return Spending(unit=unit, charges=charges, counts=counts)


@dataclass(frozen=True)
class Limit:
    """How much of a party's records may be spent.

    Attributes:
        unit: whose influence is bounded.
        epsilon: by all services, runs, updates and counts together.
        next_unit: what to do where another unit was used.
    """

    unit: str
    epsilon: float
    delta: float
    next_unit: str = 'write unit = "{spent}" in the service\'s [service.privacy]'


def charged(spending: Spending, charge: Charge, limit: Limit, party: str) -> Spending:
    """The spending with one more use; the same one again costs nothing.

    Raises:
        GrantError: if that is over the limit, or of another unit: then nothing may leave.
    """
    check_unit(spending, limit, party)
    if spending.holds(charge.key):
        return spending
    found = spending.plus(charge, limit.unit)
    check_within(found.epsilon(limit.delta), spending.epsilon(limit.delta), limit, party)
    return found


def check_unit(spending: Spending, limit: Limit, party: str) -> None:
    """Refuse to add up two units.

    Raises:
        GrantError: if the records were used under another unit.
    """
    if spending.unit not in {"", limit.unit}:
        raise GrantError(
            f"layers or counts of {party}'s records have left with noise for each {spending.unit}, "
            f"and a budget for each {limit.unit} cannot be added to it; "
            f"{limit.next_unit.format(spent=spending.unit)}"
        )


def check_within(total: float, spent: float, limit: Limit, party: str) -> None:
    """Refuse what would spend more than the limit.

    Raises:
        GrantError: naming what is spent, what it would be, the limit and the next step.
    """
    if total > limit.epsilon * (1 + _TINY):
        raise GrantError(
            f"{party} sends nothing more: epsilon {spent:.3g} of {limit.epsilon:g} is spent on its "
            f"records (each {limit.unit}, delta {limit.delta:g}), and this would make it "
            f"{total:.3g}. Use the layers that have left, or have its agency raise limit in "
            f"[service.privacy]; a fresh run on the same records does not give any back"
        )
