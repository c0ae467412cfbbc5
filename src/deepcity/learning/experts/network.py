"""A network as an expert, on the party's samples or on those of inputs of its own.

Shapes: B origins, N places, H horizon steps.
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from deepcity.city.arrays import Floats, Ints
from deepcity.city.errors import ExpertError, LayerPackageError
from deepcity.city.level import LADDER, STEM, Layers
from deepcity.learning.experts.expert import Arrays, Expert, ExpertData, FreshRows, part
from deepcity.learning.features.cold_start_scaling import with_all_weekdays
from deepcity.learning.features.inputs import Inputs, Samples, with_scale
from deepcity.learning.training.continual import refine
from deepcity.learning.training.learner import EVERY_LAYER, Learner, PartyData

STEPS = 40  # optimizer steps of one update, as `continual` in benchmarks/RESULTS.md took


@dataclass(frozen=True)
class NetworkExpert(Expert):
    """A party's network.

    Attributes:
        inputs: its own, with another scale than the party's; None: the party's.
        every_weekday: whether each weekday is encoded, also one that training saw only once.
    """

    learner: Learner
    inputs: Inputs | None = None
    every_weekday: bool = False
    kind: ClassVar[str] = "network"

    @classmethod
    def fit(cls, data: ExpertData) -> Self:
        """Train locally for all rounds; keep the state with the least validation error."""
        learner = Learner(network_rows(data, data.inputs), data.training, data.seed)
        for number in range(data.training.rounds):
            learner.train_round(number)
            learner.receive({})
        learner.keep_best()
        return cls(learner)

    def predict(self, samples: Samples, origins_B: Ints) -> Floats:
        """Forecasts, (B, N, H)."""
        own = samples if self.inputs is None else self.inputs.samples(origins_B)
        return self.learner.forecast(own)

    def update(self, data: ExpertData, fresh: FreshRows) -> tuple[Self, float]:
        """Train on fresh rows among old ones, and forget no more than the bound.

        Federated layers stay frozen, so a network of federated layers alone does not change.
        """
        if self.learner.frozen >= {STEM, *LADDER}:
            return self, 0.0
        inputs = self.inputs or data.inputs
        found = refine(
            self.learner,
            self.learner.data.train,
            inputs.samples(fresh.origins_B),
            self.learner.data.validation,
            steps=STEPS,
            seed=fresh.seed,
            bound=fresh.bound,
            known=fresh.known,
        )
        return replace(self, learner=found.learner), found.moved

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Every layer, which of them are frozen, and the scale of its inputs."""
        layers = self.learner.export(EVERY_LAYER)
        found: dict[str, NDArray[Any]] = {
            f"{layer}/{name}": tensor
            for layer, tensors in layers.items()
            for name, tensor in tensors.items()
        }
        found["frozen"] = np.array([layer in self.learner.frozen for layer in EVERY_LAYER])
        found["every_weekday"] = np.array([self.every_weekday])
        scaled = self.learner.data.train if self.inputs is None else self.inputs
        found["scale_N1"] = scaled.scale_N1
        return found

    @classmethod
    def from_arrays(cls, arrays: Arrays, data: ExpertData) -> Self:
        """From layers that fit a network of the party's present sizes."""
        frozen = part(cls, arrays, "frozen", np.bool_, (len(EVERY_LAYER),))
        every = bool(part(cls, arrays, "every_weekday", np.bool_, (1,))[0])
        shape = data.inputs.scale_N1.shape
        inputs, rows = _view(data, part(cls, arrays, "scale_N1", np.float32, shape), every=every)
        kept = [layer for layer, is_frozen in zip(EVERY_LAYER, frozen, strict=True) if is_frozen]
        try:
            learner = Learner(rows, data.training, data.seed, start=_layers(arrays), frozen=kept)
        except LayerPackageError as error:
            raise ExpertError(f"expert {cls.kind!r}: {error}") from error
        return cls(learner, None if inputs is data.inputs else inputs, every)


def _layers(arrays: Arrays) -> Layers:
    layers: dict[str, dict[str, Floats]] = {layer: {} for layer in EVERY_LAYER}
    for key, tensor in arrays.items():
        layer, _, name = key.partition("/")
        if layer in layers and name:
            layers[layer][name] = tensor
    return layers


def _view(data: ExpertData, scale_N1: Floats, *, every: bool) -> tuple[Inputs, PartyData]:
    """The party's inputs in the network's own scale, and rows; networks of one scale share them."""
    key = bytes([every]) + scale_N1.tobytes()
    if key not in data.views:
        inputs = with_all_weekdays(data.inputs) if every else data.inputs
        if not np.array_equal(scale_N1, inputs.scale_N1):
            inputs = replace(inputs, scale_N1=scale_N1)
            inputs = with_scale(inputs, data.train, data.panel.adjacency_NN)
        data.views[key] = inputs, network_rows(data, inputs)
    return data.views[key]


def network_rows(data: ExpertData, inputs: Inputs) -> PartyData:
    """Training and validation rows; the ridge skip connection starts as the party's ridge."""
    old = inputs.samples(data.train_B, until=data.train.end)
    aside = inputs.samples(data.aside_B, until=data.aside.end)
    ridge_HS, ratio = data.inputs.ridge_skip_HS, data.inputs.residual_ratio
    return PartyData(data.party, old, aside, ridge_HS, residual_ratio=ratio)


EXPERT = NetworkExpert
