"""`deepcity` as people start it: a process of its own, with real signals and files.

With a program, Python itself is started, as a shell does; without, the process is `forked`.
"""

import os
import subprocess
import sys
import tempfile
import time

import pytest
from forked import ENV, Forked

PATIENCE_S = 600  # on a busy machine; a test that waits in vain ends with words


FROM_NOTHING = ("-m", "deepcity")
"""The program of a process that imports all it needs."""


def command(*arguments, program=FROM_NOTHING):
    return [sys.executable, *program, *map(str, arguments)]


def deepcity(*arguments, program=None, most_bytes=None, **how):
    """Run it to its end; no file of it may outgrow so many bytes."""
    how = {"env": ENV, "timeout": PATIENCE_S, **how}
    if program is not None:
        words = command(*arguments, program=program)
        return subprocess.run(words, capture_output=True, text=True, check=False, **how)
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as output:
        found = {"folder": how.get("cwd"), "most_bytes": most_bytes, "output": output.name}
        process = Forked(arguments, how["env"], **found)
        _, errors = process.communicate(how["timeout"])
        code, printed = process.returncode, output.read()
    return subprocess.CompletedProcess(arguments, code, printed, errors)


def begun(words, environment, program=None, *, output=None, most_bytes=None):
    """Begin it; its output can be read as it comes, unless it goes to a file."""
    if program is None:
        return Forked(words, environment, output=output, most_bytes=most_bytes)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command(*words, program=program), env=environment, **pipes)


def started(*arguments):
    """Begin it, in a group of its own; nobody reads its standard output."""
    return Forked(arguments, ENV, output=os.devnull)


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
