"""What joining is worth to a district with two weeks of records, and what it costs the others.

    python -m benchmarks.joining_demo [--seeds 0,1,2] [--districts 1,2,...]

The water service of the demo map; each Ferrara district in turn has 14 days of its own, the
nine others all of theirs. Errors are MAE on the test days, as shares of learning alone.
About a minute a district and seed on one free core.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.record import record
from deepcity.city.level import MAX_LEVEL
from deepcity.intercity import results as names
from deepcity.intercity.automatic import choose
from deepcity.intercity.city_map import Service, load_map
from deepcity.intercity.methods import Method, Outcome, Run, run_method
from deepcity.intercity.methods import alone as alone_method
from deepcity.intercity.parties import Party, parties_of, pooled_party
from deepcity.intercity.summary import errors_of, naive_errors, pooled_errors
from deepcity.learning.learner import Learner

Floats = NDArray[np.float32]
MAP = Path(__file__).parents[1] / "cities" / "demo.toml"
DAYS = 14.0


@dataclass(frozen=True)
class Case:
    """One party of one run; errors in L/s on test days.

    Attributes:
        averaged: of the mean of alone's and automatic's forecasts.
        gain, doubt: on validation days, as `deepcity.intercity.automatic.Choice` tells them.
    """

    alone: float
    joined: float
    automatic: float
    averaged: float
    level: int
    gain: float
    doubt: float

    def ruled(self, errors: float, *, average: bool = False) -> float:
        """Share of alone if a gain had to exceed so many standard errors.

        Args:
            average: where it does not, but is a gain, take the mean of both forecasts.
        """
        if self.level == 0 or self.gain > errors * self.doubt:
            return self.automatic / self.alone
        return self.averaged / self.alone if average else 1.0


@dataclass(frozen=True)
class Found:
    """One district scarce, one seed; errors in L/s on its test days."""

    scarce: Case
    others: tuple[Case, ...]
    ridge: float
    pooled: float


def scarce_service(service: Service, party: str) -> Service:
    """The service with this party alone scarce."""
    span = service.settings.span.model_copy(update={"scarce": {party: DAYS}})
    return Service(
        service.settings.model_copy(update={"span": span}), service.application, service.members
    )


def measure(service: Service, name: str, seed: int) -> Found:
    """Every method, with one party scarce."""
    parties = parties_of(service)
    run = Run(service.settings, parties, seed)
    alone = run_method(run, alone_method(parties))
    joined = run_method(run, Method("joined", {party.name: MAX_LEVEL for party in parties}))
    pooled = _pooled(service, parties, seed)
    cases = {
        party.name: _case(party, alone.learners[party.name], joined.learners[party.name], seed)
        for party in parties
    }
    scarce = next(party for party in parties if party.name == name)
    return Found(
        scarce=cases[name],
        others=tuple(case for party, case in cases.items() if party != name),
        ridge=naive_errors(scarce)[names.RIDGE].mae,
        pooled=pooled[name],
    )


def _case(party: Party, alone: Learner, joined: Learner, seed: int) -> Case:
    choice = choose(party, alone, joined, MAX_LEVEL, seed)
    by_alone, by_choice = (one.forecast(party.test) for one in (alone, choice.learner))

    def error(forecast_BNH: Floats) -> float:
        return errors_of(forecast_BNH, party.test.truth_BNH).mae

    return Case(
        alone=error(by_alone),
        joined=error(joined.forecast(party.test)),
        automatic=error(by_choice),
        averaged=error(np.float32(0.5) * (by_alone + by_choice)),
        level=choice.level,
        gain=choice.gain,
        doubt=choice.doubt,
    )


def _pooled(service: Service, parties: Sequence[Party], seed: int) -> dict[str, float]:
    pooled = pooled_party(service, parties)
    outcome: Outcome = run_method(
        Run(service.settings, [pooled], seed), alone_method([pooled], names.POOLED)
    )
    return {party: found.mae for party, found in pooled_errors(outcome, pooled, parties).items()}


def table(found: Mapping[str, Sequence[Found]], seeds: Sequence[int]) -> str:
    """The figures as Markdown; shares of alone, mean and standard deviation over seeds."""
    lines = [
        "## Joining with two weeks of records (Ferrara water, 24 hours ahead)",
        "",
        f"`python -m benchmarks.joining_demo`, seeds {', '.join(map(str, seeds))}. Each district "
        "in turn has 14 days. MAE on test days; shares of learning alone, mean ± standard "
        "deviation over seeds; under 1 is better than alone.",
        "",
        "| scarce district | alone, L/s | ridge | joined, level 6 | automatic | levels chosen "
        "| pooled raw rows |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, runs in found.items():
        levels = ", ".join(str(run.scarce.level) for run in runs)
        alone = float(np.mean([run.scarce.alone for run in runs]))
        lines.append(f"| {name} | {alone:.3f} | {_shares(runs, levels)} |")
    every = [run for runs in found.values() for run in runs]
    lines += [f"| **all runs** | | {_shares(every, '')} |", "", *_rules(every)]
    return "\n".join(lines)


def _shares(runs: Sequence[Found], levels: str) -> str:
    ridge, joined, automatic, pooled = (
        np.array(errors) / [run.scarce.alone for run in runs]
        for errors in (
            [run.ridge for run in runs],
            [run.scarce.joined for run in runs],
            [run.scarce.automatic for run in runs],
            [run.pooled for run in runs],
        )
    )
    cells = [f"{part.mean():.3f} ± {part.std():.3f}" for part in (ridge, joined, automatic, pooled)]
    return " | ".join([*cells[:3], levels, cells[3]])


def _rules(every: Sequence[Found]) -> list[str]:
    """How sure a gain on validation days must be: each rule on all the same runs."""
    scarce = [run.scarce for run in every]
    others = [case for run in every for case in run.others]
    rules: dict[str, Callable[[Case], float]] = {
        "always joined, level 6": lambda case: case.joined / case.alone,
        "any gain (automatic)": lambda case: case.ruled(0.0),
        "above half a standard error": lambda case: case.ruled(0.5),
        "above one standard error": lambda case: case.ruled(1.0),
        "mean of both up to one standard error": lambda case: case.ruled(1.0, average=True),
    }
    lines = [
        "When a level is taken, by the gain on validation days it must show. Shares of alone on "
        "the test days, mean (lowest to highest); the rule was chosen by such figures, so they "
        "flatter it.",
        "",
        f"| rule | scarce, {len(scarce)} cases | worse by over 1 % | the others, {len(others)} "
        "cases | worse by over 1 % |",
        "|---|---|---|---|---|",
    ]
    for name, rule in rules.items():
        cells = []
        for cases in (scarce, others):
            shares = np.array([rule(case) for case in cases])
            cells.append(f"{shares.mean():.3f} ({shares.min():.3f} to {shares.max():.3f})")
            cells.append(str(int((shares > 1.01).sum())))
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def main() -> None:
    """Measure, print as it goes, and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--districts", default=",".join(map(str, range(1, 11))))
    asked = parser.parse_args()
    torch.set_num_threads(1)
    seeds = [int(seed) for seed in asked.seeds.split(",")]
    water = next(service for service in load_map(MAP).services if service.settings.name == "water")
    found: dict[str, list[Found]] = {}
    for district in asked.districts.split(","):
        party = f"ferrara/district-{district}"
        for seed in seeds:
            now = measure(scarce_service(water, party), party, seed)
            found.setdefault(district, []).append(now)
            print(district, seed, now, flush=True)
    text = table(found, seeds)
    print(text)
    record("joining-demo", text)


if __name__ == "__main__":
    main()
