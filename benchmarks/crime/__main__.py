"""Offences a day, one day ahead, by ST-HSL's protocol: eight kinds in New York and Chicago.

    python -m benchmarks.crime [--seeds 0,1,2] [--tensors FOLDER] [--only-tables]

Cells of 3 km, daily counts, the last 92 days test and the 30 before them validate; errors are
of cells and days with at least one offence, and, beside that, of all. Whether forecasts are
means or medians is chosen on validation days. What is done is kept in runs/crime/, and a
killed run goes on where it stood; about 2 minutes a seed on one free core.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path

import torch

from benchmarks.crime.forecasts import SHARES, alone, days_of, measure, prepared
from benchmarks.crime.kept import read_days, read_lines, write_days, write_lines
from benchmarks.crime.lines import Line, Measured
from benchmarks.crime.protocol import validation_mae
from benchmarks.crime.tables import text
from benchmarks.crime.tensors import Compared, compare
from benchmarks.record import record
from deepcity.city.errors import ConfigError, DataError

KEPT = Path(__file__).parents[2] / "runs" / "crime"
parties = cache(prepared)


def main() -> None:
    """Measure what is missing, print and record."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--tensors", type=Path, help="ST-HSL's Datasets folder, to compare counts")
    parser.add_argument("--only-tables", action="store_true", help="of the seeds there are")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    KEPT.mkdir(parents=True, exist_ok=True)
    try:
        if not asked.only_tables:
            _measure([int(seed) for seed in asked.seeds.split(",")], asked.tensors)
    except (ConfigError, DataError) as error:
        sys.exit(f"The police records are needed and cannot be read:\n{error}")
    found = text(_measured())
    print(found)
    record("crime", found)


def _measure(seeds: list[int], tensors: Path | None) -> None:
    if not (KEPT / "days.npz").exists():
        write_days(KEPT / "days.npz", days_of(parties()))
    if tensors is not None:
        records = [asdict(found) for found in compare(tensors, parties())]
        (KEPT / "tensors.json").write_text(json.dumps(records), encoding="utf-8")
    _whole(0.0, seeds[0])
    for share in SHARES[1:]:
        _alone(share, seeds[0])
    for seed in seeds:
        for share in {0.0, _chosen_share(seeds[0])}:  # the mean rate is always needed
            _whole(share, seed)


def _whole(share: float, seed: int) -> None:
    """All lines of a seed and loss, unless they are kept already."""
    path = KEPT / f"seed{seed}-share{share:g}.npz"
    if not path.exists():
        begun = time.perf_counter()
        write_lines(path, measure(share, parties(), seed))
        print(f"{path.stem}: {time.perf_counter() - begun:.0f} s", flush=True)


def _alone(share: float, seed: int) -> None:
    """Learning alone, for the choice of the loss."""
    path = KEPT / f"seed{seed}-share{share:g}-alone.npz"
    if not path.exists():
        write_lines(path, {"alone": alone(share, parties(), seed)})


def _by_share(seed: int) -> dict[float, float]:
    """Validation error of learning alone, cells and days with an offence, by loss."""
    truth = read_days(KEPT / "days.npz").truth
    found = {}
    for share in SHARES:
        path = KEPT / f"seed{seed}-share{share:g}{'-alone' if share else ''}.npz"
        found[share] = validation_mae(read_lines(path)["alone"], truth)
    return found


def _chosen_share(seed: int) -> float:
    errors = _by_share(seed)
    return min(errors, key=lambda share: errors[share])


def _measured() -> Measured:
    """All that is kept."""
    first = min(int(path.stem[4:].partition("-")[0]) for path in KEPT.glob("seed*-alone.npz"))
    share = _chosen_share(first)
    kept = KEPT / "tensors.json"
    records = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else []
    return Measured(
        days=read_days(KEPT / "days.npz"),
        plain=_seeds(share),
        rates=_seeds(0.0),
        by_share=_by_share(first),
        tensors=[Compared(**found) for found in records],
    )


def _seeds(share: float) -> dict[int, Mapping[str, Line]]:
    """Forecasts by seed."""
    paths = sorted(KEPT.glob(f"seed*-share{share:g}.npz"))
    return {int(path.stem[4:].partition("-")[0]): read_lines(path) for path in paths}


if __name__ == "__main__":
    main()
