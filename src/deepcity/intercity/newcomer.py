"""A city that joins late: it starts from the map's layers on its first day and sends nothing.

The layers that others learned together are its start; best those that they have practised
for newcomers (`deepcity.intercity.practice`). With a common stem it forecasts at once
(zero-shot) from its own typical day; with a private stem it first trains that stem under
their hidden layers and head. Then it tries every reuse level and weighs them with what it
has of its own, as every party does (`deepcity.intercity.automatic`), and refines as its days
come in. Days so few that no window is whole are learned from in part
(`deepcity.learning.known_in_part`); where they leave none to choose by, all begin with their
weights before any truth.

Two more experts cost it no training: the joined network in the scale that others report
(a first day cannot tell how far values stray from a typical day), and its own ridge drawn
towards what the others recall, from its own rows.
"""

from dataclasses import replace

import numpy as np

from deepcity.city.arrays import Floats
from deepcity.city.level import HEAD, MAX_LEVEL, STEM, Layers
from deepcity.exchange.rounds import Progress
from deepcity.intercity.automatic import Choice, Joined, levels, weigh
from deepcity.intercity.map_settings import ServiceSettings
from deepcity.intercity.parties import Party, learned_rows
from deepcity.learning.experts.network import NetworkExpert
from deepcity.learning.experts.ridge import Ridge
from deepcity.learning.features import Inputs
from deepcity.learning.hearsay import named, told
from deepcity.learning.learner import Learner
from deepcity.learning.recall import blended_ridge, fading
from deepcity.learning.training import party_seed

FIRST_STEPS = 2  # times the steps of trying a level: a stem begins from nothing
# Before any truth, relative to a level that was tuned: few days tune badly, so the network as
# it came (the deepest level) weighs as much as all that were.
AS_IT_CAME, IN_THEIR_SCALE, RIDGE = 5.0, 5.0, 2.0


def common_layers(progress: Progress) -> Layers:
    """The layers a federation has in common after its last round."""
    return progress.state.layers


def join_late(party: Party, settings: ServiceSettings, layers: Layers, seed: int) -> Learner:
    """The newcomer's learner, with every common layer as it came.

    Raises:
        LayerPackageError: if the layers do not fit its network.
    """
    learner = Learner(party.data, settings.training, seed, start=layers)
    if STEM in layers or HEAD not in layers:
        return learner
    steps = FIRST_STEPS * settings.training.refit_steps
    return learner.refit(layers, steps, party_seed(seed, f"{party.name}/stem", 0))


def choose_late(
    party: Party, alone: Learner, settings: ServiceSettings, layers: Layers, seed: int
) -> Choice:
    """Every level from the layers that came, and what else they teach, weighed with alone.

    Raises:
        LayerPackageError: if the layers do not fit the party's network.
    """
    stem, split = STEM in layers, party.split
    inputs = named(party.inputs) if stem else party.inputs
    joined = join_late(_as_seen(party, inputs, settings), settings, layers, seed)
    shown = inputs if stem else None
    tuned = levels(party, joined, MAX_LEVEL, seed, common_stem=stem, inputs=shown)
    tuned[-1] = replace(tuned[-1], weight=AS_IT_CAME)
    own, training = NetworkExpert(alone), settings.training
    if not stem:
        return weigh(party, own, tuned, training, seed)
    share = float(np.ravel(layers[HEAD]["share"])[0])
    heard = told(party.inputs, share, split.train, party.panel.adjacency_NN)
    ridge = seasoned_ridge(party, np.asarray(layers[HEAD]["recall"]))
    more = [
        Joined(MAX_LEVEL, NetworkExpert(joined, heard, every_weekday=True), IN_THEIR_SCALE),
        Joined(MAX_LEVEL, ridge, RIDGE),
    ]
    return weigh(party, own, [*tuned, *more], training, seed)


def seasoned_ridge(party: Party, recall_HS: Floats) -> Ridge:
    """The party's own ridge fits, some of them drawn towards what others recall."""
    train, validation = party.data.train, party.data.validation
    if not np.isfinite(validation.truth_BNH).any():  # nothing says whether own rows know better
        return Ridge(recall_HS)
    horizon, size = recall_HS.shape
    beliefs = fading(horizon, party.inputs.settings.leads, size)
    own_HS = blended_ridge(
        (train.summaries_BNHS, train.target_BNH),
        (validation.summaries_BNHS, validation.target_BNH),
        (recall_HS, *beliefs),
    )
    return Ridge(own_HS)


def _as_seen(party: Party, inputs: Inputs, settings: ServiceSettings) -> Party:
    """The party with samples of other inputs."""
    if inputs is party.inputs:
        return party
    stride = 1 if party.scarce else settings.training.stride
    split = party.split
    train = learned_rows(inputs, split.train, stride, newcomer=party.newcomer)
    validation = inputs.samples(party.validation_origins, until=split.validation.end)
    return replace(party, data=replace(party.data, train=train, validation=validation))
