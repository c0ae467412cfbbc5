"""`deepcity federation claims`: what each party signed for its rows, checked again."""

import json

import pytest
from claims_record import record
from typer.testing import CliRunner

from deepcity.city.errors import CheckpointError
from deepcity.cli import app
from deepcity.cli.federation.parts import out
from deepcity.runs.outcome.round_records import ROUNDS


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    """A terminal in which no cell of the table is broken, whoever made the console first."""
    monkeypatch.setattr(out, "_width", 160)


def claims(folder):
    return CliRunner().invoke(app, ["federation", "claims", str(folder)])


def write(folder, records):
    folder.mkdir(exist_ok=True)
    content = {name: json.loads(one.model_dump_json()) for name, one in records.items()}
    (folder / ROUNDS).write_text(json.dumps(content))
    return content


@pytest.mark.parametrize("federation", [False, True])
def test_claims_are_listed_with_key_and_signature_and_jumps_named(tmp_path, federation):
    run = tmp_path / "run" if federation else tmp_path
    if federation:
        (tmp_path / "federation.json").write_text("{}")
    first = record("water.alone", 1000, 0)
    write(run, {"water.alone": first, "water.level_6": record("water.level_6", 90_000, 3600)})
    found = claims(tmp_path)
    assert found.exit_code == 0
    assert found.output.count("holds") == 2
    assert first.claims["north/water"].key[:16] in found.output
    assert "north/water signed for 90,000 rows in water.level_6, and for 1,000" in found.output
    assert "at most 1,006 could have been measured by then" in found.output


def test_a_record_that_was_changed_ends_with_1(tmp_path):
    content = write(tmp_path, {"water.alone": record("water.alone", 1000, 0)})
    content["water.alone"]["claims"]["north/water"]["claim"]["rows"] = 10.0
    (tmp_path / ROUNDS).write_text(json.dumps(content))
    found = claims(tmp_path)
    assert found.exit_code == 1
    assert "the signature is not that of its key" in found.output


def test_a_folder_without_claims_is_named_with_the_next_step(tmp_path):
    result = claims(tmp_path)
    assert isinstance(result.exception, CheckpointError)
    assert "holds no claim of rows" in str(result.exception)
    assert "Name a federation's folder, or that of a run" in str(result.exception)
