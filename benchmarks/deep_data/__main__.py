"""What deep data cost and give.

    python -m benchmarks.deep_data [faults] [live] [load] [soak] [store]

Each part prints its table and records it; without names all run.
"""

import os
import sys
import time
from collections.abc import Callable

from benchmarks.deep_data.faults import faults
from benchmarks.deep_data.live import live
from benchmarks.deep_data.load import load, soak
from benchmarks.deep_data.store import store
from benchmarks.record import record


def main() -> None:
    """Run the parts named on the command line, or all."""
    parts: dict[str, Callable[[], str]] = {
        "faults": faults,
        "live": live,
        "load": load,
        "soak": soak,
        "store": store,
    }
    unknown = [name for name in sys.argv[1:] if name not in parts]
    if unknown:
        sys.exit(f"no part {', '.join(unknown)}; there are {', '.join(parts)}")
    for name in sys.argv[1:] or parts:
        begun = time.perf_counter()
        title, _, body = parts[name]().partition("\n")
        seconds, busy, cores = time.perf_counter() - begun, os.getloadavg()[0], os.cpu_count()
        text = (
            f"{title}\n\n`python -m benchmarks.deep_data {name}`, {seconds:.0f} s in all on this "
            f"machine ({cores} cores, {busy:.1f} processes busy).\n\n{body.strip()}\n"
        )
        print(text, flush=True)
        record(f"deep-data-{name}", text)


if __name__ == "__main__":
    main()
