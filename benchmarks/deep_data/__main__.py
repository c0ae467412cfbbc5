"""What deep data cost and give.

    python -m benchmarks.deep_data [faults] [live] [load] [soak] [store]

Each part prints its table and records it; without names all run.
"""

from collections.abc import Callable

from benchmarks.deep_data.faults import faults
from benchmarks.deep_data.live import live
from benchmarks.deep_data.load import load, soak
from benchmarks.deep_data.store import store
from benchmarks.parts import run_parts


def main() -> None:
    """Run the parts named on the command line, or all."""
    parts: dict[str, Callable[[], str]] = {
        "faults": faults,
        "live": live,
        "load": load,
        "soak": soak,
        "store": store,
    }
    run_parts("deep_data", parts)


if __name__ == "__main__":
    main()
