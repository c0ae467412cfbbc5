"""Choices over several leases: new workers in each, sites that are away, lie, or are lost."""

import json
import shutil

import pytest
from desk_leases import DeskLeases
from little_map import service, three

from deepcity.city.errors import CheckpointError, ExchangeError
from deepcity.exchange.flare.identities import IDENTITIES, make_identity
from deepcity.exchange.flare.kits import SITE_SETTINGS, FederationFile
from deepcity.exchange.flare.link import ANSWER, LOST, REFUSED, Reply
from deepcity.exchange.flare.task import site_of
from deepcity.exchange.party import CHOOSE, JOIN, START, STATUS, TRAIN
from deepcity.maps.city_map import load_map
from deepcity.runs.machines.lead import Leader
from deepcity.runs.machines.lease_holder import LeaseHolder
from deepcity.runs.outcome.claim_review import claim_problem
from deepcity.runs.outcome.round_records import read_rounds, taking_part
from deepcity.runs.run import load_results, run_map
from deepcity.store.signatures.ed25519 import signing_key

pytest.importorskip("nvflare", reason="nvflare is not installed: pip install 'deepcity[flare]'")

SITES = ("east_north", "east_south", "west")
EAST = {"levels": (), "rounds": 1, "settings": "pooled = false", "grant": "level = 1"}
NEWCOMER = {
    "levels": (),
    "rounds": 2,
    "settings": 'pooled = false\nnewcomers = ["west/office"]',
    "span": 'scarce = { "west/office" = 10 }',
    "grant": 'stem = "common"',
}


def federation(city_map, folder, *, lease_rounds=100, **how):
    kits = {site: folder / site for site in SITES}
    for kit in kits.values():
        (kit / "local").mkdir(parents=True, exist_ok=True)
        (kit / "local" / SITE_SETTINGS).write_text(json.dumps({"map": str(city_map.path)}))
    public = {site: make_identity(kit) for site, kit in kits.items()}
    for kit in kits.values():
        (kit / "local" / IDENTITIES).write_text(json.dumps(public))
    desks = DeskLeases(kits, **how)
    file = FederationFile(name="tests", sites=list(SITES), lease_rounds=lease_rounds)
    run = folder / "fed" / "run"
    leases = LeaseHolder(file, desks, desks, run, patience_s=0.0)
    return desks, Leader(city_map, leases, run)


def errors(results):
    return {
        (service.name, one.name): one.test["automatic"].mae
        for service in results.services
        for one in service.parties
    }


def left_out(results):
    return [
        one.names
        for service in results.services
        for one in service.notes
        if one.code == "site_without_choice"
    ]


def test_choice_in_workers_that_trained_nothing_is_that_of_one_process(tmp_path):
    east = service("east", **EAST).replace('parties = ["*/*"]', 'parties = ["east/*"]')
    city_map = load_map(three(tmp_path).write(east, service(**NEWCOMER)))
    desks, leader = federation(city_map, tmp_path, lease_rounds=1)
    leader.run()
    found = load_results(leader.folder)
    assert len(desks.leases) > 10  # one a round
    assert errors(found) == pytest.approx(errors(run_map(city_map, tmp_path / "run")), rel=1e-6)
    assert left_out(found) == []


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A map whose sites have trained between machines, and a copy of all that they keep."""
    folder = tmp_path_factory.mktemp("choices")
    city_map = load_map(three(folder).write(service(**EAST)))

    def refuse(_site, verb, _service):
        return Reply(REFUSED, "not on a Sunday") if verb == CHOOSE else None

    desks, leader = federation(city_map, folder / "kept", before=refuse)
    with pytest.raises(ExchangeError, match=r"no site of water chose a level: .*not on a Sunday"):
        leader.run()
    assert len(desks.leases) < 4  # who refuses is asked again in the same lease
    assert not (leader.folder / "results.json").exists()
    return city_map, folder / "kept"


def again(trained, folder, **how):
    """The run goes on from what was kept, in a folder of its own."""
    city_map, kept = trained
    if not folder.exists():
        shutil.copytree(kept, folder)
    desks, leader = federation(city_map, folder, **how)
    leader.run()
    return desks, load_results(leader.folder)


@pytest.fixture(scope="module")
def whole(trained, tmp_path_factory):
    """What comes of it where every site chooses."""
    folder = tmp_path_factory.mktemp("whole") / "fed"
    return again(trained, folder)[1], folder


def test_every_site_signs_its_rows_with_the_key_of_its_kit(trained):
    _, folder = trained
    records = read_rounds(folder / "fed" / "run")
    own = {site: signing_key(folder / site / "local" / "identity.pem") for site in SITES}
    public = {site: key.public_key().public_bytes_raw().hex() for site, key in own.items()}
    for name, record in records.items():
        signed_by = {party: one.key for party, one in record.claims.items()}
        assert signed_by == {party: public[site_of(party, SITES)] for party in record.levels}
        assert all(claim_problem(records, name, party) == "" for party in record.levels)


def test_a_site_that_signs_with_another_key_than_the_operator_noted_takes_no_part(tmp_path):
    city_map = load_map(three(tmp_path).write(service(**EAST)))
    _, leader = federation(city_map, tmp_path)
    noted = {"west": signing_key(tmp_path / "old.pem").public_key().public_bytes_raw().hex()}
    (tmp_path / "fed").mkdir()
    (tmp_path / "fed" / "identities.json").write_text(json.dumps(noted))
    leader.run()
    for record in read_rounds(leader.folder).values():
        assert "west/office" not in record.claims
        (reason,) = {one for failed in record.failures[:1] for one in failed}
        assert "west/office: its claim of rows is signed with key" in reason


def test_site_that_is_away_is_named_and_asked_once_it_is_back(trained, whole, tmp_path):
    def leave(site, verb, _service):
        if (site, verb) == ("west", CHOOSE):
            desks.away.add("west")
            return Reply(LOST, "target unreachable")
        return None

    folder = tmp_path / "fed"
    shutil.copytree(trained[1], folder)
    desks, leader = federation(trained[0], folder, before=leave)
    leader.run()
    found = load_results(leader.folder)
    assert errors(found).keys() == errors(whole[0]).keys() - {("water", "west/office")}
    assert left_out(found) == [{"party": "west/office", "reason": "it was not connected"}]
    assert not list((folder / "west" / "run").rglob("own"))
    back, found = again(trained, folder)
    assert [site for site, verb, _ in back.asked if verb == CHOOSE] == ["west"]
    assert errors(found) == pytest.approx(errors(whole[0]), rel=1e-6)
    assert list((folder / "west" / "run").rglob("own/water.*.checkpoint"))


def test_a_site_that_leaves_between_trainings_costs_the_others_none(trained, tmp_path):
    joined = []

    def leave(site, verb, _service):
        if (site, verb) == ("west", JOIN):
            joined.append(site)
        if site == "west" and len(joined) > 1:
            desks.away.add("west")
            return Reply(LOST, "target unreachable")
        return None

    desks, leader = federation(trained[0], tmp_path, before=leave)
    leader.run()
    found = load_results(leader.folder)
    assert errors(found).keys() == {("water", "east/north"), ("water", "east/south")}
    assert left_out(found) == [{"party": "west/office", "reason": "it was not connected"}]


def test_a_site_that_lost_its_checkpoints_is_named_and_how_to_start_anew(trained, tmp_path):
    folder = tmp_path / "fed"
    shutil.copytree(trained[1], folder)
    shutil.rmtree(folder / "west" / "run" / "sites" / "west.office" / "checkpoints")
    with pytest.raises(
        CheckpointError, match=r"west/office kept round 0.*or stop all parts, remove"
    ):
        again(trained, folder)


def test_a_site_that_refuses_to_go_on_is_named_with_its_reason_alone(trained, tmp_path):
    def refuse(site, verb, _service):
        return Reply(REFUSED, "another version") if (site, verb) == ("west", STATUS) else None

    reason = r"could not restore their checkpoints: west/office.*another version\. Fix them"
    with pytest.raises(ExchangeError, match=reason) as refused:
        again(trained, tmp_path / "fed", before=refuse)
    assert "remove run/" not in str(refused.value)


def test_site_that_answers_with_nonsense_costs_no_others_choice(trained, whole, tmp_path):
    def lie(site, verb, _service):
        return Reply(ANSWER, "", b"nonsense" * 9) if (site, verb) == ("west", CHOOSE) else None

    _, found = again(trained, tmp_path / "fed", before=lie)
    assert errors(found).keys() == errors(whole[0]).keys() - {("water", "west/office")}
    [left] = left_out(found)
    assert "not a message" in left["reason"]


def test_a_site_that_cannot_start_episodes_costs_the_others_none(tmp_path):
    """Else one that refuses would have the coordinator begin again and again, for ever."""
    refused = []

    def refuse(_site, verb, _service):
        if verb == START and not refused:
            refused.append(verb)
            return Reply(REFUSED, "not on a Sunday")
        return None

    city_map = load_map(three(tmp_path).write(service(**NEWCOMER)))
    _, leader = federation(city_map, tmp_path, before=refuse)
    [outcome] = leader.run()
    assert refused
    [stage] = outcome.stages
    assert len(stage.progress.trained) == 1
    assert len({one.party for failed in stage.progress.failures for one in failed}) == 1
    assert len(outcome.parties) == 3


def test_nobody_trains_or_chooses_again_in_a_run_that_is_done(trained, whole):
    found, folder = whole
    desks, same = again(trained, folder)
    assert not [call for call in desks.asked if call[1] in {TRAIN, JOIN, CHOOSE}]
    assert errors(same) == errors(found)


def test_kept_choices_that_are_damaged_are_named(trained, whole):
    (whole[1] / "fed" / "run" / "coordinator" / "water.choices.json").write_text('{"parties": 5}')
    with pytest.raises(CheckpointError, match="Remove it, and sites are asked again"):
        again(trained, whole[1])


def test_the_record_of_rounds_is_written_while_they_go_on_and_names_who_is_silent(tmp_path):
    """After each round, and by a coordinator that is started again, with times and bytes."""
    city_map = load_map(three(tmp_path).write(service(**{**EAST, "rounds": 3})))
    seen = []

    def gone(site, verb, _service):
        records = read_rounds(leader.folder)
        joined = records.get("water.level_1")
        seen.append(0 if joined is None else joined.rounds)
        if site == "west" and verb == TRAIN and seen[-1] == 1:
            return Reply(REFUSED, "its disk is full")
        return None

    _, leader = federation(city_map, tmp_path / "fed", before=gone)
    leader.run()
    assert {0, 1, 2, 3} <= set(seen)
    records = read_rounds(leader.folder)
    assert list(records) == ["water.alone", "water.level_1"]
    joined = records["water.level_1"]
    assert joined.rounds == len(joined.ended) == 3
    assert joined.ended == sorted(joined.ended)
    assert min(joined.ended) > 1_700_000_000
    layers = {party: set(sent) for party, sent in joined.sent.items()}
    assert all("h1" in sent and "h2" not in sent and "stem" not in sent for sent in layers.values())
    assert any("its disk is full" in one for one in joined.failures[1])
    part = taking_part(records, "water")
    assert {(one.last, one.left_out) for one in part.values()} == {(3, None)}
