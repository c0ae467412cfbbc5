"""Members drawn into groups, anew for each round; each group's layers are a sum of their own.

A rule that compares the groups' means withstands liars in fewer than half of the groups: what a
liar sends is hidden in its group's mean, and spoils that. The drawing is a pure function of the
seed, the round and who takes part, so that a run that was killed asks the same groups again; and
not of the training's name, so that trainings which begin with the same layers have the same
groups in the same round.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepcity.city.errors import ExchangeError, SecureSumError
from deepcity.exchange.secure.sum_groups import SumGroup, drawn_name
from deepcity.privacy.secure_sums.roster import LEAST_MEMBERS

LEAST_GROUPS = 2
"""Of one group's mean there is nothing to compare."""
_STREAM = 1  # beside what else is drawn from the same seed


@dataclass(frozen=True)
class GroupDraw:
    """How members are drawn into groups.

    Attributes:
        size: members of a group, at least; those left over are spread over the groups.
        seed: of the drawing.
        least: means that the rule across groups compares, at least; of fewer, layers stay.
    """

    size: int
    seed: int = 0
    least: int = LEAST_GROUPS

    def __post_init__(self) -> None:
        if self.size < LEAST_MEMBERS or self.least < LEAST_GROUPS:
            raise ValueError(
                f"groups of {self.size}, {self.least} of them: a sum hides a part only among "
                f"{LEAST_MEMBERS - 1} others or more, and {LEAST_GROUPS} groups or more compare"
            )

    @property
    def needed(self) -> int:
        """Members that a layer needs."""
        return self.size * self.least

    def groups(self, members: Iterable[str], number: int) -> list[tuple[str, ...]]:
        """The groups of a round, counted from 0; of almost one size, each sorted.

        >>> GroupDraw(3).groups("abcdefg", 0)
        [('a', 'd', 'e', 'g'), ('b', 'c', 'f')]
        """
        names = sorted(members)
        count = len(names) // self.size
        order = np.random.default_rng([self.seed, number, _STREAM]).permutation(len(names))
        return [tuple(sorted(names[at] for at in order[first::count])) for first in range(count)]

    def split(self, group: SumGroup, number: int) -> list[SumGroup]:
        """The parts of a group in a round.

        Raises:
            SecureSumError: if it has too few members.
        """
        if len(group.members) < self.needed:
            raise SecureSumError(self.too_few(", ".join(group.layers), len(group.members)))
        return [
            SumGroup(drawn_name(group.name, at), group.layers, members)
            for at, members in enumerate(self.groups(group.members, number), 1)
        ]

    def too_few(self, what: str, members: int) -> str:
        """Why so many members cannot be compared by groups, and what to do."""
        return (
            f"{what} has {members} members, and robust fusion across groups of {self.size} "
            f"compares {self.least} groups or more: {self.needed} members. Let as many share it, "
            f"leave it out with a lower grant.level, or choose secure sums or robust fusion alone"
        )


def check_enough(draw: GroupDraw, common: Mapping[str, Sequence[str]]) -> None:
    """Refuse a training in which no layer has members enough; one that shares nothing needs none.

    Args:
        common: party -> names of the layers it shares.

    Raises:
        ExchangeError: with the number, the reason and what to do.
    """
    shared = [layer for layers in common.values() for layer in layers]
    most = max(sorted(set(shared)), key=shared.count, default=None)
    if most is not None and shared.count(most) < draw.needed:
        raise ExchangeError(draw.too_few(most, shared.count(most)))
