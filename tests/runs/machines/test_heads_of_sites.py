"""Heads of ledgers over the leases of a federation: co-signed at each end, and a site that rewrites
its ledger meanwhile is refused while the others train on.
"""

import json

import pytest
from desk_leases import DeskLeases
from little_map import service, three

from deepcity.exchange.flare.identities import IDENTITIES, make_identity
from deepcity.exchange.flare.kits import SITE_SETTINGS, FederationFile
from deepcity.exchange.flare.link import LOST, Reply
from deepcity.exchange.party import CHOOSE
from deepcity.exchange.trust.head_messages import COSIGN, HEAD
from deepcity.maps.city_map import load_map
from deepcity.parties.releases.heads import collected_heads
from deepcity.runs.machines.lead import Leader
from deepcity.runs.machines.lease_holder import LeaseHolder
from deepcity.runs.releases.review import review_ledgers
from deepcity.runs.run import load_results
from deepcity.store.release_ledger.ledger_file import ReleaseLedger
from deepcity.store.release_ledger.lines import entry_of, read_lines
from deepcity.store.signatures.ed25519 import signing_key

SITES = ("east_north", "east_south", "west")
TEXT = {"levels": (), "rounds": 2, "settings": "pooled = false", "grant": "level = 1"}


def federation(folder, *, lease_rounds=1, before=None):
    city_map = load_map(three(folder).write(service(**TEXT)))
    kits = {site: folder / site for site in SITES}
    for kit in kits.values():
        (kit / "local").mkdir(parents=True)
        (kit / "local" / SITE_SETTINGS).write_text(json.dumps({"map": str(city_map.path)}))
    public = {site: make_identity(kit) for site, kit in kits.items()}
    for kit in kits.values():
        (kit / "local" / IDENTITIES).write_text(json.dumps(public))
    desks, run = DeskLeases(kits, before=before), folder / "fed" / "run"
    file = FederationFile(name="tests", sites=list(SITES), lease_rounds=lease_rounds)
    leases = LeaseHolder(file, desks, desks, run, patience_s=0.0)
    return desks, Leader(city_map, leases, run)


def findings(kit):
    return [
        (one.name, found.code, found.text)
        for one in review_ledgers(kit)
        for found in one.check.findings
    ]


def test_heads_are_co_signed_at_the_end_of_each_lease_and_of_the_service(tmp_path):
    desks, leader = federation(tmp_path)
    leader.run()
    asked = [verb for _, verb, _ in desks.asked]
    ends = asked.count(HEAD) / len(SITES)
    assert ends >= 4  # two trainings of two rounds, each round a lease; and the service
    assert {*collected_heads(leader.folder)} == {"east/north", "east/south", "west/office"}
    for site in SITES:
        assert findings(tmp_path / site) == []
        [one] = review_ledgers(tmp_path / site)
        assert len(one.sheet.cosignatures) == 2
        assert one.sheet.head.head.size == one.check.size > 0
    assert findings(leader.folder) == []
    assert all(one.elsewhere for one in review_ledgers(leader.folder.parent))


def rewrite(kit):
    """A site's operator edits what left, and signs all of it anew."""
    [path] = kit.glob("run/sites/*/releases.jsonl")
    entries = [entry_of(line.data).release for line in read_lines(path) if not line.is_head]
    path.unlink()
    edited = [one.model_copy(update={"bytes": 1}) for one in entries]
    ReleaseLedger(path, edited[0].party, signing_key(kit / "local" / "identity.pem")).record(edited)


def test_a_site_that_rewrote_its_ledger_is_refused_by_name_and_all_train_on(tmp_path, caplog):
    seen = []

    def edit(_site, verb, _service):
        seen.append(verb)
        if verb == CHOOSE and CHOOSE not in seen[:-1]:
            rewrite(tmp_path / "west")

    _, leader = federation(tmp_path, before=edit)
    leader.run()
    [done] = load_results(leader.folder).services
    assert len(done.parties) == 3
    assert "east/north co-signs no head of west/office" in caplog.text
    for site in SITES[:2]:
        [evidence] = [
            *(tmp_path / site).glob("run/sites/*/rewritten-*.json"),
            *(tmp_path / site).glob("run/sites/*/unproven-*.json"),
        ]
        assert "west/office" in evidence.read_text()
    lacking = [text for _, code, text in findings(tmp_path / "west") if code == "uncosigned"]
    assert any("east/north, east/south" in text for text in lacking)
    assert any(code in {"rewritten", "shorter"} for _, code, _ in findings(tmp_path / "west"))


@pytest.mark.parametrize("verb", [HEAD, COSIGN])
def test_a_site_that_is_lost_while_heads_go_round_costs_no_result(tmp_path, verb):
    lost = []

    def lose(site, asked, _service):
        if (site, asked) == ("west", verb) and len(lost) < 2:
            lost.append(asked)
            return Reply(LOST, "target unreachable")
        return None

    _, leader = federation(tmp_path, before=lose, lease_rounds=100)
    leader.run()
    assert lost
    [done] = load_results(leader.folder).services
    assert len(done.parties) == 3
