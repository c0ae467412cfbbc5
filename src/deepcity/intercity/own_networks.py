"""From a run's choice to what an own package keeps, and from there to experts again.

Shapes: B origins, N places.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from deepcity.city.level import LADDER, STEM
from deepcity.data.panel import Panel
from deepcity.data.windows import Span
from deepcity.intercity.automatic import Choice
from deepcity.intercity.experts import Expert, Ridge, Seeing, Yesterday, typical
from deepcity.intercity.own_package import KeptExpert
from deepcity.intercity.parties import Party
from deepcity.learning.continual import Refined, memory_error, refine
from deepcity.learning.features import Inputs, Samples, scaled
from deepcity.learning.hearsay import named
from deepcity.learning.learner import EVERY_LAYER, Learner, PartyData
from deepcity.learning.training import TrainingSettings, party_seed

STEPS = 40  # optimizer steps of one refining, as `continual` in benchmarks/RESULTS.md took


@dataclass(frozen=True, eq=False)
class Ground:
    """A party's rows as they are now, and what its networks learned from.

    Attributes:
        inputs: fitted to the first training span.
        train, aside: spans of the targets learned from first, and of those kept aside.
        old_B, aside_B: origins of their rows.
    """

    name: str
    panel: Panel
    inputs: Inputs
    train: Span
    aside: Span
    old_B: NDArray[np.int64]
    aside_B: NDArray[np.int64]
    training: TrainingSettings
    seed: int


@dataclass(frozen=True)
class Own:
    """An expert that can be refined, or one without a network, which cannot.

    Attributes:
        aside: the old days kept aside, as its network sees them.
    """

    kept: KeptExpert
    expert: Expert
    aside: Samples | None = None

    @property
    def forgot(self) -> float:
        """Rise of its error on the days aside, as a share of its first."""
        if not isinstance(self.expert, Seeing) or self.aside is None or not self.kept.known > 0:
            return 0.0
        return memory_error(self.expert.learner, self.aside) / self.kept.known - 1


def kept_experts(party: Party, choice: Choice) -> tuple[KeptExpert, ...]:
    """A choice's experts as they are kept.

    Raises:
        TypeError: for an expert that nobody knows how to keep.
    """
    return tuple(_kept(party, level, expert) for level, expert in choice.experts)


def _kept(party: Party, level: int, expert: Expert) -> KeptExpert:
    if isinstance(expert, Seeing):
        inputs = expert.inputs or party.inputs
        aside = inputs.samples(party.validation_origins, until=party.split.validation.end)
        known = memory_error(expert.learner, aside)
        return KeptExpert(
            level,
            "network",
            layers=expert.learner.export(EVERY_LAYER),
            frozen=tuple(sorted(expert.learner.frozen)),
            scale_N1=inputs.scale_N1,
            named=inputs is not party.inputs,
            known=known if np.isfinite(known) else 0.0,  # no truth aside: nothing to forget
        )
    if isinstance(expert, Ridge):
        return KeptExpert(level, "ridge", recall_HS=expert.recall_HS)
    if isinstance(expert, Yesterday):
        return KeptExpert(level, "yesterday")
    if expert is typical:
        return KeptExpert(level, "typical")
    msg = f"{party.name}: an expert of level {level} cannot be kept: {expert}"
    raise TypeError(msg)


def experts_of(kept: Sequence[KeptExpert], ground: Ground) -> list[Own]:
    """Experts as they were.

    Raises:
        LayerPackageError: if layers do not fit the network that the party has now.
    """
    views: dict[tuple[bool, bytes], tuple[Inputs | None, PartyData]] = {}
    return [_own(one, ground, views) for one in kept]


def _own(
    kept: KeptExpert,
    ground: Ground,
    views: dict[tuple[bool, bytes], tuple[Inputs | None, PartyData]],
) -> Own:
    if kept.kind == "typical":
        return Own(kept, typical)
    if kept.kind == "yesterday":
        return Own(kept, Yesterday(ground.inputs))
    if kept.recall_HS is not None:
        return Own(kept, Ridge(kept.recall_HS))
    key = (kept.named, np.asarray(kept.scale_N1).tobytes())
    if key not in views:
        views[key] = _view(kept, ground)
    inputs, data = views[key]
    learner = Learner(data, ground.training, ground.seed, start=kept.layers, frozen=kept.frozen)
    return Own(kept, Seeing(learner, inputs), data.validation)


def _view(kept: KeptExpert, ground: Ground) -> tuple[Inputs | None, PartyData]:
    """How a network sees the party: in its scale, with the weekdays it knows by name."""
    inputs = named(ground.inputs) if kept.named else ground.inputs
    if kept.scale_N1 is not None and not np.array_equal(kept.scale_N1, inputs.scale_N1):
        inputs = replace(inputs, scale_N1=kept.scale_N1)
        inputs = scaled(inputs, ground.train, ground.panel.adjacency_NN)
    old = inputs.samples(ground.old_B, until=ground.train.end)
    aside = inputs.samples(ground.aside_B, until=ground.aside.end)
    data = PartyData(ground.name, old, aside, ground.inputs.recall_HS, share=ground.inputs.share)
    return None if inputs is ground.inputs else inputs, data


def refined(
    own: Own, ground: Ground, fresh_B: NDArray[np.int64], bound: float, number: int
) -> tuple[Own, float]:
    """An expert that has learned from fresh rows too, and how far it moved.

    Layers that were common stay as they were fused, so an expert whose every layer is common
    stays as it is; so do those without a network.
    """
    expert = own.expert
    if not isinstance(expert, Seeing) or set(own.kept.frozen) >= {STEM, *LADDER}:
        return own, 0.0
    inputs = expert.inputs or ground.inputs
    data = expert.learner.data
    found: Refined = refine(
        expert.learner,
        data.train,
        inputs.samples(fresh_B),
        data.validation,
        steps=STEPS,
        seed=party_seed(ground.seed, f"{ground.name}/refined/{own.kept.level}", number),
        bound=bound,
        known=own.kept.known,
    )
    kept = replace(own.kept, layers=found.learner.export(EVERY_LAYER))
    return Own(kept, replace(expert, learner=found.learner), own.aside), found.moved
