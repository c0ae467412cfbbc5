"""One set, one seed: train together, then attack the first party's network."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

from benchmarks.joining.cases import service_of
from deepcity.audit.effort import FAST
from deepcity.audit.results import FORECAST, WindowLeak
from deepcity.audit.window.audit_layer import audit_layer
from deepcity.audit.window.network_releases import network_victim
from deepcity.audit.window.victim import Victim
from deepcity.city.level import MAX_LEVEL
from deepcity.data.panel import measured_end
from deepcity.data.windows import Span
from deepcity.intercity.method import Method
from deepcity.learning.networks.network import Network
from deepcity.parties.party import Party, parties_of
from deepcity.runs.trainings import train_parties

SETS = {
    "losloop": "traffic",
    "bikes": "bikes",
    "air": "fine dust",
    "metro": "metro",
}
"""Maps of `benchmarks/joining`, and what they are of."""
LAYERS = ("stem", "h1", "h3", "h5", FORECAST)
ORDER = ("h5", FORECAST, "h1", "h3", "stem")
"""The deepest layer and the floor first: what a run that is cut short should have."""
EFFORT = replace(FAST, training_rows=3_000, attacked_rows=3_000, mlp_steps=100)


@dataclass(frozen=True)
class Case:
    """One attack on one party's network."""

    set: str
    seed: int
    party: str
    leak: dict[str, object]

    def as_dict(self) -> dict[str, object]:
        """For a line of JSON."""
        return asdict(self)


def measure(name: str, seed: int) -> Iterator[list[Case]]:
    """Every attack, layer by layer."""
    service = service_of(name)
    parties = parties_of(service)
    method = Method("joined", {party.name: MAX_LEVEL for party in parties})
    _, learners = train_parties(service.settings, parties, seed, method)
    first, second = parties[:2]
    own = _victim(first, learners[first.name].network, seed)
    theirs = _victim(second, learners[second.name].network, seed)
    fits = theirs.learned.window_BNX.shape[-1] == own.learned.window_BNX.shape[-1]
    victim = replace(own, others=theirs.learned if fits else None)
    for layer in ORDER:
        yield [_case(name, seed, first, leak) for leak in audit_layer(victim, layer, EFFORT, seed)]


def _victim(party: Party, network: Network, seed: int) -> Victim:
    aside = Span(party.split.validation.start, measured_end(party.inputs.values_TN))
    return network_victim(network, party.inputs, party.split.train, aside, EFFORT, seed)


def _case(name: str, seed: int, party: Party, leak: WindowLeak) -> Case:
    return Case(name, seed, party.name, leak.model_dump(mode="json"))
