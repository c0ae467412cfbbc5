"""What decisions are worth: every service that decides, against the baseline it must beat.

    python -m benchmarks.decisions [--seeds 0,1,2] [--parts air,parking,peaks,crowding,...]

Some 20 minutes of one core with three seeds. Parts that are left out keep their tables.
"""

import argparse
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from benchmarks.decisions import alerts, guidance, leaks, patrols, peaks, summary
from benchmarks.decisions.summary import Verdict
from benchmarks.record import record, recorded
from benchmarks.rows import with_earlier_rows

SUMMARY = "decisions-summary"


@dataclass(frozen=True)
class Part:
    """One service's back-test: its section of RESULTS.md, its rows, table and verdicts."""

    section: str
    rows: Callable[[int], Iterable[Any]]
    text: Callable[[list[Any]], str]
    verdicts: Callable[[list[Any]], Iterable[Verdict]]


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
    "patrols": Part("decisions-patrols", patrols.rows, patrols.text, patrols.verdicts),
    "leaks": Part("decisions-leaks", leaks.rows, leaks.text, leaks.verdicts),
}


def main() -> None:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--parts", default=",".join(PARTS), help="which, with commas")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    seeds = [int(seed) for seed in asked.seeds.split(",")]
    for name in asked.parts.split(","):
        part = PARTS[name]
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
