"""Experts of a run's choice, stored in a forecaster bundle and loaded for updates."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from deepcity.city.arrays import Ints
from deepcity.intercity.level_choice import LevelChoice
from deepcity.learning.experts.expert import Expert, ExpertData, FreshRows, error_aside, expert_of
from deepcity.learning.training.local_training import party_seed
from deepcity.runs.update.forecaster_bundle import SavedExpert


@dataclass(frozen=True)
class RefinableExpert:
    """An expert of a party, with its first error on the days kept aside.

    Attributes:
        level: the reuse level it counts for.
        known: that error; 0 without a truth there.
        expert: the expert itself.
        data: the rows it was fitted to.
    """

    level: int
    known: float
    expert: Expert
    data: ExpertData

    @property
    def forgetting(self) -> float:
        """Relative rise of its error on the days kept aside since the first."""
        return error_aside(self.expert, self.data) / self.known - 1 if self.known > 0 else 0.0

    @property
    def kept(self) -> SavedExpert:
        """As a bundle stores it."""
        return SavedExpert(self.level, self.expert.kind, self.known, self.expert.to_arrays())


def kept_experts(choice: LevelChoice, data: ExpertData) -> tuple[SavedExpert, ...]:
    """A choice's experts as stored."""
    errors = [error_aside(expert, data) for _, expert in choice.experts]
    return tuple(
        RefinableExpert(level, error if np.isfinite(error) else 0.0, expert, data).kept
        for (level, expert), error in zip(choice.experts, errors, strict=True)
    )


def experts_of(kept: Sequence[SavedExpert], data: ExpertData) -> list[RefinableExpert]:
    """Stored experts, loaded.

    Raises:
        ExpertError: if one is of an unknown kind, or its arrays do not fit the party's rows now.
    """
    return [
        RefinableExpert(
            one.level, one.known, expert_of(one.kind).from_arrays(one.arrays, data), data
        )
        for one in kept
    ]


def refine_expert(
    own: RefinableExpert, fresh_B: Ints, bound: float, number: int
) -> tuple[RefinableExpert, float]:
    """An expert updated on fresh rows, and how far its weights moved (0 to 1).

    One that would forget more than `bound` is returned unchanged, whatever its kind.
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
