"""The demo's first run: begun where none has ended, and its end by a signal is told."""

import os
import signal

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
