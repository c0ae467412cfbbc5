"""Choosing how deep to join, and never losing by it: levels as experts of one aggregate.

Two trainings are run once: alone, and joined at the deepest level granted. From the joined
network each party tries every level k: it keeps h1..hk as fused, and tunes the rest on its
own rows for a few steps, without another word to anyone. So all levels together cost far
less than one training each.

Alone and every level are then experts of one forecast (`deepcity.learning.council`).
Learning alone begins with four tenths of the weight and the typical day with one tenth; what
was joined shares the other half. Where fewer than three days are known, a typical day is
little more than one of them, and yesterday takes a twentieth of the weight from alone.
Weights move with what each would have saved, first over the validation days and then from
day to day as truths come in. So a party is never much worse than alone, whatever the others
send, and a level that its few validation days misjudged is found later. The level told is
that of the level with most weight after the validation days; 0 where what is its own has
over half of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcity.city.level import ALONE, layers_up_to
from deepcity.intercity.experts import Expert, Seeing, Yesterday, typical
from deepcity.intercity.parties import Party
from deepcity.learning.council import Aggregated, Council, aggregate, convened, parts_of_day
from deepcity.learning.features import Inputs, Samples
from deepcity.learning.learner import Learner
from deepcity.learning.training import party_seed

Floats = NDArray[np.float32]

OWN_WEIGHT = 0.5  # of what is a party's own, before any truth
TYPICAL_WEIGHT = 0.1  # of that, the typical day's: where records are noise it is hard to beat
YESTERDAY_WEIGHT = 0.05  # of that too, where hardly any day is known
HARDLY_ANY_DAYS = 3.0
_ROUNDING = 1e-9  # before any truth what is its own has half, and no more


@dataclass(frozen=True)
class Joined:
    """One expert that a party owes to the others.

    Attributes:
        level: the reuse level it counts for.
        weight: before any truth, relative to the party's other joined experts.
    """

    level: int
    expert: Expert
    weight: float = 1.0


@dataclass(frozen=True)
class Choice:
    """What a party forecasts with: its experts, and what is known of them.

    Attributes:
        experts: (level, forecaster), level 0 being what is the party's own; the first is
            learning alone. Several may count for one level.
        errors: level -> validation MAE of its first expert, in the field's unit; NaN where no
            validation truth is known.
        validation: the aggregate over the validation days, and what it learned there.
        gain: validation MAE saved by the aggregate against alone, in the field's unit.
        doubt: standard error of that saving, over days.
    """

    experts: Sequence[tuple[int, Expert]]
    errors: Mapping[int, float]
    validation: Aggregated
    gain: float
    doubt: float

    @property
    def weights(self) -> dict[int, float]:
        """Weight of each level after the validation days."""
        return self.by_level(self.validation.council)

    @property
    def level(self) -> int:
        """The level with most weight after the validation days; 0 where alone has over half."""
        weights = self.weights
        if len(weights) == 1 or weights[ALONE] > OWN_WEIGHT + _ROUNDING:
            return ALONE
        joined = [level for level in weights if level != ALONE]
        return max(joined, key=lambda level: (weights[level], level))

    def by_level(self, council: Council) -> dict[int, float]:
        """A council's weights, those of one level added."""
        found: dict[int, float] = {}
        for (level, _), weight in zip(self.experts, council.weights_E, strict=True):
            found[level] = found.get(level, 0.0) + float(weight)
        return found

    def first(self, level: int) -> Expert:
        """The first expert of a level: the network tuned so, or learning alone.

        Raises:
            KeyError: if there is no expert of that level.
        """
        for found, expert in self.experts:
            if found == level:
                return expert
        raise KeyError(level)

    def forecast(self, party: Party) -> Aggregated:
        """Forecasts of the party's test days, in order of time.

        Weights go on learning from the truths of earlier origins, each once it is known.
        """
        said = said_by(self.experts, party.test, party.test_origins)
        return weighed(party, said, party.test, party.test_origins, self.validation.council)


def choose(
    party: Party,
    alone: Learner,
    joined: Learner,
    deepest: int,
    seed: int,
    *,
    common_stem: bool = False,
) -> Choice:
    """Tune every level up to `deepest` from the joined network, and weigh them with alone.

    Args:
        alone: trained at level 0, at its best state.
        joined: trained at level `deepest`, at its best state.
    """
    tuned = levels(party, joined, deepest, seed, common_stem=common_stem)
    return weigh(party, Seeing(alone), tuned)


def levels(
    party: Party,
    joined: Learner,
    deepest: int,
    seed: int,
    *,
    common_stem: bool = False,
    inputs: Inputs | None = None,
) -> list[Joined]:
    """Every level up to `deepest`, tuned from the joined network.

    Args:
        inputs: how the joined network sees the party, where that is not how the party does.
    """
    found = []
    for level in range(1, deepest + 1):
        draw = party_seed(seed, f"{party.name}/refit", level)
        kept = layers_up_to(level, common_stem=common_stem)
        tuned = joined.refit(kept, joined.settings.refit_steps, draw)
        found.append(Joined(level, Seeing(tuned, inputs)))
    return found


def weigh(party: Party, alone: Expert, joined: Sequence[Joined]) -> Choice:
    """Run the aggregate of alone, its anchors and what was joined over the validation days."""
    anchors = _anchors(party)
    experts = [(ALONE, alone), *((ALONE, anchor) for anchor, _ in anchors)]
    experts += [(one.level, one.expert) for one in joined]
    total = sum(one.weight for one in joined)
    own = [weight for _, weight in anchors]
    prior = [OWN_WEIGHT - sum(own), *own]
    prior += [(1 - OWN_WEIGHT) * one.weight / total for one in joined]
    if not joined:  # alone is alone
        experts, prior = experts[:1], prior[:1]
    samples, origins_B = party.data.validation, party.validation_origins
    said_EBNH = said_by(experts, samples, origins_B)
    begun = convened(prior, len(party.panel.places))
    validation = weighed(party, said_EBNH, samples, origins_B, begun)

    def by_day(said_BNH: Floats) -> NDArray[np.float64]:
        days_B = origins_B // party.panel.clock.steps_per_day
        return _error_by_day(said_BNH, samples.truth_BNH, days_B)

    errors: dict[int, float] = {}
    for (level, _), said_BNH in zip(experts, said_EBNH, strict=True):
        errors.setdefault(level, _mean(by_day(said_BNH)))
    saved = by_day(said_EBNH[0]) - by_day(validation.forecast_BNH)
    return Choice(
        experts=experts,
        errors=errors,
        validation=validation,
        gain=_mean(saved),
        doubt=float(saved.std(ddof=1) / np.sqrt(len(saved))) if len(saved) > 1 else float("inf"),
    )


def _mean(by_day_D: NDArray[np.float64]) -> float:
    """NaN where there is no day."""
    return float(by_day_D.mean()) if len(by_day_D) else float("nan")


def _anchors(party: Party) -> list[tuple[Expert, float]]:
    """What a party can say without any network, and its weight before any truth."""
    found: list[tuple[Expert, float]] = [(typical, TYPICAL_WEIGHT)]
    if party.known_days < HARDLY_ANY_DAYS:
        found.append((Yesterday(party.inputs), YESTERDAY_WEIGHT))
    return found


def weighed(
    party: Party,
    said_EBNH: Floats,
    samples: Samples,
    origins_B: NDArray[np.int64],
    council: Council,
) -> Aggregated:
    """The aggregate of what experts say of a party."""
    truth_BNH = samples.truth_BNH
    part_BH = parts_of_day(party.inputs.grid, origins_B, truth_BNH.shape[-1])
    return aggregate(said_EBNH, truth_BNH, origins_B, part_BH, council)


def said_by(
    experts: Sequence[tuple[int, Expert]], samples: Samples, origins_B: NDArray[np.int64]
) -> Floats:
    """What each expert says, (E, B, N, H)."""
    return np.stack([expert(samples, origins_B) for _, expert in experts])


def _error_by_day(
    said_BNH: Floats, truth_BNH: Floats, days_B: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Mean absolute error of each day's forecasts (origins of one day count as one)."""
    error_BNH = np.abs(said_BNH - truth_BNH)
    known = np.isfinite(error_BNH)
    days = np.unique(days_B)
    total = np.array([np.where(known, error_BNH, 0)[days_B == day].sum() for day in days])
    count = np.array([known[days_B == day].sum() for day in days])
    return np.asarray(total[count > 0] / count[count > 0], dtype=np.float64)
