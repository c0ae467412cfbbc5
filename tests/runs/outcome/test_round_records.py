"""Who was in which round, as the coordinator records it; another's file may hold anything."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcity.city.errors import CheckpointError
from deepcity.exchange.coordinator import Training
from deepcity.exchange.exchange import COORDINATOR, Failure
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.rounds import Progress
from deepcity.exchange.strategies import StrategyState
from deepcity.runs.outcome.round_records import (
    MOST_BYTES,
    ROUNDS,
    LeftOut,
    RoundsFile,
    TakingPart,
    read_rounds,
    taking_part,
)

A, B = "a/x", "b/y:flow"
NOW = 1_700_000_000


def training(errors, failures, *, rounds=None, ended=None):
    rounds = len(errors) - 1 if rounds is None else rounds
    ledger = Ledger()
    ledger.record("train", A, COORDINATOR, {"h1": 400, "header": 96}, round=1)
    ledger.record("train", COORDINATOR, A, {"h1": 300}, round=1)
    progress = Progress(
        rounds, StrategyState({}, {}), {}, {}, tuple(errors), tuple(map(tuple, failures))
    )
    times = range(NOW, NOW + rounds) if ended is None else ended
    return Training({A: 3, B: 3}, progress, ledger, 1.5, ended=tuple(times))


def noted(folder, *given, name="water.level_3", **how):
    file = RoundsFile(folder)
    file.note(name, training(*given, **how))
    return read_rounds(folder)


def test_a_party_that_stopped_answering_is_silent_since_its_last_round(tmp_path):
    gone = [Failure(B, "no answer within 60 s:\n asked twice")]
    both, one = {A: 1.0, B: 1.0}, {A: 1.0}
    found = noted(tmp_path, [both, both, one, one], [(), (), gone, gone])
    known = taking_part(found, "water")
    reason = "no answer within 60 s: asked twice"
    assert known[B] == TakingPart(2, 3, NOW + 1, LeftOut.SILENT, reason)
    assert known[A] == TakingPart(3, 3, NOW + 2)
    assert found["water.level_3"].sent == {A: {"h1": 400, "header": 96}}
    assert found["water.level_3"].received == {A: {"h1": 300}}
    assert taking_part(found, "air") == {}


def test_one_whose_update_is_refused_answered_and_one_that_came_back_is_not_left_out(tmp_path):
    both = {A: 1.0, B: 1.0}
    known = taking_part(noted(tmp_path, [both] * 3, [(), [Failure(B, "not finite")], ()]), "water")
    assert (known[B].last, known[B].left_out) == (2, None)  # it answered the evaluation
    refused = [Failure(B, "not finite")]
    known = taking_part(noted(tmp_path, [both] * 3, [(), refused, refused]), "water")
    assert (known[B].last, known[B].left_out, known[B].reason) == (
        1,
        LeftOut.REFUSED,
        "not finite",
    )


def test_who_joins_late_or_was_never_there(tmp_path):
    one = {A: 1.0}
    assert B not in taking_part(noted(tmp_path, [one, one], [(), ()]), "water")
    away = [Failure(B, "not connected")]
    known = taking_part(noted(tmp_path, [one, one], [away, away]), "water")
    assert known[B] == TakingPart(0, 1, None, LeftOut.SILENT, "not connected")


def test_while_rounds_go_on_and_over_trainings(tmp_path):
    """After each round the file says how far it is; a later training counts more."""
    both = {A: 1.0, B: 1.0}
    noted(tmp_path, [both, both], [(), ()], name="water.alone")
    file = RoundsFile(tmp_path)  # as a coordinator that was started again
    file.note("water.level_3", training([both], [()], rounds=1))
    now = taking_part(read_rounds(tmp_path), "water")[A]
    assert (now.last, now.rounds) == (1, 1)
    gone = [Failure(B, "gone")]
    file.note("water.level_3", training([{A: 1.0}], [gone], rounds=1))
    assert taking_part(read_rounds(tmp_path), "water")[B] == TakingPart(
        1, 1, NOW, LeftOut.SILENT, "gone"
    )


def test_files_of_before_have_no_times(tmp_path):
    old = {"levels": {A: 2}, "errors": [{A: 1.0}, {A: 0.5}], "failures": [[], []]}
    old |= {"bytes": 10, "seconds": 2.0}
    (tmp_path / ROUNDS).write_text(json.dumps({"water.level_2": old}))
    assert taking_part(read_rounds(tmp_path), "water") == {A: TakingPart(1, 1, None)}


GOOD = {"levels": {A: 2}, "errors": [{A: 1.0}], "failures": [[]], "bytes": 1, "seconds": 1.0}


@pytest.mark.parametrize(
    "bad",
    [
        b'{"water.level_2": {"levels": {"a/x": 2}, "err',
        b"\x00\xff",
        b"[]",
        json.dumps({"w.a": {**GOOD, "levels": {A: 7}}}).encode(),
        json.dumps({"w.a": {**GOOD, "errors": [{A: float("nan")}]}}).encode(),
        json.dumps({"w.a": {**GOOD, "bytes": -1}}).encode(),
        json.dumps({"w.a": {**GOOD, "levels": {"a\n/x": 1}}}).encode(),
        json.dumps({"w.a": {**GOOD, "levels": {"a" * 300: 1}}}).encode(),
        json.dumps({"w.a": {**GOOD, "ended": [10**12]}}).encode(),
        json.dumps({f"w.{n}": GOOD for n in range(1001)}).encode(),
        b"[" * 100_000,
        b'{"a": ' + b" " * MOST_BYTES,
    ],
    ids=range(12),
)
def test_what_no_coordinator_writes_is_refused_whole(tmp_path, bad):
    (tmp_path / ROUNDS).write_bytes(bad)
    with pytest.raises(CheckpointError, match=r"rounds\.json"):
        read_rounds(tmp_path)
    RoundsFile(tmp_path).note("water.level_3", training([{A: 1.0}], [()], rounds=1))
    assert read_rounds(tmp_path)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(st.sampled_from([*sorted(GOOD), "sent", "ended", "more"]), _JSON)
def test_any_value_anywhere_is_read_or_refused(tmp_path_factory, key, value):
    folder = tmp_path_factory.mktemp("rounds")
    (folder / ROUNDS).write_text(json.dumps({"w.level_2": {**GOOD, key: value}}))
    try:
        found = read_rounds(folder)
    except CheckpointError:
        return
    for part in taking_part(found, "w").values():
        assert 0 <= part.last <= part.rounds


def test_many_parties_that_were_in_no_round_cost_no_more_than_the_file(tmp_path):
    """A file of a megabyte that named each for each round would be looked through for hours."""
    many = {f"c/p{number}": 1 for number in range(10_000)}
    record = {**GOOD, "levels": many, "errors": [{}] * 100_000, "failures": [[]] * 100_000}
    (tmp_path / ROUNDS).write_text(json.dumps({"w.level_2": record}))
    assert taking_part(read_rounds(tmp_path), "w") == {}
