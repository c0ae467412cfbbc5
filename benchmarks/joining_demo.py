"""What joining is worth to a district with two weeks of records, and what it costs the others.

    python -m benchmarks.joining_demo [--seeds 0,1,2] [--districts 1,2,...]

The water service of the demo map; each Ferrara district in turn has 14 days of its own, the
nine others all of theirs. Errors are MAE on the test days, as shares of learning alone.
About a minute a district and seed on one free core.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from benchmarks.record import record
from deepcity.city.level import MAX_LEVEL
from deepcity.intercity import results as names
from deepcity.intercity.automatic import choose
from deepcity.intercity.city_map import Service, load_map
from deepcity.intercity.methods import Method, Outcome, Run, run_method
from deepcity.intercity.methods import alone as alone_method
from deepcity.intercity.parties import Party, parties_of, pooled_party
from deepcity.intercity.summary import errors_of, naive_errors, pooled_errors, test_errors

MAP = Path(__file__).parents[1] / "cities" / "demo.toml"
DAYS = 14.0


@dataclass(frozen=True)
class Found:
    """One district scarce, one seed; errors in L/s, the others' as shares of alone."""

    alone: float
    ridge: float
    joined: float
    automatic: float
    pooled: float
    level: int
    others_joined: tuple[float, ...]
    others_automatic: tuple[float, ...]


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
    alone_mae, joined_mae = (
        {party: found.mae for party, found in test_errors(outcome, parties).items()}
        for outcome in (alone, joined)
    )
    chosen = {
        party.name: choose(
            party, alone.learners[party.name], joined.learners[party.name], MAX_LEVEL, seed
        )
        for party in parties
    }
    automatic = {
        party.name: errors_of(
            chosen[party.name].learner.forecast(party.test), party.test.truth_BNH
        ).mae
        for party in parties
    }
    scarce = next(party for party in parties if party.name == name)
    others = [party.name for party in parties if party.name != name]
    return Found(
        alone=alone_mae[name],
        ridge=naive_errors(scarce)[names.RIDGE].mae,
        joined=joined_mae[name],
        automatic=automatic[name],
        pooled=pooled[name],
        level=chosen[name].level,
        others_joined=tuple(joined_mae[other] / alone_mae[other] for other in others),
        others_automatic=tuple(automatic[other] / alone_mae[other] for other in others),
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
        levels = ", ".join(str(run.level) for run in runs)
        cells = [_share(runs, key) for key in ("ridge", "joined", "automatic")]
        alone = float(np.mean([run.alone for run in runs]))
        lines.append(
            f"| {name} | {alone:.3f} | {' | '.join(cells)} | {levels} | {_share(runs, 'pooled')} |"
        )
    every = [run for runs in found.values() for run in runs]
    cells = [_share(every, key) for key in ("ridge", "joined", "automatic")]
    lines.append(f"| **all runs** | | {' | '.join(cells)} | | {_share(every, 'pooled')} |")
    for key, title in (("others_joined", "joined"), ("others_automatic", "automatic")):
        shares = np.array([share for run in every for share in getattr(run, key)])
        lines.append(
            ("" if key.endswith("automatic") else "\n")
            + f"- The others with all their days, {title}: mean {shares.mean():.3f}, "
            f"best {shares.min():.3f}, worst {shares.max():.3f}."
        )
    own = np.array([run.automatic / run.alone for run in every])
    lines.append(f"- Scarce, automatic: best {own.min():.3f}, worst {own.max():.3f}.")
    return "\n".join(lines)


def _share(runs: Sequence[Found], key: str) -> str:
    shares = np.array([getattr(run, key) / run.alone for run in runs])
    return f"{shares.mean():.3f} ± {shares.std():.3f}"


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
