"""`deepcity counts`: from a file of rows to a file of counts, or to every reason why not."""

import csv
import json

import pytest
from policy_town import policy_town
from typer.testing import CliRunner

from deepcity.city.errors import ConfigError, DataError, GrantError
from deepcity.cli import app

GRANT = """
[[grant]]
name = "water-counts"
agency = "water"
item = "counts"
grantee = ["harbour"]
domain = "resources"
service = "safety"
purpose = "where to patrol"
until = 2999-12-31
least_k = 5
epsilon = 40
keep_days = 90
"""


@pytest.fixture
def town(tmp_path):
    """A town whose agency has 31 reports of ann in the north, and 40 persons in the south."""
    city = policy_town(tmp_path, GRANT)
    (tmp_path / "flows.csv").write_text("time,a\n2024-01-01 00:00,1\n")
    rows = [f"2025-01-{day:02d} 10:00,north,ann" for day in range(1, 32)]
    rows += [f"2025-01-05 2{who % 4}:15,south,p{who}" for who in range(40)]
    rows += ["2025-01-05 20:00,abroad,bo"]
    text = "occurred,district,person\n" + "\n".join(rows) + "\n"
    (tmp_path / "reports.csv").write_text(text, encoding="utf-8")
    (tmp_path / "areas.csv").write_text("district\nnorth\nsouth\nwest\n", encoding="utf-8")
    return city


def run(city, *words, out="counts.csv", code=0, **change):
    folder = city.parent
    options = {
        "agency": "water",
        "by": "district",
        "areas": folder / "areas.csv",
        "time": "occurred",
        "from": "2025-01-01",
        "until": "2025-01-31",
        "unit": "person",
        "epsilon": 20,
        "to": "harbour",
        "service": "safety",
        "purpose": "where to patrol",
        "out": folder / out,
    } | change
    named = [
        part
        for key, value in options.items()
        if value is not None
        for part in (f"--{key.replace('_', '-')}", str(value))
    ]
    table = folder / "reports.csv"
    words = ["counts", str(city), str(table), *named, *map(str, words)]
    found = CliRunner().invoke(app, words, catch_exceptions=False)
    assert found.exit_code == code, found.output
    return found.output


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_from_rows_to_counts_with_their_description_and_record(town):
    folder = town.parent
    output = run(town)
    found = read(folder / "counts.csv")
    assert [(one["district"], one["start"]) for one in found] == [
        ("south", "2025-01-05T00:00:00+09:00")
    ]
    assert abs(int(found[0]["count"]) - 40) <= 3
    assert "1 of 93 cells" in output
    assert "20 is spent" in output
    assert "1 of 72 rows lie in no listed area" in output
    about = json.loads((folder / "counts.csv-metadata.json").read_text(encoding="utf-8"))
    assert about["url"] == "counts.csv"
    assert about["notes"][0]["withheld_under"] == 10
    assert "72" not in str(about["notes"])
    shown = CliRunner().invoke(
        app, ["ledger", "show", str(folder / "sites" / "town.water"), "--json"]
    )
    assert json.loads(shown.output)["release"]["counts"]["k"] == 10
    verified = CliRunner().invoke(app, ["ledger", "verify", str(folder / "sites" / "town.water")])
    assert verified.exit_code == 0, verified.output


def test_what_left_and_what_it_spent_is_said_in_korean_too(town):
    found = run(town, "--language", "ko")
    assert "칸 93개 가운데" in found
    assert "person마다 엡실론 20" in found
    assert "세지 않았습니다" in found


def test_the_same_command_again_pays_again_and_then_is_refused(town):
    run(town)
    assert "40 is spent" in run(town, out="again.csv")
    with pytest.raises(GrantError, match="epsilon 60 would be spent, over the 40 of grant water"):
        run(town, out="third.csv")
    assert not (town.parent / "third.csv").exists()


def test_rows_are_counted_where_no_unit_is_named(town):
    run(town, "--k", 5, unit=None, every="31d", epsilon=20)
    found = {one["district"]: int(one["count"]) for one in read(town.parent / "counts.csv")}
    assert abs(found["north"] - 31) <= 3
    assert "west" not in found


def test_a_time_that_is_none_costs_nothing_and_its_remedy_is_an_option(town):
    with (town.parent / "reports.csv").open("a", encoding="utf-8") as file:
        file.write("yesterday,south,zoe\n")
    with pytest.raises(DataError, match=r"'yesterday'.*state the right --time-format"):
        run(town)
    assert not (town.parent / "sites").exists()


def test_where_all_is_withheld_the_file_has_its_header_alone(town):
    assert "0 of 93 cells" in run(town, "--k", 1000)
    assert (town.parent / "counts.csv").read_text() == "district,start,count\n"


def test_a_city_without_policy_releases_nothing_and_all_options_are_checked_at_once(town):
    text = town.read_text(encoding="utf-8").replace('policy = "policy.toml"', "")
    town.write_text(text, encoding="utf-8")
    wrong = {"agency": "watr", "every": "1 day", "epsilon": 0, "unit": None, "per_unit": 2}
    with pytest.raises(ConfigError) as error:
        run(town, **wrong)
    text = str(error.value)
    for needed in (
        "5 problems",
        "counts leave by a grant alone",
        "did you mean 'water'",
        "epsilon 0 is not over 0",
        "a row counts once",
        "'1 day': not a duration",
    ):
        assert needed.lower() in text.lower()


def test_problems_of_list_and_table_are_listed_together_and_cost_nothing(town):
    (town.parent / "areas.csv").write_text("quarter\nnorth\n", encoding="utf-8")
    with pytest.raises(DataError, match="2 problems") as error:
        run(town, unit="persn")
    assert "the list has no such column" in str(error.value)
    assert "Did you mean 'person'" in str(error.value)
    assert not list(town.parent.glob("counts*"))
    assert not (town.parent / "sites" / "town.water" / "privacy.json").exists()


def test_policy_commands_speak_of_counts_in_both_languages(town):
    def policy(*words, code=0):
        found = CliRunner().invoke(app, ["policy", *map(str, words)], catch_exceptions=False)
        assert found.exit_code == code, found.output
        return found.output

    english = policy("grants", town)
    assert "counts of town/water (resources) by area and time, with noise; no raw rows" in english
    assert "counts under 5, with their noise, are withheld; epsilon 40 in all" in english
    assert "90 days at the receiver, who must delete them" in english
    assert "also after a grant has ended" in english
    assert "지역·시간별 집계" in policy("grants", town, "--language", "ko")
    asked = ("explain", town, "--agency", "water", "--service", "safety", "--item", "counts")
    asked += ("--purpose", "where to patrol", "--to", "harbour", "--epsilon", 3)
    assert policy(*asked, "--k", 5) == "Allowed by water-counts.\n"
    assert "--k 5 or more" in policy(*asked, "--k", 4, code=1)
    assert "--k 5 이상으로" in policy(*asked, "--k", 4, "--language", "ko", code=1)
    run(town)
    site = town.parent / "sites" / "town.water"
    revoked = policy("revoke", town, "water-counts", "--run", site)
    assert "no counts leave by it from now on" in revoked
    assert "deepcity run" not in revoked


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"least_k = 5\n": ""}, "least_k"),
        ({"epsilon = 40\n": ""}, "epsilon"),
        ({"least_k = 5\n": 'least_k = 5\nlowest = "h1"\n'}, "counts are of none"),
        ({"least_k = 5\n": 'least_k = 5\ncadence = "1h"\n'}, "it bounds a stream"),
        ({'item = "counts"': 'item = "layers"', "keep_days = 90\n": ""}, "Name a layer"),
    ],
)
def test_a_grant_of_counts_is_bounded_and_of_no_layers(town, change, reason):
    text = GRANT
    for old, new in change.items():
        text = text.replace(old, new)
    (town.parent / "policy.toml").write_text(text, encoding="utf-8")
    with pytest.raises(GrantError, match=reason):
        run(town)
    assert not (town.parent / "counts.csv").exists()
