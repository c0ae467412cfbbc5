"""A party's forecaster bundle: everything it forecasts with, kept between updates.

FOLDER/own/SERVICE.CITY.AGENCY.NUMBER.checkpoint, with its SHA-256 and never a pickle; NUMBER
counts updates. A new one is written beside the old one, which is kept. It holds the private stem
and scales: unlike a layer package it stays with its party. An expert is stored as its kind and
arrays, so a new kind needs no edit here (`deepcity.learning.experts`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from deepcity.city.arrays import Floats
from deepcity.city.errors import CheckpointError
from deepcity.learning.ensemble.multi_view_ensemble import MultiViewEnsemble
from deepcity.learning.experts.expert import Arrays
from deepcity.learning.features.inputs import WindowSettings
from deepcity.runs.update.kept_replay import (
    KeptReplay,
    ReplayValues,
    ensemble_groups,
    ensemble_of,
)
from deepcity.runs.update.results import PartyUpdate
from deepcity.store.checkpoint import Checkpoint, CheckpointStore
from deepcity.store.run_folder import ensure_folder

MODEL = 2  # incremented when a network's inputs or structure change
FOLDER = "own"

_GRAPH = "graph"
_ENSEMBLE = "boa"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BundleIdentity(_Frozen):
    """What must be unchanged for a bundle to be usable."""

    model: int
    service: str
    party: str
    field: str
    unit: str
    step_s: int
    places: tuple[str, ...]
    window: WindowSettings


class BundleTerms(_Frozen):
    """What its service says of a party's forecasts, so that they can be made without the map.

    Attributes:
        application: whose metric weighs experts; empty if none is named: absolute errors.
        band: share of truths that a band should hold.
        newcomer: it may have trained on windows known in part.
        validation_stride: of the origins in the days kept aside.
        weather: an agency's weather was used.
        time_zone: of its days and hours.
        kind: of its field; empty in a bundle written before it was kept.
        holidays: of its calendar; they count as Sundays.
    """

    application: str = ""
    band: float = 0.9
    newcomer: bool = False
    validation_stride: int = 1
    weather: bool = False
    time_zone: str = ""
    kind: str = ""
    holidays: tuple[date, ...] = ()


class BundleTimes(_Frozen):
    """Time spans of a bundle, UTC seconds; ends are exclusive.

    Attributes:
        train_from, train_to: the first training span, on which inputs are fitted.
        aside_to: end of the old days kept aside, which begin at `train_to`.
        learned_to: end of the rows trained on.
        seen_to: end of the rows known at the last update.
    """

    train_from: int
    train_to: int
    aside_to: int
    learned_to: int
    seen_to: int


class LoggedDay(_Frozen):
    """A day's mean absolute error, and that of the forecast "same hour last week"."""

    start: int
    error: float
    naive: float | None


class RowsChecksum(_Frozen):
    """A checksum of the old rows, by which corrections of them are detected."""

    measured: int
    total: float
    squares: float

    @staticmethod
    def of(values_TN: Floats) -> "RowsChecksum":
        """The checksum of measured values."""
        known = values_TN[np.isfinite(values_TN)].astype(np.float64)
        return RowsChecksum(measured=len(known), total=known.sum(), squares=(known**2).sum())

    def same_as(self, other: "RowsChecksum") -> bool:
        """Whether the rows are equal up to rounding."""
        mine, theirs = (self.total, self.squares), (other.total, other.squares)
        return self.measured == other.measured and bool(np.allclose(mine, theirs, rtol=1e-6))


@dataclass(frozen=True)
class SavedExpert:
    """One expert as stored.

    Attributes:
        level: the reuse level it counts for.
        kind: of expert.
        known: its first error on the old days kept aside; 0 without a truth there.
        arrays: everything it needs besides the party's rows.
    """

    level: int
    kind: str
    known: float
    arrays: Arrays


@dataclass(frozen=True)
class ForecasterBundle:
    """Everything a party forecasts with.

    Attributes:
        identity, times: what it fits, and its time spans.
        experts: as stored.
        ensemble: the weights after the truths until `times.seen_to`.
        days: daily errors.
        watch_from: position of the day from which drift is looked for.
        old_rows: checksum of the training span and the days kept aside.
        number: number of updates, accepted or not.
        last: results of the last update; None after the run itself.
        terms: None in a bundle written before they were kept.
        adjacency_NN: the graph of its places, where its city file names one; data frames hold
            none.
        replay: what bands were measured from, to go on with; None: it is measured anew.
        skipped: damaged newer checkpoints, with reasons.
    """

    identity: BundleIdentity
    times: BundleTimes
    experts: tuple[SavedExpert, ...]
    ensemble: MultiViewEnsemble
    days: tuple[LoggedDay, ...]
    watch_from: int
    old_rows: RowsChecksum
    number: int = 0
    last: PartyUpdate | None = None
    terms: BundleTerms | None = None
    adjacency_NN: Floats | None = None
    replay: KeptReplay | None = None
    skipped: tuple[str, ...] = ()


class _ExpertValues(_Frozen):
    level: int
    kind: str
    known: float


class _Values(_Frozen):
    identity: BundleIdentity
    times: BundleTimes
    experts: tuple[_ExpertValues, ...]
    days: tuple[LoggedDay, ...]
    watch_from: int
    old_rows: RowsChecksum
    last: PartyUpdate | None
    terms: BundleTerms | None = None
    replay: ReplayValues | None = None


@dataclass(frozen=True)
class BundleStore:
    """The forecaster bundles in a site's folder."""

    store: CheckpointStore

    @staticmethod
    def of(run: Path) -> "BundleStore":
        """Those in the folder of a site (or run)."""
        return BundleStore(CheckpointStore(run / FOLDER))

    def load(self, service: str, party: str) -> ForecasterBundle | None:
        """The newest intact bundle of a party, or None if there is none.

        Raises:
            CheckpointError: if none of those found is intact, or it is of another version.
        """
        found = self.store.load_latest(_name(service, party))
        if found is None:
            return None
        try:
            return _bundle(found)
        except (ValueError, LookupError) as error:  # pydantic's are values too
            msg = (
                f"the forecaster bundle {found.name} number {found.round} in "
                f"{self.store.folder} was written by another version of deepcity ({error}); "
                f"update with that version, or run the map again into another folder"
            )
            raise CheckpointError(msg) from error

    def newest(self, service: str, party: str) -> int | None:
        """The number of a party's newest bundle; None if there is none."""
        return self.store.newest(_name(service, party))

    def save(self, bundle: ForecasterBundle) -> Path:
        """Write a bundle beside the one before it.

        Raises:
            CheckpointError: if it cannot be written; the one before stays intact.
        """
        arrays: dict[str, Mapping[str, NDArray[Any]]] = {
            **ensemble_groups(bundle.ensemble, _ENSEMBLE)
        }
        for place, expert in enumerate(bundle.experts):
            arrays[_group(place)] = expert.arrays
        if bundle.adjacency_NN is not None:
            arrays[_GRAPH] = {"adjacency_NN": bundle.adjacency_NN}
        if bundle.replay is not None:
            arrays |= bundle.replay.to_groups()
        values = _Values(
            identity=bundle.identity,
            times=bundle.times,
            experts=tuple(
                _ExpertValues(level=one.level, kind=one.kind, known=one.known)
                for one in bundle.experts
            ),
            days=bundle.days,
            watch_from=bundle.watch_from,
            old_rows=bundle.old_rows,
            last=bundle.last,
            terms=bundle.terms,
            replay=None if bundle.replay is None else bundle.replay.values,
        )
        ensure_folder(self.store.folder)
        name = _name(bundle.identity.service, bundle.identity.party)
        return self.store.save(name, bundle.number, arrays, values.model_dump(mode="json"))


def saved_forecasters(folder: Path) -> list[tuple[str, str]]:
    """(service, party) of each forecaster in the folder of a run or of a site, sorted."""
    found = set()
    for pattern in (f"{FOLDER}/*.checkpoint", f"sites/*/{FOLDER}/*.checkpoint"):
        for path in folder.glob(pattern):
            parts = path.name.split(".")[:-2]  # without the number and the suffix
            if len(parts) >= 3:
                service, city, agency, *field = parts
                found.add(
                    (service, ":".join([f"{city}/{agency}", *([".".join(field)] * bool(field))]))
                )
    return sorted(found)


def _name(service: str, party: str) -> str:
    """A party's file name; names have no dots, so it is unique."""
    return f"{service}.{party.replace('/', '.').replace(':', '.')}"


def _group(place: int) -> str:
    return f"expert:{place}"


def _bundle(found: Checkpoint) -> ForecasterBundle:
    values = _Values.model_validate(found.values)
    experts = [
        SavedExpert(one.level, one.kind, one.known, found.arrays.get(_group(place), {}))
        for place, one in enumerate(values.experts)
    ]
    return ForecasterBundle(
        identity=values.identity,
        times=values.times,
        experts=tuple(experts),
        ensemble=ensemble_of(found.arrays, _ENSEMBLE),
        days=values.days,
        watch_from=values.watch_from,
        old_rows=values.old_rows,
        number=found.round,
        last=values.last,
        terms=values.terms,
        adjacency_NN=found.arrays.get(_GRAPH, {}).get("adjacency_NN"),
        replay=None if values.replay is None else KeptReplay.of_groups(values.replay, found.arrays),
        skipped=found.skipped,
    )
