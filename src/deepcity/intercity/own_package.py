"""A party's own package: all that it forecasts with, kept between two refinings.

FOLDER/own/SERVICE.CITY.AGENCY.NUMBER.checkpoint, sealed with its SHA-256 and never a pickle;
NUMBER counts refinings. A new one is written whole beside the old one, which stays. It holds
the private stem and scales: unlike a layer package it stays with its party. An expert is kept
by its kind and its arrays, so a new kind needs no edit here (`deepcity.learning.experts`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from deepcity.city.arrays import Floats
from deepcity.city.errors import CheckpointError
from deepcity.intercity.refine_results import PartyRefined
from deepcity.intercity.run_folder import made
from deepcity.learning.aggregate import Standing
from deepcity.learning.council import STANDINGS, Council
from deepcity.learning.experts.expert import Arrays
from deepcity.learning.features import WindowSettings
from deepcity.store.checkpoint import Checkpoint, CheckpointStore

MODEL = 1  # counts up when what a network sees, or is made of, changes
FOLDER = "own"

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
        kind: whose arrays they are.
        known: its first error on the old days kept aside; 0 without a truth there.
        arrays: all that it needs beside the party's rows.
    """

    level: int
    kind: str
    known: float
    arrays: Arrays


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
    kind: str
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
            arrays[_group(place)] = expert.arrays
        values = _Values(
            identity=package.identity,
            times=package.times,
            experts=tuple(
                _ExpertValues(level=one.level, kind=one.kind, known=one.known)
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


def _group(place: int) -> str:
    return f"expert:{place}"


def _package(found: Checkpoint) -> OwnPackage:
    values = _Values.model_validate(found.values)
    experts = [
        KeptExpert(one.level, one.kind, one.known, found.arrays.get(_group(place), {}))
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
