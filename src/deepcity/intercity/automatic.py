"""Choosing how deep to join, and never losing by it: levels as experts of one aggregate.

Two trainings are run once: alone, and joined at the deepest level granted. From the joined
network each party tries every level k: it keeps h1..hk as fused, and tunes the rest on its
own rows for a few steps, without another word to anyone. So all levels together cost far
less than one training each.

Alone and every level are then experts of one forecast (`deepcity.learning.council`).
What was joined begins with half of the weight; what is the party's own shares the other half:
its network, and the experts that its service names (`deepcity.learning.experts`), each with a
prior of its own. Usually these are the typical day with a tenth and, where fewer than three
days are known, yesterday with a twentieth. They are baselines, which guard what was joined:
learning alone is the network, weighed with those experts that are no baselines.
Weights move with what each would have saved, first over the validation days and then from
day to day as truths come in. So a party is never much worse than alone, whatever the others
send, and a level that its few validation days misjudged is found later. The level told is
that of the level with most weight after the validation days; 0 where what is its own has
over half of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepcity.applications.metric import Metric
from deepcity.city.arrays import Doubles, Floats, Ints
from deepcity.city.level import ALONE, layers_up_to
from deepcity.intercity.experts import own_experts
from deepcity.intercity.parties import Party
from deepcity.learning.council import Aggregated, Council, aggregate, convened, parts_of_day
from deepcity.learning.experts.expert import Expert
from deepcity.learning.experts.network import NetworkExpert
from deepcity.learning.features import Inputs, Samples
from deepcity.learning.learner import Learner
from deepcity.learning.training import TrainingSettings, party_seed

OWN_WEIGHT = 0.5  # of what is a party's own, before any truth
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
        errors: level -> validation error of its first expert by the party's metric, mean over
            days; NaN where no validation truth is known.
        validation: the aggregate over the validation days, and what it learned there.
        gain: validation error saved by the aggregate against alone.
        doubt: standard error of that saving, over days.
        alone: its own experts without baselines, where these are more than the network and
            were weighed beside what was joined; None where its first expert is alone.
    """

    experts: Sequence[tuple[int, Expert]]
    errors: Mapping[int, float]
    validation: Aggregated
    gain: float
    doubt: float
    alone: "Choice | None" = None

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
    return weigh(party, NetworkExpert(alone), tuned, alone.settings, seed)


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
        inputs: how the joined network sees the party, with every weekday named, where that is
            not how the party does.
    """
    found = []
    for level in range(1, deepest + 1):
        draw = party_seed(seed, f"{party.name}/refit", level)
        kept = layers_up_to(level, common_stem=common_stem)
        tuned = joined.refit(kept, joined.settings.refit_steps, draw)
        expert = NetworkExpert(tuned, inputs, every_weekday=inputs is not None)
        found.append(Joined(level, expert))
    return found


def weigh(
    party: Party,
    alone: Expert,
    joined: Sequence[Joined],
    training: TrainingSettings | None = None,
    seed: int = 0,
    own: Sequence[tuple[Expert, float]] | None = None,
) -> Choice:
    """Run the aggregate of a party's own experts and what was joined over the validation days.

    Args:
        training: of the service; what the party's own experts learn by.
        own: the party's own experts beside its network, with their priors, where they are
            fitted already; left out, those that its service names are fitted now.

    Raises:
        ExpertError: if an expert that the service names is unknown or not installed.
    """
    if own is None:
        own = own_experts(party, training or TrainingSettings(), seed)
    rest = OWN_WEIGHT - sum(prior for _, prior in own)
    models = [(alone, rest), *((one, prior) for one, prior in own if not one.baseline)]
    several = len(models) > 1 or not joined
    by_itself = _weigh(party, [(ALONE, *model) for model in models]) if several else None
    if by_itself is not None and not joined:
        return by_itself
    total = sum(one.weight for one in joined)
    experts = [(ALONE, alone, rest), *((ALONE, one, prior) for one, prior in own)]
    experts += [(one.level, one.expert, (1 - OWN_WEIGHT) * one.weight / total) for one in joined]
    return _weigh(party, experts, by_itself)


def _weigh(
    party: Party, experts: Sequence[tuple[int, Expert, float]], alone: Choice | None = None
) -> Choice:
    """The choice among experts (level, forecaster, prior), the first being learning alone."""
    samples, origins_B = party.data.validation, party.validation_origins
    chosen = [(level, expert) for level, expert, _ in experts]
    said_EBNH = said_by(chosen, samples, origins_B)
    begun = convened([prior for _, _, prior in experts], len(party.panel.places))
    validation = weighed(party, said_EBNH, samples, origins_B, begun)

    days_B = origins_B // party.panel.clock.steps_per_day
    said = [*said_EBNH, validation.forecast_BNH]
    said += [] if alone is None else [alone.validation.forecast_BNH]
    error_XD = _errors_by_day(party.metric, said, samples.truth_BNH, days_B)
    errors: dict[int, float] = {}
    for (level, _), error_D in zip(chosen, error_XD[: len(chosen)], strict=True):
        errors.setdefault(level, _mean(error_D))
    if alone is not None:
        errors[ALONE] = _mean(error_XD[-1])
    saved = error_XD[0 if alone is None else -1] - error_XD[len(chosen)]
    return Choice(
        experts=chosen,
        errors=errors,
        validation=validation,
        gain=_mean(saved),
        doubt=float(saved.std(ddof=1) / np.sqrt(len(saved))) if len(saved) > 1 else float("inf"),
        alone=alone,
    )


def _mean(by_day_D: Doubles) -> float:
    """NaN where there is no day."""
    return float(by_day_D.mean()) if len(by_day_D) else float("nan")


def weighed(
    party: Party,
    said_EBNH: Floats,
    samples: Samples,
    origins_B: Ints,
    council: Council,
) -> Aggregated:
    """The aggregate of what experts say of a party."""
    truth_BNH = samples.truth_BNH
    part_BH = parts_of_day(party.inputs.grid, origins_B, truth_BNH.shape[-1])
    return aggregate(said_EBNH, truth_BNH, origins_B, part_BH, council, party.metric.gradient)


def said_by(experts: Sequence[tuple[int, Expert]], samples: Samples, origins_B: Ints) -> Floats:
    """What each expert says, (E, B, N, H)."""
    return np.stack([expert.predict(samples, origins_B) for _, expert in experts])


def _errors_by_day(
    metric: Metric, said: Sequence[Floats], truth_BNH: Floats, days_B: Ints
) -> Doubles:
    """Error of each of X forecasters on each day (origins of one day count as one), (X, D).

    A day without a truth is left out; so is one with nothing to judge in any forecast. Where
    some of a day's forecasts give nothing to judge, those made no error.
    """
    found = np.array(
        [
            [metric.error(one[days_B == day], truth_BNH[days_B == day]) for one in said]
            for day in np.unique(days_B)
        ],
        np.float64,
    ).reshape(-1, len(said))
    known = np.isfinite(found).any(axis=1)
    return np.nan_to_num(found[known]).T
