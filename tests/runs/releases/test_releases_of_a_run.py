"""A run in one process: every layer that left is in its site's ledger, and heads are co-signed."""

import shutil

import numpy as np
import pytest
from little_map import service, three

from deepcity.audit.audit_file import VERSION, save_audit
from deepcity.audit.effort import EffortName
from deepcity.audit.results import AuditSubject, LearnedFrom, PartyAudit, WindowLeak
from deepcity.exchange.message import Message
from deepcity.exchange.precision import lower_precision
from deepcity.exchange.trust.recorded_releases import tensors_digest
from deepcity.maps.city_map import load_map
from deepcity.parties.releases.heads import collected_heads
from deepcity.parties.releases.site_ledger import measured_leakage
from deepcity.runs.outcome.round_records import read_rounds
from deepcity.runs.releases.review import ledger_files, review_ledgers
from deepcity.runs.run import run_map
from deepcity.runs.trainings import InProcessExchange
from deepcity.store.release_ledger.ledger_file import ReleaseLedger
from deepcity.store.release_ledger.lines import entry_of, read_lines

TEXT = service(
    levels=(2,), rounds=2, settings="automatic = false\npooled = false", grant="level = 2"
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run, and the layers that the coordinator received, as they went over the wire."""
    folder = tmp_path_factory.mktemp("ledgers")
    received = []
    carry = InProcessExchange._carry

    def watched(self, message, request, sender, receiver):
        found = carry(self, message, request, sender, receiver)
        if receiver == self.name and isinstance(message, Message):
            received.extend(
                (sender, request.verb, layer, tensors_digest(tensors))
                for layer, tensors in lower_precision(message, self.precision).layers.items()
                if not layer.startswith(("sheets", "evidence"))
            )
        return found

    patch = pytest.MonkeyPatch()
    patch.setattr(InProcessExchange, "_carry", watched)
    run_map(load_map(three(folder).write(TEXT)), folder / "run")
    patch.undo()
    return folder, received


def entries(path):
    lines = [line.data for line in read_lines(path) if not line.is_head]
    return [entry_of(data).release for data in lines]


def test_what_the_coordinator_received_is_what_was_recorded(run):
    folder, received = run
    recorded = [
        (one.party, one.verb, one.layer, one.sha256)
        for path in ledger_files(folder / "run")
        for one in entries(path)
    ]
    assert sorted(recorded) == sorted(received)
    assert {layer for _, _, layer, _ in recorded} == {"h1", "h2", "claim"}
    layers = [one for one in entries(ledger_files(folder / "run")[0]) if one.layer == "h1"]
    assert [one.round for one in layers] == [0, 1]
    assert {one.training for one in layers} == {"water.level_2"}
    assert all(one.grant.level == 2 and one.leakage is None and one.bytes > 0 for one in layers)


def test_heads_are_co_signed_by_all_others_under_the_keys_of_their_claims(run):
    folder, _ = run
    reviews = review_ledgers(folder / "run")
    assert [(one.name, one.check.findings) for one in reviews] == [
        ("east/north", []),
        ("east/south", []),
        ("west/office", []),
    ]
    claims = read_rounds(folder / "run")["water.level_2"].claims
    for name, sheet in collected_heads(folder / "run").items():
        others = {one for one in claims if one != name}
        assert sheet.head.key == claims[name].key
        assert {one.by: one.key for one in sheet.cosignatures} == {
            one: claims[one].key for one in others
        }


def test_a_site_that_rewrites_its_ledger_is_refused_with_evidence(run, tmp_path):
    """Its owner signs another history with its true key; the next round of heads finds it."""
    folder, _ = run
    shutil.copytree(folder, tmp_path / "all")
    copy = tmp_path / "all" / "run"
    path = copy / "sites" / "west.office" / "releases.jsonl"
    true = ReleaseLedger(path, "west/office", _key(path))
    head, wrong = true.signed(), [one.model_copy(update={"bytes": 1}) for one in entries(path)]
    path.unlink()
    ReleaseLedger(path, "west/office", _key(path)).record(wrong)
    (review,) = [one for one in review_ledgers(copy) if one.name == "west/office"]
    assert {one.code for one in review.check.findings} == {"rewritten"}
    assert review.check.evidence[0].proves_itself()
    run_map(load_map(tmp_path / "all" / "map.toml"), copy)  # it is finished: only heads go round
    found = [*copy.glob("sites/*/rewritten-*.json")]
    assert {one.parent.name for one in found} == {"east.north", "east.south"}
    assert head.head.size == len(wrong)


def test_a_ledger_that_is_gone_is_named(run, tmp_path):
    """By the coordinator's heads; beside a site alone by its own, or one that is given."""
    folder, _ = run
    shutil.copytree(folder / "run", tmp_path / "run")
    site = tmp_path / "run" / "sites" / "west.office"
    (site / "releases.jsonl").unlink()
    (gone,) = [one for one in review_ledgers(tmp_path / "run") if one.name == "west/office"]
    assert [one.code for one in gone.check.findings] == ["shorter"]
    shutil.copytree(site, tmp_path / "alone")
    (found,) = review_ledgers(tmp_path / "alone")
    assert (found.name, [one.code for one in found.check.findings]) == ("west/office", ["shorter"])
    (tmp_path / "alone" / "releases.jsonl").touch()
    assert any(one.check.findings for one in review_ledgers(tmp_path / "alone"))


def test_starting_anew_goes_on_with_the_ledger(run, tmp_path):
    folder, _ = run
    shutil.copytree(folder, tmp_path / "all")
    copy = tmp_path / "all" / "run"
    before = [len(entries(path)) for path in ledger_files(copy)]
    run_map(load_map(tmp_path / "all" / "map.toml"), copy, fresh=True)
    assert [len(entries(path)) for path in ledger_files(copy)] == [2 * one for one in before]
    assert all(not one.check.findings for one in review_ledgers(copy))


def test_leakage_is_that_of_the_best_attack_on_the_partys_network(tmp_path):
    assert measured_leakage(tmp_path, "a/b", "water") == {}
    subject = AuditSubject(
        service="water",
        party="a/b",
        model="ab" * 32,
        level=2,
        deep_width=None,
        field="flow",
        window_steps=6,
        step_s=3600,
    )
    leaks = [
        WindowLeak(
            layer="h1",
            stream=stream,
            learned_from=LearnedFrom.PERIOD,
            known=0.0,
            attacker="ridge",
            r2=r2,
            r2_spread=None,
            r2_by_input=(),
            identified=0.0,
            gallery=1,
            windows=1,
        )
        for stream, r2 in ((1, 0.25), (24, 0.43126), (24, np.nan))
    ]
    audit = PartyAudit(
        version=VERSION, subject=subject, effort=EffortName.FAST, seed=0, windows=tuple(leaks[:2])
    )
    save_audit(tmp_path, "a/b", audit)
    found = measured_leakage(tmp_path, "a/b", "water")
    assert found["h1"].activations_r2 == "0.4313"
    assert found["h1"].update_r2 is None
    assert found["h1"].audit == "ab" * 8
    assert measured_leakage(tmp_path, "a/b", "traffic") == {}


def _key(path):
    from deepcity.store.signatures.ed25519 import signing_key

    return signing_key(path.parent / "claims.pem")
