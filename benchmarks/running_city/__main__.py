"""A running city under load and under fire.

    python -m benchmarks.running_city [demo] [month] [days] [kills] [pushes]

`demo` starts `deepcity up --demo` from nothing, reports how soon it shows something, and walks
through its page in both languages, with pictures. `month` replays a month of a city of 1,000 places
as fast as the machine does it, and reports speed, pauses while forecasters learn, and memory;
`days` does so with four days. `kills` ends a node, its agencies' processes and its PostgreSQL with
kill -9 at random for ten minutes of replay, with a page open in a browser, then counts what was
kept; `pushes` does so with an agency that sends rows and the node that takes them. Each part prints
its table and records it; without names all run.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.parts import run_parts

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))  # little cities, page object


def main() -> None:
    """Run the parts named on the command line, or all."""
    from benchmarks.running_city.demo import demo
    from benchmarks.running_city.kills import kills
    from benchmarks.running_city.month import few_days, month
    from benchmarks.running_city.pushes import pushes

    parts: dict[str, Callable[[], str]] = {
        "demo": demo,
        "month": month,
        "days": few_days,
        "kills": kills,
        "pushes": pushes,
    }
    run_parts("running_city", parts)


if __name__ == "__main__":
    main()
