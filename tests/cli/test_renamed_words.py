"""Verbs, options and keys of 0.1 on the command line: they work, and name the new word."""

import json

import pytest
from little_vertical import little
from processes import deepcity
from typer.main import get_command

from deepcity.city.errors import CheckpointError
from deepcity.cli import app
from deepcity.cli.renamed import RENAMED_OPTIONS, RENAMED_VERBS, with_new_words
from deepcity.cli.report import report

LIVE = ("--city", "none.toml")
AGENT = ("none.encoder", *LIVE, "--to", "http://127.0.0.1:9")
SERVE = ("none.fused", *LIVE, "--access", "none.toml")
CASES = [
    (("meet", "none.toml"), ("train-vertical", "none.toml")),
    (
        ("refine", "none.toml", "--bound", "0.1"),
        ("update", "none.toml", "--max-forgetting", "0.1"),
    ),
    (
        ("agency", *AGENT, "--most-mb", "5", "--patience=3", "--look-back", "2"),
        ("agent", *AGENT, "--max-mb", "5", "--late-wait=3", "--revision-window", "2"),
    ),
    (
        ("serve", *SERVE, "--most-mb", "5", "--most-rows", "9"),
        ("serve", *SERVE, "--max-mb", "5", "--max-rows", "9"),
    ),
]
GOES = "the old word goes with deepcity 0.3"


def lines_of(old, new):
    """The lines that report a command line's old words."""
    pairs = [(f"deepcity {old[0]}", f"deepcity {new[0]}")] if old[0] != new[0] else []
    words = zip(old[1:], new[1:], strict=True)
    pairs += [(one.partition("=")[0], other.partition("=")[0]) for one, other in words]
    return [f"`{one}` is now `{other}`; {GOES}" for one, other in pairs if one != other]


@pytest.mark.parametrize(("old", "new"), CASES)
def test_old_words_do_what_the_new_ones_do_and_name_them(old, new):
    before, after = deepcity(*old), deepcity(*new)
    reported = lines_of(old, new)
    assert reported
    lines = before.stderr.splitlines()
    assert lines[: len(reported)] == reported
    assert lines[len(reported) :] == after.stderr.splitlines()
    assert (before.returncode, before.stdout) == (after.returncode, after.stdout)
    assert after.returncode == 1  # a named problem: none of these files is there


def test_every_old_word_was_tried_and_no_command_has_it_any_more():
    commands = get_command(app).commands
    assert {old[0] for old, _ in CASES} >= set(RENAMED_VERBS)
    assert not set(RENAMED_VERBS) & set(commands)
    assert set(RENAMED_VERBS.values()) <= set(commands)
    for verb, options in RENAMED_OPTIONS.items():
        known = {option for one in commands[verb].params for option in one.opts}
        tried = {word.partition("=")[0] for old, new in CASES if new[0] == verb for word in old}
        assert not set(options) & known
        assert set(options.values()) <= known
        assert set(options) <= tried


def test_old_verbs_are_in_no_help():
    ended = deepcity("--help")
    words = set(ended.stdout.split())
    assert {"train-vertical", "agent", "update"} <= words
    assert not set(RENAMED_VERBS) & words
    assert ended.stderr == ""


def test_words_of_other_verbs_and_behind_two_dashes_stay(capsys):
    for words in ([], ["--version"], ["run", "--bound", "1"], ["update", "--", "--bound"]):
        assert with_new_words(words) == words
    assert capsys.readouterr().err == ""


def test_an_old_option_said_twice_is_reported_once(capsys):
    words = with_new_words(["refine", "--bound", "1", "--bound=2"])
    assert words == ["update", "--max-forgetting", "1", "--max-forgetting=2"]
    assert capsys.readouterr().err.count("--bound") == 1


def test_an_old_map_is_trained_by_the_old_verb_and_each_old_key_reported_in_one_line(tmp_path):
    path = little(tmp_path, rounds=1)
    text = path.read_text(encoding="utf-8").replace("service.vertical", "service.meeting")
    text = text.replace("pretrain_steps", "own_steps").replace("batch_size", "batch_rows")
    path.write_text(text, encoding="utf-8")
    ended = deepcity("meet", path, "--out", tmp_path / "run", "--json")
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.splitlines()[:4] == [
        f"`deepcity meet` is now `deepcity train-vertical`; {GOES}",
        "[service] meeting is now vertical; the old name goes with deepcity 0.3",
        "[service.training] batch_rows is now batch_size; the old name goes with deepcity 0.3",
        "[service.vertical] own_steps is now pretrain_steps; the old name goes with deepcity 0.3",
    ]
    assert ended.stderr.count("is now") == 4
    assert "Warning" not in ended.stderr
    assert json.loads(ended.stdout)["services"]


def test_a_report_of_results_under_their_old_name_says_what_to_do(tmp_path):
    (tmp_path / "meeting.json").write_text("{}", encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"train-vertical MAP\.toml --out FOLDER") as refused:
        report(tmp_path)
    assert f"{tmp_path / 'meeting.json'} is of deepcity 0.1" in str(refused.value)
