"""Time and memory of a round as parties in one process grow to 200."""

import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import torch

from benchmarks.cost.setting import ROOT, SEEDS
from benchmarks.peak_memory import peak_mb
from deepcity.city.clock import Clock
from deepcity.city.field import Field, Kind
from deepcity.city.level import HEAD, HIDDEN_LAYERS, MAX_LEVEL
from deepcity.city.place import Place
from deepcity.data.panel import Panel
from deepcity.data.windows import Span, origins
from deepcity.exchange.exchange import COORDINATOR, Failure, Handler
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.message import Message
from deepcity.exchange.party import LearningParty
from deepcity.exchange.rounds import FederationPlan, begin, one_round
from deepcity.exchange.strategies import strategy
from deepcity.learning.features.inputs import WindowSettings, fit_inputs, train_origins
from deepcity.learning.networks.network import Network
from deepcity.learning.networks.reuse import export_layers
from deepcity.learning.training.learner import Learner, PartyData
from deepcity.learning.training.local_training import TrainingSettings


@dataclass
class Clocked:
    """A handler or an exchange that counts the seconds spent inside it."""

    inner: Handler
    seconds: float = 0.0

    def handle(self, message: Message, caller: str) -> Message:
        """Answer as the inner handler does."""
        begun = time.process_time()
        try:
            return self.inner.handle(message, caller)
        finally:
            self.seconds += time.process_time() - begun


@dataclass
class ClockedExchange:
    """An in-process exchange that counts the seconds of its calls."""

    inner: InProcessExchange
    name: str = COORDINATOR
    seconds: float = field(default=0.0)

    @property
    def parties(self) -> tuple[str, ...]:
        """As the inner exchange."""
        return self.inner.parties

    def call(self, party: str, message: Message) -> Message:
        """As the inner exchange."""
        return self.inner.call(party, message)

    def call_group(self, messages: Mapping[str, Message]) -> dict[str, Message | Failure]:
        """As the inner exchange, counted."""
        begun = time.process_time()
        try:
            return self.inner.call_group(messages)
        finally:
            self.seconds += time.process_time() - begun


PARTY_TRAINING = TrainingSettings(rounds=5, local_steps=5, batch_size=64)
PARTY_WINDOW = WindowSettings(history=24, horizon=24, days=3)
COUNTS = (1, 10, 50, 100, 200)


def parties() -> str:
    """Time and memory a round as small synthetic parties in one process grow to 200."""
    lines = [
        "## Cost: a round as in-process parties grow",
        f"Synthetic parties of one place and 30 days by the hour, level {MAX_LEVEL},",
        f"{PARTY_TRAINING.local_steps} steps of {PARTY_TRAINING.batch_size} rows a round, one",
        f"thread; CPU seconds, mean ± standard deviation of {len(SEEDS)} rounds after the first.",
        "Training includes each party's look at its validation span; serialising is to bytes",
        "and back, both ways; fusing includes screening for broken weights. Resident memory is",
        "what a process of that many parties added at its peak to what it held before them.",
        "",
        "| parties | seconds a round | training | serialising | fusing | memory added, MB |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    totals, memories = [], []
    for count in COUNTS:
        rounds, added = _measure_parties(count)
        mean, spread = np.mean(rounds, axis=0), np.std(rounds, axis=0, ddof=1)
        totals.append(float(mean[0]))
        memories.append(added)
        cells = [f"{a:.3f} ± {b:.3f}" for a, b in zip(mean, spread, strict=True)]
        lines.append(f"| {count} | {' | '.join(cells)} | {added:.0f} |")
    slope = np.polyfit(COUNTS, totals, 1)[0]
    growth = np.polyfit(np.log(COUNTS[1:]), np.log(totals[1:]), 1)[0]
    grown = np.polyfit(COUNTS, memories, 1)[0]
    lines += [
        "",
        f"Slope: {1000 * slope:.1f} ms and {grown:.2f} MB a party; time grows with parties to the "
        f"power {growth:.2f} from 10 on (1 is linear).",
    ]
    return "\n".join(lines)


def _measure_parties(count: int) -> tuple[list[tuple[float, ...]], float]:
    """Seconds (total, training, serialising, fusing) of each round, and megabytes added."""
    code = f"from benchmarks.cost.parties import rounds_of; print(rounds_of({count}))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    numbers = [float(part) for part in done.stdout.split()]
    rounds = [tuple(numbers[at : at + 4]) for at in range(1, len(numbers), 4)]
    return rounds, numbers[0]


def rounds_of(count: int) -> str:
    """Measured rounds of so many parties; run this in a process of its own."""
    torch.set_num_threads(1)
    _rounds(1, 1)  # what libraries load at their first use is no party's memory
    before = peak_mb()
    rows = _rounds(count, len(SEEDS))
    numbers = [peak_mb() - before, *(number for row in rows for number in row)]
    return " ".join(f"{number:.6f}" for number in numbers)


def _rounds(count: int, times: int) -> list[tuple[float, ...]]:
    """Seconds of rounds after the first: total, training, serialising, fusing."""
    learners = {
        f"town-{number}": Learner(_synthetic(f"town-{number}", number), PARTY_TRAINING, 0)
        for number in range(count)
    }
    handlers = {
        name: Clocked(LearningParty(learner, MAX_LEVEL)) for name, learner in learners.items()
    }
    exchange = ClockedExchange(InProcessExchange(handlers))
    first: Network = next(iter(learners.values())).network
    plan = FederationPlan(
        levels=dict.fromkeys(learners, MAX_LEVEL),
        reference=export_layers(first, (*HIDDEN_LAYERS, HEAD)),
        strategy=strategy("fedavg"),
        rounds=PARTY_TRAINING.rounds,
    )
    progress = one_round(exchange, plan, begin(exchange, plan))
    found: list[tuple[float, ...]] = []
    for _ in range(times):
        for handler in handlers.values():
            handler.seconds = 0.0
        exchange.seconds = 0.0
        begun = time.process_time()
        progress = one_round(exchange, plan, progress)
        total = time.process_time() - begun
        training = sum(handler.seconds for handler in handlers.values())
        found.append((total, training, exchange.seconds - training, total - exchange.seconds))
    return found


def _synthetic(name: str, seed: int) -> PartyData:
    """Thirty days of one place: a daily wave and noise."""
    rng = np.random.default_rng(seed)
    hours = np.arange(30 * 24)
    values = 10 + 3 * np.sin(2 * np.pi * hours / 24) + rng.standard_normal(len(hours))
    panel = Panel(
        Clock("UTC", timedelta(hours=1)),
        3600 * hours,
        (Place(name),),
        (Field("flow", Kind.FLOW, "L/s"),),
        values[:, None, None].astype(np.float32),
    )
    train = Span(0, 24 * 24)
    inputs = fit_inputs(panel, "flow", PARTY_WINDOW, train)
    chosen = origins(Span(train.end, len(hours)), PARTY_WINDOW.horizon)
    learn = inputs.samples(train_origins(PARTY_WINDOW, train))
    return PartyData(name, learn, inputs.samples(chosen), inputs.ridge_skip_HS)
