"""What sending a layer's greatest moves alone costs in accuracy, and saves in bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.cost.compression_plot import svg
from benchmarks.cost.precision import MOST, Errors, errors_of, run, share_of, short, spread
from benchmarks.cost.setting import ROOT, SEEDS
from benchmarks.joining.cases import service_of
from deepcity.city.arrays import Floats
from deepcity.city.level import ALONE, LADDER, MAX_LEVEL, STEM, Tensors
from deepcity.exchange.compression.sparse_moves import SparseMoves
from deepcity.exchange.compression.sparse_party import SparseParty
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.party import LearningParty
from deepcity.exchange.rounds import FederationPlan, learn_together
from deepcity.exchange.strategies import strategy
from deepcity.learning.networks.reuse import export_layers
from deepcity.learning.training.learner import Learner
from deepcity.maps.city_map import Service
from deepcity.maps.map_settings import WireSettings
from deepcity.parties.party import Party, parties_of

SETS = ("bikes", "ferrara")
WAYS: Mapping[str, WireSettings] = {
    "float16, whole": WireSettings(),
    "float16, 0.1": WireSettings(keep=0.1),
    "float16, 0.01": WireSettings(keep=0.01),
}
FORGETFUL = {"float16, 0.01": 0.01}
PLOT = ROOT / "docs" / "images" / "compression.svg"
Row = list[tuple[float, float]]
"""Error as a share of alone, and bytes up a party and round, by seed."""


@dataclass(frozen=True)
class Forgetful(SparseMoves):
    """Moves of which what is not sent is lost."""

    def sparsify(
        self, trained: Tensors, received: Tensors, residual_V: Floats | None
    ) -> tuple[Tensors, Floats]:
        """As ever, with nothing left of the round before."""
        return super().sparsify(trained, received, None)


def compression() -> str:
    """Errors and bytes of the deepest level, whole and sparse, and what error feedback is worth."""
    rows: dict[tuple[str, str], Row] = {}
    lost: dict[tuple[str, str], list[float]] = {}
    services = {name: short(service_of(name)) for name in SETS}
    parties_by_set = {name: parties_of(service) for name, service in services.items()}
    for seed, name in product(SEEDS, SETS):
        service, parties = services[name], parties_by_set[name]
        alone, _ = run(service, parties, seed, ALONE, WireSettings())
        for way, wire in WAYS.items():
            errors, sent = run(service, parties, seed, MAX_LEVEL, wire)
            rows.setdefault((name, way), []).append((share_of(errors, alone), sent))
            print(f"compression: {name}, seed {seed}, {way}: {rows[name, way][-1]}", flush=True)
        for way, keep in FORGETFUL.items():
            errors = _forgetful(service, parties, seed, keep)
            lost.setdefault((name, way), []).append(share_of(errors, alone))
    PLOT.write_text(svg({name: _points(rows, name) for name in SETS}), encoding="utf-8")
    return _report(rows, lost)


def _forgetful(service: Service, parties: Sequence[Party], seed: int, keep: float) -> Errors:
    """The deepest level, with sparse moves and no error feedback."""
    settings, moves = service.settings, Forgetful(keep, "float16")
    learners = {party.name: Learner(party.data, settings.training, seed) for party in parties}
    handlers = {
        name: SparseParty(LearningParty(learner, MAX_LEVEL, common_stem=True), moves)
        for name, learner in learners.items()
    }
    plan = FederationPlan(
        levels=dict.fromkeys(learners, MAX_LEVEL),
        reference=export_layers(learners[min(learners)].network, (STEM, *LADDER)),
        strategy=strategy(settings.strategy.name, common_stem=True),
        rounds=settings.training.rounds,
        sparse=moves,
    )
    learn_together(InProcessExchange(handlers, precision="float16"), plan)
    for learner in learners.values():
        learner.keep_best()
    return errors_of(parties, learners)


def _points(
    rows: Mapping[tuple[str, str], Row], name: str
) -> dict[str, tuple[float, float, float]]:
    """Way -> bytes, error and its spread over seeds."""
    found = {way: np.array(rows[name, way]) for way in WAYS}
    return {
        way: (float(one[:, 1].mean()), float(one[:, 0].mean()), float(one[:, 0].std(ddof=1)))
        for way, one in found.items()
    }


def _report(
    rows: Mapping[tuple[str, str], Row], lost: Mapping[tuple[str, str], list[float]]
) -> str:
    lines = [
        "## Cost: sparse moves on the wire",
        f"MAE on test days of {', '.join(SETS)} at level {MAX_LEVEL}, in the setting of",
        f"`cost-precision` (at most {MOST} parties, 12 rounds of 10 steps of 64 rows), as a share",
        f"of learning alone; seeds {', '.join(map(str, SEEDS))}, mean ± standard deviation. *0.1*:",
        "`wire.keep`, the share of moves sent. Change: over whole float16 of the same seeds, in",
        "per cent. Bytes: a party sends in a round, the first one included, in which a head has",
        "nothing to be compared with and goes whole. *Nothing made up*: without error feedback.",
        f"[Picture]({Path('../docs/images') / PLOT.name}).",
        "",
        "| set | way | error | change, % | greatest, % | bytes up | of float16 | error, nothing"
        " made up |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name in SETS:
        half = np.array(rows[name, "float16, whole"])
        for way in WAYS:
            found = np.array(rows[name, way])
            change = 100 * (found[:, 0] / half[:, 0] - 1)
            without = spread(np.array(lost[name, way])) if (name, way) in lost else ""
            sent = found[:, 1].mean()
            lines.append(
                f"| {name} | {way} | {spread(found[:, 0])} | {change.mean():+.2f} | "
                f"{change[np.abs(change).argmax()]:+.2f} | {sent:,.0f} | "
                f"{sent / half[:, 1].mean():.2f} | {without} |"
            )
    return "\n".join(lines)
