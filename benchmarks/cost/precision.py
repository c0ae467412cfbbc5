"""What rounding layers on the wire costs in accuracy, and saves in bytes, by reuse level."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from benchmarks.cost.precision_plot import svg
from benchmarks.cost.setting import ROOT, SEEDS
from benchmarks.joining.cases import service_of
from deepcity.city.arrays import Doubles, Floats
from deepcity.city.level import ALONE, LADDER, MAX_LEVEL, STEM, Layers
from deepcity.exchange.exchange import Handler
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.message import Message
from deepcity.exchange.party import LearningParty
from deepcity.exchange.precision import Precision
from deepcity.exchange.rounds import FederationPlan, learn_together
from deepcity.exchange.strategies import strategy
from deepcity.intercity.method import Method
from deepcity.learning.networks.reuse import export_layers
from deepcity.learning.training.learner import Learner
from deepcity.maps.city_map import Service
from deepcity.maps.map_settings import WireSettings
from deepcity.parties.party import Party, parties_of
from deepcity.runs.trainings import train_parties

SETS = ("bikes", "air", "ferrara")
MOST = 4  # parties of a set
PRECISIONS: tuple[Precision, ...] = ("float32", "float16")
PLOT = ROOT / "docs" / "images" / "precision.svg"
Round = Callable[[Floats], Floats]
Errors = Mapping[str, float]


def precision() -> str:
    """Errors and bytes by level at both precisions, other ways of rounding at the deepest."""
    rows: dict[tuple[str, int, str], list[tuple[float, float]]] = {}
    others: dict[tuple[str, str], list[float]] = {}
    for name in SETS:
        service = short(service_of(name))
        parties = parties_of(service)
        for seed in SEEDS:
            exact = _measured(service, parties, seed, rows, name)
            for rounding_name, (rounding, moves) in ROUNDINGS.items():
                errors = _emulated(service, parties, seed, rounding, moves=moves)
                others.setdefault((name, rounding_name), []).append(share_of(errors, exact))
            print(f"precision: {name}, seed {seed} done", flush=True)
    PLOT.write_text(svg(_by_level(rows)), encoding="utf-8")
    return _report(rows, others)


def short(service: Service) -> Service:
    """As many meetings as ever, fewer steps between them: rounding happens at meetings."""
    training = service.settings.training.model_copy(update={"local_steps": 10, "batch_size": 64})
    settings = service.settings.model_copy(update={"training": training})
    return replace(service, settings=settings, members=service.members[:MOST])


def _measured(
    service: Service,
    parties: Sequence[Party],
    seed: int,
    rows: dict[tuple[str, int, str], list[tuple[float, float]]],
    name: str,
) -> Errors:
    """All levels at both precisions: errors as shares of alone, bytes up a party and round."""
    alone, sent = run(service, parties, seed, ALONE, WireSettings(precision="float32"))
    exact = alone
    for wire_precision in PRECISIONS:  # alone no layer travels
        rows.setdefault((name, ALONE, wire_precision), []).append((1.0, sent))
    for level in range(1, MAX_LEVEL + 1):
        for wire_precision in PRECISIONS:
            errors, sent = run(
                service, parties, seed, level, WireSettings(precision=wire_precision)
            )
            exact = errors if wire_precision == "float32" else exact
            rows.setdefault((name, level, wire_precision), []).append(
                (share_of(errors, alone), sent)
            )
    return exact


def run(
    service: Service, parties: Sequence[Party], seed: int, level: int, wire: WireSettings
) -> tuple[Errors, float]:
    """Errors by party, and the bytes that a party sends in a round."""
    settings = service.settings.model_copy(update={"wire": wire})
    method = Method(f"level_{level}", {party.name: level for party in parties})
    training, learners = train_parties(settings, parties, seed, method)
    sent = sum(training.ledger.sent_by_party().values())
    rounds = settings.training.rounds
    return errors_of(parties, learners), sent / len(parties) / rounds


def errors_of(parties: Sequence[Party], learners: Mapping[str, Learner]) -> Errors:
    """MAE on test days by party."""

    def mae(party: Party) -> float:
        predicted = learners[party.name].forecast(party.test)
        return float(np.nanmean(np.abs(predicted - party.test.truth_BNH)))

    return {party.name: mae(party) for party in parties}


def share_of(errors: Errors, base: Errors) -> float:
    """Mean over parties of an error as a share of another."""
    return float(np.mean([errors[name] / base[name] for name in base]))


def to_float16(values: Floats) -> Floats:
    """Rounded to float16."""
    return values.astype(np.float16).astype(np.float32)


def to_bfloat16(values: Floats) -> Floats:
    """Rounded to bfloat16: the upper half of a float32, ties to even."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32).astype(np.uint64)
    nearest = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    return nearest.astype(np.uint32).view(np.float32).reshape(values.shape)


def to_int8(values: Floats) -> Floats:
    """Rounded to 255 steps between minus and plus the tensor's greatest value."""
    greatest = float(np.abs(values).max(initial=0.0))
    if greatest == 0:
        return values
    return np.asarray(np.round(values / greatest * 127) * (greatest / 127), np.float32)


ROUNDINGS: Mapping[str, tuple[Round, bool]] = {
    "bfloat16, values": (to_bfloat16, False),
    "float16, differences": (to_float16, True),
    "bfloat16, differences": (to_bfloat16, True),
    "int8, values": (to_int8, False),
    "int8, differences": (to_int8, True),
}


@dataclass
class Rounded:
    """A party behind a wire that rounds values, or how far they moved.

    Moves are counted from the layers that the party received last, which both ends know.
    """

    inner: Handler
    rounding: Round
    moves: bool
    known: dict[tuple[str, str], Floats] = field(default_factory=dict)

    def handle(self, message: Message, caller: str) -> Message:
        """Answer as the inner handler does, through the wire both ways."""
        received = self._carried(message.layers)
        for layer, tensors in received.items():
            self.known |= {(layer, name): tensor for name, tensor in tensors.items()}
        reply = self.inner.handle(Message(message.verb, message.numbers, received), caller)
        return Message(reply.verb, reply.numbers, self._carried(reply.layers))

    def _carried(self, layers: Layers) -> Layers:
        return {
            layer: {name: self._one((layer, name), tensor) for name, tensor in tensors.items()}
            for layer, tensors in layers.items()
        }

    def _one(self, key: tuple[str, str], tensor: Floats) -> Floats:
        base = self.known.get(key) if self.moves else None
        if base is None:
            return self.rounding(tensor)
        return base + self.rounding(tensor - base)


def _emulated(
    service: Service, parties: Sequence[Party], seed: int, rounding: Round, *, moves: bool
) -> Errors:
    """The deepest level with a common stem, through a wire that rounds in another way."""
    settings = service.settings
    learners = {party.name: Learner(party.data, settings.training, seed) for party in parties}
    handlers = {
        name: Rounded(LearningParty(learner, MAX_LEVEL, common_stem=True), rounding, moves)
        for name, learner in learners.items()
    }
    first = learners[min(learners)]
    plan = FederationPlan(
        levels=dict.fromkeys(learners, MAX_LEVEL),
        reference=export_layers(first.network, (STEM, *LADDER)),
        strategy=strategy(settings.strategy.name, common_stem=True),
        rounds=settings.training.rounds,
    )
    learn_together(InProcessExchange(handlers), plan)
    for learner in learners.values():
        learner.keep_best()
    return errors_of(parties, learners)


def _by_level(
    rows: Mapping[tuple[str, int, str], list[tuple[float, float]]],
) -> dict[str, dict[int, tuple[float, float, float]]]:
    """Precision -> level -> mean error, its spread over seeds, and bytes; all sets alike."""
    found: dict[str, dict[int, tuple[float, float, float]]] = {}
    for wire_precision in ("float32", "float16"):
        found[wire_precision] = {}
        for level in range(MAX_LEVEL + 1):
            # (set, seed, error and bytes)
            by_set = np.array([rows[name, level, wire_precision] for name in SETS])
            by_seed = by_set[..., 0].mean(axis=0)
            found[wire_precision][level] = (
                float(by_seed.mean()),
                float(by_seed.std(ddof=1)),
                float(by_set[..., 1].mean()),
            )
    return found


def _report(
    rows: Mapping[tuple[str, int, str], list[tuple[float, float]]],
    others: Mapping[tuple[str, str], list[float]],
) -> str:
    lines = [
        "## Cost: precision of layers on the wire",
        f"MAE on test days of {', '.join(SETS)} (the sets of `benchmarks.joining`, all days,",
        f"common stem, at most {MOST} parties; 12 rounds of 10 steps of 64 rows), mean over",
        f"parties; seeds {', '.join(map(str, SEEDS))}, mean ± standard deviation.",
        "Error: as a share of learning alone. Change: float16 over float32, in per cent, of the",
        "same seeds; greatest: of the single seeds. Bytes: a party sends in a round, on average.",
        f"[Picture]({Path('../docs/images') / PLOT.name}). Goal: at most 0.2 % of error.",
        "",
        "| set | level | error, float32 | error, float16 | change, % | greatest, % | bytes, float32"
        " | bytes, float16 |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name in SETS:
        for level in range(MAX_LEVEL + 1):
            full, half = (
                np.array(rows[name, level, wire_precision])
                for wire_precision in ("float32", "float16")
            )
            change = 100 * (half[:, 0] / full[:, 0] - 1)
            greatest = change[np.abs(change).argmax()]
            cells = [spread(full[:, 0]), spread(half[:, 0]), f"{change.mean():+.3f}"]
            cells += [f"{greatest:+.3f}", f"{full[:, 1].mean():,.0f}", f"{half[:, 1].mean():,.0f}"]
            lines.append(f"| {name} | {level} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", *_others(rows, others)])


def _others(
    rows: Mapping[tuple[str, int, str], list[tuple[float, float]]],
    others: Mapping[tuple[str, str], list[float]],
) -> list[str]:
    lines = [
        f"Other ways at level {MAX_LEVEL}, change of error over float32 in per cent, ± over seeds:",
        "",
        "| way | " + " | ".join(SETS) + " |",
        "|---|" + "---:|" * len(SETS),
    ]
    cells = []
    for name in SETS:
        half, full = (
            np.array(rows[name, MAX_LEVEL, wire_precision])[:, 0]
            for wire_precision in ("float16", "float32")
        )
        cells.append(_percent(100 * (half / full - 1)))
    lines.append(f"| float16, values (the setting) | {' | '.join(cells)} |")
    for rounding_name in ROUNDINGS:
        cells = [_percent(100 * (np.array(others[name, rounding_name]) - 1)) for name in SETS]
        lines.append(f"| {rounding_name} | {' | '.join(cells)} |")
    return lines


def spread(values: Doubles) -> str:
    """Mean and standard deviation as written in a table."""
    return f"{values.mean():.4f} ± {values.std(ddof=1):.4f}"


def _percent(values: Doubles) -> str:
    return f"{values.mean():+.2f} ± {values.std(ddof=1):.2f}"
