"""A running city under load and under fire.

    python -m benchmarks.running_city [month] [kills] [pushes]

`month` replays a month of a city of 1,000 places as fast as the machine does it, and reports speed
and memory. `kills` ends the node and its PostgreSQL with kill -9 at random for ten minutes of
replay, with a page open in a browser, then counts what was kept; `pushes` does so with an agency
that sends rows and the node that takes them. Each part prints its table and
records it; without names all run.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.record import record

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))  # little cities, page object


def main() -> None:
    """Run the parts named on the command line, or all."""
    from benchmarks.running_city.kills import kills
    from benchmarks.running_city.month import month
    from benchmarks.running_city.pushes import pushes

    parts: dict[str, Callable[[], str]] = {"month": month, "kills": kills, "pushes": pushes}
    unknown = [name for name in sys.argv[1:] if name not in parts]
    if unknown:
        sys.exit(f"no part {', '.join(unknown)}; there are {', '.join(parts)}")
    for name in sys.argv[1:] or parts:
        begun = time.perf_counter()
        title, _, body = parts[name]().partition("\n")
        seconds, busy, cores = time.perf_counter() - begun, os.getloadavg()[0], os.cpu_count()
        text = (
            f"{title}\n\n`python -m benchmarks.running_city {name}`, {seconds:.0f} s in all on "
            f"this machine ({cores} cores, {busy:.1f} processes busy).\n\n{body.strip()}\n"
        )
        print(text, flush=True)
        record(f"running-city-{name}", text)


if __name__ == "__main__":
    main()
