"""`deepcity update` as an operator meets it: real processes, a kill, a full disk, more rows."""

import json
import signal

import pytest
from processes import FROM_NOTHING, PATIENCE_S, deepcity, started, wait_for
from update_town import RUN_DAYS, copied, own_prints, turning, write

LATER = RUN_DAYS + 10
KILLED_AT_FSYNC = (
    "import os, signal, sys\n"
    "os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)\n"
    "from deepcity.cli import main\n"
    "main()\n"
)


def refine(folder, *more, **how):
    return deepcity("update", folder / "map.toml", "--out", folder / "run", *more, **how)


@pytest.fixture(scope="module")
def run_town(tmp_path_factory):
    """A town whose map was run by a process of its own."""
    folder = tmp_path_factory.mktemp("town")
    ended = deepcity("run", write(folder), "--out", folder / "run")
    assert ended.returncode == 0, ended.stderr
    return folder


@pytest.fixture(scope="module")
def refined_town(run_town, tmp_path_factory):
    """The same, refined by a process that nothing disturbed; with what it said."""
    folder = copied(run_town, tmp_path_factory.mktemp("refined"))
    write(folder, LATER)
    return folder, refine(folder, program=FROM_NOTHING)


def test_a_week_later_it_says_before_and_after_and_then_nothing_new(refined_town):
    folder, ended = refined_town
    assert ended.returncode == 0, ended.stderr
    for word in ("last week", "before", "after", "forgetting", "refined", "Updated: on the newest"):
        assert word in ended.stdout
    assert "water: east/calm: 8/8 done" in ended.stderr
    before = own_prints(folder / "run")
    again = refine(folder)
    assert again.returncode == 0
    assert "Nothing new: no rows have arrived since the last update." in again.stdout
    assert own_prints(folder / "run") == before
    figures = [line.split()[:-1] for line in ended.stdout.splitlines()[2:5]]
    content = [line.split()[:-2] for line in again.stdout.splitlines()[2:5]]
    assert content == figures  # those of the last time


def test_killed_while_it_writes_the_old_package_is_whole_and_it_goes_on(
    run_town, refined_town, tmp_path
):
    folder = copied(run_town, tmp_path)
    write(folder, LATER)
    before = own_prints(folder / "run")
    killed = refine(folder, program=("-c", KILLED_AT_FSYNC))
    assert killed.returncode == -signal.SIGKILL
    after = own_prints(folder / "run")
    assert {name: after[name] for name in before} == before
    assert not [name for name in after if name not in before and not name.endswith(".part")]
    assert refine(folder).returncode == 0
    whole = own_prints(refined_town[0] / "run")
    for name, (digest, _) in whole.items():
        assert own_prints(folder / "run")[name][0] == digest


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["ctrl-c", "kill -9"])
def test_stopped_between_parties_those_that_are_done_are_kept(
    run_town, refined_town, tmp_path, how
):
    folder = copied(run_town, tmp_path)
    write(folder, LATER)
    process = started("update", folder / "map.toml", "--out", folder / "run")
    first = folder / "run" / "sites" / "east.calm" / "own" / "water.east.calm.000001.checkpoint"
    wait_for(process, first.parent, first.name)
    process.send_signal(how)
    _, output = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == (130 if how is signal.SIGINT else -signal.SIGKILL), output
    assert how is signal.SIGKILL or "Stopped. Finished parties are saved" in output
    assert "Traceback" not in output
    done = own_prints(folder / "run")[first.name]
    assert refine(folder).returncode == 0
    found = own_prints(folder / "run")
    assert found[first.name] == done
    found = {name: content for name, content in found.items() if not name.endswith(".part")}
    whole = own_prints(refined_town[0] / "run")
    assert {name: digest for name, (digest, _) in found.items()} == {
        name: digest for name, (digest, _) in whole.items()
    }


def test_a_full_disk_is_reported_and_the_old_package_is_whole(run_town, tmp_path):
    folder = copied(run_town, tmp_path)
    write(folder, LATER)
    before = own_prints(folder / "run")
    ended = refine(folder, "--party", "east/calm", most_bytes=20_000)
    assert ended.returncode == 1
    assert "CheckpointError" in ended.stderr
    assert "earlier checkpoints are intact" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert own_prints(folder / "run") == before


def test_problems_come_after_what_was_learned_and_end_with_1(run_town, tmp_path):
    folder = copied(run_town, tmp_path)
    write(folder, LATER, east_back=turning(90, 31, seed=2)[: RUN_DAYS * 24 + 5])
    ended = refine(folder, "--json")
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert "RefineError: 1 problem found" in ended.stderr
    content = json.loads(ended.stdout)
    assert {party["party"] for party in content["parties"]} == {"east/calm", "west/turned"}
    (problem,) = content["problems"]
    assert (problem["party"], problem["key"], problem["value"]) == (
        "east/back",
        "new steps",
        "5",
    )


def test_help_teaches_with_an_example():
    output = " ".join(deepcity("update", "--help").stdout.split())
    assert "Example: deepcity update cities/demo.toml --out runs/demo" in output
    assert "Without new rows, nothing changes" in output
