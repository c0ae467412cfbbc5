"""A network as an expert, shown the party's samples or those of inputs of its own.

Shapes: B origins, N places, H horizon steps.
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from deepcity.city.arrays import Floats, Ints
from deepcity.city.errors import ExpertError, LayerPackageError
from deepcity.city.level import LADDER, STEM, Layers
from deepcity.learning.continual import refine
from deepcity.learning.experts.expert import Arrays, Expert, ExpertData, FreshRows, part
from deepcity.learning.features import Inputs, Samples, scaled
from deepcity.learning.hearsay import named
from deepcity.learning.learner import EVERY_LAYER, Learner, PartyData

STEPS = 40  # optimizer steps of one update, as `continual` in benchmarks/RESULTS.md took


@dataclass(frozen=True)
class NetworkExpert(Expert):
    """A party's network.

    Attributes:
        inputs: how it sees the party, where that is not how the party does.
        every_weekday: whether it knows every weekday, also those the party met but once.
    """

    learner: Learner
    inputs: Inputs | None = None
    every_weekday: bool = False
    kind: ClassVar[str] = "network"

    @classmethod
    def fit(cls, data: ExpertData) -> Self:
        """Learn alone, for all rounds; the state that errs least on the rows aside is kept."""
        learner = Learner(_rows(data, data.inputs), data.training, data.seed)
        for number in range(data.training.rounds):
            learner.train_round(number)
            learner.receive({})
        learner.keep_best()
        return cls(learner)

    def predict(self, samples: Samples, origins_B: Ints) -> Floats:
        """Forecasts, (B, N, H)."""
        shown = samples if self.inputs is None else self.inputs.samples(origins_B)
        return self.learner.forecast(shown)

    def update(self, data: ExpertData, fresh: FreshRows) -> tuple[Self, float]:
        """Learn from fresh rows among old ones, and forget no more than the bound.

        Layers that were common stay as they were fused, so one whose every layer is common
        stays as it is.
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
        """Every layer, which of them are frozen, and how it sees the party."""
        layers = self.learner.export(EVERY_LAYER)
        found: dict[str, NDArray[Any]] = {
            f"{layer}/{name}": tensor
            for layer, tensors in layers.items()
            for name, tensor in tensors.items()
        }
        found["frozen"] = np.array([layer in self.learner.frozen for layer in EVERY_LAYER])
        found["every_weekday"] = np.array([self.every_weekday])
        seen = self.learner.data.train if self.inputs is None else self.inputs
        found["scale_N1"] = seen.scale_N1
        return found

    @classmethod
    def from_arrays(cls, arrays: Arrays, data: ExpertData) -> Self:
        """From layers that fit the network which the party would have now."""
        frozen = part(cls, arrays, "frozen", np.bool_, (len(EVERY_LAYER),))
        every = bool(part(cls, arrays, "every_weekday", np.bool_, (1,))[0])
        shape = data.inputs.scale_N1.shape
        inputs, rows = _seen(data, part(cls, arrays, "scale_N1", np.float32, shape), every=every)
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


def _seen(data: ExpertData, scale_N1: Floats, *, every: bool) -> tuple[Inputs, PartyData]:
    """The party in a scale of the network's own, with the weekdays that it knows.

    Networks that see alike share their rows.
    """
    key = bytes([every]) + scale_N1.tobytes()
    if key not in data.views:
        inputs = named(data.inputs) if every else data.inputs
        if not np.array_equal(scale_N1, inputs.scale_N1):
            inputs = replace(inputs, scale_N1=scale_N1)
            inputs = scaled(inputs, data.train, data.panel.adjacency_NN)
        data.views[key] = inputs, _rows(data, inputs)
    return data.views[key]


def _rows(data: ExpertData, inputs: Inputs) -> PartyData:
    """What a network learns from and is held against; its head begins with the party's ridge."""
    old = inputs.samples(data.train_B, until=data.train.end)
    aside = inputs.samples(data.aside_B, until=data.aside.end)
    return PartyData(data.party, old, aside, data.inputs.recall_HS, share=data.inputs.share)


EXPERT = NetworkExpert
