"""What a hostile member sends: each attack is a value, wrapped around an honest site."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from benchmarks.hostile_members.backdoor import backdoored
from deepcity.city.arrays import Floats
from deepcity.city.level import HEAD, Layers
from deepcity.exchange.exchange import Handler
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.party import JOIN, ROWS, TRAIN
from deepcity.parties.party import Party
from deepcity.runs.site import Site, SiteTask

Spoil = Callable[[Floats, np.random.Generator], Floats]
"""From an honest tensor to the one that is sent."""
GREATEST = 6e4  # of weights that pass the coordinator's screen


@dataclass(frozen=True)
class Attack:
    """An attack.

    Attributes:
        spoil: applied to every tensor of every update; None: sent as trained.
        rows: training rows claimed; None: the true ones.
        stale: whether the update of the first round is sent in all of them.
        flipped: whether it trains on values mirrored at its typical day.
        ratio: `residual_ratio` of the head it sends; None: the true one.
        backdoor: whether it trains on rows with a trigger, too.
        times_move: factor of how far its layers moved from those that it received.
        liars: how many members do so.
    """

    spoil: Spoil | None = None
    rows: float | None = None
    stale: bool = False
    flipped: bool = False
    ratio: float | None = None
    backdoor: bool = False
    times_move: float = 1.0
    liars: int = 1


def times(factor: float) -> Spoil:
    """Weights times a factor."""

    def spoil(tensor: Floats, _rng: np.random.Generator) -> Floats:
        with np.errstate(over="ignore"):
            return (tensor * np.float32(factor)).astype(np.float32)

    return spoil


def filled(value: float) -> Spoil:
    """Every weight that value."""
    return lambda tensor, _rng: np.full_like(tensor, value)


def noise(tensor: Floats, rng: np.random.Generator) -> Floats:
    """Noise ten times as large as the weights."""
    scale = 10 * float(np.sqrt(np.mean(tensor**2)) or 1.0)
    return (scale * rng.standard_normal(tensor.shape)).astype(np.float32)


def greatest(tensor: Floats, _rng: np.random.Generator) -> Floats:
    """The greatest weights that are not refused, in the signs of the true ones."""
    return np.copysign(np.float32(GREATEST), tensor)


ATTACKS: Mapping[str, Attack] = {
    "none": Attack(liars=0),
    "NaN": Attack(filled(float("nan"))),
    "infinity": Attack(filled(float("inf"))),
    "x100": Attack(times(100)),
    "x1000": Attack(times(1000)),
    "x1e12": Attack(times(1e12)),
    "greatest": Attack(greatest),
    "sign flip": Attack(times(-1)),
    "noise": Attack(noise),
    "stale replay": Attack(stale=True),
    "label flip": Attack(flipped=True),
    "x100, 1e12 rows": Attack(times(100), rows=1e12),
    "label flip, 1e12 rows": Attack(flipped=True, rows=1e12),
    "x100, 0 rows": Attack(times(100), rows=0),
    "share 1e30": Attack(ratio=1e30),
    "share 6e4": Attack(ratio=GREATEST),
    "share -1": Attack(ratio=-1.0),
    "backdoor": Attack(backdoor=True),
    "backdoor x5": Attack(backdoor=True, times_move=5.0),
    "reversed x5": Attack(times_move=-5.0),
    "pair x100": Attack(times(100), liars=2),
    "pair label flip": Attack(flipped=True, liars=2),
}
"""By name; `greatest` is the strongest that no check of values refuses."""


@dataclass
class HostileSite(Site):
    """A site that attacks in every training."""

    attack: Attack = field(default_factory=Attack)

    def join(self, task: SiteTask) -> Handler:
        """An honest handler, and the attack around it."""
        return Attacking(super().join(task), self.attack, self.seed)


@dataclass
class Attacking:
    """A handler whose answers are spoilt; no grant guards them."""

    inner: Handler
    attack: Attack
    seed: int
    first: Layers | None = None

    def handle(self, message: Message, caller: str) -> Message:
        """Answer as the attack does."""
        answer = self.inner.handle(message, caller)
        if message.verb == JOIN and self.attack.rows is not None:
            return replace(answer, numbers={**answer.numbers, ROWS: self.attack.rows})
        if message.verb != TRAIN:
            return answer
        self.first = self.first or answer.layers
        layers = self.first if self.attack.stale else answer.layers
        layers = moved(message.layers, layers, self.attack.times_move)
        return replace(answer, layers=self._spoilt(layers, int(message.numbers[ROUND])))

    def _spoilt(self, layers: Layers, number: int) -> Layers:
        rng, spoil = np.random.default_rng((self.seed, number)), self.attack.spoil
        if spoil is not None:
            layers = {
                layer: {name: spoil(tensor, rng) for name, tensor in tensors.items()}
                for layer, tensors in layers.items()
            }
        if self.attack.ratio is not None and HEAD in layers:
            head = layers[HEAD]
            ratio = np.full_like(head["residual_ratio"], self.attack.ratio)
            layers = {**layers, HEAD: {**head, "residual_ratio": ratio}}
        return layers


def moved(base: Layers, layers: Layers, factor: float) -> Layers:
    """Layers that moved so many times as far; those that were not received stay."""
    if factor == 1:
        return layers
    return {
        layer: {
            name: (base[layer][name] + np.float32(factor) * (tensor - base[layer][name]))
            if layer in base
            else tensor
            for name, tensor in tensors.items()
        }
        for layer, tensors in layers.items()
    }


def hostile(site: Site, attack: Attack) -> HostileSite:
    """The site as an attacker."""
    party = mirrored(site.party) if attack.flipped else site.party
    party = backdoored(party) if attack.backdoor else party
    return HostileSite(site.settings, party, site.seed, site.folder, attack=attack)


def mirrored(party: Party) -> Party:
    """The party with training values mirrored at its typical day."""
    train = party.data.train
    flipped = replace(train, truth_BNH=2 * train.baseline_BNH - train.truth_BNH)
    return replace(party, data=replace(party.data, train=flipped))
