"""A party goes on learning as its days come in: Melbourne's streets as a lockdown ends.

    python -m benchmarks.continual [--seeds 0,1,2]

The network learned from days that were mostly under lockdown (it ended on 22 October 2021).
Then weeks come in, each forecast first and learned from after: never; by refining
(`deepcity.learning.training.continual`); by tuning on new rows alone; or by building anew from all
days every four weeks. Forgetting is measured on old days that nobody learned from.
"""

import argparse
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

from benchmarks.record import record
from deepcity.data.city_file import load_city, load_panel
from deepcity.data.panel import Panel
from deepcity.data.windows import Span
from deepcity.learning.evaluation.drift import daily_errors, detect_drift
from deepcity.learning.features.inputs import (
    Inputs,
    Samples,
    WindowSettings,
    fit_inputs,
    train_origins,
)
from deepcity.learning.training.continual import memory_error, refine
from deepcity.learning.training.learner import EVERY_LAYER, Learner, PartyData
from deepcity.learning.training.local_training import TrainingSettings, validation_score

CITY = Path(__file__).parent / "cities" / "melbourne.toml"
FIRST, KNOWN, LAST = (datetime(2021, 6, 1, tzinfo=UTC), datetime(2021, 10, 10, tzinfo=UTC),
                      datetime(2022, 3, 27, tzinfo=UTC))  # fmt: skip
WINDOW = WindowSettings(history=24, horizon=24, days=14)
TRAINING = TrainingSettings(local_steps=30, batch_size=128)
DAY, WEEK, MONTH = 24, 7 * 24, 4 * 7 * 24
CHOOSE, ASIDE = 14 * DAY, 14 * DAY  # days to choose a state by, and days kept aside, before KNOWN
STEPS, WEEKLY, IN_ALL = 40, 0.02, 0.05
EVERY = 4  # weeks between two buildings anew


@dataclass
class Course:
    """One way's errors: absolute errors' sums and counts by week, and what it cost."""

    weeks: list[float] = field(default_factory=list)
    forgot: float = 0.0
    steps: int = 0
    seconds: float = 0.0

    @property
    def mae(self) -> float:
        """Mean over weeks."""
        return float(np.mean(self.weeks))


@dataclass(frozen=True)
class Stream:
    """Melbourne's panel as the old days' inputs see it, and where the new days begin."""

    panel: Panel
    inputs: Inputs
    known: int

    def rows(self, first: int, last: int, stride: int) -> Samples:
        """Samples whose targets lie in [first, last)."""
        return self.inputs.samples(np.arange(first, last - WINDOW.horizon + 1, stride))

    @property
    def old(self) -> Samples:
        """The rows of the first training."""
        train = Span(0, self.known - CHOOSE - ASIDE)
        return self.inputs.samples(train_origins(WINDOW, train)[::-1][::3][::-1])

    @property
    def aside(self) -> Samples:
        """Old days that nobody learns from."""
        return self.rows(self.known - ASIDE, self.known, 6)


def stream() -> Stream:
    """The panel, and inputs fitted to the days before `KNOWN` alone."""
    city = load_city(CITY)
    panel = load_panel(city, "streets").between(int(FIRST.timestamp()), int(LAST.timestamp()))
    known = int(np.searchsorted(panel.time_T, int(KNOWN.timestamp())))
    inputs = fit_inputs(panel, "people", WINDOW, Span(0, known - CHOOSE - ASIDE))
    return Stream(panel, inputs, known)


def first_learner(found: Stream, seed: int) -> Learner:
    """What was learned before the new days."""
    chosen = found.rows(found.known - CHOOSE - ASIDE, found.known - ASIDE, 6)
    return trained(PartyData("melbourne", found.old, chosen, found.inputs.ridge_skip_HS), seed)


def trained(data: PartyData, seed: int) -> Learner:
    """A whole training."""
    learner = Learner(data, TRAINING, seed)
    for number in range(TRAINING.rounds):
        learner.train_round(number)
        learner.receive({})
    learner.keep_best()
    return learner


def error(learner: Learner, samples: Samples) -> float:
    """Mean absolute error."""
    return validation_score(learner.forecast(samples), samples, 1.0)


@dataclass(frozen=True)
class Known:
    """What is known at some time: a network, and inputs fitted until then."""

    learner: Learner
    inputs: Inputs

    def error(self, first: int, last: int, stride: int) -> float:
        """Mean absolute error of targets in [first, last)."""
        samples = self.inputs.samples(np.arange(first, last - WINDOW.horizon + 1, stride))
        return error(self.learner, samples)

    def memory(self, found: Stream) -> float:
        """The error that states are chosen by, on the old days kept aside."""
        first = found.known - ASIDE
        origins = np.arange(first, found.known - WINDOW.horizon + 1, 6)
        return memory_error(self.learner, self.inputs.samples(origins))


Update = Callable[[Known, int], Known]


def run(found: Stream, begun: Known, update: Update, every: int, steps: int) -> Course:
    """Forecast each week, then learn from it."""
    course, now = Course(), begun
    for number, start in enumerate(range(found.known, len(found.panel.time_T) - WEEK + 1, WEEK)):
        course.weeks.append(now.error(start, start + WEEK, 3))
        if (number + 1) % every == 0:
            clock = time.process_time()
            now = update(now, start + WEEK)
            course.seconds += time.process_time() - clock
            course.steps += steps
    course.forgot = now.memory(found) / begun.memory(found) - 1
    return course


def rebuild(found: Stream, now: int, seed: int) -> Known:
    """Inputs and network from all days until now; the last two weeks choose the state."""
    train = Span(0, now - CHOOSE)
    inputs = fit_inputs(found.panel, "people", WINDOW, train)
    old = inputs.samples(train_origins(WINDOW, train)[::-1][::3][::-1])
    chosen = inputs.samples(np.arange(now - CHOOSE, now - WINDOW.horizon + 1, 6))
    return Known(trained(PartyData("melbourne", old, chosen, inputs.ridge_skip_HS), seed), inputs)


def update_methods(found: Stream, begun: Learner, seed: int) -> dict[str, tuple[Update, int, int]]:
    """Name -> how it learns from new weeks, every how many, and its optimizer steps."""
    old, aside = found.old, found.aside
    counted = memory_error(begun, aside)

    def fresh(now: int) -> Samples:
        return found.rows(max(found.known, now - MONTH), now, 3)

    def refined(bound: float, counted: float | None) -> Update:
        def update(known: Known, now: int) -> Known:
            done = refine(
                known.learner,
                old,
                fresh(now),
                aside,
                steps=STEPS,
                seed=seed + now,
                bound=bound,
                known=counted,
            )
            return replace(known, learner=done.learner)

        return update

    def tuned(known: Known, now: int) -> Known:
        settings = TRAINING.model_copy(
            update={"rounds": 1, "local_steps": STEPS, "learning_rate": 0.3 * 2e-3}
        )
        data = replace(known.learner.data, train=fresh(now))
        start = known.learner.export(EVERY_LAYER)
        other = Learner(data, settings, seed + now, start=start)
        other.train_round(0)
        return replace(known, learner=other)

    return {
        "kept as it was": (lambda known, _: known, 1, 0),
        f"refined weekly, bound {WEEKLY:.0%} a week": (refined(WEEKLY, None), 1, STEPS),
        f"refined weekly, bound {IN_ALL:.0%} in all": (refined(IN_ALL, counted), 1, STEPS),
        "tuned weekly on new rows alone": (tuned, 1, STEPS),
        "built anew every 4 weeks": (
            lambda _, now: rebuild(found, now, seed),
            EVERY,
            TRAINING.total_steps,
        ),
    }


def drift_of(found: Stream, learner: Learner) -> str:
    """When the kept network's drift is noticed."""
    grid = found.inputs.grid

    def by_day(first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        origins = np.arange(first, last - WINDOW.horizon + 1, 3)
        samples = found.inputs.samples(origins)
        return daily_errors(learner.forecast(samples), samples.truth_BNH, grid.day_T[origins])

    _, usual = by_day(found.known - CHOOSE - ASIDE, found.known)
    days, errors = by_day(found.known, len(found.panel.time_T))
    drift = detect_drift(errors, usual)
    if drift is None:
        return "none"
    dates = [
        datetime.fromtimestamp(int(found.panel.time_T[np.argmax(grid.day_T == days[at])]), UTC)
        for at in (drift.since, drift.noticed)
    ]
    return f"since {dates[0]:%d %b}, noticed {dates[1]:%d %b %Y}, {drift.excess:+.0%}"


def text(courses: dict[str, list[Course]], drifts: Sequence[str], seeds: Sequence[int]) -> str:
    """The table."""
    times = os.times()
    weeks = len(next(iter(courses.values()))[0].weeks)
    lines = [
        "## Continual: Melbourne's streets after a lockdown",
        "",
        f"`python -m benchmarks.continual --seeds {','.join(map(str, seeds))}`, "
        f"{(times.user + times.system) / 60:.0f} CPU minutes. People an hour at 55 counters, 24 "
        f"hours ahead; learned until {KNOWN:%d %B %Y}, then {weeks} weeks, each forecast before "
        "it is learned from; lockdown ended on 22 October 2021. Mean ± standard deviation over "
        f"seeds. Refining: {STEPS} steps on the last four weeks and as many old rows, weights "
        "drawn back until the error on old days kept aside rose by no more than the bound. "
        "Forgot: rise of the error on those days over all weeks (of the error that training is "
        "chosen by, half MAE and half RMSE).",
        "",
        "| | MAE | of kept | first 4 weeks of kept | last 4 weeks of kept | forgot | steps |"
        " CPU s of learning |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    kept = next(iter(courses.values()))
    for name, found in courses.items():
        shares = [one.mae / base.mae for one, base in zip(found, kept, strict=True)]
        parts = [
            [float(np.mean(one.weeks[part]) / np.mean(base.weeks[part])) for one, base in
             zip(found, kept, strict=True)]
            for part in (slice(0, 4), slice(-4, None))
        ]  # fmt: skip
        cells = [_mean_and_range([one.mae for one in found], 1), _mean_and_range(shares, 3)]
        cells += [_mean_and_range(part, 3) for part in parts]
        cells += [f"{100 * np.mean([one.forgot for one in found]):+.1f} %"]
        cells += [f"{found[0].steps}", f"{np.mean([one.seconds for one in found]):.0f}"]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    drift_text = "; ".join(
        f"seed {seed}: {drift}" for seed, drift in zip(seeds, drifts, strict=True)
    )
    return "\n".join([*lines, "", f"Drift of the kept network: {drift_text}."])


def _mean_and_range(values: Sequence[float], digits: int) -> str:
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    return f"{np.mean(values):.{digits}f} ± {spread:.{digits}f}"


def main() -> None:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", default="0,1,2")
    seeds = [int(seed) for seed in parser.parse_args().seeds.split(",")]
    torch.set_num_threads(1)
    found = stream()
    courses: dict[str, list[Course]] = {}
    drifts = []
    for seed in seeds:
        begun = first_learner(found, seed)
        drifts.append(drift_of(found, begun))
        for name, (update, every, steps) in update_methods(found, begun, seed).items():
            course = run(found, Known(begun, found.inputs), update, every, steps)
            courses.setdefault(name, []).append(course)
            line = f"MAE {course.mae:.1f}, forgot {course.forgot:+.1%}"
            print(f"seed {seed}, {name}: {line}", flush=True)
    table = text(courses, drifts, seeds)
    print(table)
    if seeds == [0, 1, 2]:
        record("continual", table)


if __name__ == "__main__":
    main()
