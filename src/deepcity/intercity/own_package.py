"""A party's own package: all that it forecasts with, kept between two refinings.

FOLDER/own/SERVICE.CITY.AGENCY.NUMBER.checkpoint, sealed with its SHA-256 and never a pickle;
NUMBER counts refinings. A new one is written whole beside the old one, which stays. It holds
the private stem and scales: unlike a layer package it stays with its party.

Shapes: E experts, N places, H horizon steps, S summaries.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from deepcity.city.errors import CheckpointError
from deepcity.city.level import Layers
from deepcity.intercity.refine_results import PartyRefined
from deepcity.intercity.run_folder import made
from deepcity.learning.aggregate import Standing
from deepcity.learning.council import STANDINGS, Council
from deepcity.learning.features import WindowSettings
from deepcity.store.checkpoint import Checkpoint, CheckpointStore

MODEL = 1  # counts up when what a network sees, or is made of, changes
FOLDER = "own"

Floats = NDArray[np.float32]
Kind = Literal["network", "typical", "yesterday", "ridge"]
_STANDING = ("prior_E", "regret_GE", "squared_GE", "greatest_GE")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Identity(_Frozen):
    """What must be as it was, for the package to be of use."""

    model: int
    service: str
    party: str
    field: str
    unit: str
    step_s: int
    places: tuple[str, ...]
    window: WindowSettings


class Times(_Frozen):
    """Where the package stands in time, UTC seconds; ends are exclusive.

    Attributes:
        train_from, train_to: the first training span, by which inputs are fitted.
        aside_to: end of the old days kept aside, which begin at `train_to`.
        learned_to: end of what the networks learned from.
        seen_to: end of the rows that were known.
    """

    train_from: int
    train_to: int
    aside_to: int
    learned_to: int
    seen_to: int


class Day(_Frozen):
    """A day's mean absolute error as it was forecast then, and that of the week before."""

    start: int
    error: float
    naive: float | None


class OldRows(_Frozen):
    """What the old rows were, told so that a correction of them is noticed."""

    measured: int
    total: float
    squares: float

    @staticmethod
    def of(values_TN: Floats) -> "OldRows":
        """Sums over the measured values."""
        known = values_TN[np.isfinite(values_TN)].astype(np.float64)
        return OldRows(measured=len(known), total=known.sum(), squares=(known**2).sum())

    def same_as(self, other: "OldRows") -> bool:
        """Whether the rows are the same, but for rounding."""
        mine, theirs = (self.total, self.squares), (other.total, other.squares)
        return self.measured == other.measured and bool(np.allclose(mine, theirs, rtol=1e-6))


@dataclass(frozen=True)
class KeptExpert:
    """One expert as it is kept.

    Attributes:
        level: the reuse level it counts for.
        layers, frozen: of a network: all its layers, and those that training leaves alone.
        scale_N1, named: of a network: in what scale and with which weekdays it sees the party.
        known: of a network: its first error on the old days kept aside.
        recall_HS: of a ridge.
    """

    level: int
    kind: Kind
    layers: Layers = field(default_factory=dict)
    frozen: tuple[str, ...] = ()
    scale_N1: Floats | None = None
    named: bool = False
    known: float = 0.0
    recall_HS: Floats | None = None


@dataclass(frozen=True)
class OwnPackage:
    """All that a party forecasts with.

    Attributes:
        council: what each expert has been worth until `times.seen_to`.
        days: errors day by day, as they were forecast.
        watch_from: position of the day from which drift is looked for.
        old_rows: of the training span and the days kept aside.
        number: how often it was refined, or tried to.
        last: what the last refining found; None after the run itself.
    """

    identity: Identity
    times: Times
    experts: tuple[KeptExpert, ...]
    council: Council
    days: tuple[Day, ...]
    watch_from: int
    old_rows: OldRows
    number: int = 0
    last: PartyRefined | None = None
    skipped: tuple[str, ...] = ()


class _ExpertValues(_Frozen):
    level: int
    kind: Kind
    frozen: tuple[str, ...]
    named: bool
    known: float


class _Values(_Frozen):
    identity: Identity
    times: Times
    experts: tuple[_ExpertValues, ...]
    days: tuple[Day, ...]
    watch_from: int
    old_rows: OldRows
    last: PartyRefined | None


@dataclass(frozen=True)
class OwnPackages:
    """The own packages of a run's parties."""

    store: CheckpointStore

    @staticmethod
    def of(run: Path) -> "OwnPackages":
        """Those in a run's folder."""
        return OwnPackages(CheckpointStore(run / FOLDER))

    def load(self, service: str, party: str) -> OwnPackage | None:
        """The newest whole package of a party, or None if there is none.

        Raises:
            CheckpointError: if there are some and none is whole, or it says what none of this
                version says.
        """
        found = self.store.load_latest(_name(service, party))
        if found is None:
            return None
        try:
            return _package(found)
        except (ValidationError, LookupError) as error:
            msg = (
                f"the own package {found.name} number {found.round} in {self.store.folder} was "
                f"written by another version of deepcity ({error}); refine with that version, "
                f"or run the map anew into another folder"
            )
            raise CheckpointError(msg) from error

    def save(self, package: OwnPackage) -> Path:
        """Write a package beside the one before it.

        Raises:
            CheckpointError: if it cannot be written; the one before is whole.
        """
        arrays: dict[str, Mapping[str, NDArray[Any]]] = {
            f"standing:{view}": {
                name: getattr(getattr(package.council, view), name) for name in _STANDING
            }
            for view in STANDINGS
        }
        for place, expert in enumerate(package.experts):
            arrays |= _arrays(place, expert)
        values = _Values(
            identity=package.identity,
            times=package.times,
            experts=tuple(
                _ExpertValues(
                    level=one.level,
                    kind=one.kind,
                    frozen=one.frozen,
                    named=one.named,
                    known=one.known,
                )
                for one in package.experts
            ),
            days=package.days,
            watch_from=package.watch_from,
            old_rows=package.old_rows,
            last=package.last,
        )
        made(self.store.folder)
        name = _name(package.identity.service, package.identity.party)
        return self.store.save(name, package.number, arrays, values.model_dump(mode="json"))


def _name(service: str, party: str) -> str:
    """Names hold no dots, so no two parties share one."""
    return f"{service}.{party.replace('/', '.').replace(':', '.')}"


def _arrays(place: int, expert: KeptExpert) -> dict[str, Mapping[str, NDArray[Any]]]:
    found: dict[str, Mapping[str, NDArray[Any]]] = {
        f"{place}:layer:{name}": tensors for name, tensors in expert.layers.items()
    }
    sizes = {"scale_N1": expert.scale_N1, "recall_HS": expert.recall_HS}
    said = {name: array for name, array in sizes.items() if array is not None}
    return {**found, f"{place}:sees": said} if said else found


def _package(found: Checkpoint) -> OwnPackage:
    values = _Values.model_validate(found.values)
    experts = [
        _expert(found.arrays, place, KeptExpert(**dict(one)))
        for place, one in enumerate(values.experts)
    ]
    return OwnPackage(
        identity=values.identity,
        times=values.times,
        experts=tuple(experts),
        council=_council(found),
        days=values.days,
        watch_from=values.watch_from,
        old_rows=values.old_rows,
        number=found.round,
        last=values.last,
        skipped=found.skipped,
    )


def _council(found: Checkpoint) -> Council:
    arrays = {view: found.arrays[f"standing:{view}"] for view in STANDINGS}
    return Council(
        **{view: Standing(**{name: arrays[view][name] for name in _STANDING}) for view in STANDINGS}
    )


def _expert(
    arrays: Mapping[str, Mapping[str, NDArray[Any]]], place: int, bare: KeptExpert
) -> KeptExpert:
    own = f"{place}:layer:"
    layers = {
        name.removeprefix(own): tensors for name, tensors in arrays.items() if name.startswith(own)
    }
    sees = arrays.get(f"{place}:sees", {})
    return replace(
        bare, layers=layers, scale_N1=sees.get("scale_N1"), recall_HS=sees.get("recall_HS")
    )
