import json
import tomllib
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as tries
from hypothesis import strategies as st
from typer.testing import CliRunner

from deepcity.cli.data import app
from deepcity.data.check import check_file
from deepcity.data.city_file import load_city, load_panel
from deepcity.data.draft import draft, draft_text

pytest_plugins = ["towns"]

CELLS = st.sampled_from(
    [
        "",
        "1",
        "-2.5",
        "inf",
        "NaN",
        "2024-01-01",
        "2024-01-02 03:00",
        "03/02/2024",
        "x",
        "1e400",
        "9",
    ]
) | st.text(max_size=4)
SHARED = Path(__file__).parents[2] / "../shared/data"
RAW = "Date,Hour,Temp (°C),visitors,Where\n" + "".join(
    f"{1 + i // 24:02d}/12/2017,{i % 24},{i % 9 - 3},{i},{place}\n"
    for i in range(15 * 24)
    for place in ("park", "pier")
)


def run(*arguments):
    return CliRunner().invoke(app, ["check", *map(str, arguments)])


def test_a_city_file_in_words_and_as_json(town):
    city = town("time,a,b\n" + "".join(f"2024-05-01 {h:02d}:00,{h},\n" for h in range(24)))
    result = run(city.path)
    assert result.exit_code == 0, result.output
    assert "2024-05-01 00:00 .. 2024-05-01 23:00, 24 steps of 1h (office)" in result.output
    assert "warning (office) b / flow: not one value was measured" in result.output
    report = json.loads(run("--json", city.path).stdout)[0]
    field = report["agencies"][0]["fields"][0]
    assert (field["missing"], field["low"], field["median"], field["high"]) == (0.5, 0, 11.5, 23)
    assert report["problems"] == []


def test_problems_make_the_exit_code_1(town, tmp_path):
    city = town("time,a,b\n2024-05-01 00:00,x,1\n2024-05-01 01:00,2,1\n")
    result = run("--json", city.path, tmp_path / "none.toml", tmp_path / "none.csv")
    assert result.exit_code == 1
    reports = json.loads(result.stdout)
    assert [len(report["problems"]) for report in reports] == [1, 1, 1]
    assert "not a number (row 2)" in reports[0]["problems"][0]["reason"]
    assert run(city.path).exit_code == 1


def test_raw_records_explain_themselves(tmp_path):
    path = tmp_path / "visits.csv"
    path.write_text(RAW, encoding="utf-8")
    report = check_file(path)
    assert report.problems == ()
    agency = report.agencies[0]
    assert (agency.start, agency.steps, agency.step) == ("2017-12-01 00:00", 360, "1h")
    assert agency.places == 2
    assert [(field.kind, field.unit) for field in agency.fields] == [
        ("temperature", "°C"),
        ("count", "count"),
    ]


def test_a_draft_is_a_city_file_that_loads(tmp_path):
    path = tmp_path / "visits.csv"
    path.write_text(RAW, encoding="utf-8")
    raw, problems = draft(path)
    assert problems == []
    assert raw is not None
    assert tomllib.loads(draft_text(raw)) == raw
    result = run("--draft", path)
    assert result.exit_code == 0
    (tmp_path / "visits.toml").write_text(result.stdout, encoding="utf-8")
    city = load_city(tmp_path / "visits.toml")
    assert load_panel(city, "agency").values_TNF.shape == (360, 2, 2)


def test_a_parquet_file_explains_itself(tmp_path):
    times = [datetime(2024, 5, 1) + timedelta(minutes=15 * i) for i in range(96)]  # noqa: DTZ001
    pl.DataFrame({"t": times, "load (kW)": list(range(96))}).write_parquet(tmp_path / "x.parquet")
    agency = check_file(tmp_path / "x.parquet").agencies[0]
    assert (agency.step, agency.steps, agency.domain) == ("15min", 96, "resources")
    assert (agency.fields[0].kind, agency.fields[0].unit) == ("load", "kW")


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", "x,y\n1,2\n3,4\n", "no column that tells the time"),
        ("a.csv", "", "cannot be read"),
        ("a.pdf", "%PDF", "not a known ending"),
        ("a.csv", "time,v\n2024-01-01,1\n2024-01-01,2\n2024-01-02,2\n", "more than one row"),
    ],
)
def test_raw_records_that_cannot_be_understood(name, content, told, tmp_path):
    (tmp_path / name).write_text(content, encoding="utf-8")
    problems = check_file(tmp_path / name).problems
    assert len(problems) == 1
    assert told in problems[0].reason
    assert run("--draft", tmp_path / name).exit_code == (0 if "more" in told else 1)


@tries(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    head=st.lists(st.text("abTime hour(%°)日-", max_size=8), min_size=1, max_size=4),
    cells=st.lists(
        st.lists(CELLS, min_size=1, max_size=5),
        max_size=8,
    ),
)
def test_no_table_makes_the_check_itself_fail(head, cells, tmp_path):
    lines = [",".join(row) for row in [head, *cells]]
    (tmp_path / "x.csv").write_text("\n".join(lines), encoding="utf-8")
    report = check_file(tmp_path / "x.csv")
    assert bool(report.agencies) != bool(report.problems)


@pytest.mark.real
@pytest.mark.parametrize(
    ("file", "steps", "step"),
    [
        ("air_china/beijing.csv.gz", 26_280, "1h"),
        ("bikes/london.csv.gz", 17_544, "1h"),
        ("bikes/seoul.csv.gz", 8760, "1h"),
        ("energy/tetouan.csv.gz", 52_416, "10min"),
        ("pedestrian_melbourne/counts.csv.gz", 16_056, "1h"),
    ],
)
def test_real_records_explain_themselves(file, steps, step):
    if not (SHARED / file).is_file():
        pytest.skip("the real data folder ../shared/data is absent")
    report = check_file(SHARED / file)
    assert report.problems == ()
    assert (report.agencies[0].steps, report.agencies[0].step) == (steps, step)
