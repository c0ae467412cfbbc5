"""The turncoat: perfect while it is watched, then as wrong as the bounds allow, or as nobody sees.

No network is known that does so: it is played by an expert that knows the truth, the worst that
layers could do. Every joined expert of a party is one. `benchmarks.hostile_members.knowing` plays
one that also knows the party's own weights and allowance.

Shapes: B origins, N places, H horizon steps.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from deepcity.city.arrays import Floats, Ints
from deepcity.city.level import MAX_LEVEL
from deepcity.intercity.level_choice import JoinedExpert, LevelChoice, weigh_experts
from deepcity.learning.experts.expert import Expert
from deepcity.learning.experts.network import NetworkExpert
from deepcity.learning.features.inputs import Samples
from deepcity.learning.training.learner import Learner
from deepcity.parties.party import Party

OPPOSITE, FAR_STEPS, UNDER_TWICE = "opposite", "far steps", "under twice"
_FAR = np.float32(1e30)
_UNDER = 1.9  # times the own error; experts are set aside at twice it


@dataclass(frozen=True)
class Turns:
    """When a turncoat lies, and how.

    Attributes:
        good, bad: days of the test span that it stays good, then days that it is bad; 0: for good.
        lie: as far as the bounds allow (`OPPOSITE`), so in all steps but the nearest, which is the
            one that is watched (`FAR_STEPS`), or just under twice the own error (`UNDER_TWICE`).
        knowing: it also knows weights and allowance, and lies only where lies count.
        in_turn: joined experts lie one after another, a day each, so that most are trusted.
    """

    good: float = 0.0
    bad: float = 0.0
    lie: str = OPPOSITE
    knowing: bool = False
    in_turn: bool = False


TURNCOATS = {
    "turncoat": Turns(),
    "turncoat, mid-test": Turns(4.0),
    "turncoat, every other day": Turns(1.0, 1.0),
    "turncoat, one day of three": Turns(2.0, 1.0),
    "turncoat, far steps": Turns(lie=FAR_STEPS),
    "turncoat, far steps, every other day": Turns(1.0, 1.0, FAR_STEPS),
    "turncoat, under twice": Turns(lie=UNDER_TWICE),
    "turncoats in turn": Turns(in_turn=True),
    "turncoat, knowing": Turns(knowing=True),
    "turncoat, knowing, far steps": Turns(lie=FAR_STEPS, knowing=True),
}


@dataclass(frozen=True)
class Turncoat(Expert):
    """Forecasts the truth, and after `turn` at times a lie.

    Attributes:
        own: the party's own network.
        turn: step at which the test span begins.
        good, bad: steps of each in turn; bad 0: for good.
        lie: see `Turns`.
    """

    own: Expert
    turn: int
    good: int
    bad: int
    lie: str
    kind: ClassVar[str] = "turncoat"

    def predict(self, samples: Samples, origins_B: Ints) -> Floats:
        """Forecasts, (B, N, H)."""
        truth_BNH = np.where(np.isfinite(samples.truth_BNH), samples.truth_BNH, 0.0)
        since_B = origins_B - self.turn
        period = self.good + self.bad
        bad_B = since_B >= self.good if not self.bad else since_B % period >= self.good
        bad_B &= since_B >= 0
        lie_BNH = self._lie(samples, truth_BNH, origins_B)
        return np.where(bad_B[:, None, None], lie_BNH, truth_BNH).astype(np.float32)

    def _lie(self, samples: Samples, truth_BNH: Floats, origins_B: Ints) -> Floats:
        if self.lie == OPPOSITE:
            return np.where(truth_BNH > samples.baseline_BNH, -_FAR, _FAR)
        own_BNH = self.own.predict(samples, origins_B)
        if self.lie == UNDER_TWICE:
            return truth_BNH + np.float32(_UNDER) * (own_BNH - truth_BNH)
        lie_BNH = np.where(truth_BNH > own_BNH, -_FAR, _FAR)
        lie_BNH[..., 0] = truth_BNH[..., 0]
        return lie_BNH


def turned(party: Party, alone: Learner, turns: Turns) -> LevelChoice:
    """A party's choice where every joined expert is a turncoat."""
    own = NetworkExpert(alone)
    good, bad = (round(24 * days) for days in (turns.good, turns.bad))
    expert = Turncoat(own, party.split.test.start, good, bad, turns.lie)
    joined = [JoinedExpert(level, expert) for level in range(1, MAX_LEVEL + 1)]
    if turns.in_turn:
        day, others = 24, 24 * (MAX_LEVEL - 1)
        joined = [
            JoinedExpert(
                level, replace(expert, turn=expert.turn - others + day * n, good=others, bad=day)
            )
            for n, level in enumerate(range(1, MAX_LEVEL + 1))
        ]
    return weigh_experts(party, own, joined, alone.settings)
