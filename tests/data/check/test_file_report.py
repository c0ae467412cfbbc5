import json
import random
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
from deepcity.data.check.draft import draft, draft_text
from deepcity.data.check.file_report import check_file
from deepcity.data.city_file import load_city, load_panel
from deepcity.data.text_files.sniff import sniff

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
SHARED = Path(__file__).parents[4] / "shared" / "data"
RAW = "Date,Hour,Temp (°C),visitors,Where\n" + "".join(
    f"{1 + i // 24:02d}/12/2017,{i % 24},{i % 9 - 3},{i},{place}\n"
    for i in range(15 * 24)
    for place in ("park", "pier")
)


def run(*arguments):
    return CliRunner().invoke(app, ["check", *map(str, arguments)])


def quarters_of_weather(shifted_from: int) -> str:
    """Sixty days of four columns; from a row on each holds what stood left of it."""
    dice = random.Random(1)
    lines = ["time,air,damp,sight,soil"]
    for hour in range(60 * 24):
        levels = (15, 60, 900, 300) if hour < shifted_from else (5, 15, 60, 900)
        cells = [f"{level + level / 10 * dice.random():.2f}" for level in levels]
        moment = datetime(2024, 5, 1) + timedelta(hours=hour)  # noqa: DTZ001 - wall time
        lines.append(",".join([f"{moment:%Y-%m-%d %H:%M}", *cells]))
    return "\n".join(lines) + "\n"


def test_shifted_columns_are_found_whatever_the_order_of_the_city_file(town):
    order = ("sight", "air", "soil", "damp")
    fields = ", ".join(
        f'{{ name = "{name}", kind = "level", unit = "1", source = "records", column = "{name}" }}'
        for name in order
    )
    records = quarters_of_weather(shifted_from=30 * 24)
    city = town(records, fields=f"[{fields}]", places='["a"]')
    (agency,) = check_file(city.path).agencies
    (reported,) = [finding for finding in agency.findings if finding.what == "shifted"]
    assert "to the right: damp holds what air held" in reported.text


@pytest.mark.parametrize(
    ("keys", "layout", "reported"),
    [
        ("", "wide", ["header-unit"]),
        (', unit_in = "km/h"', "wide", []),
        (", scale = 0.2778", "wide", []),  # the city file knows better than to take it as it is
        ("", "long", ["header-unit"]),
    ],
)
def test_a_unit_in_a_header_is_held_against_the_city_file(town, keys, layout, reported):
    cells = [
        f"2024-05-{1 + hour // 24:02d} {hour % 24:02d}:00,a,{8 + hour % 7}" for hour in range(96)
    ]
    records = "time,spot,Windspeed (km/h)\n" + "\n".join(cells) + "\n"
    fields = (
        '[{ name = "wind", kind = "wind", unit = "m/s", source = "records", '
        f'column = "Windspeed (km/h)"{keys} }}]'
    )
    source = 'format = "csv"\npath = "records.csv"\ntime = { column = "time" }'
    source += '\nlayout = "long"\nplace = "spot"' if layout == "long" else ""
    city = town(records, fields=fields, places='["a"]', source=source)
    (agency,) = check_file(city.path).agencies
    assert [f.what for f in agency.findings if f.what == "header-unit"] == reported


def test_a_city_file_in_words_and_as_json(town):
    city = town("time,a,b\n" + "".join(f"2024-05-01 {h:02d}:00,{h},\n" for h in range(24)))
    result = run(city.path)
    assert result.exit_code == 0, result.output
    assert "2024-05-01 00:00 .. 2024-05-01 23:00, 24 steps of 1h (office)" in result.output
    assert "warning (office) b / flow: no value was measured" in result.output
    report = json.loads(run("--json", city.path).stdout)[0]
    field = report["agencies"][0]["fields"][0]
    assert (field["missing"], field["low"], field["median"], field["high"]) == (0.5, 0, 11.5, 23)
    assert (field["lower"], field["upper"], field["count"]) == (5.75, 17.25, 24)
    assert (field["zeros"], field["longest_run"], field["outliers"]) == (1 / 24, 1, 0)
    assert report["problems"] == []
    assert "plots" not in report
    silent = next(f for f in report["agencies"][0]["findings"] if f["what"] == "all-missing")
    assert "shows" not in silent


def test_every_field_has_its_course_in_the_table(town):
    city = town("time,a,b\n" + "".join(f"2024-05-01 {h:02d}:00,{h},\n" for h in range(24)))
    (line,) = [line for line in run(city.path).output.splitlines() if line.startswith("flow")]
    assert "▁" in line
    assert "█" in line
    assert "50.0%" in line
    assert len(line) <= 80
    assert "…" not in line


def test_warnings_are_no_problems_and_name_the_place(town):
    hours_ = [f"2024-05-{1 + i // 24:02d} {i % 24:02d}:00" for i in range(480)]
    cells = [3 + i % 24 / 10 for i in range(480)]
    rows = [
        f"{t},{v},{-999 if i in (50, 90) else v}"
        for i, (t, v) in enumerate(zip(hours_, cells, strict=True))
    ]
    city = town("time,a,b\n" + "\n".join(rows) + "\n")
    result = run(city.path)
    assert result.exit_code == 0
    assert "b / flow: -999 occurs 2 times" in result.output
    reported = json.loads(run("--json", city.path).stdout)[0]["agencies"][0]["findings"]
    assert [f["places"] for f in reported if f["what"] == "placeholder"] == [["b"]]


def test_a_decimal_comma_among_points_is_reported_as_such(town):
    hours_ = [f"2024-05-01 {h:02d}:00" for h in range(24)]
    rows = [
        f'{time},{h}.5,"{h},5"' if h == 7 else f"{time},{h}.5,{h}.5"
        for h, time in enumerate(hours_)
    ]
    result = run(town("time,a,b\n" + "\n".join(rows) + "\n").path)
    assert result.exit_code == 1
    assert "'7,5': a decimal comma where the decimal sign is a point (row 9)" in result.output
    source = 'format = "csv"\npath = "records.csv"\ndecimal = ","\ntime = { column = "time" }'
    rows = [f'{time},"{h},5",{"3.5" if h == 7 else h}' for h, time in enumerate(hours_)]
    result = run(town("time,a,b\n" + "\n".join(rows) + "\n", source=source).path)
    assert result.exit_code == 0
    assert (
        "1 cell has a decimal point, though the source's decimal sign is a comma" in result.output
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("time,a\n2024-01-01,1.5\n", {}),
        ("time;a\n2024-01-01;1,5\n2024-01-02;1,7\n", {"delimiter": ";", "decimal": ","}),
        ("time;a\n2024-01-01;1.5\n", {"delimiter": ";"}),
        ("time\ta\n2024-01-01\t1,5\n", {"delimiter": "\t", "decimal": ","}),
        ('time,a\n2024-01-01,"1,5"\n2024-01-02,"1,7"\n', {}),
        ("", {}),
        ("one\ntwo\n", {}),
    ],
)
def test_the_delimiter_of_a_file_that_nobody_described(tmp_path, text, expected):
    path = tmp_path / "x.csv"
    path.write_text(text, encoding="utf-8")
    assert sniff(path) == expected


def test_a_file_of_semicolons_and_commas_explains_itself(tmp_path):
    rows = "".join(f"{1 + i // 24:02d}.12.2017 {i % 24:02d}:00;{i % 9},5\n" for i in range(400))
    (tmp_path / "v.csv").write_text("Zeit;Last (kW)\n" + rows, encoding="utf-8")
    report = check_file(tmp_path / "v.csv")
    assert report.problems == ()
    assert report.agencies[0].fields[0].high == 8.5


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
    ("name", "content", "reported"),
    [
        ("a.csv", "x,y\n1,2\n3,4\n", "no time column found"),
        ("a.csv", "", "cannot be read"),
        ("a.pdf", "%PDF", "unknown file extension"),
        ("a.csv", "time,v\n2024-01-01,1\n2024-01-01,2\n2024-01-02,2\n", "more than one row"),
    ],
)
def test_raw_records_that_cannot_be_understood(name, content, reported, tmp_path):
    (tmp_path / name).write_text(content, encoding="utf-8")
    problems = check_file(tmp_path / name).problems
    assert len(problems) == 1
    assert reported in problems[0].reason
    assert run("--draft", tmp_path / name).exit_code == (0 if "more" in reported else 1)


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


@pytest.mark.parametrize("rows", [1, 8])
def test_a_file_without_a_column_of_numbers_names_what_is_in_the_way(tmp_path, rows):
    """Nine of ten cells are a column of numbers; of these, too few are."""
    path = tmp_path / "counts.csv"
    hours = [f"2024-01-01 {hour:02}:00,{hour}" for hour in range(rows)]
    path.write_text("\n".join(["time,a", *hours, "2024-01-02 00:00,x1"]) + "\n")
    [problem] = check_file(path).problems
    assert problem.key == "fields"
    assert f"a: {rows} of {rows + 1} cells hold numbers, 1 'x1'" in problem.reason
