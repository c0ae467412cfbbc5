"""What the claims of rows in a record show."""

import json

import pytest
from claims_record import HOUR, KEY, OTHER, record

from deepcity.city.errors import CheckpointError
from deepcity.runs.outcome.claim_review import claim_notes, claim_problem, row_jumps
from deepcity.runs.outcome.round_records import ROUNDS, RoundsFile, read_rounds


def records(*claims):
    return {training: record(training, rows, at_s) for training, rows, at_s in claims}


def test_rows_may_grow_as_time_allows_and_a_jump_is_named():
    slow = records(("water.alone", 1000, 0), ("water.level_6", 1000 + 3 * 11, 10 * HOUR))
    assert row_jumps(slow, "water") == []
    fast = records(("water.alone", 1000, 0), ("water.level_6", 1000 + 3 * 11 + 1, 10 * HOUR))
    (jump,) = row_jumps(fast, "water")
    assert (jump.before, jump.after, jump.rows_before, jump.rows_after, jump.most) == (
        ("water.alone", "water.level_6", 1000, 1034, 1033)
    )
    (note,) = claim_notes(fast, "water")
    assert note.names["party"] == "north/water"
    assert claim_notes(fast, "heat") == []


def test_claims_are_compared_with_the_fewest_rows_before():
    found = records(("water.a", 1000, 0), ("water.b", 10, HOUR), ("water.c", 1000, 2 * HOUR))
    assert [(one.before, one.after) for one in row_jumps(found, "water")] == [
        ("water.b", "water.c")
    ]


def test_services_are_compared_apart():
    assert row_jumps(records(("water.alone", 10, 0), ("heat.alone", 10**6, 0)), "water") == []


@pytest.mark.parametrize(
    ("second", "problem"),
    [
        (record("water.b", 10, 1), ""),
        (record("water.b", 10, 1, named="water.a"), "signed for north/water in water.a"),
        (record("water.b", 10, 1, key=OTHER), "signed with another key than"),
    ],
)
def test_an_auditor_sees_what_a_signature_does_not_hold_for(second, problem):
    found = {"water.a": record("water.a", 10, 0), "water.b": second}
    assert problem in claim_problem(found, "water.b", "north/water")
    assert bool(claim_problem(found, "water.b", "north/water")) == bool(problem)
    assert claim_problem(found, "water.a", "north/water") == ""


def test_claims_of_a_file_that_was_changed_are_found_out(tmp_path):
    file = RoundsFile(tmp_path)
    known = {"water.a": record("water.a", 10, 0)}
    content = {name: json.loads(one.model_dump_json()) for name, one in known.items()}
    (tmp_path / ROUNDS).write_text(json.dumps(content))
    assert claim_problem(read_rounds(tmp_path), "water.a", "north/water") == ""
    assert RoundsFile(tmp_path).keys() == {"north/water": KEY.public_key().public_bytes_raw().hex()}
    content["water.a"]["claims"]["north/water"]["claim"]["rows"] = 1e6
    (tmp_path / ROUNDS).write_text(json.dumps(content))
    found = read_rounds(tmp_path)
    assert claim_problem(found, "water.a", "north/water") == "the signature is not that of its key"
    content["water.a"]["claims"]["north/water"]["key"] = "no key"
    (tmp_path / ROUNDS).write_text(json.dumps(content))
    with pytest.raises(CheckpointError):
        read_rounds(tmp_path)
    assert file.keys() == {}
