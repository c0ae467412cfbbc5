"""The red team: quick plays end as they must, every play has its place in the threat model."""

import re
from pathlib import Path

import httpx
import pytest

from benchmarks.red_team.adversaries import ORDER, load_plays
from benchmarks.red_team.play import (
    Ending,
    Play,
    Result,
    Stage,
    all_of,
    measured,
    named,
    refused,
    stopped_by,
)
from benchmarks.red_team.stages.simulated import simulated
from benchmarks.red_team.table import load_endings, save_endings, text
from deepcity.city.errors import ExchangeError, GrantError

ROOT = Path(__file__).parents[1]
QUICK = (
    "sends-what-is-no-number",
    "replays-a-signed-claim",
    "signs-a-claim-as-another-member",
    "asks-for-a-private-stem",
    "asks-above-the-granted-level",
    "looks-behind-the-masks-of-a-sum",
    "sends-an-imprint-module",
    "makes-a-sum-of-two",
    "puts-its-own-keys-into-a-sum",
    "averages-answers-to-one-question",
    "takes-the-difference-of-two-questions",
    "asks-for-counts-by-many-names",
    "begins-a-new-budget-for-counts",
    "sets-its-clock-back-for-counts",
)
"""Of every kind, in seconds; the whole is `python -m benchmarks.red_team`."""
PLAYS = load_plays()


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    with simulated(tmp_path_factory.mktemp("red-team") / "simulated") as found:
        yield found


@pytest.mark.parametrize("name", QUICK)
def test_a_quick_play_is_stopped_or_measured(stage, name):
    ending = PLAYS[name].end(stage)
    assert ending.good, ending


def test_each_adversary_plays_and_every_stage_is_played_on():
    adversaries = [play.adversary for play in PLAYS.values()]
    assert len(PLAYS) >= 25
    assert len({*adversaries}) == len(ORDER)
    assert {play.stage for play in PLAYS.values()} == {*Stage}


@pytest.mark.parametrize("page", ["threat-model.md", "threat-model.ko.md"])
def test_the_threat_model_names_every_play_and_no_other(page):
    page = (ROOT / "docs/explanation" / page).read_text(encoding="utf-8")
    named_there = re.findall(r"`([a-z]+(?:-[a-z]+)+)`", page)
    assert sorted(named_there) == sorted(PLAYS)


def grant():
    raise GrantError("h3 may not leave")


def test_whoever_is_stopped_for_another_reason_was_not_stopped():
    assert stopped_by(GrantError, "h3 may not", grant).result is Result.STOPPED
    assert stopped_by(GrantError, "h3", lambda: "layers").result is Result.GOT_THROUGH
    for kind, words in ((GrantError, "stem"), (ExchangeError, "h3"), (ZeroDivisionError, "")):
        play = Play("p", "a", Stage.SIMULATED, "w", "d", lambda _, k=kind, w=words: stopped_by(k, w, grant))  # noqa: E501  # fmt: skip
        assert play.end(None).result is Result.UNNAMED


def test_harm_over_its_limit_or_without_a_number_got_through():
    assert measured(0.5, 0.5, "share").good
    assert not measured(0.51, 0.5, "share").good
    assert not measured(float("nan"), 0.5, "share").good
    assert not named("refused", "all went well").good
    assert not all_of([measured(0, 1, ""), measured(2, 1, "")]).good


@pytest.mark.parametrize(
    ("status", "result"),
    [(401, Result.STOPPED), (200, Result.GOT_THROUGH), (500, Result.UNNAMED)],
)
def test_a_request_is_stopped_by_the_status_that_was_named(status, result):
    assert refused(401, httpx.Response(status, text="x")).result is result


def test_what_got_through_stands_out_in_the_table():
    play = PLAYS[QUICK[0]]
    found = text({play: Ending(Result.GOT_THROUGH, "it | was answered")})
    assert "**got through**: it \\| was answered |" in found
    assert "1 got through" in found


def test_endings_are_kept_as_they_were(tmp_path):
    endings = {"a": Ending(Result.STOPPED, "x | y"), "b": Ending(Result.GOT_THROUGH, "도난")}
    save_endings(tmp_path / "endings.jsonl", endings)
    assert load_endings(tmp_path / "endings.jsonl") == endings
    assert load_endings(tmp_path / "none.jsonl") == {}
