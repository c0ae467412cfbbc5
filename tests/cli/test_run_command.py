"""`deepcity run` and its kin as people meet them: real processes, real signals, full disks."""

import json
import signal

import pytest
from little_map import flows, service, three, without_seconds
from processes import FROM_NOTHING, PATIENCE_S, deepcity, started, wait_for

LITTLE = service(levels=(6,), rounds=3)
SLOW = service(levels=(6,), rounds=3, local_steps=12, refit_steps=6)
VERBS = [(), ("run",), ("demo",), ("report",), ("data",), ("layers",)]


def read(folder):
    return without_seconds(json.loads((folder / "results.json").read_text(encoding="utf-8")))


def assert_reported(ended, code, *words):
    """It ended with this code, in these words, and without a traceback."""
    assert ended.returncode == code, ended.stderr
    assert "Traceback" not in ended.stderr
    for word in words:
        assert word in ended.stderr.replace("\n", " ")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A map, and the folder of a run of it that nothing disturbed; its process too."""
    folder = tmp_path_factory.mktemp("undisturbed")
    path = three(folder).write(SLOW)
    ended = deepcity("run", path, "--out", folder / "run", "--json", program=FROM_NOTHING)
    assert ended.returncode == 0, ended.stderr
    return path, folder / "run", ended


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: " ".join(verb) or "deepcity")
def test_help_teaches_with_an_example(verb):
    ended = deepcity(*verb, "--help", program=FROM_NOTHING)
    assert ended.returncode == 0
    assert "Example: deepcity" in ended.stdout or "Begin with: deepcity" in ended.stdout


def test_help_of_the_demo_names_the_extra_to_install():
    output = " ".join(deepcity("demo", "--help").stdout.split())
    assert "pip install 'deepcity[demo]'" in output


def test_it_says_its_version():
    import deepcity as package

    assert deepcity("--version").stdout == f"deepcity {package.__version__}\n"


def test_json_goes_to_standard_output_and_progress_to_standard_error(undisturbed):
    _, folder, ended = undisturbed
    assert without_seconds(json.loads(ended.stdout)) == read(folder)
    assert "water: alone: 3/3 done" in ended.stderr
    assert (folder / "report.html").stat().st_size > 10_000


def test_the_exported_package_is_verified(undisturbed):
    (package,) = (undisturbed[1] / "coordinator" / "layers").glob("*.layers")
    ended = deepcity("layers", "verify", package)
    assert ended.returncode == 0
    assert "whole" in ended.stdout
    listed = deepcity("layers", "list", undisturbed[1])
    assert listed.returncode == 0
    assert package.name in listed.stdout


def test_kill_9_in_several_rounds_and_methods_changes_no_number(undisturbed, tmp_path):
    path, whole, _ = undisturbed
    for stage in ("alone.000001", "level_6.000002", "pooled.000001"):
        process = started("run", path, "--out", tmp_path / "run")
        wait_for(process, tmp_path / "run" / "coordinator", f"water.{stage}.checkpoint")
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        assert not (tmp_path / "run" / "results.json").exists()
    assert deepcity("run", path, "--out", tmp_path / "run").returncode == 0
    assert read(tmp_path / "run") == read(whole)
    names = [
        sorted(p.name for p in f.glob("coordinator/layers/*")) for f in (tmp_path / "run", whole)
    ]
    assert names[0] == names[1]


def test_ctrl_c_says_that_the_run_is_kept_and_it_goes_on(undisturbed, tmp_path):
    path, whole, _ = undisturbed
    process = started("run", path, "--out", tmp_path / "run")
    wait_for(process, tmp_path / "run" / "coordinator", "water.level_6.000001.checkpoint")
    process.send_signal(signal.SIGINT)
    _, output = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert "Stopped. The run is saved: the same command resumes it." in output
    assert "Traceback" not in output
    ended = deepcity("run", path, "--out", tmp_path / "run")
    assert ended.returncode == 0
    assert read(tmp_path / "run") == read(whole)


def test_a_full_disk_is_reported_and_the_run_goes_on_afterwards(undisturbed, tmp_path):
    path, whole, _ = undisturbed
    process = started("run", path, "--out", tmp_path / "run")
    wait_for(process, tmp_path / "run" / "coordinator", "water.alone.000001.checkpoint")
    process.kill()
    process.communicate()
    ended = deepcity("run", path, "--out", tmp_path / "run", most_bytes=20_000)
    assert_reported(ended, 1, "CheckpointError", "cannot be written", "Free some space")
    assert deepcity("run", path, "--out", tmp_path / "run").returncode == 0
    assert read(tmp_path / "run") == read(whole)


def test_a_full_disk_at_the_report_is_reported(undisturbed, tmp_path):
    whole = undisturbed[1]
    ended = deepcity("report", whole, "--out", tmp_path / "page.html", most_bytes=20_000)
    assert_reported(ended, 1, "page.html cannot be written")
    assert not (tmp_path / "page.html").exists()


def test_a_changed_map_is_refused_and_fresh_begins_anew(tmp_path):
    path = three(tmp_path).write(service(levels=(), rounds=1, settings="pooled = false"))
    assert deepcity("run", path, "--out", tmp_path / "run").returncode == 0
    (tmp_path / "run" / "notes.txt").write_text("mine")
    (tmp_path / "run" / "coordinator" / "layers" / "mine.txt").write_text("mine")
    path.write_text(path.read_text().replace("seed = 1", "seed = 2"))
    before = read(tmp_path / "run")
    assert_reported(
        deepcity("run", path, "--out", tmp_path / "run"), 1, "Only newcomers may be added"
    )
    assert read(tmp_path / "run") == before
    assert deepcity("run", path, "--out", tmp_path / "run", "--fresh").returncode == 0
    assert read(tmp_path / "run")["seed"] == 2
    assert (tmp_path / "run" / "notes.txt").exists()
    assert (tmp_path / "run" / "coordinator" / "layers" / "mine.txt").exists()
    assert len(list((tmp_path / "run" / "coordinator" / "layers").glob("*.layers"))) == 1


def test_a_bad_map_is_reported_with_all_problems(tmp_path):
    path = three(tmp_path).write(service(grant="levl = 3"))
    city = tmp_path / "east.toml"
    city.write_text(city.read_text().replace("time_zone", "timezone"))
    ended = deepcity("run", path, "--out", tmp_path / "run")
    assert_reported(ended, 1, "ConfigError", "levl", "timezone", "east.toml", "map.toml")
    assert not (tmp_path / "run").exists()
    assert_reported(deepcity("run", tmp_path / "none.toml"), 1, "no such file")


def test_a_map_given_to_data_check_names_its_cities(tmp_path):
    path = three(tmp_path).write(LITTLE)
    ended = deepcity("data", "check", path)
    assert ended.returncode == 1
    assert "this is a map, not a city file" in ended.stdout
    assert f"ame its city files: {tmp_path / 'east.toml'} {tmp_path / 'west.toml'}" in ended.stdout
    cities = deepcity("data", "check", tmp_path / "east.toml", tmp_path / "west.toml")
    assert cities.returncode == 0


def test_bad_records_are_reported_with_all_problems(tmp_path):
    little = three(tmp_path).party("east/tiny", flows(places=1)[:10])
    path = little.party("east/empty", flows(places=1) * float("nan")).write(LITTLE)
    records = tmp_path / "west-office.csv"
    records.write_text(records.read_text().replace("2021-02-01 03:00,", "2021-02-01 03:00,many"))
    ended = deepcity("run", path, "--out", tmp_path / "run")
    assert_reported(ended, 1, "DataError", "east/tiny", "east/empty", "many")


def test_a_run_folder_that_cannot_be_made_is_reported(tmp_path):
    path = three(tmp_path).write(LITTLE)
    (tmp_path / "run").write_text("a file")
    assert_reported(
        deepcity("run", path, "--out", tmp_path / "run"), 2, "run is a file; name a folder"
    )
    assert_reported(deepcity("run", path, "--out", ""), 2, "it is empty; name a folder")
    assert_reported(deepcity("run", path, "--out", tmp_path / "run" / "in"), 1, "CheckpointError")


@pytest.mark.parametrize("text", [None, "", '{"map": "little"}'])
def test_report_of_no_finished_run_is_reported(tmp_path, text):
    if text is not None:
        (tmp_path / "results.json").write_text(text)
    why = "this folder is empty" if text is None else "results.json"
    assert_reported(deepcity("report", tmp_path), 1, "CheckpointError", why, "run")


def test_report_is_written_again(undisturbed, tmp_path):
    folder = undisturbed[1]
    ended = deepcity("report", folder, "--out", tmp_path / "deep" / "page.html")
    assert ended.returncode == 0
    assert (tmp_path / "deep" / "page.html").read_text() == (folder / "report.html").read_text()
    assert without_seconds(json.loads(deepcity("report", folder, "--json").stdout)) == read(folder)
    assert_reported(deepcity("report", folder, "--out", tmp_path), 2, "is a folder; name a file")
