"""Who takes part in which round: parties that join late, leave early, or are drawn by lot.

A pure function of the round's number, so that a run that was killed asks the same parties
again. Drawing a share of the parties each round is partial participation (McMahan et al.
2017). Rounds are counted from 1 here, as people do; the protocol counts those done.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Attendance:
    """When parties are there.

    Attributes:
        joins: party -> the first round it takes part in; left out, the first of all.
        leaves: party -> the first round it is gone from; left out, it stays to the end.
        share: of those there, drawn for each round; at least one.
        seed: of the draws.
    """

    joins: Mapping[str, int] = field(default_factory=dict)
    leaves: Mapping[str, int] = field(default_factory=dict)
    share: float = 1.0
    seed: int = 0

    def gone(self, party: str, done: int) -> bool:
        """Whether a party has left for good once so many rounds are done."""
        return done + 1 >= self.leaves.get(party, math.inf)

    def there(self, parties: Iterable[str], done: int) -> tuple[str, ...]:
        """Those that have joined and not left when the next round begins, sorted.

        >>> Attendance(joins={"b": 3}, leaves={"a": 3}).there("abc", done=1)
        ('a', 'c')
        >>> Attendance(joins={"b": 3}, leaves={"a": 3}).there("abc", done=2)
        ('b', 'c')
        """
        return tuple(
            party
            for party in sorted(parties)
            if self.joins.get(party, 1) <= done + 1 and not self.gone(party, done)
        )

    def drawn(self, there: tuple[str, ...], done: int) -> tuple[str, ...]:
        """Those that the next round asks, sorted."""
        if self.share >= 1 or not there:
            return there
        count = max(1, math.ceil(self.share * len(there)))
        chosen = np.random.default_rng([self.seed, done]).choice(len(there), count, replace=False)
        return tuple(there[index] for index in sorted(chosen))
