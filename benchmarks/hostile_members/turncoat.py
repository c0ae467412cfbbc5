"""The turncoat: perfect while it is watched, then as wrong as the bounds allow.

No network is known that does so: it is played by an expert that knows the truth, the worst that
layers could do. Every joined expert of a party is one.

Shapes: B origins, N places, H horizon steps.
"""

from dataclasses import dataclass
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

TURNCOATS = {
    "turncoat": (0.0, 0.0),
    "turncoat, mid-test": (4.0, 0.0),
    "turncoat, every other day": (1.0, 1.0),
    "turncoat, one day of three": (2.0, 1.0),
}
"""Days of the test span that it stays good, then days that it is bad; 0: for good."""
_FAR = np.float32(1e30)


@dataclass(frozen=True)
class Turncoat(Expert):
    """Forecasts the truth, and after `turn` at times the opposite.

    Attributes:
        turn: step at which the test span begins.
        good, bad: steps of each in turn; bad 0: for good.
    """

    turn: int
    good: int
    bad: int
    kind: ClassVar[str] = "turncoat"

    def predict(self, samples: Samples, origins_B: Ints) -> Floats:
        """Forecasts, (B, N, H)."""
        truth_BNH = np.where(np.isfinite(samples.truth_BNH), samples.truth_BNH, 0.0)
        away_BNH = np.where(truth_BNH > samples.baseline_BNH, -_FAR, _FAR)
        since_B = origins_B - self.turn
        period = self.good + self.bad
        bad_B = since_B >= self.good if not self.bad else since_B % period >= self.good
        bad_B &= since_B >= 0
        return np.where(bad_B[:, None, None], away_BNH, truth_BNH).astype(np.float32)


def turned(party: Party, alone: Learner, name: str) -> LevelChoice:
    """A party's choice where every joined expert is a turncoat."""
    good, bad = (round(24 * days) for days in TURNCOATS[name])
    expert = Turncoat(party.split.test.start, good, bad)
    joined = [JoinedExpert(level, expert) for level in range(1, MAX_LEVEL + 1)]
    return weigh_experts(party, NetworkExpert(alone), joined, alone.settings)
