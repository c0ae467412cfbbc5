"""What a newcomer's first day is worth: one day of its own, no whole window in it.

    python -m benchmarks.joining.first_day [--seeds 0,1,2] [--sets bikes,ferrara] [--days 1]

Hourly sets, 24 hours from 24 hours. Each party in turn is new: the others, with all their
days, learn without it and practise for newcomers; it sends nothing. Every case is kept in
runs/joining/first-day.jsonl as soon as it is done, and a killed run goes on where it stood.
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from benchmarks.joining.cases import (
    alone_learner,
    episodic_parties,
    learned_without,
    mean_error,
    scarce,
    service_of,
)
from benchmarks.record import record
from deepcity.city.level import ALONE, MAX_LEVEL
from deepcity.intercity.newcomer import choose_newcomer_level
from deepcity.parties import method_errors as names
from deepcity.parties.method_errors import naive_errors
from deepcity.parties.party import parties_of

NEW: Mapping[str, Sequence[str]] = {
    "bikes": ("seoul/bikes", "london/bikes", "washington/bikes"),
    "ferrara": ("ferrara/district-1", "ferrara/district-4", "ferrara/district-7"),
}
"""Who is new in turn, by set."""
KEPT = Path(__file__).parents[2] / "runs" / "joining" / "first-day.jsonl"
CAME = "as it came"
METHODS = (names.ALONE, "naive", CAME, names.AUTOMATIC)


@dataclass(frozen=True)
class Day:
    """One newcomer, one seed: mean absolute error over the test days by method, in `unit`."""

    set: str
    party: str
    days: float
    seed: int
    unit: str
    mae: dict[str, float]
    own_weight: float
    own_after: float


def measure(name: str, days: float, seed: int, done: Sequence[Day]) -> Iterator[Day]:
    """The newcomers of a set that were not measured yet."""
    service = service_of(name)
    missing = [one for one in NEW[name] if (name, one, days, seed) not in map(_key, done)]
    if not missing:
        return
    parties = parties_of(service)
    stages = episodic_parties(service, parties, seed)
    members = {member.name: member for member in service.members}
    for new in missing:
        others, *few = ([one for one in all_ if one.name != new] for all_ in (parties, *stages))
        layers = learned_without(service, others, few, seed)
        (party,) = parties_of(scarce(service, members[new], days))
        alone = alone_learner(service, party, seed)
        choice = choose_newcomer_level(party, alone, service.settings, layers, seed)
        found = choice.forecast(party)
        forecasts = {
            names.ALONE: alone.forecast(party.test),
            CAME: choice.first(MAX_LEVEL).predict(party.test, party.test_origins),
            names.AUTOMATIC: found.forecast_BNH,
        }
        mae = {method: mean_error(forecast, party) for method, forecast in forecasts.items()}
        yesterday = naive_errors(party)[names.NAIVE_DAY].mae  # last week is not known yet
        mae["naive"] = min(yesterday, mean_error(party.test.baseline_BNH, party))
        weights = choice.weights[ALONE], choice.by_level(found.ensemble)[ALONE]
        yield Day(name, new, days, seed, party.unit, mae, *weights)


def _key(day: Day) -> tuple[str, str, float, int]:
    return day.set, day.party, day.days, day.seed


def load() -> list[Day]:
    """What was measured before."""
    if not KEPT.exists():
        return []
    lines = KEPT.read_text(encoding="utf-8").splitlines()
    return list({_key(day): day for day in (Day(**json.loads(line)) for line in lines)}.values())


def text(found: Sequence[Day], days: float) -> str:
    """All that was measured, as Markdown."""
    seeds = ",".join(str(seed) for seed in sorted({day.seed for day in found}))
    lines = [
        f"## A newcomer's first day ({days:g} of its own, 24 hours from 24 hours)",
        "",
        f"`python -m benchmarks.joining.first_day --days {days:g} --seeds {seeds}`. MAE on all "
        "test days, and in brackets as a share of learning alone: mean over seeds, ± standard "
        "deviation of the share. Two thirds of the day train, the last third validates; no window "
        "is whole. Naive: the better of the same hour yesterday and the typical day, with "
        "hindsight. As it came: the others' network before any training of its own. Automatic "
        "learns from truths as the test days pass.",
        "",
        f"| set | newcomer | unit | {' | '.join(METHODS)} | own weight, first and last |",
        f"| --- | --- | --- | {' | '.join('---:' for _ in METHODS)} | ---: |",
    ]
    for name, party in sorted({(day.set, day.party) for day in found}):
        own = [day for day in found if (day.set, day.party) == (name, party)]
        cells = [_cell(own, method) for method in METHODS]
        first, last = np.mean([(day.own_weight, day.own_after) for day in own], axis=0)
        cells.append(f"{first:.2f}, {last:.2f}")
        lines.append(f"| {name} | {party} | {own[0].unit} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(days: Sequence[Day], method: str) -> str:
    share = np.array([day.mae[method] / day.mae[names.ALONE] for day in days])
    mean = np.mean([day.mae[method] for day in days])
    return f"{mean:.4g} ({share.mean():.3f} ± {share.std():.3f})"


def main() -> None:
    """Measure what is missing, print as it goes, and record."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--sets", default=",".join(NEW), help="which sets, with commas")
    parser.add_argument("--days", type=float, default=1.0)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    for seed in map(int, asked.seeds.split(",")):
        for name in asked.sets.split(","):
            for day in measure(name, asked.days, seed, load()):
                with KEPT.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(day)) + "\n")
                print(day, flush=True)
    found = text([day for day in load() if day.days == asked.days], asked.days)
    print(found)
    record("joining-first-day", found)


if __name__ == "__main__":
    main()
