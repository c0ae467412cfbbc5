"""The Inter-City Application Map from the records of coordinators, sites and vertical runs."""

import json
import os
from types import SimpleNamespace

import httpx
import pytest
from fake_results import fake_results
from fake_vertical_results import fake_agency, fake_vertical_results
from fake_vertical_results import fake_party as fake_meeting
from hypothesis import given
from hypothesis import strategies as st
from little_map import three
from live_server import serving

from deepcity.city.localized_text import LocalizedText
from deepcity.live.node.open_node import MapFolders
from deepcity.maps.city_map import load_map
from deepcity.runs.results import SiteResults
from deepcity.store.run_folder import record_map, site_folder
from deepcity.web.control.app import create_control_room
from deepcity.web.control.intercity_map.answer import map_json
from deepcity.web.control.intercity_map.folder_records import MOST_BYTES, folder_records
from deepcity.web.report.tables import level_rows

SILENT = "no answer within 60 s"


def rounds(*parties, silent=(), name="water.level_6"):
    """Three rounds of a training, of which some parties were in the first alone."""
    later = [one for one in parties if one not in silent]
    failed = [f"{one}: {SILENT}" for one in silent]
    record = {
        "levels": dict.fromkeys(parties, 6),
        "errors": [dict.fromkeys(parties, 1.0), *[dict.fromkeys(later, 1.0)] * 3],
        "failures": [[], *[failed] * 3],
        "bytes": 100,
        "seconds": 1.0,
        "sent": {one: {"h1": 10, "h2": 10, "header": 1} for one in parties},
        "received": {one: {"h1": 20} for one in parties},
        "ended": [1_700_000_000 + n for n in range(3)],
    }
    return {name: record}


def test_a_run_shows_who_gave_what_and_when_it_last_took_part(open_node, trained, tmp_path):
    node = open_node(speed=1e-6)
    node.tick()
    app = create_control_room(node, MapFolders([trained], [trained / "run"]), tmp_path / "state")
    with serving(app) as address:
        found = httpx.get(f"{address}/api/map").json()
    assert found["unread"] == found["vertical"] == []
    results = json.loads((trained / "run" / "results.json").read_text())
    by_name = {one["party"]: one for one in found["parties"]}
    for party in results["services"][0]["parties"]:
        shown = by_name[party["name"]]
        error = {m: e["metric_error"] for m, e in party["test"].items()}
        assert shown["change"] == pytest.approx(error["automatic"] / error["alone"] - 1)
        assert shown["layers"] == ["h1", "h2", "h3", "h4", "h5", "head"]
        assert shown["stem"] == "private"
        took = shown["rounds"]
        assert took["last"] == took["done"] > 0
        assert (took["left_out"], took["by"]) == ("", "coordinator")
        assert took["at_s"] > 1_700_000_000
        assert not shown["silent"]


def test_the_sign_is_that_of_the_report(tmp_path):
    results = fake_results()
    (tmp_path / "results.json").write_text(results.model_dump_json())
    found = {one.name: one for one in folder_records(tmp_path).services}
    for service in results.services:
        for row in level_rows(service):
            change = found[service.name].parties[row.party.name].change
            assert row.change == "–" or (change < 0) == row.change.startswith("−")


def test_a_hubs_records_say_who_is_silent_also_of_parties_that_sent_no_results(
    open_node, trained, tmp_path
):
    """The hub's folder has no forecasters; who never answered is in its rounds alone."""
    hub = tmp_path / "fed" / "run"
    hub.mkdir(parents=True)
    names = ("a/x", "a/y", "far/z")
    (hub / "rounds.json").write_text(json.dumps(rounds(*names, silent=["far/z"])))
    node = open_node(speed=1e-6)
    found = map_json(node, MapFolders([tmp_path / "fed"], [trained / "run"]))
    far = next(one for one in found["parties"] if one["party"] == "far/z")
    assert far["silent"]
    assert far["city"] == "far"
    assert far["rounds"] == {
        "last": 1,
        "done": 3,
        "at_s": 1_700_000_000,
        "left_out": "silent",
        "reason": SILENT,
        "by": "coordinator",
    }
    assert (far["layers"], far["sent_bytes"], far["received_bytes"]) == (["h1", "h2"], 21, 20)
    assert (far["level"], far["change"]) == ("", None)


def test_a_site_of_a_federation_names_others_by_its_map_and_itself_by_its_checkpoints(
    open_node, tmp_path
):
    map_file = three(tmp_path).write()
    city_map = load_map(map_file)
    run = tmp_path / "kit" / "run"
    party = fake_results().services[0].parties[0]
    own = party.model_copy(update={"name": "east/north", "city": "east", "granted_level": 4})
    folder = site_folder(run, "east/north")
    (folder / "checkpoints").mkdir(parents=True)
    result = SiteResults(site="east/north", services={"water": own})
    (folder / "result.json").write_text(result.model_dump_json())
    for number, name in enumerate(["water.alone.000003", "water.level_6.000002"]):
        path = folder / "checkpoints" / f"{name}.checkpoint"
        path.touch()
        os.utime(path, (1_700_000_000 + number, 1_700_000_000 + number))
    record_map(run, city_map.path)
    (service,) = folder_records(run).services
    assert set(service.parties) == {"east/north", "east/south", "west/office"}
    north, office = service.parties["east/north"], service.parties["west/office"]
    assert north.by_site
    assert (north.part.last, north.part.at_s) == (2, 1_700_000_001)
    assert north.layers == ("h1", "h2", "h3", "h4")
    assert (office.level, office.granted, office.part) == (None, 6, None)


def test_agencies_of_a_vertical_run_with_bytes_cut_and_what_they_are_worth(open_node, tmp_path):
    agencies = (fake_agency("weather"), fake_agency("metro", level=4, sent=7))
    meeting = fake_meeting("bikes", agencies=agencies, failures=["metro: no answer"])
    meeting = meeting.model_copy(update={"name": "a/bikes"})
    (tmp_path / "vertical.json").write_text(fake_vertical_results(meeting).model_dump_json())
    found = map_json(open_node(speed=1e-6), [tmp_path])
    (part,) = found["vertical"]
    assert part["city"] == "a"
    assert part["level"] == "h3"
    assert part["change"] == pytest.approx(-0.09)
    weather, metro = part["agencies"]
    assert (weather["layer"], weather["width"], weather["failed"]) == ("h3", 16, "")
    assert (metro["layer"], metro["sent_bytes"], metro["failed"]) == ("h4", 7, "no answer")
    assert weather["change_without"] == pytest.approx(-0.045)
    assert found["cities"] == [{"name": "a", "title": {"en": "a", "ko": "a"}}]


BAD = {
    "results.json": [b"{", b'{"a": ' + b" " * MOST_BYTES, b"[" * 100_000],
    "rounds.json": [b'{"water.level_6": {"levels"', b"null"],
    "vertical.json": [b"", b"{}"],
}


@pytest.mark.parametrize(("name", "data"), [(n, d) for n, all_ in BAD.items() for d in all_])
def test_a_file_that_is_half_written_or_huge_is_named_and_the_rest_is_shown(tmp_path, name, data):
    results = fake_results().model_dump_json().encode()
    good = {"results.json": results, "rounds.json": json.dumps(rounds("a/x")).encode()}
    for file, content in {**good, name: data}.items():
        (tmp_path / file).write_bytes(content)
    found = folder_records(tmp_path)
    ((file, reason),) = found.unread
    assert file == name
    assert str(tmp_path) not in reason  # folders of the machine are nobody's who looks
    assert found.services
    (tmp_path / name).unlink()
    assert folder_records(tmp_path).unread == ()  # read again, for it changed


@pytest.mark.parametrize(
    ("file", "place", "value"),
    [
        ("results.json", ("level",), 99),
        ("results.json", ("level",), -1),
        ("results.json", ("granted_level",), 7),
        ("results.json", ("name",), "x" * 201),
        ("results.json", ("title", "ko"), "a\x1b[2Jb"),
        ("vertical.json", ("facts", 0, "level"), 6),
        ("vertical.json", ("facts", 0, "sent"), -1),
        ("vertical.json", ("facts", 0, "name"), "a\nb"),
    ],
)
def test_what_no_run_writes_is_named_and_not_shown(tmp_path, file, place, value):
    found = json.loads(json.dumps(RESULTS if file == "results.json" else MEETING))
    inner = found["services"][0]["parties"][0]
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    (tmp_path / file).write_text(json.dumps(found))
    shown = folder_records(tmp_path)
    assert [name for name, _ in shown.unread] == [file]
    assert not shown.services
    assert not shown.vertical


def _places(value, at=()):
    """Every place of a JSON value."""
    for key, one in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*at, key)
        if isinstance(one, dict | list) and len(at) < 6:
            yield from _places(one, (*at, key))


def _small(results):
    one = results.services[0]
    party = one.parties[0].without_truths()
    short = party.forecast.none("UTC")
    party = party.model_copy(update={"forecast": short})
    service = one.model_copy(update={"parties": [party], "curves": []})
    return json.loads(results.model_copy(update={"services": [service]}).model_dump_json())


RESULTS = _small(fake_results())
MEETING = json.loads(
    fake_vertical_results(fake_meeting(forecast=None, curves=[])).model_dump_json()
)
NOBODY = SimpleNamespace(  # what the map asks of a node, of one that has begun nothing
    parties={},
    agencies=(),
    city_file=SimpleNamespace(city=SimpleNamespace(name="ferrara", title=LocalizedText("F", "F"))),
    clock=SimpleNamespace(now=lambda: 0),
    deep_sources=lambda _now_s: [],
)
LIES = st.sampled_from(
    [None, True, -1, 7, 99, 10**20, 1e308, -1e-300, 0.0, "", "\x00", "x" * 400, [], {}, ["a"]]
)


@given(st.sampled_from(["results.json", "vertical.json"]), st.data())
def test_no_lie_in_a_file_breaks_the_map(tmp_path_factory, name, data):
    found = json.loads(json.dumps(RESULTS if name == "results.json" else MEETING))
    place = data.draw(st.sampled_from(list(_places(found))))
    inner = found
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = data.draw(LIES)
    folder = tmp_path_factory.mktemp("lie")
    (folder / name).write_text(json.dumps(found))
    shown = map_json(NOBODY, [folder])
    assert json.dumps(shown, allow_nan=False)
