"""What learning together costs: steps, bytes, memory, forecasts a second, many parties.

    python -m benchmarks.cost [reuse] [bytes] [memory] [forecasts] [parties] [precision]
                              [streaming] [demo]

Each part prints its table and records it; without names all run. Real data where data
matter (water districts of Ferrara), synthetic rows where only their number does.

Seconds are CPU seconds of this machine unless stated otherwise: with one thread they are what
an idle machine takes, and a busy one disturbs them less.
"""

import os
import sys
import time
from collections.abc import Callable

import torch

from benchmarks.cost.demo import demo
from benchmarks.cost.forecasts import forecasts
from benchmarks.cost.memory import memory
from benchmarks.cost.parties import parties
from benchmarks.cost.precision import precision
from benchmarks.cost.reuse import reuse
from benchmarks.cost.streaming import streaming
from benchmarks.cost.wire import bytes_by_level
from benchmarks.record import record


def main() -> None:
    """Run the parts named on the command line, or all."""
    torch.set_num_threads(1)
    parts: dict[str, Callable[[], str]] = {
        "reuse": reuse,
        "bytes": bytes_by_level,
        "memory": memory,
        "forecasts": forecasts,
        "parties": parties,
        "precision": precision,
        "streaming": streaming,
        "demo": demo,
    }
    unknown = [name for name in sys.argv[1:] if name not in parts]
    if unknown:
        sys.exit(f"no part {', '.join(unknown)}; there are {', '.join(parts)}")
    for name in sys.argv[1:] or parts:
        begun = time.perf_counter()
        title, _, body = parts[name]().partition("\n")
        seconds, load, cores = time.perf_counter() - begun, os.getloadavg()[0], os.cpu_count()
        text = (
            f"{title}\n\n`python -m benchmarks.cost {name}`, {seconds:.0f} s in all on this "
            f"machine ({cores} cores, {load:.1f} processes busy).\n\n{body.strip()}\n"
        )
        print(text, flush=True)
        record(f"cost-{name}", text)


if __name__ == "__main__":
    main()
