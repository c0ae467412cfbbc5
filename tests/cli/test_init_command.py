"""`deepcity init`: from records as people have them to a city file and a map that run."""

import io
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from processes import ENV, FROM_NOTHING, deepcity
from typer.testing import CliRunner

import deepcity as library
from deepcity.city.errors import DataError
from deepcity.city.field import Kind
from deepcity.cli import app
from deepcity.data.city_file import load_city, load_panel
from deepcity.data.draft.answers import Answers, OpenQuestionsError
from deepcity.data.draft.city import start_city
from deepcity.data.draft.quantities import quantity_of
from deepcity.maps.city_map import load_map

BEGIN = datetime(2024, 3, 1)  # noqa: DTZ001 - a wall clock
PLACES = ("중앙시장", "역전광장", "대학로")
SEOUL = ("--time-zone", "Asia/Seoul")
SOURCE = str(Path(library.__file__).parents[1])


def counts(days, places=3, seed=0):
    """People an hour, (hours, places): a day's rhythm and chance."""
    dice = np.random.default_rng(seed)
    hour = np.arange(24 * days)
    rhythm = 600 * (1.2 - np.cos(2 * np.pi * (hour % 24 - 4) / 24))
    return dice.poisson(rhythm[:, None] * (1 + np.arange(places)))


def korean(number):
    return f'"{number:,}"' if number > 999 else str(number)


def nuri(path, days=40):
    """As a Korean city hall exports: CP949, 연월일 시, thousands, totals, a note below."""
    people = counts(days)
    lines = [",".join(["일시", *PLACES, "합계"])]
    for hour, row in enumerate(people):
        at = BEGIN + timedelta(hours=hour)
        cells = [korean(one) for one in (*row, row.sum())]
        if hour == 50:
            cells[1] = "점검중"
        lines.append(",".join([f"{at.year}년 {at.month}월 {at.day}일 {at.hour}시", *cells]))
    lines.append("※ 자료: 누리시(가상의 도시)" + "," * (len(PLACES) + 1))
    path.write_text("\n".join(lines) + "\n", encoding="cp949")
    return people


def table(path, begin=BEGIN, hours=24 * 30, column="cars"):
    frame = pl.DataFrame(
        {
            "time": [str(begin + timedelta(hours=hour)) for hour in range(hours)],
            column: counts(hours // 24)[:, 0],
        }
    )
    frame.write_csv(path)
    return frame


def init(*words, told=None):
    """The command in this process, asking nothing and opening no page unless words say so."""
    return CliRunner().invoke(app, ["init", *(str(word) for word in words)], input=told)


def written(folder, name):
    city = load_city(folder / f"{name}.toml")
    agency = city.city.agencies[0].name
    return load_panel(city, agency)


def test_three_commands_lead_from_a_cp949_file_to_a_forecast(tmp_path):
    people = nuri(tmp_path / "people.csv")
    here = {"cwd": tmp_path, "env": ENV | {"PYTHONPATH": SOURCE}, "program": FROM_NOTHING}
    first = deepcity("init", "people.csv", "--yes", *SEOUL, **here)
    assert first.returncode == 0, first.stderr
    panel = written(tmp_path, "people")
    assert [place.id for place in panel.places] == list(PLACES)
    expected = people.astype(float)
    expected[50, 1] = np.nan
    np.testing.assert_array_equal(panel.values_TNF[:, :, 0], expected)
    assert panel.clock.time_zone == "Asia/Seoul"
    assert panel.clock.holidays, "those of Korea"
    next_ones = [line.split()[1:] for line in first.stdout.partition("Next:\n")[2].splitlines()]
    assert [words[0] for words in next_ones] == ["run", "forecast"]
    run, forecast = (deepcity(*words, **here) for words in next_ones)
    assert run.returncode == 0, run.stderr
    assert forecast.returncode == 0, forecast.stderr
    rows = pl.read_csv(io.StringIO(forecast.stdout), infer_schema_length=None)
    assert set(rows["place"]) == set(PLACES)
    assert rows["forecast"].is_not_null().all()
    assert rows["time"][0].startswith("2024-04-10T00:00:00+09:00")


def test_rows_are_shown_before_and_after(tmp_path):
    nuri(tmp_path / "people.csv")
    shown = init(tmp_path / "people.csv", "--yes", *SEOUL, "--out", tmp_path).stdout
    for text in ("2024년", "2024-03-01", "00:00+09:00", "중앙시장", "people", "holidays"):
        assert text in shown, text
    page = (tmp_path / "people.html").read_text(encoding="utf-8")
    assert "<svg" in page


def test_it_asks_for_the_zone_and_proposes_the_one_of_the_language(tmp_path):
    nuri(tmp_path / "people.csv")
    ended = init(tmp_path / "people.csv", "--no-open", "--out", tmp_path, told="\n")
    assert ended.exit_code == 0, ended.output
    assert "[Asia/Seoul]" in ended.output
    assert written(tmp_path, "people").clock.time_zone == "Asia/Seoul"


def test_it_asks_for_a_unit_that_nothing_shows(tmp_path):
    table(tmp_path / "n.csv", column="n")
    told = "Europe/Berlin\nbikes\n"
    ended = init(tmp_path / "n.csv", "--no-open", "--out", tmp_path, told=told)
    assert ended.exit_code == 0, ended.output
    assert written(tmp_path, "n").fields[0].unit == "bikes"


def test_a_unit_of_a_field_that_is_none_is_refused_with_its_likeness(tmp_path):
    table(tmp_path / "n.csv", column="cars")
    words = (tmp_path / "n.csv", "--yes", *SEOUL, "--out", tmp_path, "--field", "flow")
    ended = init(*words, "--unit", "flwo=m3/h")
    assert ended.exit_code == 1
    assert "--unit = 'flwo=m3/h': no field. Did you mean 'flow'?" in str(ended.exception)
    assert not list(tmp_path.glob("*.toml"))


def test_a_number_of_an_unknown_quantity_is_no_share_of_parking_spaces(tmp_path):
    times = [BEGIN + timedelta(hours=hour) for hour in range(720)]
    hours = [f"{at:%Y-%m-%d %H:%M},{np.sin(at.hour / 4):.3f}" for at in times]
    (tmp_path / "n.csv").write_text("\n".join(["time,A", *hours]))
    assert init(tmp_path / "n.csv", "--yes", *SEOUL, "--out", tmp_path).exit_code == 0
    assert written(tmp_path, "n").fields[0].unit == "1"
    assert load_map(tmp_path / "n.map.toml").settings.service[0].application == "measurements"


def test_without_a_safe_answer_it_refuses_and_names_the_option(tmp_path):
    nuri(tmp_path / "people.csv")
    ended = init(tmp_path / "people.csv", "--yes", "--out", tmp_path)
    assert ended.exit_code == 1
    assert "--time-zone Asia/Seoul" in str(ended.exception)
    assert not list(tmp_path.glob("*.toml"))


def test_nothing_is_overwritten_unless_forced(tmp_path):
    table(tmp_path / "cars.csv")
    words = (tmp_path / "cars.csv", "--yes", *SEOUL, "--out", tmp_path)
    (tmp_path / "cars.map.toml").write_text("mine", encoding="utf-8")
    ended = init(*words)
    assert ended.exit_code == 1
    assert "--force" in str(ended.exception)
    assert (tmp_path / "cars.map.toml").read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "cars.toml").exists()
    assert init(*words, "--force").exit_code == 0
    assert load_map(tmp_path / "cars.map.toml").settings.service[0].application == "traffic"


def test_a_folder_of_months_is_one_source_whatever_a_column_is_called(tmp_path):
    folder = tmp_path / "months"
    folder.mkdir()
    for month, column in ((1, "통행량"), (2, "통행량"), (3, "통행 량(대)")):
        begin = datetime(2024, month, 1)  # noqa: DTZ001
        table(folder / f"2024{month:02}.csv", begin, 24 * 28, column)
    ended = init(folder, "--yes", *SEOUL, "--out", tmp_path)
    assert ended.exit_code == 0, ended.exception
    panel = written(tmp_path, "months")
    assert np.isfinite(panel.values_TNF).sum() == 3 * 28 * 24
    assert panel.fields[0].unit == "vehicles"


def test_files_of_the_same_times_are_places(tmp_path):
    folder = tmp_path / "levels"
    folder.mkdir()
    for name in ("north", "south"):
        table(folder / f"level_{name}.csv", column="level")
    assert init(folder, "--yes", *SEOUL, "--out", tmp_path).exit_code == 0
    assert [place.id for place in written(tmp_path, "levels").places] == ["north", "south"]


def test_a_table_of_a_database(tmp_path):
    frame = table(tmp_path / "cars.csv")
    path = tmp_path / "town.db"
    with sqlite3.connect(path) as base:
        base.execute("CREATE TABLE counts (time TEXT, cars INTEGER)")
        base.executemany("INSERT INTO counts VALUES (?, ?)", frame.rows())
    ended = init(f"sqlite:///{path}#counts", "--yes", *SEOUL, "--out", tmp_path)
    assert ended.exit_code == 0, ended.exception
    panel = written(tmp_path, "counts")
    np.testing.assert_array_equal(panel.values_TNF[:, 0, 0], frame["cars"])


def test_parts_of_a_sum_are_asked_for_and_added_up(tmp_path):
    times = [str(BEGIN + timedelta(hours=hour)) for hour in range(24 * 20) for _ in range(2)]
    into = counts(20)[:, :2].reshape(-1)
    frame = pl.DataFrame({"t": times, "p": "X", "n": into, "dir": ["IN", "OUT"] * (24 * 20)})
    frame.write_csv(tmp_path / "gate.csv")
    words = (tmp_path / "gate.csv", "--yes", *SEOUL, "--out", tmp_path)
    refused = init(*words)
    assert refused.exit_code == 1
    assert "--together sum|each" in str(refused.exception)
    assert init(*words, "--together", "sum").exit_code == 0
    panel = written(tmp_path, "gate")
    assert panel.values_TNF.shape == (480, 1, 1)
    assert panel.values_TNF.sum() == into.sum()


def test_a_meter_s_total_is_differenced(tmp_path):
    total = 15_500.5 + np.cumsum(np.full((24 * 20, 2), 2.0), axis=0)
    total[200:] -= 15_500
    times = [str(BEGIN + timedelta(hours=hour)) for hour in range(24 * 20)]
    pl.DataFrame({"t": times, "M1": total[:, 0], "M2": total[:, 1]}).write_csv(
        tmp_path / "meters.csv"
    )
    ended = init(tmp_path / "meters.csv", "--yes", *SEOUL, "--out", tmp_path)
    assert ended.exit_code == 0, ended.exception
    assert np.nanmax(written(tmp_path, "meters").values_TNF) == pytest.approx(2)


def test_records_too_short_give_a_city_but_no_map(tmp_path):
    table(tmp_path / "cars.csv", hours=24)
    ended = init(tmp_path / "cars.csv", "--yes", *SEOUL, "--out", tmp_path)
    assert ended.exit_code == 1
    assert "too few to learn" in str(ended.exception)
    assert (tmp_path / "cars.toml").exists()
    assert not (tmp_path / "cars.map.toml").exists()


def test_the_example_comes_with_it(tmp_path):
    ended = init("--example", "--no-open", "--out", tmp_path)
    assert ended.exit_code == 0, ended.exception
    assert (tmp_path / "nuri_people.csv").exists()
    panel = written(tmp_path, "nuri")
    assert len(panel.places) == 5
    assert panel.fields[0].unit == "people"


def test_weather_has_an_agency_of_its_own_and_a_number_between_0_and_1_no_degrees(tmp_path):
    hours = 24 * 30
    dice = np.random.default_rng(0)
    pl.DataFrame(
        {
            "row": range(hours),
            "time": [str(BEGIN + timedelta(hours=hour)) for hour in range(hours)],
            "weekday": [hour // 24 % 7 for hour in range(hours)],
            "rented bikes": dice.integers(0, 500, hours),
            "temp": dice.uniform(0, 1, hours),
            "wind (km/h)": dice.uniform(0, 30, hours),
        }
    ).write_csv(tmp_path / "bikes.csv")
    assert init(tmp_path / "bikes.csv", "--yes", *SEOUL, "--out", tmp_path).exit_code == 0
    city = load_city(tmp_path / "bikes.toml").city
    found = {field.name: field for agency in city.agencies for field in agency.fields}
    assert set(found) == {"rented-bikes", "temp", "wind"}
    assert (found["temp"].kind, found["wind"].unit) == (Kind.SHARE, "km/h")
    assert [one.field for one in load_map(tmp_path / "bikes.map.toml").settings.service] == [
        "rented-bikes"
    ]


@pytest.mark.parametrize(
    ("header", "values", "kind", "unit"),
    [
        ("기온(℃)", [3.5], Kind.TEMPERATURE, "degC"),
        ("wind_speed", [16.0, 24.0, 10.0], Kind.WIND, "km/h"),
        ("wind_speed", [1.5, 3.0], Kind.WIND, "m/s"),
        ("temperature", [68.0, 95.0], Kind.TEMPERATURE, "degF"),
        ("DUQ_MW", [1200.0], Kind.LOAD, "MW"),
        ("load", [1200.5], Kind.LEVEL, "1"),
        ("speed", [50.5], Kind.LEVEL, "1"),
        ("A", [1.0, 2.0], Kind.COUNT, "count"),
        ("A", [1.5, -2.0], Kind.LEVEL, "1"),
    ],
)
def test_a_quantity_is_what_is_seen_and_no_more(header, values, kind, unit):
    found = quantity_of(header, np.array(values))
    assert (found.kind, found.unit) == (kind, unit)


@given(
    hours=st.integers(24, 60),
    places=st.integers(2, 5),
    size=st.sampled_from([5, 900, 40_000]),
    thousands=st.sampled_from(["", ",", "."]),
    encoding=st.sampled_from(["utf-8", "cp949", "utf-16"]),
    seed=st.integers(0, 1000),
)
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_it_writes_reads_every_count_or_asks(
    tmp_path, hours, places, size, thousands, encoding, seed
):
    wanted = np.random.default_rng(seed).integers(size // 2, size + 2, (hours, places))
    lines = [";".join(["시각", *(f"지점{n}" for n in range(places))])]
    for hour, row in enumerate(wanted):
        cells = [f"{one:,}".replace(",", thousands) if thousands else str(one) for one in row]
        lines.append(";".join([f"{BEGIN + timedelta(hours=hour)}", *cells]))
    (tmp_path / "x.csv").write_text("\n".join(lines), encoding=encoding)
    try:
        start = start_city([str(tmp_path / "x.csv")], Answers(time_zone="Asia/Seoul"), tmp_path)
    except (OpenQuestionsError, DataError):
        return  # a question is right where both readings fit
    values = start.panels[start.raw["agency"][0]["name"]].values_TNF
    np.testing.assert_array_equal(values.reshape(hours, -1), wanted)
