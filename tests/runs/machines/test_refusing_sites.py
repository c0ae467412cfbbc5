"""Sites that refuse to describe themselves or to join: the run goes on while two members do not."""

import json

import pytest
from little_map import service, three
from test_choices import NEWCOMER, federation, left_out

from deepcity.city.errors import CheckpointError, ExchangeError
from deepcity.exchange.flare.access import HEAD_RULES
from deepcity.exchange.flare.link import REFUSED, Reply
from deepcity.exchange.party import CHOOSE, JOIN, TRAIN
from deepcity.exchange.profile import DESCRIBE
from deepcity.maps.city_map import load_map
from deepcity.runs.machines.status import coordinator_status
from deepcity.runs.run import load_results

MAP = service(levels=(), rounds=1, settings="pooled = false", grant="level = 1")
PARTIES = {"east_north": "east/north", "east_south": "east/south", "west": "west/office"}


def refusing(verb, *sites):
    def before(site, asked, _service):
        return Reply(REFUSED, "not on a Sunday") if site in sites and asked == verb else None

    return before


def notes(results, code):
    return [one.names for only in results.services for one in only.notes if one.code == code]


def parties(results):
    return {one.name for only in results.services for one in only.parties}


def test_site_that_describes_nothing_is_left_out_and_named(tmp_path):
    city_map = load_map(three(tmp_path).write(MAP))
    desks, leader = federation(city_map, tmp_path, before=refusing(DESCRIBE, "west"))
    leader.run()
    found = load_results(leader.folder)
    assert parties(found) == {"east/north", "east/south"}
    [note] = notes(found, "site_left_out")
    assert note["party"] == "west/office"
    assert note["reason"].endswith("not on a Sunday")
    asked = {call[1] for call in desks.asked if call[0] == "west"}
    assert asked <= {DESCRIBE, *HEAD_RULES}  # heads of ledgers are no training
    assert [call[:2] for call in desks.asked].count(("west", DESCRIBE)) == 3
    assert "west/office is left out: " in coordinator_status(leader.folder.parent)
    desks, leader = federation(city_map, tmp_path)
    leader.run()
    again = load_results(leader.folder)
    trained = {site for site, verb, _ in desks.asked if verb not in HEAD_RULES}
    assert trained == {"east_north", "east_south"}, "trained as it was"
    assert notes(again, "site_left_out") == [note]


def test_site_that_was_left_out_comes_in_while_no_round_is_kept(tmp_path):
    city_map = load_map(three(tmp_path).write(MAP))
    refused = refusing(DESCRIBE, "west")

    def before(*call):
        if call[1] == JOIN:
            raise KeyboardInterrupt  # a kill, before any round
        return refused(*call)

    _, leader = federation(city_map, tmp_path, before=before)
    with pytest.raises(KeyboardInterrupt):
        leader.run()
    desks, leader = federation(city_map, tmp_path)
    leader.run()
    found = load_results(leader.folder)
    assert parties(found) == {*PARTIES.values()}
    assert notes(found, "site_left_out") == []
    assert [site for site, verb, _ in desks.asked if verb == DESCRIBE] == ["west"]


def test_site_that_does_not_join_costs_the_others_nothing(tmp_path):
    city_map = load_map(three(tmp_path).write(MAP))
    statuses = []
    refused = refusing(JOIN, "west")

    def before(*call):
        if call[1] == CHOOSE:
            statuses.append(coordinator_status(leader.folder.parent))
        return refused(*call)

    desks, leader = federation(city_map, tmp_path, before=before)
    [outcome] = leader.run()
    found = load_results(leader.folder)
    assert parties(found) == {"east/north", "east/south"}
    assert all(len(one.progress.trained) == 2 for one in outcome.trainings.values())
    [note] = notes(found, "left_out")
    assert note["party"] == "west/office"
    assert "not on a Sunday" in note["reason"]
    assert [one["party"] for one in left_out(found)] == ["west/office"]
    assert "not on a Sunday" in statuses[0]
    assert not [call for call in desks.asked if call[:2] == ("west", TRAIN)]


def test_newcomer_that_does_not_join_costs_the_members_nothing(tmp_path):
    city_map = load_map(three(tmp_path).write(service(**NEWCOMER)))
    _, leader = federation(city_map, tmp_path, before=refusing(JOIN, "west"))
    leader.run()
    found = load_results(leader.folder)
    assert parties(found) == {"east/north", "east/south"}
    assert [one["party"] for one in left_out(found)] == ["west/office"]


@pytest.mark.parametrize("verb", [DESCRIBE, JOIN])
def test_run_of_one_member_ends_with_the_reason(tmp_path, verb):
    city_map = load_map(three(tmp_path).write(MAP))
    before = refusing(verb, "west", "east_south")
    _, leader = federation(city_map, tmp_path, before=before)
    with pytest.raises(ExchangeError, match=r"could not .*: .*not on a Sunday") as found:
        leader.run()
    assert all(party in str(found.value) for party in ("west/office", "east/south"))
    assert "east/north" not in str(found.value)


def test_kept_reasons_that_are_damaged_are_named(tmp_path):
    city_map = load_map(three(tmp_path).write(MAP))
    _, leader = federation(city_map, tmp_path)
    path = leader.folder / "coordinator" / "water.left_out.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(5))
    with pytest.raises(CheckpointError, match="left_out"):
        leader.run()
