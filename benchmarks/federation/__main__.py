"""Rounds between machines, with real processes on this one.

    python -m benchmarks.federation [overhead] [faults] [vertical-faults] [asynchronous]
        [asynchronous-machines] [growth] [soak] [soak-in-peace] [--repeats 5] [--only NAME ...]
        [--minutes 120]

Needs the extra `flare`; `asynchronous` is on a simulated clock and does not. `faults` makes every
fault in `--repeats` runs, and goes on where an earlier command was broken off; faults of the
network and of disks need root and iproute2, those of clocks a C compiler, and are skipped by name
without them.
"""

import argparse
import signal
import sys
from functools import partial

from benchmarks.federation.asynchronous import asynchronous
from benchmarks.federation.asynchronous_machines import asynchronous_machines
from benchmarks.federation.fault_cases import CASES
from benchmarks.federation.faults import faults
from benchmarks.federation.growth import growth
from benchmarks.federation.overhead import overhead
from benchmarks.federation.soak import soak
from benchmarks.federation.vertical_faults import vertical_faults
from benchmarks.parts import run_parts


def main():
    """Run the parts named on the command line, or all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--minutes", type=float, default=120.0, help="of soak")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        choices=CASES,
        metavar="NAME",
        help=f"one fault: {'; '.join(CASES)}",
    )
    given = parser.parse_args()
    sys.argv[1:] = given.parts
    for sent in (signal.SIGTERM, signal.SIGINT):  # also where a shell has it ignored
        signal.signal(sent, lambda *_: sys.exit("broken off; the same command goes on from here"))
    chosen = partial(faults, given.repeats, given.only)
    run_parts(
        "federation",
        {
            "overhead": overhead,
            "faults": chosen,
            "vertical-faults": vertical_faults,
            "asynchronous": asynchronous,
            "asynchronous-machines": asynchronous_machines,
            "growth": growth,
            "soak": partial(soak, given.minutes),
            "soak-in-peace": partial(soak, given.minutes, kills=False),
        },
    )


if __name__ == "__main__":
    main()
