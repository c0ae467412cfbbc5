"""`deepcity ledger`: shown, checked, proven, co-signed, as its users type it."""

import json

import pytest
from release_ledgers import OWNER, filled, key_of, ledger, release
from typer.testing import CliRunner

from deepcity.city.errors import LedgerError
from deepcity.cli import app
from deepcity.store.signatures.ed25519 import signing_key


def type_in(*words):
    return CliRunner().invoke(app, ["ledger", *map(str, words)])


@pytest.fixture
def town(tmp_path, monkeypatch):
    """A site with a ledger of six entries, and another city's site."""
    monkeypatch.chdir(tmp_path)
    site, other = tmp_path / "run/sites/north.water", tmp_path / "other"
    site.mkdir(parents=True)
    signing_key(other / "claims.pem")
    filled(site)
    return site, other


def test_show_names_layer_receiver_purpose_grant_and_leakage(town, monkeypatch):
    monkeypatch.setenv("COLUMNS", "220")
    shown = type_in("show", "run")
    for text in ("north/water", "h1", "coordinator", "level 2, private", "not measured", "105"):
        assert text in shown.output, shown.output
    (line,) = type_in("show", "run", "--json", "--last", 1).output.splitlines()
    assert json.loads(line)["index"] == 5


def test_verify_exits_0_for_a_whole_ledger_and_1_for_an_edited_one(town):
    site, _ = town
    found = type_in("verify", "run")
    assert (found.exit_code, "6 entries under 3 signed heads: holds" in found.output) == (0, True)
    path = site / "releases.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"bytes":105', b'"bytes":5')[:-3])
    found = type_in("verify", "run")
    assert found.exit_code == 1
    assert "is torn after" in found.output
    assert "entry 5 stand under no head" in found.output


def test_a_proof_is_checked_without_the_ledger(town):
    site, other = town
    assert type_in("head", "run", "head.json").exit_code == 0
    done = type_in("cosign", "head.json", "--site", other, "--name", "south/water")
    assert done.exit_code == 0, done.output
    assert type_in("keep", "head.json", "run").exit_code == 0
    assert type_in("prove", "run", 3, "proof.json").exit_code == 0
    (site / "releases.jsonl").unlink()
    found = type_in("verify", "proof.json", "--cosigned-by", "south/water")
    assert found.exit_code == 0, found.output
    assert "released h1 (plain) to coordinator for water" in found.output
    assert "co-signed by south/water" in found.output
    missing = type_in("verify", "proof.json", "--cosigned-by", "east/water")
    assert (missing.exit_code, "east/water has not co-signed it" in missing.output) == (1, True)


def test_keys_are_compared_with_the_operators(town, tmp_path):
    type_in("prove", "run", 3, "proof.json")
    keys = tmp_path / "identities.json"
    right = key_of(OWNER).public_key().public_bytes_raw().hex()
    for key, code in ((right, 0), ("1" * 64, 1)):
        keys.write_text(json.dumps({"north": key}))  # the city's site answers for its parties
        for path in ("proof.json", "run"):
            found = type_in("verify", path, "--identities", keys)
            assert found.exit_code == code, (path, found.output)
    keys.write_text("[1]")
    with pytest.raises(LedgerError, match="object of sites"):
        raise type_in("verify", "run", "--identities", keys).exception


def test_a_rewritten_history_is_refused_and_its_evidence_holds(town):
    site, other = town
    type_in("head", "run", "head.json")
    type_in("cosign", "head.json", "--site", other, "--name", "south/water")
    (site / "releases.jsonl").unlink()
    ledger(site).record([release(number, bytes=1) for number in range(6)])
    type_in("head", "run", "later.json")
    found = type_in("cosign", "later.json", "--site", other, "--name", "south/water")
    assert (found.exit_code, "Its history was rewritten" in found.output) == (1, True)
    found = type_in("verify", "later.rewritten.json")
    assert (found.exit_code, "its history was rewritten" in found.output) == (0, True)
    kept = type_in("verify", "run", "--head", "head.json")
    assert (kept.exit_code, "rewritten:" in kept.output) == (1, True)
    [evidence] = site.glob("rewritten-*.json")  # beside the ledger, not where the reader stands
    assert [*site.parents[2].glob("rewritten-*.json")] == []
    assert type_in("verify", evidence).exit_code == 0
    evidence.unlink()
    kept = type_in("verify", "run", "--head", "head.json", "--evidence", other)
    assert (kept.exit_code, [*site.glob("rewritten-*.json")]) == (1, [])
    assert len([*other.glob("rewritten-*.json")]) == 1


def test_the_next_head_proves_that_it_continues(town):
    site, other = town
    for name in ("one.json", "two.json"):
        type_in("head", "run", name)
        done = type_in("cosign", name, "--site", other, "--name", "south/water")
        assert done.exit_code == 0, done.output
        type_in("keep", name, "run")
        ledger(site).record([release(9)])
    found = type_in("verify", "run")
    assert "1 entries after it are signed by north/water alone" in found.output


def test_wrong_paths_are_named(town, tmp_path):
    for words, match in (
        (("verify", tmp_path / "nothing"), "no such file or folder"),
        (("show", tmp_path / "other"), "not the folder of a run"),
        (("prove", "run", 9, "x.json"), "entries 0 to 5"),
        (("prove", "run", 1, "x.json", "--party", "x/y"), "no ledger of 'x/y'"),
    ):
        error = type_in(*words).exception
        assert isinstance(error, LedgerError), words
        assert match in str(error)
    (tmp_path / "text.json").write_text('{"kind": "deepcity secrets"}')
    assert "is no ledger, head, proof" in str(type_in("verify", "text.json").exception)
