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
from deepcity.learning.split.encoder_package import load_encoder
from deepcity.learning.split.fused_package import load_fused
from deepcity.maps.city_map import load_map
from deepcity.parties.party import parties_of
from deepcity.vertical.results import VerticalResults
from deepcity.vertical.run import run_vertical
from deepcity.vertical.setup import build_setup, pretrain_encoders


def against_alone(party, method):
    return party.test[method].mae / party.test["alone"].mae


def test_listening_pays_and_is_reported(tmp_path):
    found = run_vertical(load_map(little(tmp_path)), tmp_path / "run")
    party = found.services[0].parties[0]
    assert party.agencies == ["weather"]
    assert against_alone(party, "together") < 0.85
    assert against_alone(party, "pooled") < 0.9
    assert against_alone(party, "automatic") < 0.95
    assert party.test["without:weather"].mae > party.test["together"].mae
    assert party.failures == []
    assert set(party.cost.by_kind) == {"cells", "times", "deep", "gradients", "header"}
    assert sum(party.cost.by_kind.values()) == party.cost.bytes
    kept = VerticalResults.model_validate_json((tmp_path / "run" / "vertical.json").read_bytes())
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
    party = run_vertical(load_map(path), tmp_path / "run").services[0].parties[0]
    assert np.isfinite(party.test["together"].mae)
    assert ("gradients" in party.cost.by_kind) == (mode == "per-batch")


def test_labels_may_stay_with_the_party(tmp_path):
    path = little(tmp_path, more="labels_stay = true\nown_width = 8", rounds=4)
    party = run_vertical(load_map(path), tmp_path / "run").services[0].parties[0]
    assert against_alone(party, "together") < 1
    assert {"forecast", "rows"} <= set(party.cost.by_kind)
    assert not list((tmp_path / "run").glob("**/*.fused"))


def test_an_application_apart_from_the_labels_names_who_can_answer_day_and_night(tmp_path):
    path = little(tmp_path, more="labels_stay = true\nown_width = 8", rounds=1)
    outcome = CliRunner().invoke(app, ["train-vertical", str(path), "--out", str(tmp_path / "run")])
    assert outcome.exit_code == 0
    words = " ".join(outcome.output.split())
    assert "No packages for daily use" in words
    assert "labels_stay = false" in words
    assert "it runs `deepcity serve`" in words


def test_an_agency_brings_its_encoder_into_another_service(tmp_path):
    """One-shot: nobody's slopes come back, so it says for the second what it said for the first."""
    run_vertical(load_map(little(tmp_path, more='mode = "one-shot"', rounds=1)), tmp_path / "run")
    file = next((tmp_path / "run" / "sites").glob("east.weather/packages/*/*.encoder"))
    first = load_encoder(file)
    brought = f'encoder = "{file.relative_to(tmp_path)}"'
    path = little(tmp_path, more='mode = "one-shot"', agency=brought, rounds=1)
    text = path.read_text(encoding="utf-8").replace('name = "water"', 'name = "leaks"')
    path.write_text(text, encoding="utf-8")
    run_vertical(load_map(path), tmp_path / "other")
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
    run_vertical(load_map(alone), tmp_path / "run")
    file = next((tmp_path / "run" / "sites").glob("west.weather/packages/*/*.encoder"))
    brought = f'encoder = {{ west = "{file.relative_to(tmp_path)}" }}'
    both = {"more": mode, "rounds": 1, "cities": ("east", "west")}
    folders = {}
    for name, agency in (("with", brought), ("without", "")):
        run_vertical(load_map(little(tmp_path, agency=agency, **both)), tmp_path / name)
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
    with pytest.raises(ConfigError) as outcome:
        load_map(little(tmp_path, agency='encoder = { wets = "x" }', cities=("east", "west")))
    assert "not a city of this service" in str(outcome.value)
    assert "west" in str(outcome.value)
    with pytest.raises(ConfigError, match="one file for 2 cities") as outcome:
        load_map(little(tmp_path, agency='encoder = "x"', cities=("east", "west")))
    assert 'encoder = { east = "x" }' in str(outcome.value)
    brought = 'encoder = { east = "x" }'
    with pytest.raises(ConfigError, match="fewer than two are left"):
        load_map(little(tmp_path, agency=brought, more="reuse_level = 2", cities=("east", "west")))


@pytest.mark.parametrize("content", ["5", '""', "{ east = 5 }", '{ east = "" }'])
def test_an_encoder_is_a_file_or_a_file_by_city(content, tmp_path):
    with pytest.raises(ConfigError) as outcome:
        load_map(little(tmp_path, agency=f"encoder = {content}"))
    (problem,) = outcome.value.problems
    assert problem.key.endswith("vertical.agency[1].encoder")
    assert "neither a file nor a table of cities and files" in problem.reason


def test_an_encoder_that_does_not_fit_is_refused_with_every_reason(tmp_path):
    run_vertical(load_map(little(tmp_path, rounds=1)), tmp_path / "run")
    file = next((tmp_path / "run" / "sites").glob("east.weather/packages/*/*.encoder"))
    brought = f'encoder = {{ west = "{file.relative_to(tmp_path)}" }}\nwidth = 5\nlag = 1'
    path = little(tmp_path, agency=brought, cities=("east", "west"))
    text = path.read_text(encoding="utf-8").replace('["*/water"]', '["west/water"]')
    text = text.replace("validation_days = 5", "validation_days = 9")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LayerPackageError) as outcome:
        run_vertical(load_map(path), tmp_path / "other")
    for words in (
        f"west/weather cannot start from the encoder {file.name}",
        "it belongs to east/weather, and a stem stays with its agency",
        "it has width = 4, the map 5",
        "it has lag = 0, the map 1",
        "it was trained on rows until 2021-03-",
        "leave `encoder` out",
    ):
        assert words in str(outcome.value)


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
    with pytest.raises(DataError) as outcome:
        run_vertical(load_map(path), tmp_path / "run")
    first, second = outcome.value.problems
    assert (first.key, second.key) == ("places[p0]", "places[p1]")
    assert "(11.62, 44.84): 4,8" in str(first)
    assert "km from the nearest cell of weather" in str(first)
    assert "are the two swapped?" in str(first)


def test_measured_values_leave_the_partys_folder_only_where_granted(tmp_path):
    path = little(tmp_path, rounds=1)
    kept = run_vertical(load_map(path), tmp_path / "run").services[0].parties[0]
    text = path.read_text(encoding="utf-8")
    granted = text.replace("[service.grant]", '[service.grant]\ntruths = "shared"')
    path.write_text(granted, encoding="utf-8")
    shared = run_vertical(load_map(path), tmp_path / "run").services[0].parties[0]
    assert kept.forecast.truth is None
    assert kept == shared.model_copy(update={"forecast": kept.forecast})
    values = {value for value in shared.forecast.truth if value is not None}
    assert len(values) > 20
    (own,) = (tmp_path / "run" / "sites" / "east.water" / "results").glob("*.json")
    assert json.loads(own.read_text(encoding="utf-8"))["forecast"]["truth"]


def test_a_party_that_is_done_is_not_done_again(tmp_path):
    city_map = load_map(little(tmp_path, rounds=2))
    first = run_vertical(city_map, tmp_path / "run")
    path = next((tmp_path / "run" / "sites" / "east.water" / "results").glob("*.json"))
    content = json.loads(path.read_text(encoding="utf-8"))
    content["unit"] = "kept"
    path.write_text(json.dumps(content), encoding="utf-8")
    again = run_vertical(city_map, tmp_path / "run")
    assert again.services[0].parties[0].unit == "kept"
    other = replace(city_map, settings=city_map.settings.model_copy(update={"seed": 5}))
    assert run_vertical(other, tmp_path / "run").services[0].parties[0].unit == "L/s"
    assert first.services[0].parties[0].unit == "L/s"


def test_equal_agencies_of_two_cities_teach_their_hidden_layers_together(tmp_path):
    path = little(tmp_path, more="reuse_level = 2", cities=("east", "west"))
    wanted = load_map(path).services[0]
    parties = parties_of(wanted)
    tables = [build_setup(wanted, m, p, 0) for m, p in zip(wanted.members, parties, strict=True)]
    ledger = pretrain_encoders(tables, 0).ledger
    learners = [table.sites["weather"].learner for table in tables]
    east, west = (learner.export(("stem", "h1", "h2", "h3")) for learner in learners)
    assert set(ledger.sent_by_layer()) == {"h1", "h2", "header"}
    for name in ("h1", "h2"):
        np.testing.assert_array_equal(east[name]["inner.weight"], west[name]["inner.weight"])
    for name in ("stem", "h3"):
        key = "weight" if name == "stem" else "outer.weight"
        assert not np.array_equal(east[name][key], west[name][key])


def test_everything_wrong_with_a_meeting_is_reported_at_once(tmp_path):
    path = little(tmp_path)
    more = """
[[service.vertical.agency]]
agency = "wether"
[[service.vertical.agency]]
agency = "water"
fields = ["flow"]
"""
    path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_map(path)
    content = str(caught.value)
    assert "Did you mean 'weather'?" in content
    assert "would contain the field" in content
    assert "two agencies encode the same field" in content


@pytest.mark.parametrize(
    ("agency", "content"),
    [
        ("level = 1", "shallower than the agency grants"),
        ("width = 40", "wider than the agency grants"),
        ("histori = 3", "Did you mean 'history'?"),
    ],
)
def test_what_is_not_granted_is_refused_before_anything_runs(tmp_path, agency, content):
    path = little(tmp_path, agency=agency)
    with pytest.raises(ConfigError, match="problem") as caught:
        load_map(path)
    assert content in str(caught.value)


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
    run = CliRunner().invoke(app, ["train-vertical", str(path), "--out", str(tmp_path / "run")])
    assert run.exit_code == 0, run.output
    assert "without:weather" in run.output
    assert "messages" in run.output
    outcome = CliRunner().invoke(
        app, ["train-vertical", str(path), "--out", str(tmp_path / "run"), "--json"]
    )
    start = outcome.stdout.index("{")
    assert json.loads(outcome.stdout[start : outcome.stdout.rindex("}") + 1])["map"] == "little"


def test_a_map_without_a_meeting_says_what_to_add(tmp_path):
    town = LittleMap(tmp_path).party("east/water", flows()).party("east/office", flows(seed=1))
    town.write()
    with pytest.raises(ConfigError) as caught:
        run_vertical(load_map(town.path), tmp_path / "run")
    assert "[service.vertical]" in str(caught.value)


def test_every_partys_agencies_are_pretrained_where_a_city_has_several(tmp_path):
    """The east's second party has no equal: its agency is pretrained by itself."""
    path = little(tmp_path, more="reuse_level = 2", cities=("east", "west"))
    wanted = load_map(path).services[0]
    parties = parties_of(wanted)
    tables = [build_setup(wanted, m, p, 0) for m, p in zip(wanted.members, parties, strict=True)]
    again = build_setup(wanted, wanted.members[0], parties[0], 0)
    other = replace(again, party=replace(parties[0], name="east/works"))
    begun = other.sites["weather"].learner.export(("h1",))["h1"]["inner.weight"].copy()
    pretrain_encoders([*tables, other], 0)
    first, second, third = (
        one.sites["weather"].learner.export(("h1",))["h1"]["inner.weight"]
        for one in (*tables, other)
    )
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(third, begun)
    assert not np.array_equal(third, first)
