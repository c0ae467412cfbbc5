"""What learning together costs: steps, bytes, memory, forecasts a second, many parties.

    python -m benchmarks.cost [reuse] [bytes] [memory] [forecasts] [parties]

Each part prints its table and records it; without names all run. Real data where data
matter (water districts of Ferrara), synthetic rows where only their number does.

Seconds are CPU seconds of this machine unless said otherwise: with one thread they are what
an idle machine takes, and a busy one disturbs them less.
"""

import math
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from benchmarks.record import record
from deepcity.city.clock import Clock
from deepcity.city.field import Field, Kind
from deepcity.city.level import HEAD, HIDDEN_LAYERS, MAX_LEVEL, Layers
from deepcity.city.place import Place
from deepcity.data.panel import Panel
from deepcity.data.windows import Span, origins
from deepcity.exchange.exchange import COORDINATOR, Failure, Handler
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.message import Message
from deepcity.exchange.party import LearningParty
from deepcity.exchange.rounds import Plan, begin, one_round
from deepcity.exchange.strategies import strategy
from deepcity.intercity.city_map import Service, load_map
from deepcity.intercity.map_settings import ServiceSettings
from deepcity.intercity.methods import Method, Run, run_method
from deepcity.intercity.parties import Party, parties_of
from deepcity.intercity.run import run_map
from deepcity.learning.features import Samples, WindowSettings, fit_inputs, train_origins
from deepcity.learning.learner import Learner, PartyData
from deepcity.learning.network import Network, Shape, new_network
from deepcity.learning.reuse import export_layers
from deepcity.learning.training import TrainingSettings, forecast, judge

MAP = Path(__file__).parents[1] / "cities" / "demo.toml"
SEEDS = (0, 1, 2)
NEW = ("ferrara/district-3", "ferrara/district-7")  # those that come later, and reuse layers
SCARCE_DAYS = 14
LOOK_EVERY = 10  # optimizer steps
MB = 1024.0  # ru_maxrss counts kilobytes on Linux


def main() -> None:
    """Run the parts named on the command line, or all."""
    torch.set_num_threads(1)
    parts: dict[str, Callable[[], str]] = {
        "reuse": reuse,
        "bytes": bytes_by_level,
        "memory": memory,
        "forecasts": forecasts,
        "parties": parties,
    }
    unknown = [name for name in sys.argv[1:] if name not in parts]
    if unknown:
        sys.exit(f"no part {', '.join(unknown)}; there are {', '.join(parts)}")
    for name in sys.argv[1:] or parts:
        begun = time.perf_counter()
        title, _, body = parts[name]().partition("\n")
        seconds, load, cores = time.perf_counter() - begun, os.getloadavg()[0], os.cpu_count()
        text = (
            f"{title}\n\n`python -m benchmarks.cost {name}`, {seconds:.0f} s in all on this "
            f"machine ({cores} cores, {load:.1f} processes busy).\n\n{body.strip()}\n"
        )
        print(text, flush=True)
        record(f"cost-{name}", text)


def _water(**scarce: float) -> Service:
    """The demo's water service; by default every district has all its days."""
    service = next(found for found in load_map(MAP).services if found.settings.name == "water")
    span = service.settings.span.model_copy(update={"scarce": scarce})
    return replace(service, settings=service.settings.model_copy(update={"span": span}))


# (a) steps and seconds to an error


@dataclass(frozen=True)
class Course:
    """One training: test error and training seconds at each look, and the kept state's error.

    Kept is the state with the lowest validation error, as in every run.
    """

    errors: list[float]
    seconds: list[float]
    kept: float = float("nan")

    def reaches(self, target: float) -> tuple[float, float]:
        """Steps and seconds until the error is at or under the target; infinite if never."""
        for look, error in enumerate(self.errors):
            if error <= target:
                return float(look * LOOK_EVERY), self.seconds[look]
        return float("inf"), float("inf")


def reuse() -> str:
    """Layers learned by eight districts, brought into two others, against learning alone."""
    services = {"all": _water(), f"{SCARCE_DAYS}": _water(**dict.fromkeys(NEW, SCARCE_DAYS))}
    ready = {days: parties_of(service) for days, service in services.items()}
    rows: dict[tuple[str, str, int], list[tuple[float, ...]]] = {}
    for seed in SEEDS:
        common = _common(services["all"].settings, ready["all"], seed)
        for days, found in ready.items():
            for party in found:
                if party.name in NEW:
                    own = _course(services[days].settings, party, {}, seed)
                    for level in (5, MAX_LEVEL):
                        names = (*HIDDEN_LAYERS, HEAD)[:level]
                        start = {name: common[name] for name in names}
                        other = _course(services[days].settings, party, start, seed)
                        key = (party.name.partition("/")[2], days, level)
                        rows.setdefault(key, []).append(_compare(own, other))
        print(f"reuse: seed {seed} done", flush=True)
    return _reuse_report(rows)


def _common(settings: ServiceSettings, found: list[Party], seed: int) -> Layers:
    """h1..h5 and the head as eight districts fused them last."""
    first = [party for party in found if party.name not in NEW]
    run = Run(settings, first, seed)
    outcome = run_method(run, Method("joined", {party.name: MAX_LEVEL for party in first}))
    return {name: outcome.progress.state.layers[name] for name in (*HIDDEN_LAYERS, HEAD)}


def _compare(own: Course, other: Course) -> tuple[float, ...]:
    """Steps alone, steps reusing, ratio of seconds; errors reusing / alone: first, kept.

    The ratio is NaN where learning alone needs no step: it ends no better than it began.
    """
    target = own.errors[-1]
    (own_steps, own_seconds), (steps, seconds) = own.reaches(target), other.reaches(target)
    ratio = seconds / own_seconds if own_seconds else float("nan")
    return own_steps, steps, ratio, other.errors[0] / own.errors[0], other.kept / own.kept


def _course(settings: ServiceSettings, party: Party, start: Layers, seed: int) -> Course:
    total = settings.training.total_steps
    training = settings.training.model_copy(
        update={"rounds": total // LOOK_EVERY, "local_steps": LOOK_EVERY}
    )
    learner = Learner(party.data, training, seed, start=start)
    course = Course([_test_error(learner, party)], [0.0])
    for number in range(training.rounds):
        begun = time.process_time()
        learner.train_round(number)
        course.seconds.append(course.seconds[-1] + time.process_time() - begun)
        course.errors.append(_test_error(learner, party))
        learner.receive({})
    learner.keep_best()
    return replace(course, kept=_test_error(learner, party))


def _test_error(learner: Learner, party: Party) -> float:
    return judge(learner.forecast(party.test), party.test, learner.settings.absolute_share)


def _reuse_report(rows: Mapping[tuple[str, str, int], list[tuple[float, ...]]]) -> str:
    lines = [
        "## Cost: steps to a target error, alone against reusing layers",
        f"Eight water districts of Ferrara learn together (level {MAX_LEVEL}); their h1..h5",
        "(level 5), or these and the head (level 6), then begin a district that was not among",
        "them, and all is fine-tuned. Target: the test error (MAE) that learning alone ends",
        "with; looked at every 10 optimizer steps, training CPU seconds only. `never` counts as",
        f"infinite. Seeds {', '.join(map(str, SEEDS))}: median (lowest to highest); ± is the",
        "standard deviation. The eight districts' own training is not counted. Where learning",
        "alone ends no better than its ridge began (0 steps), the ratio has no meaning and is",
        "left out (–). The error kept is that of the state chosen on the validation span.",
        "",
        "| district | days it has | level | steps alone | steps reusing | seconds, reusing / alone"
        " | error before training, reusing / alone | error kept, reusing / alone |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for (district, days, level), found in rows.items():
        own, steps, seconds, first, kept = zip(*found, strict=True)
        cells = [_range(own, 0), _range(steps, 0), _range(seconds, 2)]
        cells += [f"{statistics.mean(e):.3f} ± {statistics.stdev(e):.3f}" for e in (first, kept)]
        lines.append(f"| {district} | {days} | {level} | {' | '.join(cells)} |")
    for level in (5, MAX_LEVEL):
        ratios = [row[2] for (_, _, own), found in rows.items() if own == level for row in found]
        known = [ratio for ratio in ratios if not math.isnan(ratio)]
        never = sum(math.isinf(ratio) for ratio in known)
        lines.append("")
        lines.append(
            f"Level {level}: median ratio of seconds {_range(known, 2)} over the {len(known)} of "
            f"{len(ratios)} cases where it has a meaning; target never reached in {never} of them."
        )
    return "\n".join(lines)


def _range(values: tuple[float, ...] | list[float], digits: int) -> str:
    def told(value: float) -> str:
        return "never" if value == float("inf") else f"{value:.{digits}f}"

    values = [value for value in values if not math.isnan(value)]
    if not values:
        return "–"
    return f"{told(statistics.median(values))} ({told(min(values))} to {told(max(values))})"


# (b) bytes a round


def bytes_by_level() -> str:
    """What one party sends and receives in a round once all layers meet, by the ledger."""
    service = _water()
    found = parties_of(service)[:2]
    short = service.settings.training.model_copy(update={"rounds": 2, "local_steps": 1})
    settings = service.settings.model_copy(update={"training": short})
    lines = [
        "## Cost: bytes a round, by reuse level",
        "Per party, as serialised, second round of the demo's water service (the first hands",
        "out no head). No seed moves them. Level 0 still carries its two numbers and a header.",
        "",
        "| level | up, bytes | down, bytes |",
        "|---:|---:|---:|",
    ]
    for level in range(MAX_LEVEL + 1):
        run = Run(settings, found, 0)
        outcome = run_method(run, Method(f"level_{level}", {party.name: level for party in found}))
        rows = [row for row in outcome.ledger.snapshot() if row[0] == 1]
        me = found[0].name
        up = sum(row[5] for row in rows if row[2] == me)
        down = sum(row[5] for row in rows if row[3] == me)
        lines.append(f"| {level} | {up:,} | {down:,} |")
    return "\n".join(lines)


# (c) peak memory


def memory() -> str:
    """Peak of a process that runs the demo's map with all data and methods, but few steps."""
    code = "from benchmarks.cost import peak_of_demo; print(peak_of_demo())"
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    empty, peak = (float(part) for part in done.stdout.split()[-2:])
    return "\n".join(
        [
            "## Cost: peak memory of the demo-sized job",
            "The demo's map with all its parties, rows, methods and levels in one process, one",
            "round of 2 steps each; resident set, seed 0. A longer training was not measured here.",
            "",
            "| after importing | peak | goal |",
            "|---:|---:|---:|",
            f"| {empty:.0f} MB | {peak:.0f} MB | at most 2048 MB |",
        ]
    )


def peak_of_demo() -> str:
    """Megabytes held after importing, and at the peak; run this in a process of its own."""
    torch.set_num_threads(1)
    empty = _peak_mb()
    city_map = load_map(MAP)
    services = []
    for service in city_map.services:
        short = service.settings.training.model_copy(
            update={"rounds": 1, "local_steps": 2, "refit_steps": 2}
        )
        settings = service.settings.model_copy(update={"training": short})
        services.append(replace(service, settings=settings))
    with TemporaryDirectory() as folder:
        run_map(replace(city_map, services=tuple(services)), Path(folder))
    return f"{empty} {_peak_mb()}"


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MB


# (d) forecasts a second


def forecasts() -> str:
    """12 horizon steps for 1, 1,000 and 100,000 places, features and weights in memory."""
    network = new_network(Shape(features=83, horizon=12, summaries=3, recent=48), 0)
    lines = [
        "## Cost: forecasts a second",
        "One origin, 12 horizon steps, 83 features a place, weights and features in memory;",
        "synthetic features. Median of repeated calls (lowest to highest). Two threads wait for",
        "each other: where other processes keep the cores busy, they are slower than one.",
        "Goal: 100,000 places under 1 s on two threads.",
        "",
        "| places | threads | wall seconds a call | CPU seconds a call | places a wall second |",
        "|---:|---:|---:|---:|---:|",
    ]
    for places, times in ((1, 300), (1_000, 100), (100_000, 9)):
        samples = _random_samples(places)
        for threads in (1, 2):
            torch.set_num_threads(threads)
            took, cpu = _times(partial(forecast, network, samples), times)
            median = statistics.median(took)
            seconds = f"{median:.4g} ({min(took):.4g} to {max(took):.4g})"
            lines.append(
                f"| {places:,} | {threads} | {seconds} | {cpu:.4g} | {places / median:,.0f} |"
            )
    torch.set_num_threads(1)
    return "\n".join(lines)


def _random_samples(places: int) -> Samples:
    rng = np.random.default_rng(0)
    features = rng.standard_normal((1, places, 83), dtype=np.float32)
    summaries = rng.standard_normal((1, places, 12, 3), dtype=np.float32)
    anchor = np.zeros((1, places, 12), np.float32)
    return Samples(features, summaries, anchor, anchor, np.ones((places, 1), np.float32), 48)


def _times(call: Callable[[], object], times: int) -> tuple[list[float], float]:
    """Wall seconds of each call, and CPU seconds of one on average."""
    call()
    took, busy = [], time.process_time()
    for _ in range(times):
        begun = time.perf_counter()
        call()
        took.append(time.perf_counter() - begun)
    return took, (time.process_time() - busy) / times


# (e) many parties in one process


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


PARTY_TRAINING = TrainingSettings(rounds=5, local_steps=5, batch_rows=64)
PARTY_WINDOW = WindowSettings(history=24, horizon=24, days=3)
COUNTS = (1, 10, 50, 100, 200)


def parties() -> str:
    """Time and memory a round as small synthetic parties in one process grow to 200."""
    lines = [
        "## Cost: a round as in-process parties grow",
        f"Synthetic parties of one place and 30 days by the hour, level {MAX_LEVEL},",
        f"{PARTY_TRAINING.local_steps} steps of {PARTY_TRAINING.batch_rows} rows a round, one",
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
    code = f"from benchmarks.cost import rounds_of; print(rounds_of({count}))"
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    numbers = [float(part) for part in done.stdout.split()]
    rounds = [tuple(numbers[at : at + 4]) for at in range(1, len(numbers), 4)]
    return rounds, numbers[0]


def rounds_of(count: int) -> str:
    """Measured rounds of so many parties; run this in a process of its own."""
    torch.set_num_threads(1)
    _rounds(1, 1)  # what libraries load at their first use is no party's memory
    before = _peak_mb()
    rows = _rounds(count, len(SEEDS))
    numbers = [_peak_mb() - before, *(number for row in rows for number in row)]
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
    plan = Plan(
        levels=dict.fromkeys(learners, MAX_LEVEL),
        reference=export_layers(first, (*HIDDEN_LAYERS, HEAD)),
        strategy=strategy("fedavg"),
        rounds=PARTY_TRAINING.rounds,
    )
    progress = one_round(exchange, plan, begin(exchange, plan))
    found = []
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
    return PartyData(name, learn, inputs.samples(chosen), inputs.recall_HS)


if __name__ == "__main__":
    main()
