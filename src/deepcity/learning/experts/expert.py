"""The contract of an expert: a forecaster of one party, one member of its ensemble.

A new expert is one new file beside this one that sets `EXPERT` to its class; the folder is
the registry, and a map names it by its `kind` (`experts` of a service). It subclasses
`Expert` and writes four methods: `fit`, `predict`, `to_arrays` and `from_arrays`. One that
can learn from rows that come after a run writes `update` too.

Shapes: B origins, N places, H horizon steps.
"""

import importlib
import importlib.util
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

import deepcity.learning.experts
from deepcity.city.arrays import Floats, Ints
from deepcity.city.clock import DAY_S
from deepcity.city.errors import ExpertError
from deepcity.data.panel import Panel
from deepcity.data.windows import Span
from deepcity.learning.features.inputs import Inputs, Samples
from deepcity.learning.training.learner import PartyData
from deepcity.learning.training.local_training import TrainingSettings, validation_score

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class ExpertData:
    """A party's rows, and the part of them that its experts learn from.

    Attributes:
        party: its name, "city/agency".
        panel: its records as they are now.
        inputs: fitted to the span learned from.
        train, aside: spans of the targets learned from, and of those kept aside, which are
            never learned from: levels are chosen by them, and forgetting is measured.
        train_B, aside_B: origins of their rows.
        weather: temperature and rain on the panel's steps, known through any forecast.
        seed: of all random draws.
        views: rows by scale, for networks with a scale of their own; those of one scale share
            them.
    """

    party: str
    panel: Panel
    inputs: Inputs
    train: Span
    aside: Span
    train_B: Ints
    aside_B: Ints
    training: TrainingSettings
    seed: int = 0
    weather: Panel | None = None
    views: dict[bytes, tuple[Inputs, PartyData]] = field(default_factory=dict)

    @property
    def known_days(self) -> float:
        """Days learned from and kept aside."""
        return (self.aside.end - self.train.start) * self.panel.clock.step_s / DAY_S

    @cached_property
    def kept_aside(self) -> Samples:
        """The rows that are never learned from."""
        return self.inputs.samples(self.aside_B, until=self.aside.end)


@dataclass(frozen=True, eq=False)
class FreshRows:
    """Rows that have come since an expert learned, and how much it may forget for them.

    Attributes:
        origins_B: whose targets are all known.
        bound: by how much the error on the rows kept aside may rise, as a share of `known`.
        known: the error on them that forgetting counts from.
        seed: of this update's random draws.
    """

    origins_B: Ints
    bound: float
    known: float
    seed: int


class Expert(Protocol):
    """A fitted forecaster. It sees nothing at or after an origin, and never leaves its party.

    Attributes:
        kind: how a map names it, and what a package keeps it under.
        baseline: whether it is a naive forecast: a safeguard beside federated networks, and no
            part of local training alone.
        extra: of `pip install 'deepcity[...]'` and the module it needs, if it needs one.
    """

    kind: ClassVar[str]
    baseline: ClassVar[bool] = False
    extra: ClassVar[tuple[str, str] | None] = None

    @classmethod
    def prior(cls, data: ExpertData) -> float:
        """Its prior ensemble weight, on a scale where all federated networks together have 0.5.

        0 where there are too few rows to fit it: then it is left out.
        """
        return 0.1 if len(data.train_B) else 0.0

    @classmethod
    def fit(cls, data: ExpertData) -> Self:
        """Learn from the rows of the training span alone."""
        raise NotImplementedError

    def predict(self, samples: Samples, origins_B: Ints) -> Floats:
        """Forecasts in the field's unit, (B, N, H), all finite.

        Args:
            samples: the party's inputs for these origins.
        """
        raise NotImplementedError

    def update(self, data: ExpertData, fresh: FreshRows) -> tuple[Self, float]:
        """The expert updated with fresh rows, and how far its weights moved (0 to 1).

        One that does not change returns itself and 0.
        """
        return self, 0.0

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """All that `from_arrays` needs beside the party's rows, as arrays of numbers."""
        raise NotImplementedError

    @classmethod
    def from_arrays(cls, arrays: Arrays, data: ExpertData) -> Self:
        """The expert as it was, to the bit.

        Raises:
            ExpertError: if the arrays are not of such an expert, or do not fit the rows.
        """
        raise NotImplementedError


def experts() -> dict[str, type[Expert]]:
    """Every expert there is, by kind.

    >>> {"network", "ridge", "typical_day"} <= set(experts())
    True
    """
    found: dict[str, type[Expert]] = {}
    for module in pkgutil.iter_modules(deepcity.learning.experts.__path__):
        loaded = importlib.import_module(f"deepcity.learning.experts.{module.name}")
        expert = getattr(loaded, "EXPERT", None)
        if expert is not None:
            found[expert.kind] = expert
    return found


def expert_of(kind: str) -> type[Expert]:
    """The expert of a kind.

    Raises:
        ExpertError: if the kind is unknown, or a library it needs is not installed.
    """
    known = experts()
    if kind not in known:
        msg = f"unknown expert {kind!r}; known: {', '.join(sorted(known))}"
        raise ExpertError(msg)
    lacking = not_installed(known[kind])
    if lacking:
        raise ExpertError(f"expert {kind!r}: {lacking}")
    return known[kind]


def not_installed(expert: type[Expert]) -> str:
    """What an expert lacks on this machine and how to get it; empty if nothing."""
    if expert.extra is None or importlib.util.find_spec(expert.extra[1]) is not None:
        return ""
    extra, module = expert.extra
    return f"needs {module}, which is not installed: run pip install 'deepcity[{extra}]'"


def part(
    expert: type[Expert], arrays: Arrays, name: str, dtype: type, shape: tuple[int, ...]
) -> NDArray[Any]:
    """One of an expert's arrays, its dtype and shape checked; -1 in a shape is any length.

    Raises:
        ExpertError: if it is missing, not finite, or of another dtype or shape.
    """
    found = arrays.get(name)
    if found is None:
        msg = f"expert {expert.kind!r}: {name} is missing; there are {', '.join(sorted(arrays))}"
        raise ExpertError(msg)
    fits = len(found.shape) == len(shape) and all(
        wanted in (-1, size) for size, wanted in zip(found.shape, shape, strict=False)
    )
    if found.dtype != np.dtype(dtype) or not fits:
        wanted = "×".join("any" if size < 0 else str(size) for size in shape)
        msg = (
            f"expert {expert.kind!r}: {name} is {found.dtype} of shape {found.shape}; "
            f"{np.dtype(dtype)} of {wanted} is needed"
        )
        raise ExpertError(msg)
    if found.dtype.kind == "f" and not np.isfinite(found).all():
        msg = f"expert {expert.kind!r}: {name} holds NaN or infinity"
        raise ExpertError(msg)
    return found


def error_aside(expert: Expert, data: ExpertData) -> float:
    """The service's validation error on the rows kept aside; NaN if none was measured."""
    forecast_BNH = expert.predict(data.kept_aside, data.aside_B)
    return validation_score(forecast_BNH, data.kept_aside, data.training.mae_weight)
