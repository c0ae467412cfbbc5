"""Meetings of a little map: a party that listens to an agency of its city, end to end."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from little_map import LittleMap, flows
from little_vertical import little
from typer.testing import CliRunner

from deepcity.city.errors import ConfigError, DataError, LayerPackageError
from deepcity.cli import app
from deepcity.intercity.city_map import load_map
from deepcity.intercity.guests import lay, teach
from deepcity.intercity.meeting_results import MeetingResults
from deepcity.intercity.meeting_run import run_meetings
from deepcity.intercity.parties import parties_of
from deepcity.learning.encoder_package import load_encoder
from deepcity.learning.fused_package import load_fused


def test_listening_pays_and_is_told(tmp_path):
    found = run_meetings(load_map(little(tmp_path)), tmp_path / "run")
    party = found.services[0].parties[0]
    assert party.agencies == ["weather"]
    assert party.share("together") < 0.85
    assert party.share("pooled") < 0.9
    assert party.share("automatic") < 0.95
    assert party.test["silent:weather"].mae > party.test["together"].mae
    assert party.failures == []
    assert set(party.cost.by_kind) == {"cells", "times", "deep", "slopes", "header"}
    assert sum(party.cost.by_kind.values()) == party.cost.bytes
    kept = MeetingResults.model_validate_json((tmp_path / "run" / "meeting.json").read_bytes())
    assert kept == found
    assert party.forecast.truth is None  # measured values stay in the party's own folder
    sites = tmp_path / "run" / "sites"
    encoder = load_encoder(next(sites.glob("east.weather/packages/east.water/weather-*.encoder")))
    application = load_fused(next(sites.glob("east.water/packages/east.water/*.fused")))
    assert application.facts.agencies[0].space == encoder.space
    assert application.facts.unit == "L/s"
    narrow, wide = (application.half_width(heard) for heard in (["weather"], []))
    assert (narrow <= wide).all()
    assert (narrow < wide).any()


@pytest.mark.parametrize("mode", ["one-shot", "per-batch"])
def test_every_mode_runs_by_configuration(tmp_path, mode):
    path = little(tmp_path, more=f'mode = "{mode}"', rounds=3)
    party = run_meetings(load_map(path), tmp_path / "run").services[0].parties[0]
    assert np.isfinite(party.test["together"].mae)
    assert ("slopes" in party.cost.by_kind) == (mode == "per-batch")


def test_labels_may_stay_with_the_party(tmp_path):
    path = little(tmp_path, more="labels_stay = true\nown_deep = 8", rounds=4)
    party = run_meetings(load_map(path), tmp_path / "run").services[0].parties[0]
    assert party.share("together") < 1
    assert {"said", "rows"} <= set(party.cost.by_kind)
    assert not list((tmp_path / "run").glob("**/*.fused"))


def test_an_application_apart_from_the_labels_names_who_can_answer_day_and_night(tmp_path):
    path = little(tmp_path, more="labels_stay = true\nown_deep = 8", rounds=1)
    told = CliRunner().invoke(app, ["meet", str(path), "--out", str(tmp_path / "run")])
    assert told.exit_code == 0
    words = " ".join(told.output.split())
    assert "No packages for daily use" in words
    assert "labels_stay = false" in words
    assert "it runs `deepcity serve`" in words


def test_an_agency_brings_its_encoder_into_another_service(tmp_path):
    """One-shot: nobody's slopes come back, so it says for the second what it said for the first."""
    run_meetings(load_map(little(tmp_path, more='mode = "one-shot"', rounds=1)), tmp_path / "run")
    file = next((tmp_path / "run" / "sites").glob("east.weather/packages/*/*.encoder"))
    first = load_encoder(file)
    brought = f'encoder = "{file.relative_to(tmp_path)}"'
    path = little(tmp_path, more='mode = "one-shot"', agency=brought, rounds=1)
    text = path.read_text(encoding="utf-8").replace('name = "water"', 'name = "leaks"')
    path.write_text(text, encoding="utf-8")
    run_meetings(load_map(path), tmp_path / "other")
    packages = (tmp_path / "other" / "sites").glob("east.weather/packages/*/*.encoder")
    second = load_encoder(next(packages))
    assert (first.facts.service, second.facts.service) == ("water", "leaks")
    assert first.space != second.space  # what is said for one service is not for another
    for name in first.encoder.layers:
        for key, value in first.encoder.get_submodule(name).state_dict().items():
            assert value.equal(second.encoder.get_submodule(name).state_dict()[key]), (name, key)


def test_agencies_of_several_cities_begin_each_with_its_own(tmp_path):
    """West brings one, east does not and teaches itself."""
    mode = 'mode = "one-shot"'
    alone = little(tmp_path, more=mode, rounds=1, cities=("west",))
    run_meetings(load_map(alone), tmp_path / "run")
    file = next((tmp_path / "run" / "sites").glob("west.weather/packages/*/*.encoder"))
    brought = f'encoder = {{ west = "{file.relative_to(tmp_path)}" }}'
    both = {"more": mode, "rounds": 1, "cities": ("east", "west")}
    folders = {}
    for name, agency in (("with", brought), ("without", "")):
        run_meetings(load_map(little(tmp_path, agency=agency, **both)), tmp_path / name)
        folders[name] = tmp_path / name / "sites"

    def weights(folder):
        encoder = load_encoder(next(folder.rglob("weather-*.encoder"))).encoder
        layers = [encoder.get_submodule(name) for name in encoder.layers]
        return torch.cat([value.flatten() for layer in layers for value in layer.parameters()])

    had, west = weights(file.parent), weights(folders["with"] / "west.weather")
    assert torch.equal(had, west)
    assert not torch.equal(had, weights(folders["without"] / "west.weather"))
    east = [weights(folder / "east.weather") for folder in folders.values()]
    assert torch.equal(*east)


def test_encoders_of_other_cities_are_refused_before_anything_runs(tmp_path):
    little(tmp_path, cities=("east", "west"))
    with pytest.raises(ConfigError) as told:
        load_map(little(tmp_path, agency='encoder = { wets = "x" }', cities=("east", "west")))
    assert "no city of this service" in str(told.value)
    assert "west" in str(told.value)
    with pytest.raises(ConfigError, match="one file for 2 cities") as told:
        load_map(little(tmp_path, agency='encoder = "x"', cities=("east", "west")))
    assert 'encoder = { east = "x" }' in str(told.value)
    brought = 'encoder = { east = "x" }'
    with pytest.raises(ConfigError, match="no two others are left"):
        load_map(little(tmp_path, agency=brought, more="reuse_level = 2", cities=("east", "west")))


@pytest.mark.parametrize("said", ["5", '""', "{ east = 5 }", '{ east = "" }'])
def test_an_encoder_is_a_file_or_a_file_by_city(said, tmp_path):
    with pytest.raises(ConfigError) as told:
        load_map(little(tmp_path, agency=f"encoder = {said}"))
    (problem,) = told.value.problems
    assert problem.key.endswith("meeting.agency[1].encoder")
    assert "neither a file nor a table of cities and files" in problem.reason


def test_an_encoder_that_does_not_fit_is_refused_with_every_reason(tmp_path):
    run_meetings(load_map(little(tmp_path, rounds=1)), tmp_path / "run")
    file = next((tmp_path / "run" / "sites").glob("east.weather/packages/*/*.encoder"))
    brought = f'encoder = {{ west = "{file.relative_to(tmp_path)}" }}\ndeep = 5\nlag = 1'
    path = little(tmp_path, agency=brought, cities=("east", "west"))
    text = path.read_text(encoding="utf-8").replace('["*/water"]', '["west/water"]')
    text = text.replace("validation_days = 5", "validation_days = 9")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LayerPackageError) as told:
        run_meetings(load_map(path), tmp_path / "other")
    for words in (
        f"{file.name} is no encoder for west/weather",
        "it is east/weather's, and a stem stays with its agency",
        "it has deep = 4, asked is 5",
        "it has lag = 0, asked is 1",
        "it learned rows until 2021-03-",
        "leave `encoder` out",
    ):
        assert words in str(told.value)


def test_a_place_far_outside_an_agencys_cells_is_refused(tmp_path):
    """As with swapped coordinates: the nearest cell would speak for it all the same."""
    path = little(tmp_path)
    city = tmp_path / "east.toml"
    text = city.read_text(encoding="utf-8")
    for old, lat, lon in (("['p0', 'p1']", 11.62, 44.84), ("['p0']", 44.84, 11.62)):
        assert text.count(old) == 1
        ids = ["p0", "p1"] if "p1" in old else ["p0"]
        placed = ", ".join(f'{{ id = "{one}", lat = {lat}, lon = {lon} }}' for one in ids)
        text = text.replace(old, f"[{placed}]")
    city.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as told:
        run_meetings(load_map(path), tmp_path / "run")
    first, second = told.value.problems
    assert (first.key, second.key) == ("places[p0]", "places[p1]")
    assert "(11.62, 44.84): 4,8" in str(first)
    assert "km from the nearest cell of weather" in str(first)
    assert "are the two swapped?" in str(first)


def test_measured_values_leave_the_partys_folder_only_where_granted(tmp_path):
    path = little(tmp_path, rounds=1)
    kept = run_meetings(load_map(path), tmp_path / "run").services[0].parties[0]
    text = path.read_text(encoding="utf-8")
    granted = text.replace("[service.grant]", '[service.grant]\ntruths = "shared"')
    path.write_text(granted, encoding="utf-8")
    shared = run_meetings(load_map(path), tmp_path / "run").services[0].parties[0]
    assert kept.forecast.truth is None
    assert kept == shared.model_copy(update={"forecast": kept.forecast})
    values = {value for value in shared.forecast.truth if value is not None}
    assert len(values) > 20
    (own,) = (tmp_path / "run" / "sites" / "east.water" / "results").glob("*.json")
    assert json.loads(own.read_text(encoding="utf-8"))["forecast"]["truth"]


def test_a_party_that_is_done_is_not_done_again(tmp_path):
    city_map = load_map(little(tmp_path, rounds=2))
    first = run_meetings(city_map, tmp_path / "run")
    path = next((tmp_path / "run" / "sites" / "east.water" / "results").glob("*.json"))
    said = json.loads(path.read_text(encoding="utf-8"))
    said["unit"] = "kept"
    path.write_text(json.dumps(said), encoding="utf-8")
    again = run_meetings(city_map, tmp_path / "run")
    assert again.services[0].parties[0].unit == "kept"
    other = replace(city_map, settings=city_map.settings.model_copy(update={"seed": 5}))
    assert run_meetings(other, tmp_path / "run").services[0].parties[0].unit == "L/s"
    assert first.services[0].parties[0].unit == "L/s"


def test_equal_agencies_of_two_cities_teach_their_hidden_layers_together(tmp_path):
    path = little(tmp_path, more="reuse_level = 2", cities=("east", "west"))
    wanted = load_map(path).services[0]
    parties = parties_of(wanted)
    tables = [lay(wanted, m, p, 0) for m, p in zip(wanted.members, parties, strict=True)]
    ledger = teach(tables, 0)
    learners = [table.sites["weather"].learner for table in tables]
    east, west = (learner.export(("stem", "h1", "h2", "h3")) for learner in learners)
    assert set(ledger.left_by_layer()) == {"h1", "h2", "header"}
    for name in ("h1", "h2"):
        np.testing.assert_array_equal(east[name]["inner.weight"], west[name]["inner.weight"])
    for name in ("stem", "h3"):
        key = "weight" if name == "stem" else "outer.weight"
        assert not np.array_equal(east[name][key], west[name][key])


def test_everything_wrong_with_a_meeting_is_said_at_once(tmp_path):
    path = little(tmp_path)
    more = """
[[service.meeting.agency]]
agency = "wether"
[[service.meeting.agency]]
agency = "water"
fields = ["flow"]
"""
    path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_map(path)
    said = str(caught.value)
    assert "Did you mean 'weather'?" in said
    assert "would be told what it is to forecast" in said
    assert "two agencies of this meeting claim the same field" in said


@pytest.mark.parametrize(
    ("agency", "said"),
    [
        ("level = 1", "shallower than the agency grants"),
        ("deep = 40", "wider than the agency grants"),
        ("histori = 3", "Did you mean 'history'?"),
    ],
)
def test_what_is_not_granted_is_refused_before_anything_runs(tmp_path, agency, said):
    path = little(tmp_path, agency=agency)
    with pytest.raises(ConfigError, match="problem") as caught:
        load_map(path)
    assert said in str(caught.value)


def test_personal_records_without_positions_do_not_meet(tmp_path):
    path = little(tmp_path)
    city = tmp_path / "east.toml"
    text = city.read_text(encoding="utf-8")
    old = 'source = "weather-records" }'
    assert old in text
    city.write_text(text.replace(old, f'sensitivity = "personal", {old}'), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_map(path)
    assert "have no position, only names" in str(caught.value)


def test_the_command_tells_what_listening_is_worth(tmp_path):
    path = little(tmp_path, rounds=2)
    run = CliRunner().invoke(app, ["meet", str(path), "--out", str(tmp_path / "run")])
    assert run.exit_code == 0, run.output
    assert "silent:weather" in run.output
    assert "messages" in run.output
    told = CliRunner().invoke(app, ["meet", str(path), "--out", str(tmp_path / "run"), "--json"])
    start = told.stdout.index("{")
    assert json.loads(told.stdout[start : told.stdout.rindex("}") + 1])["map"] == "little"


def test_a_map_without_a_meeting_says_what_to_add(tmp_path):
    town = LittleMap(tmp_path).party("east/water", flows()).party("east/office", flows(seed=1))
    town.write()
    with pytest.raises(ConfigError) as caught:
        run_meetings(load_map(town.path), tmp_path / "run")
    assert "[service.meeting]" in str(caught.value)
