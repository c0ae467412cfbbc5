"""Run the parts of a benchmark that the command line names, and keep what each measured."""

import os
import sys
import time
from collections.abc import Callable, Mapping

from benchmarks.record import record


def run_parts(benchmark: str, parts: Mapping[str, Callable[[], str]]) -> None:
    """Run the parts named on the command line, or all; each prints its section and records it.

    Args:
        benchmark: name of its package.
        parts: by name; each returns a heading and what was measured, in Markdown.
    """
    unknown = [name for name in sys.argv[1:] if name not in parts]
    if unknown:
        sys.exit(f"no part {', '.join(unknown)}; there are {', '.join(parts)}")
    for name in sys.argv[1:] or parts:
        begun = time.perf_counter()
        title, _, body = parts[name]().partition("\n")
        seconds, busy, cores = time.perf_counter() - begun, os.getloadavg()[0], os.cpu_count()
        text = (
            f"{title}\n\n`python -m benchmarks.{benchmark} {name}`, {seconds:.0f} s in all on this "
            f"machine ({cores} cores, {busy:.1f} processes busy).\n\n{body.strip()}\n"
        )
        print(text, flush=True)
        record(f"{benchmark.replace('_', '-')}-{name}", text)
