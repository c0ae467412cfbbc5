"""Two processes in one run's folder: the second is refused, and a killed one blocks nobody."""

import signal

import pytest
from little_map import service, three
from processes import PATIENCE_S, deepcity, started, wait_for


@pytest.mark.parametrize("verb", ["run", "refine"])
def test_a_second_process_is_refused_and_a_killed_one_leaves_the_folder_free(tmp_path, verb):
    path = three(tmp_path).write(
        service(levels=(), rounds=2, local_steps=3000, settings="pooled = false")
    )
    folder = tmp_path / "run"
    first = started("run", path, "--out", folder)
    wait_for(first, folder / "sites", "*/run.json")
    second = deepcity(verb, path, "--out", folder)
    assert second.returncode == 1
    assert "Traceback" not in second.stderr
    told = " ".join(second.stderr.split())
    assert f"is in use by process {first.pid} on" in told
    assert "choose another --out" in told
    assert first.poll() is None  # the first goes on
    first.kill()
    first.communicate(timeout=PATIENCE_S)
    assert first.returncode == -signal.SIGKILL
    path.write_text(path.read_text().replace("local_steps = 3000", "local_steps = 2"))
    after = deepcity("run", path, "--out", folder, "--fresh")
    assert after.returncode == 0, after.stderr
    assert (folder / "results.json").exists()
