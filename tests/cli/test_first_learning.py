"""The demo's first run: begun where none has ended, and an end by a signal is reported."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from forked import ENV
from processes import PATIENCE_S

from deepcity.cli import up
from deepcity.cli.running.first_learning import ALONE, TOGETHER, FirstLearning, demo_run


def test_districts_learn_where_no_run_has_ended(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (demo_run(TOGETHER) / "sites").mkdir(parents=True)  # of a run that was broken off
    begun = FirstLearning.needed()
    assert begun is not None
    assert begun.name == ALONE
    os.kill(begun._process.pid, signal.SIGKILL)
    assert begun.wait() == (-signal.SIGKILL, "")
    (demo_run(TOGETHER) / "results.json").write_text("{}")
    assert FirstLearning.needed() is None


BEGUN = """
import os, signal
from deepcity.cli.running.first_learning import ALONE, FirstLearning
print(FirstLearning(ALONE)._process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def runs(pid):
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())  # empty: it has ended
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the run goes on to its end")
def test_it_ends_with_a_city_that_is_killed(tmp_path):
    """Or it would hold the run's folder, and the next start would have no forecast."""
    ended = subprocess.run(
        [sys.executable, "-c", BEGUN], cwd=tmp_path, env=ENV, stdout=subprocess.PIPE, check=False
    )
    assert ended.returncode == -signal.SIGKILL
    until = time.monotonic() + PATIENCE_S
    while runs(int(ended.stdout)):
        assert time.monotonic() < until
        time.sleep(0.05)


def learned_in(node, learning):
    """What a city says, and how often it lets parties learn together."""
    begun = []
    learning.wait = lambda: (-signal.SIGKILL, "")

    def together(name):
        begun.append(name)
        return SimpleNamespace(name=name, stopped=True, wait=learning.wait)

    with pytest.MonkeyPatch.context() as patch:
        said = []
        patch.setattr(up, "FirstLearning", together)
        patch.setattr(up, "print_trouble", said.append)
        up._add_learned(node, learning, [], Path("copies"), lambda: None)
    return said, begun


def test_a_stopped_city_begins_no_more_runs_and_a_killed_run_is_told():
    node = SimpleNamespace(first_learning_since_s=1)
    assert learned_in(node, SimpleNamespace(name=ALONE, stopped=True)) == ([], [])
    (said,), begun = learned_in(node, SimpleNamespace(name=ALONE, stopped=False))
    assert "signal 9" in said
    assert "memory" in said
    assert begun == [TOGETHER]
    assert node.first_learning_since_s is None
