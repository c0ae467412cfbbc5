"""What decisions are worth: air warnings in three cities, parking guidance in Dresden.

    python -m benchmarks.decisions [--seeds 0,1,2] [--parts air,parking]

About 5 minutes of one core with three seeds.
"""

import argparse
import os

import torch

from benchmarks.decisions import alerts, guidance
from benchmarks.record import record

PARTS = {"air": ("decisions-air-warning", alerts), "parking": ("decisions-parking", guidance)}


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
    for part in asked.parts.split(","):
        section, module = PARTS[part]
        found = [row for seed in seeds for row in module.rows(seed)]
        text = module.text(found)
        print(text, flush=True)
        record(section, text)
    times = os.times()
    print(f"{(times.user + times.system) / 60:.1f} CPU minutes")


if __name__ == "__main__":
    main()
