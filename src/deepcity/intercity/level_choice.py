"""Choice of the reuse level: every level is an expert of one online ensemble.

Two trainings are run once: alone, and joined at the deepest level granted. From the joined
network each party tries every level k: it keeps h1..hk as fused, and fine-tunes the rest on its
own rows for a few steps, without any communication. So all levels together cost far less than
one training each.

Alone and every level are then experts of one forecast
(`deepcity.learning.ensemble.multi_view_ensemble`).
Joined experts start with half of the weight; the party's own experts share the other half: its
network, and the experts that its service names (`deepcity.learning.experts`), each with a prior
of its own. Usually these are the typical day with a tenth and, where fewer than three days are
known, yesterday with a twentieth. They are baselines, which guard against poor joined experts:
learning alone is the ensemble of the network and those experts that are not baselines.
Weights are updated by each expert's regret, first over the validation days and then from day to
day as truths come in. So a party is never much worse than alone, whatever the others send, and
a level that few validation days misjudged is corrected later. The reported level is the one
with most weight after the validation days; 0 where the own experts have over half of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from deepcity.applications.metric import Metric
from deepcity.city.arrays import Doubles, Floats, Ints
from deepcity.city.level import ALONE, layers_up_to
from deepcity.learning.ensemble.multi_view_ensemble import (
    EnsembleForecast,
    MultiViewEnsemble,
    init_ensemble,
)
from deepcity.learning.experts.expert import Expert
from deepcity.learning.experts.network import NetworkExpert
from deepcity.learning.features.inputs import Inputs
from deepcity.learning.training.learner import Learner
from deepcity.learning.training.local_training import TrainingSettings, party_seed
from deepcity.parties.ensemble import OWN_WEIGHT, expert_forecasts, run_party_ensemble
from deepcity.parties.own_experts import own_experts
from deepcity.parties.party import Party

_ROUNDING = 1e-9  # before any update the own experts have exactly half


@dataclass(frozen=True)
class JoinedExpert:
    """One expert made from the others' layers.

    Attributes:
        level: the reuse level it counts for.
        weight: prior, relative to the party's other joined experts.
    """

    level: int
    expert: Expert
    weight: float = 1.0


@dataclass(frozen=True)
class LevelChoice:
    """A party's experts with their weights and validation errors.

    Attributes:
        experts: (level, expert), level 0 for the party's own; the first is learning alone.
            Several may count for one level.
        errors: level -> validation error of its first expert by the party's metric, mean over
            days; NaN where no validation truth is known.
        validation: the ensemble's forecasts of the validation days, and its state after them.
        gain: reduction of the validation error by the ensemble against alone.
        standard_error: of that gain, over days.
        alone: ensemble of its own experts without baselines, where these are more than the
            network and there are joined experts too; None where its first expert is alone.
    """

    experts: Sequence[tuple[int, Expert]]
    errors: Mapping[int, float]
    validation: EnsembleForecast
    gain: float
    standard_error: float
    alone: "LevelChoice | None" = None

    @property
    def weights(self) -> dict[int, float]:
        """Weight of each level after the validation days."""
        return self.by_level(self.validation.ensemble)

    @property
    def level(self) -> int:
        """The level with most weight after the validation days; 0 where alone has over half."""
        weights = self.weights
        if len(weights) == 1 or weights[ALONE] > OWN_WEIGHT + _ROUNDING:
            return ALONE
        joined = [level for level in weights if level != ALONE]
        return max(joined, key=lambda level: (weights[level], level))

    def by_level(self, ensemble: MultiViewEnsemble) -> dict[int, float]:
        """An ensemble's weights, summed by level."""
        found: dict[int, float] = {}
        for (level, _), weight in zip(self.experts, ensemble.weights_E, strict=True):
            found[level] = found.get(level, 0.0) + float(weight)
        return found

    def first(self, level: int) -> Expert:
        """The first expert of a level: the network tuned for it, or learning alone.

        Raises:
            KeyError: if there is no expert of that level.
        """
        for found, expert in self.experts:
            if found == level:
                return expert
        raise KeyError(level)

    def forecast(self, party: Party) -> EnsembleForecast:
        """Forecasts of the party's test days, in order of time.

        Weights are updated by the truths of earlier origins, each once it is known. Forecasts
        below what the field can be are raised to it.
        """
        values_TN = party.inputs.values_TN
        expert_EBNH = expert_forecasts(self.experts, party.test, party.test_origins, values_TN)
        found = run_party_ensemble(
            party, expert_EBNH, party.test, party.test_origins, self.validation.ensemble
        )
        least = np.float32(party.floor)
        return replace(found, forecast_BNH=np.maximum(found.forecast_BNH, least))


def choose_level(
    party: Party,
    alone: Learner,
    joined: Learner,
    deepest: int,
    seed: int,
    *,
    common_stem: bool = False,
) -> LevelChoice:
    """Tune every level up to `deepest` from the joined network, and weigh them against alone.

    Args:
        alone: trained at level 0, at its best state.
        joined: trained at level `deepest`, at its best state.
    """
    tuned = tuned_levels(party, joined, deepest, seed, common_stem=common_stem)
    return weigh_experts(party, NetworkExpert(alone), tuned, alone.settings, seed)


def tuned_levels(
    party: Party,
    joined: Learner,
    deepest: int,
    seed: int,
    *,
    common_stem: bool = False,
    inputs: Inputs | None = None,
) -> list[JoinedExpert]:
    """Every level up to `deepest`, tuned from the joined network.

    Args:
        inputs: of the joined network, with every weekday encoded, where these differ from the
            party's own.
    """
    found = []
    for level in range(1, deepest + 1):
        refit_seed = party_seed(seed, f"{party.name}/refit", level)
        kept = layers_up_to(level, common_stem=common_stem)
        tuned = joined.refit(kept, joined.settings.refit_steps, refit_seed)
        expert = NetworkExpert(tuned, inputs, every_weekday=inputs is not None)
        found.append(JoinedExpert(level, expert))
    return found


def weigh_experts(
    party: Party,
    alone: Expert,
    joined: Sequence[JoinedExpert],
    training: TrainingSettings | None = None,
    seed: int = 0,
    own: Sequence[tuple[Expert, float]] | None = None,
) -> LevelChoice:
    """Run the ensemble of a party's own and joined experts over the validation days.

    Args:
        training: settings that the party's own experts are fitted with.
        own: the party's own experts beside its network, with their priors; None: those that its
            service names are fitted now.

    Raises:
        ExpertError: if an expert that the service names is unknown or not installed.
    """
    if own is None:
        own = own_experts(party, training or TrainingSettings(), seed)
    rest = OWN_WEIGHT - sum(prior for _, prior in own)
    models = [(alone, rest), *((one, prior) for one, prior in own if not one.baseline)]
    separate = len(models) > 1 or not joined
    own_choice = _weigh(party, [(ALONE, *model) for model in models]) if separate else None
    if own_choice is not None and not joined:
        return own_choice
    total = sum(one.weight for one in joined)
    experts = [(ALONE, alone, rest), *((ALONE, one, prior) for one, prior in own)]
    experts += [(one.level, one.expert, (1 - OWN_WEIGHT) * one.weight / total) for one in joined]
    return _weigh(party, experts, own_choice)


def _weigh(
    party: Party, experts: Sequence[tuple[int, Expert, float]], alone: LevelChoice | None = None
) -> LevelChoice:
    """The choice among experts (level, expert, prior), the first being learning alone."""
    samples, origins_B = party.data.validation, party.validation_origins
    chosen = [(level, expert) for level, expert, _ in experts]
    forecast_EBNH = expert_forecasts(chosen, samples, origins_B, party.inputs.values_TN)
    priors, places = [prior for _, _, prior in experts], len(party.panel.places)
    begun = init_ensemble(priors, places, np.array([level != ALONE for level, _ in chosen]))
    validation = run_party_ensemble(party, forecast_EBNH, samples, origins_B, begun)

    days_B = origins_B // party.panel.clock.steps_per_day
    expert_EBNH = [*forecast_EBNH, validation.forecast_BNH]
    expert_EBNH += [] if alone is None else [alone.validation.forecast_BNH]
    error_XD = _errors_by_day(party.metric, expert_EBNH, samples.truth_BNH, days_B)
    errors: dict[int, float] = {}
    for (level, _), error_D in zip(chosen, error_XD[: len(chosen)], strict=True):
        errors.setdefault(level, _mean(error_D))
    if alone is not None:
        errors[ALONE] = _mean(error_XD[-1])
    saved = error_XD[0 if alone is None else -1] - error_XD[len(chosen)]
    return LevelChoice(
        experts=chosen,
        errors=errors,
        validation=validation,
        gain=_mean(saved),
        standard_error=float(saved.std(ddof=1) / np.sqrt(len(saved)))
        if len(saved) > 1
        else float("inf"),
        alone=alone,
    )


def _mean(by_day_D: Doubles) -> float:
    """NaN where there is no day."""
    return float(by_day_D.mean()) if len(by_day_D) else float("nan")


def _errors_by_day(
    metric: Metric, expert_EBNH: Sequence[Floats], truth_BNH: Floats, days_B: Ints
) -> Doubles:
    """Error of each of X forecasters on each day (origins of one day count as one), (X, D).

    A day without a truth is left out, and so is one on which no forecast has a defined error.
    Where only some have none, theirs counts as 0.
    """
    found = np.array(
        [
            [metric.error(one[days_B == day], truth_BNH[days_B == day]) for one in expert_EBNH]
            for day in np.unique(days_B)
        ],
        np.float64,
    ).reshape(-1, len(expert_EBNH))
    known = ~np.isnan(found).all(axis=1)
    return np.nan_to_num(found[known], posinf=np.inf).T
