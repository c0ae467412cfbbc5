"""Participation by round: parties that join late, leave early, or are sampled.

A pure function of the round's number, so that a run that was killed asks the same parties
again. Sampling a share of the parties each round is partial participation (McMahan et al.
2017). Rounds are counted from 1 here, as people do; the protocol counts those done.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Participation:
    """In which rounds parties take part.

    Attributes:
        joins: party -> the first round it takes part in; left out, the first of all.
        leaves: party -> the first round it no longer takes part in; left out, it stays.
        fraction: of those available, sampled for each round; at least one.
        seed: of the sampling.
    """

    joins: Mapping[str, int] = field(default_factory=dict)
    leaves: Mapping[str, int] = field(default_factory=dict)
    fraction: float = 1.0
    seed: int = 0

    def left(self, party: str, done: int) -> bool:
        """Whether a party has left for good after so many rounds."""
        return done + 1 >= self.leaves.get(party, math.inf)

    def available(self, parties: Iterable[str], done: int) -> tuple[str, ...]:
        """Those that have joined and not left when the next round begins, sorted.

        >>> Participation(joins={"b": 3}, leaves={"a": 3}).available("abc", done=1)
        ('a', 'c')
        >>> Participation(joins={"b": 3}, leaves={"a": 3}).available("abc", done=2)
        ('b', 'c')
        """
        return tuple(
            party
            for party in sorted(parties)
            if self.joins.get(party, 1) <= done + 1 and not self.left(party, done)
        )

    def sampled(self, available: tuple[str, ...], done: int) -> tuple[str, ...]:
        """Those that the next round asks, sorted."""
        if self.fraction >= 1 or not available:
            return available
        count = max(1, math.ceil(self.fraction * len(available)))
        chosen = np.random.default_rng([self.seed, done]).choice(
            len(available), count, replace=False
        )
        return tuple(available[index] for index in sorted(chosen))
