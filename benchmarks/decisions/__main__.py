"""What decisions are worth: every service that decides, against the baseline it must beat.

    python -m benchmarks.decisions [--seeds 0,1,2] [--parts air,parking,crowding,bus,detours,...]

Some 20 minutes of one core with three seeds. Parts that are left out keep their tables.
"""

import argparse
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.decisions import (
    alerts,
    detours,
    forecasts,
    guidance,
    leaks,
    patrols,
    peaks,
    summary,
)
from benchmarks.decisions.summary import Verdict
from benchmarks.record import record, recorded
from benchmarks.rows import with_earlier_rows

SUMMARY = "decisions-summary"
BUS = Path(__file__).parents[3] / "shared" / "data" / "bus_salvador"


@dataclass(frozen=True)
class Part:
    """One service's back-test: its section of RESULTS.md, its rows, table and verdicts.

    Attributes:
        needs: records that not every machine has; the part is left out without them.
    """

    section: str
    rows: Callable[[int], Iterable[Any]]
    text: Callable[[list[Any]], str]
    verdicts: Callable[[list[Any]], Iterable[Verdict]]
    needs: Path | None = None


PARTS = {
    "air": Part(
        "decisions-air-warning",
        alerts.air,
        alerts.air_text,
        partial(alerts.verdicts, "air warning"),
    ),
    "parking": Part("decisions-parking", guidance.rows, guidance.text, guidance.verdicts),
    "peaks": Part("decisions-peaks", peaks.rows, peaks.text, peaks.verdicts),
    "crowding": Part(
        "decisions-crowding",
        alerts.crowding,
        alerts.crowding_text,
        partial(alerts.verdicts, "crowding warning"),
    ),
    "bus": Part(
        "decisions-bus",
        alerts.bus,
        alerts.bus_text,
        partial(alerts.verdicts, "crowding warning"),
        needs=BUS,
    ),
    "patrols": Part("decisions-patrols", patrols.rows, patrols.text, patrols.verdicts),
    "detours": Part("decisions-detours", detours.rows, detours.text, detours.verdicts),
    "leaks": Part("decisions-leaks", leaks.rows, leaks.text, leaks.verdicts),
}


def main() -> None:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--parts", default=",".join(PARTS), help="which, with commas")
    parser.add_argument(
        "--kept", type=Path, help="folder of learned forecasts: those in it are not learned again"
    )
    asked = parser.parse_args()
    forecasts.KEPT = asked.kept
    torch.set_num_threads(1)
    seeds = [int(seed) for seed in asked.seeds.split(",")]
    for name in asked.parts.split(","):
        part = PARTS[name]
        if part.needs is not None and not part.needs.exists():
            print(f"{name} is left out: its records ({part.needs}) are not there")
            continue
        found = [row for seed in seeds for row in part.rows(seed)]
        text = part.text(found)
        print(text, flush=True)
        verdicts = summary.text(list(part.verdicts(found)), seeds)
        record(SUMMARY, with_earlier_rows(verdicts, recorded(SUMMARY)))
        record(part.section, text)
    print(recorded(SUMMARY))
    times = os.times()
    print(f"{(times.user + times.system) / 60:.1f} CPU minutes")


if __name__ == "__main__":
    main()
