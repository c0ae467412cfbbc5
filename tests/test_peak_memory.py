"""The peak of a process is its own, also where whoever started it has held more."""

import subprocess
import sys

from benchmarks.peak_memory import peak_mb

READ = "from benchmarks.peak_memory import peak_mb; print(peak_mb())"


def test_it_does_not_begin_with_that_of_the_parent():
    held = bytearray(b"x" * 500_000_000)
    assert peak_mb() > len(held) / 1.1e6
    found = subprocess.run(
        [sys.executable, "-c", READ], capture_output=True, text=True, check=True, timeout=60
    )
    assert 1 < float(found.stdout) < 100
