"""A running city under load and under fire.

    python -m benchmarks.running_city [month] [kills] [pushes]

`month` replays a month of a city of 1,000 places as fast as the machine does it, and reports speed
and memory. `kills` ends the node and its PostgreSQL with kill -9 at random for ten minutes of
replay, with a page open in a browser, then counts what was kept; `pushes` does so with an agency
that sends rows and the node that takes them. Each part prints its table and
records it; without names all run.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.parts import run_parts

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))  # little cities, page object


def main() -> None:
    """Run the parts named on the command line, or all."""
    from benchmarks.running_city.kills import kills
    from benchmarks.running_city.month import month
    from benchmarks.running_city.pushes import pushes

    parts: dict[str, Callable[[], str]] = {"month": month, "kills": kills, "pushes": pushes}
    run_parts("running_city", parts)


if __name__ == "__main__":
    main()
