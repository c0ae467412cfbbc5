"""`deepcity train-vertical` in real processes: killed, stopped, and with faulty maps."""

import json
import signal
import sys

import numpy as np
import pytest
from little_map import LittleMap, flows, service, without_seconds
from processes import FROM_NOTHING, PATIENCE_S, deepcity, started, wait_for
from typer.testing import CliRunner

from deepcity import applications
from deepcity.city.errors import DeepCityError
from deepcity.cli import app
from deepcity.learning.split.encoder_package import load_encoder

VERTICAL = """
[service.vertical]
pretrain_steps = 10
{more}
[[service.vertical.agency]]
agency = "weather"
history = 4
ahead = 6
"""


def town(folder, *, more="", text=None, **how):
    """A water company whose flow follows its weather office's column."""
    base = flows(days=30, places=2, noise=0.1)
    weather = np.repeat(np.random.default_rng(0).normal(size=len(base) // 6), 6)[:, None]
    little = LittleMap(folder).party("east/water", base + 3 * weather)
    little.party("east/weather", weather + 10).party("east/wells", base)
    vertical = VERTICAL.format(more=more)
    printed = {"levels": (), "rounds": 3, "local_steps": 6, "more": vertical, **how}
    path = little.write(service(**printed).replace('["*/*"]', '["east/water"]'))
    if text is not None:
        old, new = text
        whole = path.read_text(encoding="utf-8")
        assert old in whole
        path.write_text(whole.replace(old, new), encoding="utf-8")
    return path


def in_process(*arguments):
    """The command in this process, which is quicker to start: (exit code, all it said)."""
    ended = CliRunner().invoke(app, [str(one) for one in arguments], env={"COLUMNS": "200"})
    if isinstance(ended.exception, DeepCityError):
        return 1, f"{type(ended.exception).__name__}: {ended.exception}"
    return ended.exit_code, ended.output


def read(folder):
    return without_seconds(json.loads((folder / "vertical.json").read_text(encoding="utf-8")))


def packages(folder):
    return sorted(path.name for path in folder.glob("sites/*/packages/east.water/*"))


def assert_refused(path, *words):
    """The map is refused in these words, and no folder is made."""
    code, printed = in_process("train-vertical", path, "--out", path.parent / "run")
    assert code == 1, printed
    assert printed.startswith("ConfigError")
    assert [word for word in words if word not in printed] == [], printed
    assert not (path.parent / "run").exists()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A map, the folder of meetings that nothing disturbed, and their process."""
    folder = tmp_path_factory.mktemp("meetings")
    path = town(folder, more='compare = ["one-shot"]')
    words = ("train-vertical", path, "--out", folder / "run", "--seeds", 2, "--json")
    ended = deepcity(*words, program=FROM_NOTHING)
    assert ended.returncode == 0, ended.stderr
    return path, folder / "run", ended


def test_results_are_printed_and_progress_is_reported(undisturbed):
    _, folder, ended = undisturbed
    assert without_seconds(json.loads(ended.stdout)) == read(folder)
    for fragment in (
        "water: reading records: 1/1 done",
        "water: pretraining of encoders, seed 2: 1/1 done",
        "east/water: together, seed 1: 3/3 done",
        "left)",
    ):
        assert fragment in ended.stderr


def test_seeds_and_modes_stand_beside_each_other(undisturbed):
    found = read(undisturbed[1])
    (party,) = found["services"][0]["parties"]
    assert found["seeds"] == [1, 2]
    assert all(len(errors) == 2 for errors in party["by_seed"].values())
    first, second = party["by_seed"]["together"]
    assert first != second
    assert first == party["metric_errors"]["together"]
    assert set(party["costs"]) == {"block-wise", "one-shot"}
    assert party["costs"]["one-shot"]["messages"] < party["costs"]["block-wise"]["messages"]
    (agency,) = party["facts"]
    assert (agency["name"], agency["width"], agency["cells"]) == ("weather", 4, 1)
    assert agency["sent"] > 0


def test_the_page_is_written_and_written_again(undisturbed, tmp_path):
    _, folder, _ = undisturbed
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "other agencies’ activations" in page
    assert "mean of 2 seeds" in page
    assert "does not share its measured values" in page
    code, _ = in_process("report", folder, "--out", tmp_path / "page.html")
    assert code == 0
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == page
    _, printed = in_process("report", folder, "--json")
    assert without_seconds(json.loads(printed)) == read(folder)


def test_packages_are_of_the_first_seed_alone(undisturbed):
    folder = undisturbed[1]
    assert len(packages(folder)) == 2
    assert load_encoder(next(folder.glob("sites/*/*/*/*.encoder"))).encoder.shape.level == 3


def test_kill_9_in_several_methods_changes_no_number(undisturbed, tmp_path):
    path, whole, _ = undisturbed
    for stage in ("together.000002", "mode-one-shot.000001"):
        process = started("train-vertical", path, "--out", tmp_path / "run", "--seeds", 2)
        wait_for(process, tmp_path / "run", f"sites/east.water/checkpoints/*.{stage}.checkpoint")
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        assert not (tmp_path / "run" / "vertical.json").exists()
    ended = deepcity("train-vertical", path, "--out", tmp_path / "run", "--seeds", 2)
    assert ended.returncode == 0
    assert "together, seed 1: 1/3" not in ended.stderr
    assert read(tmp_path / "run") == read(whole)
    assert packages(tmp_path / "run") == packages(whole)


def test_ctrl_c_says_that_the_run_is_kept(undisturbed, tmp_path):
    process = started("train-vertical", undisturbed[0], "--out", tmp_path / "run", "--seeds", 2)
    wait_for(process, tmp_path / "run", "sites/east.water/checkpoints/*.together.000001.checkpoint")
    process.send_signal(signal.SIGINT)
    _, printed = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert "Stopped. The run is saved: the same command resumes it." in printed
    assert "Traceback" not in printed


def test_a_finished_meeting_is_not_held_again_and_fresh_begins_anew(tmp_path):
    path = town(tmp_path, rounds=1)
    run = tmp_path / "run"
    assert in_process("train-vertical", path, "--out", run)[0] == 0
    assert list(run.rglob("*.checkpoint")) == []
    (run / "notes.txt").write_text("mine", encoding="utf-8")
    made = next(run.glob("sites/east.water/results/*.json")).stat().st_mtime_ns
    assert in_process("train-vertical", path, "--out", run)[0] == 0
    assert next(run.glob("sites/east.water/results/*.json")).stat().st_mtime_ns == made
    assert in_process("train-vertical", path, "--out", run, "--fresh")[0] == 0
    assert next(run.glob("sites/east.water/results/*.json")).stat().st_mtime_ns > made
    assert (run / "notes.txt").exists()


def test_records_that_changed_are_learned_from_again(tmp_path):
    path = town(tmp_path, rounds=1)
    assert in_process("train-vertical", path, "--out", tmp_path / "run")[0] == 0
    before = read(tmp_path / "run")
    records = tmp_path / "east-weather.csv"
    lines = records.read_text(encoding="utf-8").splitlines()
    lines[5] = lines[5].partition(",")[0] + ",99"
    records.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert in_process("train-vertical", path, "--out", tmp_path / "run")[0] == 0
    assert read(tmp_path / "run") != before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (("horizon = 6", "horizon = 6\nleads = 2"), ("window.leads", "horizon = 12")),
        (
            ('["east/water"]', '["east/water", "east/wells"]\nnewcomers = ["east/wells"]'),
            ("newcomers", "no shared layers"),
        ),
        (
            ("[service.vertical]", '[service.reuse]\npackage = "x.layers"\n[service.vertical]'),
            ("reuse", "x.layers", "loads no layer package"),
        ),
        (
            ("[service.vertical]", "[service.participation]\nshare = 0.5\n[service.vertical]"),
            ("participation", "deepcity run"),
        ),
        (
            ("pretrain_steps = 10", "pretrain_steps = 10\nreuse_level = 5"),
            ("reuse_level", "h1..h3 only"),
        ),
    ],
    ids=["leads", "newcomers", "reuse", "participation", "reuse_level"],
)
def test_what_a_meeting_cannot_do_is_refused_before_records_are_read(tmp_path, text, words):
    path = town(tmp_path, text=text)
    for records in tmp_path.glob("*.csv"):
        records.write_text("no records at all", encoding="utf-8")
    assert_refused(path, *words)


def test_labels_that_are_personal_do_not_stay_with_hashed_names(tmp_path):
    """Where labels stay, places are met by their names, be their positions known or not."""
    path = town(tmp_path, more="labels_stay = true")
    city = tmp_path / "east.toml"
    text = city.read_text(encoding="utf-8")
    old = 'source = "water-records"'
    assert old in text
    city.write_text(text.replace(old, f'{old}, sensitivity = "personal"'), encoding="utf-8")
    assert_refused(path, "vertical.labels_stay", "flow of east/water is personal", "Write false")


SNOW = '''"""Snow: how much of it will have to be cleared?"""

from deepcity.applications.application import Application, Target, Task
from deepcity.applications.tasks.forecast import ActAtExtreme
from deepcity.city.field import Kind
from deepcity.city.localized_text import LocalizedText

APPLICATION = Application(
    name="snow",
    title=LocalizedText("Snow to clear", "제설"),
    question=LocalizedText("How much snow will ploughs have to clear?", "치울 눈은 얼마일까요?"),
    decision=LocalizedText("When to send the ploughs.", "제설차를 언제 보낼지 판단합니다."),
    task=Task.FORECAST,
    targets=(Target(Kind.FLOW, "L/s"),),
    reads=("resources",),
    horizon_hours=6,
    decide=ActAtExtreme("send-ploughs"),
)
'''


def test_a_new_application_costs_one_file(tmp_path, monkeypatch):
    """Dropped into the folder, it is served and its page is written, in both languages."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "snow.py").write_text(SNOW, encoding="utf-8")
    folders = [*applications.__path__, str(tmp_path / "more")]
    monkeypatch.setattr(applications, "__path__", folders)
    path = town(tmp_path, text=('application = "water"', 'application = "snow"'), rounds=1)
    code, printed = in_process("train-vertical", path, "--out", tmp_path / "run")
    monkeypatch.delitem(sys.modules, "deepcity.applications.snow")
    assert code == 0, printed
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    for words in ("Snow to clear", "제설", "How much snow will ploughs", "send the ploughs"):
        assert words in page


def test_all_that_a_meeting_cannot_do_is_reported_at_once(tmp_path):
    text = ("[service.vertical]", "[service.participation]\nshare = 0.5\n[service.vertical]")
    path = town(tmp_path, text=text)
    whole = path.read_text(encoding="utf-8")
    path.write_text(
        whole.replace(
            "[service.participation]", '[service.reuse]\npackage = "x"\n[service.participation]'
        ),
        encoding="utf-8",
    )
    assert_refused(path, "2 problems", "service[water].reuse", "service[water].participation")


def test_a_wrong_mode_and_an_unknown_agency_are_reported_at_once(tmp_path):
    path = town(tmp_path, more='mode = "one-shoot"')
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole.replace('agency = "weather"', 'agency = "wether"'), encoding="utf-8")
    assert_refused(path, "2 problems", "one-shoot", "'one-shot'", "Did you mean 'weather'?")


def test_help_teaches_what_to_write_into_a_map():
    _, printed = in_process("train-vertical", "--help")
    for word in (
        "[service.vertical]",
        "[[service.vertical.agency]]",
        'mode = "block-wise"',
        "Example: deepcity train-vertical",
        "resumes at the last finished round",
    ):
        assert word in printed


def test_help_of_serve_shows_the_access_file():
    assert "[[agency]]" in in_process("serve", "--help")[1]
