"""From a run's choice to what an own package keeps, and from there to experts again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from deepcity.city.arrays import Ints
from deepcity.intercity.automatic import Choice
from deepcity.intercity.own_package import KeptExpert
from deepcity.learning.experts.expert import Expert, ExpertData, FreshRows, error_aside, expert_of
from deepcity.learning.training import party_seed


@dataclass(frozen=True)
class Own:
    """An expert of a party, and what it is held against.

    Attributes:
        level: the reuse level it counts for.
        known: its first error on the days kept aside; 0 without a truth there.
        data: the rows it was made for.
    """

    level: int
    known: float
    expert: Expert
    data: ExpertData

    @property
    def forgot(self) -> float:
        """Rise of its error on the days aside, as a share of its first."""
        return error_aside(self.expert, self.data) / self.known - 1 if self.known > 0 else 0.0

    @property
    def kept(self) -> KeptExpert:
        """As a package keeps it."""
        return KeptExpert(self.level, self.expert.kind, self.known, self.expert.to_arrays())


def kept_experts(choice: Choice, data: ExpertData) -> tuple[KeptExpert, ...]:
    """A choice's experts as they are kept."""
    errors = [error_aside(expert, data) for _, expert in choice.experts]
    return tuple(
        Own(level, error if np.isfinite(error) else 0.0, expert, data).kept
        for (level, expert), error in zip(choice.experts, errors, strict=True)
    )


def experts_of(kept: Sequence[KeptExpert], data: ExpertData) -> list[Own]:
    """Experts as they were.

    Raises:
        ExpertError: if one is of an unknown kind, or its arrays do not fit the party's rows now.
    """
    return [
        Own(one.level, one.known, expert_of(one.kind).from_arrays(one.arrays, data), data)
        for one in kept
    ]


def refined(own: Own, fresh_B: Ints, bound: float, number: int) -> tuple[Own, float]:
    """An expert that has learned from fresh rows too, and how far it moved.

    One that would forget more than the bound stays as it is, whatever its kind.
    """
    data = own.data
    seed = party_seed(data.seed, f"{data.party}/refined/{own.level}", number)
    before = error_aside(own.expert, data)
    known = own.known if own.known > 0 else before
    changed, moved = own.expert.update(data, FreshRows(fresh_B, bound, own.known, seed))
    if changed is own.expert:
        return own, 0.0
    if error_aside(changed, data) > max((1 + bound) * known, before):
        changed, moved = own.expert, 0.0
    return replace(own, expert=changed), moved
