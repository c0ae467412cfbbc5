"""A city that joins late: it starts from the map's layers on its first day and sends nothing.

The layers that others learned together are its start. With a common stem it forecasts at
once (zero-shot) from its own typical day; with a private stem it first trains that stem
under their hidden layers and head. Then it tries every reuse level and weighs them with
what it has of its own, as every party does (`deepcity.intercity.automatic`), and refines
as its days come in.
"""

from deepcity.city.level import HEAD, STEM, Layers
from deepcity.exchange.rounds import Progress
from deepcity.intercity.map_settings import ServiceSettings
from deepcity.intercity.parties import Party
from deepcity.learning.learner import Learner
from deepcity.learning.training import party_seed

FIRST_STEPS = 2  # times the steps of trying a level: a stem begins from nothing


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
