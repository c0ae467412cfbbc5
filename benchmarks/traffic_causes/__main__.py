"""Traffic: causes of planted and of real jams, ways by forecast, the service's own detours.

    python -m benchmarks.traffic_causes [--seeds 0,1,2] [--parts causes,planted,real,ways]

About 12 minutes of one core with three seeds.
"""

import argparse
import os
import sys

import torch

from benchmarks.record import record
from benchmarks.traffic_causes import confusion, planted, real, ways
from benchmarks.traffic_causes.forecasts import freeways
from deepcity.city.errors import ConfigError, DataError

HEADING = """## Traffic: causes of jams, and detours

`python -m benchmarks.traffic_causes --seeds {seeds}`. The 207 freeway loops of Los Angeles, a week
of 5-minute speeds; two days (Tuesday and Wednesday) test. The published graph joins places both
ways; for all that follows, straight roads have the direction for which the opposite carriageway
lies on the left (`benchmarks/traffic_causes/directions.py`), an estimate that is wrong for some.
Ramps and crossings stay open both ways. Mean ± standard deviation over seeds."""


def main() -> None:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--parts", default="causes,planted,real,ways", help="which, with commas")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    try:
        freeways()
    except (ConfigError, DataError) as error:
        sys.exit(f"Los-loop's records are needed and cannot be read:\n{error}")
    seeds = [int(seed) for seed in asked.seeds.split(",")]
    parts = {
        "causes": lambda: confusion.text([row for seed in seeds for row in confusion.rows(seed)]),
        "planted": lambda: planted.text([row for seed in seeds for row in planted.rows(seed)]),
        "real": lambda: real.text(real.measure()),
        "ways": lambda: ways.text([ways.measure(seed) for seed in seeds]),
    }
    record("traffic", HEADING.format(seeds=",".join(map(str, seeds))))
    for part in asked.parts.split(","):
        text = parts[part]()
        print(text, flush=True)
        record(f"traffic-{part}", text)
    times = os.times()
    print(f"{(times.user + times.system) / 60:.1f} CPU minutes")


if __name__ == "__main__":
    main()
