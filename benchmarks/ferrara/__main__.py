"""Run it: see `benchmarks.ferrara`."""

import argparse
import time
from collections.abc import Sequence

import numpy as np
import torch

from benchmarks.ferrara.experts import (
    EXPERTS,
    TOGETHER,
    all_experts,
    blend,
    private,
    together,
    weigh,
)
from benchmarks.ferrara.table import Found, last_week, rolling_score, score, table
from benchmarks.ferrara.weeks import ROLLING_DAYS, Week, prepare, rolling_origins, truth
from benchmarks.record import record

WEEKS = (1, 2, 3, 4)


def fitted_weights(number: int, seed: int, found: Found) -> list[list[np.ndarray]]:
    """Blends fitted on origins that no expert learned from, all before the week."""
    before = prepare(number, ROLLING_DAYS)
    origins = rolling_origins(before)
    measured = truth(before, origins)
    forecasts = all_experts(private(before, origins), together(before, origins, seed))
    halves = np.arange(len(origins)) * 2 // len(origins)
    crossed = np.empty_like(measured)
    for half in (0, 1):
        out = halves == half
        crossed[out] = blend(forecasts[:, out], weigh(forecasts[:, ~out], measured[~out]))
    for name, one in [*zip(EXPERTS, forecasts, strict=True), ("blend", crossed)]:
        found.rolling.setdefault(name, []).append(rolling_score(one, measured))
    return weigh(forecasts, measured)


def official(
    week: Week, weights: list[list[np.ndarray]], seeds: Sequence[int], found: Found
) -> None:
    """The week's own scores: each expert, each seed's blend, and the seeds' mean blend."""
    at = np.array([week.start])
    own, joined = private(week, at), [together(week, at, seed) for seed in seeds]
    blends = [blend(all_experts(own, one), weights) for one in joined]
    single = dict(zip([name for i, name in enumerate(EXPERTS) if i != TOGETHER], own, strict=True))
    found.add("same hour last week", [score(week, last_week(week))])
    for name, forecasts in single.items():
        found.add(name, [score(week, forecasts[0])])
    found.add("together", [score(week, forecasts[0]) for forecasts in joined])
    found.add("blend", [score(week, forecasts[0]) for forecasts in blends])
    mean = np.mean(blends, axis=0, dtype=np.float32)
    found.add(f"blend, mean forecast of {len(seeds)} seeds", [score(week, mean[0])])


def main() -> None:
    """Measure, print, and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--rolling", action="store_true", help="rolling origins only")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    seeds = [int(seed) for seed in asked.seeds.split(",")]
    found, begun = Found(), time.process_time()
    for number in WEEKS:
        weights = fitted_weights(number, seeds[0], found)
        rolling = {name: scores[-1].round(3).tolist() for name, scores in found.rolling.items()}
        print(f"before week {number}, rolling origins: {rolling}", flush=True)
        if not asked.rolling:
            official(prepare(number), weights, seeds, found)
        print(f"{time.process_time() - begun:.0f} CPU s", flush=True)
    text = table(found, seeds, time.process_time() - begun)
    print(text)
    if not asked.rolling:
        record("ferrara", text)


if __name__ == "__main__":
    main()
