"""`deepcity` as people start it: a process of its own, with real signals and files."""

import os
import subprocess
import sys
import time

import pytest

ENV = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200", "NO_COLOR": "1"}
PATIENCE_S = 600  # on a busy machine; a test that waits in vain ends with words


def command(*arguments, program=("-m", "deepcity")):
    return [sys.executable, *program, *map(str, arguments)]


def deepcity(*arguments, program=("-m", "deepcity"), **how):
    """Run it to its end."""
    return subprocess.run(
        command(*arguments, program=program),
        capture_output=True,
        text=True,
        check=False,
        **{"env": ENV, "timeout": PATIENCE_S, **how},
    )


def started(*arguments):
    """Begin it, in a group of its own; nobody reads its standard output."""
    return subprocess.Popen(
        command(*arguments),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=ENV,
        start_new_session=True,
    )


def wait_for(process, folder, pattern):
    """Poll until such a file is there; the process does not outlive a test that waits in vain."""
    end = time.monotonic() + PATIENCE_S
    while not any(folder.glob(pattern)):
        assert process.poll() is None, process.stderr.read()
        if time.monotonic() > end:
            process.kill()
            process.communicate()
            pytest.fail(f"{pattern} never came")
        time.sleep(0.002)
