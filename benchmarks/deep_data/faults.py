"""An agency's deep data go wrong on the first test day: what becomes of error and bands.

Bikes of three cities with their weather offices (`benchmarks/vertical/bikes.toml`), served
by the live application from a store in memory, a forecast every 6 hours and a check every 12;
each rests on what was known then. Trained applications are kept in runs/deep-data-faults/.

Shapes: B times, C cells, D deep width, N places, H horizon steps.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from benchmarks.vertical.cases import service_of
from deepcity.city.arrays import Bools, Floats, Ints
from deepcity.data.panel import Panel
from deepcity.learning.split.encoder_package import TimeGrid
from deepcity.learning.split.fused_package import (
    FusedFacts,
    FusedPackage,
    InputAgency,
    load_fused,
    package_fused,
    save_fused,
)
from deepcity.learning.split.fusion_inputs import DeepBatch
from deepcity.live.agency_inputs import AgencyStatus
from deepcity.live.application import LiveApplication
from deepcity.live.wire import cell_names, to_rows
from deepcity.maps.vertical_settings import Mode
from deepcity.parties.party import Party, parties_of
from deepcity.store.deep_data.batch import DeepData, Space
from deepcity.store.deep_data.database import SpaceInfo
from deepcity.store.deep_data.store import DeepDataStore
from deepcity.vertical import baselines
from deepcity.vertical.baselines import TrainedVertical
from deepcity.vertical.setup import VerticalSetup, build_setup, pretrain_encoders

SEEDS = (0, 1, 2)
KEPT = Path(__file__).parents[2] / "runs" / "deep-data-faults"
FAULTS: dict[str, Callable[[Floats], Floats]] = {
    "none": lambda vectors_BCD: vectors_BCD,
    "stuck": lambda vectors_BCD: np.repeat(vectors_BCD[:1], len(vectors_BCD), axis=0),
    "flipped": lambda vectors_BCD: -vectors_BCD,
    "9 h late": lambda vectors_BCD: np.roll(vectors_BCD, 3, axis=0),
    "x0.5": lambda vectors_BCD: vectors_BCD / 2,
    "x2, cut at 1": lambda vectors_BCD: np.clip(2 * vectors_BCD, -1, 1).astype(np.float32),
}
AGENCY = "weather"
EVERY, CHECKED = 2, 2  # test origins: a forecast every 6 h, a check every 12 h (live: every hour)


@dataclass(frozen=True)
class _Case:
    """One city, one seed: its application, and the weather office's deep data."""

    package: FusedPackage
    panel: Panel
    time_B: Ints
    test_B: Ints
    vectors_BCD: Floats
    known_BC: Bools


def faults() -> str:
    """Error as a share of that without the agency, and coverage, by fault."""
    torch.set_num_threads(1)
    measured = {case: measure(*case) for case in cases()}
    for case, rows in measured.items():
        print(f"{case}: { ({fault: found[1] for fault, found in rows.items()}) }", flush=True)
    found = {
        fault: [np.array([rows[fault][way] for rows in measured.values()]) for way in (0, 1)]
        for fault in ("silent", *FAULTS)
    }
    seeds = sorted({seed for _, seed in measured})
    lines = [
        "## Deep data that go wrong",
        "Bikes of Seoul, London and Washington, 24 hours ahead, 60 test days, a forecast every",
        "6 hours, deep data checked every 12 (live: whenever own rows come), seeds "
        f"{', '.join(map(str, seeds))}: the weather office's deep",
        "data are wrong from the first test day on. Error: mean absolute, as a share of that with",
        "the office silent; mean over cities and seeds, and the worst of them. Bands of 90 %: the",
        "share of truths inside. Used: share of forecasts made with the office's deep data. The",
        "limits on energy and harm were chosen on these test days, so that they flatter; that on",
        "the course of the day is training's own, less 0.1.",
        "",
        "| fault | error unchecked | worst | inside | error checked | worst | inside | least "
        "inside | used |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
        *(f"| {fault} | {_cells(rows)} |" for fault, rows in found.items()),
    ]
    return "\n".join(lines)


def _cells(rows: list[Floats]) -> str:
    before, after = rows
    cells = [
        f"{before[:, 0].mean():.3f}", f"{before[:, 0].max():.3f}", f"{before[:, 1].mean():.1%}",
        f"{after[:, 0].mean():.3f}", f"{after[:, 0].max():.3f}", f"{after[:, 1].mean():.1%}",
        f"{after[:, 1].min():.1%}", f"{after[:, 2].mean():.0%}",
    ]  # fmt: skip
    return " | ".join(cells)


def cases() -> list[tuple[str, int]]:
    """Each city with each seed."""
    return [(member.name, seed) for seed in SEEDS for member in service_of("bikes").members]


def measure(name: str, seed: int) -> dict[str, list[list[float]]]:
    """Of one city and seed: fault -> unchecked and checked: error, share inside, share used.

    Kept in a file of its folder; delete that to measure anew.
    """
    folder = KEPT / f"{name.partition('/')[0]}-{seed}"
    path = folder / "measured.json"
    if not path.exists():
        case = _case(name, seed, folder)
        silent = _forecasts(case, None, checked=False)
        found = {"silent": [[1.0, silent[1], 0.0]] * 2}
        for fault, change in FAULTS.items():
            ways = [_forecasts(case, change, checked=checked) for checked in (False, True)]
            found[fault] = [[error / silent[0], *others] for error, *others in ways]
        path.write_text(json.dumps(found), encoding="utf-8")
    kept: dict[str, list[list[float]]] = json.loads(path.read_text(encoding="utf-8"))
    return kept


def _forecasts(
    case: _Case, change: Callable[[Floats], Floats] | None, *, checked: bool
) -> tuple[float, float, float]:
    """Mean absolute error, share inside the bands, share made with the agency, over the test.

    Args:
        change: the fault; None: the agency is silent.
    """
    vectors_BCD, first = case.vectors_BCD.copy(), int(np.searchsorted(case.time_B, case.test_B[0]))
    if change is not None:
        vectors_BCD[first:] = change(vectors_BCD[first:])
    known_BC = case.known_BC.copy()
    known_BC[first:] &= change is not None
    application = LiveApplication(case.package, _Memory(case, DeepBatch(vectors_BCD, known_BC)))
    application.load_rows(case.panel)
    truth_TN = case.panel.values_TNF[:, :, case.panel.field_index(case.package.facts.field)]
    errors, inside, used = [], [], []
    application._doubts = {}  # what the last rows of all say
    for number, at in enumerate(case.test_B[::EVERY].tolist()):
        if checked and number % CHECKED == 0:
            application.check_deep_data(at)
        found = application.forecast(at)
        step = int(np.searchsorted(case.panel.time_T, at))
        truth_NH = truth_TN[step : step + found.value_NH.shape[1]].T
        known = np.isfinite(truth_NH)
        made_NH = [one[:, : truth_NH.shape[1]] for one in (found.value_NH, found.low_NH)]
        high_NH = found.high_NH[:, : truth_NH.shape[1]]
        errors.append(np.abs(made_NH[0] - truth_NH)[known])
        inside.append(((made_NH[1] <= truth_NH) & (truth_NH <= high_NH))[known])
        used.append(all(one.status is AgencyStatus.FRESH for one in found.agencies))
    return (
        float(np.concatenate(errors).mean()),
        float(np.concatenate(inside).mean()),
        float(np.mean(used)),
    )


class _Memory(DeepDataStore):
    """One agency's deep data."""

    def __init__(self, case: _Case, batch: DeepBatch) -> None:
        self._space = case.package.facts.agencies[0].space
        self._cells = cell_names(case.package.cells[AGENCY])
        self._time_B, self._batch = case.time_B, batch

    def read(
        self, space: Space, cells: Sequence[str] | None, since: int, until: int, *, reader: str
    ) -> DeepData:
        """Rows with since <= time < until."""
        return self._rows(*np.searchsorted(self._time_B, [since, until]))

    def latest(
        self, space: Space, cells: Sequence[str] | None, at: int, *, reader: str
    ) -> DeepData:
        """The newest rows at or before a time."""
        end = int(np.searchsorted(self._time_B, at, "right"))
        there = np.flatnonzero(self._batch.known_BC[:end].any(axis=1))
        return self._rows(there[-1], there[-1] + 1) if len(there) else self._rows(0, 0)

    def spaces(self) -> tuple[SpaceInfo, ...]:
        """None but its own."""
        return ()

    def _rows(self, start: int, end: int) -> DeepData:
        some = np.arange(start, end)
        return to_rows(self._space, self._cells, self._time_B[some], self._batch.of(some))


def _case(name: str, seed: int, folder: Path) -> _Case:
    """Trained in its folder, if it is not yet."""
    service = service_of("bikes")
    member = next(one for one in service.members if one.name == name)
    (party,) = parties_of(replace(service, members=(member,)))
    if not (folder / "deep.npz").exists():
        setup = build_setup(service, member, party, seed)
        pretrain_encoders([setup], seed)
        training = service.settings.training
        alone = baselines.train_alone(setup, training, seed, _quiet)
        together = baselines.train_joint(setup, training, seed, Mode.BLOCK, _quiet)
        keep(folder, setup, together, alone)
    return _load(folder, party)


def keep(
    folder: Path, setup: VerticalSetup, together: TrainedVertical, alone: TrainedVertical
) -> None:
    """Keep a trained application, and the deep data of its validation and test days."""
    party, network = setup.party, together.learner.network
    time_T = party.panel.time_T
    validation_B, test_B = time_T[party.validation_origins], time_T[party.test_origins]
    spacing_s = int(np.diff(test_B).min())
    space = Space(party.city, "environment", AGENCY, f"h{network.cut.level}", "0" * 16)
    grid = TimeGrid(spacing_s, int(test_B[0]) % spacing_s)
    agency = InputAgency(AGENCY, space, network.cut.widths[AGENCY], 3600, grid)
    train = party.split.train
    facts = FusedFacts(
        party.city, party.name.partition("/")[2], "bikes", party.field, party.unit,
        tuple(place.id for place in party.panel.places), party.panel.clock.step_s,
        party.inputs.settings, (int(time_T[train.start]), int(time_T[train.end - 1])), (agency,),
        application="ridership",
    )  # fmt: skip
    weights = {name: matrix.numpy() for name, matrix in together.learner.cell_weights.items()}
    package = package_fused(
        facts, network, party.inputs, together.cells, weights, party.data.validation,
        together.validation, alone.learner.network.trunk,
        time_B=validation_B,
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    save_fused(folder, package)
    deep = [together.validation[AGENCY], together.test[AGENCY]]
    np.savez(
        folder / "deep.npz",
        time_B=np.concatenate([validation_B, test_B]),
        test_B=test_B,
        vectors_BCD=np.concatenate([one.vectors_BCD for one in deep]),
        known_BC=np.concatenate([one.known_BC for one in deep]),
    )


def _load(folder: Path, party: Party) -> _Case:
    package = load_fused(next(folder.glob("*.fused")))
    with np.load(folder / "deep.npz") as arrays:
        deep = dict(arrays)
    end = int(deep["test_B"][-1]) + 2 * 86_400
    panel = replace(party.panel).between(0, end)
    return _Case(
        package, panel, deep["time_B"], deep["test_B"], deep["vectors_BCD"], deep["known_BC"]
    )


def _quiet(_round: int) -> None:
    pass
