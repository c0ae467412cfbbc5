"""What learning together costs: steps, bytes, memory, forecasts a second, many parties.

    python -m benchmarks.cost [reuse] [bytes] [memory] [forecasts] [parties] [precision]
                              [compression] [streaming] [demo]

Each part prints its table and records it; without names all run. Real data where data
matter (water districts of Ferrara), synthetic rows where only their number does.

Seconds are CPU seconds of this machine unless stated otherwise: with one thread they are what
an idle machine takes, and a busy one disturbs them less.
"""

from collections.abc import Callable

import torch

from benchmarks.cost.compression import compression
from benchmarks.cost.demo import demo
from benchmarks.cost.forecasts import forecasts
from benchmarks.cost.memory import memory
from benchmarks.cost.parties import parties
from benchmarks.cost.precision import precision
from benchmarks.cost.reuse import reuse
from benchmarks.cost.streaming import streaming
from benchmarks.cost.wire import bytes_by_level
from benchmarks.parts import run_parts


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
        "compression": compression,
        "streaming": streaming,
        "demo": demo,
    }
    run_parts("cost", parts)


if __name__ == "__main__":
    main()
