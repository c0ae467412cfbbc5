"""A party's own experts: those that need no other party."""

from deepcity.learning.experts.expert import Expert, ExpertData, expert_of
from deepcity.learning.experts.network import NetworkExpert
from deepcity.learning.features.inputs import train_origins
from deepcity.learning.training.local_training import TrainingSettings
from deepcity.parties.party import Party

MAX_PRIOR = 0.3  # sum of the priors of all own experts but the network, of the own half of 0.5


def expert_data(party: Party, training: TrainingSettings, seed: int) -> ExpertData:
    """A party's rows as its experts see them."""
    window, train = party.inputs.settings, party.split.train
    return ExpertData(
        party=party.name,
        panel=party.panel,
        inputs=party.inputs,
        train=train,
        aside=party.split.validation,
        train_B=train_origins(window, train, partly=party.newcomer),
        aside_B=party.validation_origins,
        training=training,
        seed=seed,
        weather=party.weather,
    )


def own_experts(party: Party, training: TrainingSettings, seed: int) -> list[tuple[Expert, float]]:
    """The experts that a party's service names beside its network, fitted, with their priors.

    Raises:
        ExpertError: if one is unknown or not installed.
    """
    data = expert_data(party, training, seed)
    kinds = [expert_of(kind) for kind in party.experts if kind != NetworkExpert.kind]
    chosen = [(kind, kind.prior(data)) for kind in kinds]
    total = sum(prior for _, prior in chosen)
    scale = MAX_PRIOR / total if total > MAX_PRIOR else 1.0
    return [(kind.fit(data), scale * prior) for kind, prior in chosen if prior > 0]
