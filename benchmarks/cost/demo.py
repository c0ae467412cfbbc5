"""How long the demo takes."""

import resource
import subprocess
import sys
import time
from tempfile import TemporaryDirectory

from benchmarks.cost.setting import ROOT


def demo() -> str:
    """Time `deepcity demo` from nothing, as a process of its own."""
    with TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "deepcity", "demo", "--out", folder, "--threads", "1"]
        begun = time.perf_counter()
        subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
        wall = time.perf_counter() - begun
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime
    return "\n".join(
        [
            "## Cost: the demo",
            "`deepcity demo --threads 1` into an empty folder, report included; one run. Where",
            "other processes keep the cores busy, the CPU minutes count.",
            "",
            "| minutes | CPU minutes |",
            "|---:|---:|",
            f"| {wall / 60:.1f} | {cpu / 60:.1f} |",
        ]
    )
