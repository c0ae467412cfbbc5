"""Cold start of a newcomer: it starts from the shared layers, and sends nothing.

It starts from the layers that the members trained, best those after episodic training
(`deepcity.runs.episodic_training`). With a common stem it forecasts at once (zero-shot) from its
own typical day; with a private stem it first trains that stem below their hidden layers and
head. Then it tries every reuse level and weighs them against its own experts, as every party
does (`deepcity.intercity.level_choice`), and is updated as its days come in. With too few days
for a whole window it trains on partial ones (`deepcity.learning.features.partial_windows`); with
none left to validate on, all experts keep their priors.

Two more experts need no training: the joined network in the scale that members report (a first
day is too short to estimate the residuals' scale), and its own ridge shrunk towards the members'.
"""

from dataclasses import replace

import numpy as np

from deepcity.city.arrays import Floats
from deepcity.city.level import HEAD, MAX_LEVEL, STEM, Layers
from deepcity.exchange.rounds import Progress
from deepcity.intercity.level_choice import (
    JoinedExpert,
    LevelChoice,
    tuned_levels,
    weigh_experts,
)
from deepcity.learning.experts.network import NetworkExpert
from deepcity.learning.experts.ridge import Ridge
from deepcity.learning.features.cold_start_scaling import shrink_scale, with_all_weekdays
from deepcity.learning.features.inputs import Inputs
from deepcity.learning.features.ridge_skip import blended_ridge, decay_priors
from deepcity.learning.training.learner import Learner
from deepcity.learning.training.local_training import party_seed
from deepcity.maps.map_settings import ServiceSettings
from deepcity.parties.party import Party, training_samples

FIRST_STEPS = 2  # times `refit_steps`: the stem is trained from random weights
# Priors relative to a tuned level: tuning on few days is poor, so the network as received (the
# deepest level) weighs as much as all tuned ones.
UNTUNED_WEIGHT, SHARED_SCALE_WEIGHT, RIDGE_WEIGHT = 5.0, 5.0, 2.0


def common_layers(progress: Progress) -> Layers:
    """The shared layers of a federation after its last round."""
    return progress.state.layers


def start_newcomer(party: Party, settings: ServiceSettings, layers: Layers, seed: int) -> Learner:
    """The newcomer's learner, with every shared layer as received.

    Raises:
        LayerPackageError: if the layers do not fit its network.
    """
    learner = Learner(party.data, settings.training, seed, start=layers)
    if STEM in layers or HEAD not in layers:
        return learner
    steps = FIRST_STEPS * settings.training.refit_steps
    return learner.refit(layers, steps, party_seed(seed, f"{party.name}/stem", 0))


def choose_newcomer_level(
    party: Party, alone: Learner, settings: ServiceSettings, layers: Layers, seed: int
) -> LevelChoice:
    """All levels tuned from the received layers, and two more experts, weighed against alone.

    Raises:
        LayerPackageError: if the layers do not fit the party's network.
    """
    stem, split = STEM in layers, party.split
    inputs = with_all_weekdays(party.inputs) if stem else party.inputs
    joined = start_newcomer(_with_inputs(party, inputs, settings), settings, layers, seed)
    shown = inputs if stem else None
    tuned = tuned_levels(party, joined, MAX_LEVEL, seed, common_stem=stem, inputs=shown)
    tuned[-1] = replace(tuned[-1], weight=UNTUNED_WEIGHT)
    own, training = NetworkExpert(alone), settings.training
    if not stem:
        return weigh_experts(party, own, tuned, training, seed)
    residual_ratio = float(np.ravel(layers[HEAD]["residual_ratio"])[0])
    shared_scale_inputs = shrink_scale(
        party.inputs, residual_ratio, split.train, party.panel.adjacency_NN
    )
    ridge = shrunk_ridge_expert(party, np.asarray(layers[HEAD]["ridge_skip"]))
    more = [
        JoinedExpert(
            MAX_LEVEL,
            NetworkExpert(joined, shared_scale_inputs, every_weekday=True),
            SHARED_SCALE_WEIGHT,
        ),
        JoinedExpert(MAX_LEVEL, ridge, RIDGE_WEIGHT),
    ]
    return weigh_experts(party, own, [*tuned, *more], training, seed)


def shrunk_ridge_expert(party: Party, ridge_skip_HS: Floats) -> Ridge:
    """The party's own ridge fit, shrunk towards the members' coefficients `ridge_skip_HS`."""
    train, validation = party.data.train, party.data.validation
    if not np.isfinite(validation.truth_BNH).any():  # own fit cannot be validated
        return Ridge(ridge_skip_HS)
    horizon, size = ridge_skip_HS.shape
    priors = decay_priors(horizon, party.inputs.settings.leads, size)
    own_HS = blended_ridge(
        (train.linear_BNHS, train.target_BNH),
        (validation.linear_BNHS, validation.target_BNH),
        (ridge_skip_HS, *priors),
    )
    return Ridge(own_HS)


def _with_inputs(party: Party, inputs: Inputs, settings: ServiceSettings) -> Party:
    """The party with samples built from other inputs."""
    if inputs is party.inputs:
        return party
    stride = 1 if party.scarce else settings.training.stride
    split = party.split
    train = training_samples(inputs, split.train, stride, newcomer=party.newcomer)
    validation = inputs.samples(party.validation_origins, until=split.validation.end)
    return replace(party, data=replace(party.data, train=train, validation=validation))
