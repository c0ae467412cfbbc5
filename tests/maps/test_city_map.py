"""A map and its cities are judged as a whole, in plain words."""

import pytest
from little_map import LittleMap, flows, service, three

from deepcity.city.errors import ConfigError
from deepcity.maps.city_map import load_map


def problems(path):
    with pytest.raises(ConfigError) as refused:
        load_map(path)
    return {(p.file, p.key): p for p in refused.value.problems}


def test_typos_in_the_map_and_in_a_city_are_reported_at_once(tmp_path):
    little = three(tmp_path)
    path = little.write(service(grant="levl = 3", span='strat = "2021-02-01"'))
    path.write_text(path.read_text().replace("rounds = 3", 'rounds = "many"'))
    city = tmp_path / "east.toml"
    city.write_text(
        city.read_text().replace("time_zone", "timezone").replace('"resources"', '"resource"')
    )
    found = problems(path)
    assert set(found) >= {
        ("map.toml", "service[water].grant.levl"),
        ("map.toml", "service[water].span.strat"),
        ("map.toml", "service[water].training.rounds"),
        ("east.toml", "agency[north].domain"),
        ("east.toml", "clock.timezone"),
    }
    assert found["map.toml", "service[water].training.rounds"].value == "many"
    assert "'level'" in found["map.toml", "service[water].grant.levl"].right
    assert "'resources'" in found["east.toml", "agency[north].domain"].right
    assert all(problem.reason and problem.right for problem in found.values())


def test_a_right_map_lists_its_members_in_order(tmp_path):
    city_map = load_map(three(tmp_path).write())
    (only,) = city_map.services
    assert [m.name for m in only.members] == ["east/north", "east/south", "west/office"]
    assert only.application.name == "water"


@pytest.mark.parametrize(
    ("change", "key", "right"),
    [
        (('["*/*"]', '["east/nort"]'), "parties", "did you mean 'east/north'?"),
        (('["*/*"]', '["nowhere/*"]'), "parties", "east/north"),
        (('"water"\nparties', '"watr"\nparties'), "application", "did you mean 'water'?"),
        (('"water"\nparties', '"traffic"\nparties'), "field", "an application for this one"),
        (('"water"\nparties', '"windmills"\nparties'), "application", "water"),
        (('field = "flow"', 'field = "flw"'), "parties", "east/north"),
        (
            ("[service.grant]", '[service.grant]\nparty = { "east/nroth" = 1 }'),
            "grant.party",
            "did",
        ),
        (("test_days = 5", 'test_days = 5\nscarce = { "east/nroth" = 9 }'), "span.scarce", "did"),
    ],
)
def test_unknown_words_are_named_with_what_would_be_right(tmp_path, change, key, right):
    path = three(tmp_path).write()
    text = path.read_text()
    assert change[0] in text
    path.write_text(text.replace(*change))
    found = problems(path)
    assert right in found["map.toml", f"service[water].{key}"].right


def test_a_field_of_a_kind_that_the_application_cannot_forecast(tmp_path):
    path = three(tmp_path).write()
    for city in ("east.toml", "west.toml"):
        file = tmp_path / city
        text = file.read_text().replace(
            'kind = "flow", unit = "L/s"', 'kind = "speed", unit = "km/h"'
        )
        file.write_text(text)
    problem = problems(path)["map.toml", "service[water].field"]
    assert "water cannot forecast a speed" in problem.reason


def test_a_field_of_another_quantity_says_which_units_would_do(tmp_path):
    path = three(tmp_path).write()
    path.write_text(path.read_text().replace('application = "water"', 'application = "people"'))
    problem = problems(path)["map.toml", "service[water].field"]
    assert problem.reason.startswith("people forecasts a flow in people/h; L/s is another quantity")


def test_two_services_of_one_name(tmp_path):
    found = problems(three(tmp_path).write(service(), service()))
    assert found["map.toml", "service[water].name"].reason == "used twice"


def test_absent_and_broken_files(tmp_path):
    assert "no such file" in next(iter(problems(tmp_path / "map.toml").values())).reason
    path = three(tmp_path).write()
    (tmp_path / "east.toml").unlink()
    assert problems(path)["east.toml", "path"].reason == "no such file or folder"
    path.write_text("name = ")
    assert "not TOML" in next(iter(problems(path).values())).reason


def test_the_fingerprint_follows_what_a_run_depends_on(tmp_path):
    path = LittleMap(tmp_path).party("a/x", flows(places=1)).party("a/y", flows(seed=1)).write()
    before = load_map(path).fingerprint()
    assert load_map(path).fingerprint() == before
    path.write_text(path.read_text() + "\n# a remark\n")
    assert load_map(path).fingerprint() == before
    city = tmp_path / "a.toml"
    city.write_text(city.read_text().replace("UTC", "Asia/Seoul"))
    other = load_map(path).fingerprint()
    assert other != before
    path.write_text(path.read_text().replace("rounds = 3", "rounds = 4"))
    assert load_map(path).fingerprint() not in {before, other}


def test_more_than_the_service_grants_is_a_problem(tmp_path):
    path = three(tmp_path).write(service(grant='level = 1\nparty = { "east/south" = 6 }'))
    found = problems(path).values()
    assert any("more than the service's level 1" in problem.reason for problem in found)


@pytest.mark.parametrize(
    ("grant", "level", "stem"),
    [
        ('party = { "east/south" = 2 }', 2, "private"),
        ('stem = "common"\nparty = { "east/south" = 2 }', 2, "common"),
        ('stem = "common"\nparty = { "east/south" = { stem = "private" } }', 6, "private"),
        (
            'stem = "common"\nparty = { "east/south" = { level = 1, stem = "private" } }',
            1,
            "private",
        ),
    ],
)
def test_a_party_grants_less_by_level_by_stem_or_both(tmp_path, grant, level, stem):
    (only,) = load_map(three(tmp_path).write(service(grant=grant))).services
    found = only.settings.grant
    assert (found.level_of("east/south"), found.stem_of("east/south")) == (level, stem)
    assert (found.level_of("east/north"), found.stem_of("east/north")) == (6, found.stem)


@pytest.mark.parametrize(
    ("grant", "key"),
    [
        ('"east/south" = { stem = "common" }', "party.east/south.stem"),
        ('"east/south" = { stem = "public" }', "party.east/south.stem"),
        ('"east/south" = { levl = 2 }', "party.east/south.levl"),
        ('"east/south" = 7', "party.east/south"),
    ],
)
def test_a_wrong_grant_of_a_party_is_named(tmp_path, grant, key):
    path = three(tmp_path).write(service(grant=f"party = {{ {grant} }}"))
    assert ("map.toml", f"service[water].grant.{key}") in problems(path)


def test_a_service_of_several_leads_is_refused(tmp_path):
    text = service().replace("horizon = 6", "horizon = 6\nleads = 2")
    found = problems(three(tmp_path).write(text))
    wrong = found["map.toml", "service[water].window.leads"]
    assert "first block" in wrong.reason
    assert "horizon = 12" in wrong.right


def test_one_city_named_twice(tmp_path):
    path = three(tmp_path).write()
    path.write_text(path.read_text().replace("cities = [", "cities = ['east.toml', "))
    assert any(
        "two city files have this name" in problem.reason for problem in problems(path).values()
    )


def test_a_setting_that_the_strategy_lacks(tmp_path):
    path = three(tmp_path).write(service(more="[service.strategy]\nname = 'fedavg'\nmu = 0.1"))
    assert ("map.toml", "service[water].strategy.mu") in problems(path)


def test_what_is_wrong_with_a_map_does_not_hide_what_is_wrong_with_its_parties(tmp_path):
    text = service(grant='party = { "east/nroth" = 1 }', span='strat = "2021-02-01"')
    path = three(tmp_path).write(text, service("again", more="[service.wire]\nprecision = 'no'"))
    whole = path.read_text().replace("rounds = 3", 'rounds = "many"', 1)
    path.write_text(whole.replace('["*/*"]', '["east/nort"]', 1))
    found = problems(path)
    assert set(found) == {
        ("map.toml", "service[water].span.strat"),
        ("map.toml", "service[water].training.rounds"),
        ("map.toml", "service[water].parties"),
        ("map.toml", "service[water].grant.party"),
        ("map.toml", "service[again].wire.precision"),
    }


def test_where_nothing_is_right_no_more_is_reported_than_is_known(tmp_path):
    path = three(tmp_path).write()
    path.write_text(path.read_text().replace('application = "water"', "application = 5"))
    (only,) = problems(path)
    assert only == ("map.toml", "service[water].application")


def test_parties_of_one_title_are_distinguished_by_city_and_by_field(tmp_path):
    path = three(tmp_path).write(service())
    for file in tmp_path.glob("*.toml"):
        same = file.read_text().replace(
            'en = "office", ko = "office"', 'en = "north", ko = "north"'
        )
        file.write_text(same)
    only = load_map(path).services[0]
    titles = [only.title_of(member).en for member in only.members]
    assert titles == ["east, north", "south", "west, north"]
    text = path.read_text().replace('["*/*"]', '["east/north", "east/north:flow"]')
    path.write_text(text)
    only = load_map(path).services[0]
    assert {only.title_of(member).ko for member in only.members} == {"north: flow"}
