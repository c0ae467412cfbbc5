"""`deepcity forecast` and `deepcity backtest`: tables of a run that anyone can read and check."""

import io
import json
import os
import re
import shutil
import signal
import time
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from little_map import LittleMap, flows, service, three
from little_vertical import little
from processes import PATIENCE_S, deepcity, started
from typer.testing import CliRunner

import deepcity as library
from deepcity.cli import app
from deepcity.maps.city_map import load_map
from deepcity.store.run_folder import site_folder
from deepcity.vertical.run import run_vertical

HORIZON = 6
END = datetime(2021, 3, 9, tzinfo=UTC)  # of 36 days of records
SILENT_H = 100


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """A finished run: a place of one party is silent at the end, another party is a newcomer."""
    folder = tmp_path_factory.mktemp("town")
    map_of_three = three(folder)
    map_of_three.parties["east/south"][-SILENT_H:, 1] = np.nan
    path = map_of_three.write(
        service(
            levels=(),
            settings='pooled = false\nnewcomers = ["west/office"]',
            span='scarce = { "west/office" = 4 }',
        )
    )
    ended = deepcity("run", path, "--out", folder / "run")
    assert ended.returncode == 0, ended.stderr
    return folder


@pytest.fixture(scope="module")
def forecast(town):
    """What the command writes of it, as a process of its own."""
    ended = deepcity("forecast", town / "run")
    assert ended.returncode == 0, ended.stderr
    return ended


def command(*words):
    """The command in this process."""
    return CliRunner().invoke(app, [str(word) for word in words])


def rows(text):
    return pl.read_csv(io.StringIO(text), infer_schema_length=None)


def test_every_party_is_forecast_from_its_newest_rows(town, forecast):
    table = rows(forecast.stdout)
    assert table.columns == [
        "service", "party", "place", "origin", "time", "origin_utc", "time_utc",
        "forecast", "low", "high", "unit", "reason", "note",
    ]  # fmt: skip
    assert table["party"].unique(maintain_order=True).to_list() == [
        "east/north", "east/south", "west/office",
    ]  # fmt: skip
    assert set(table["origin_utc"]) == {"2021-03-09T00:00:00Z"}
    assert len(table) == 4 * HORIZON
    python = library.Federation(town / "map.toml", town / "run").forecaster("water", "east/north")
    own = table.filter(party="east/north")
    np.testing.assert_allclose(own["forecast"], python.predict().forecast_BNH[0, 0], rtol=1e-5)
    assert (own["low"] < own["forecast"]).all()
    assert (own["forecast"] < own["high"]).all()


def test_a_silent_place_has_a_reason_and_no_number(forecast):
    silent = rows(forecast.stdout).filter(party="east/south", place="p1")
    assert silent["forecast"].null_count() == HORIZON
    assert set(silent["reason"]) == {"silent"}
    assert f"no value for {SILENT_H / 24:.1f} days" in silent["note"][0]
    assert "east/south: no forecast of p1: no value for" in forecast.stderr
    others = rows(forecast.stdout).filter(pl.col("place") != "p1")
    assert others["forecast"].null_count() == 0
    assert others["reason"].null_count() == len(others)


def test_a_silent_place_takes_no_part_in_the_decision(town):
    run = library.Federation(town / "map.toml", town / "run")
    made = run.forecaster("water", "east/south").decide()
    assert {one.place for one in made.actions} == {"p0"}
    assert made.reasons[-1].code == "places-without-forecast"
    assert dict(made.reasons[-1].numbers) == {"places": 1.0, "of": 2.0}


def test_all_formats_hold_the_same_table(town, forecast, tmp_path):
    expected = rows(forecast.stdout)
    for suffix, read in (
        ("parquet", pl.read_parquet),
        ("arrow", pl.read_ipc),
        ("json", lambda path: pl.DataFrame(json.loads(path.read_text()), infer_schema_length=None)),
    ):
        path = tmp_path / f"tomorrow.{suffix}"
        done = command("forecast", town / "run", "--out", path)
        assert done.exit_code == 0, done.output
        found = read(path)
        assert found.columns == expected.columns
        for name in ("party", "place", "time", "reason", "note"):
            assert found[name].to_list() == expected[name].to_list(), (suffix, name)
        np.testing.assert_allclose(
            found["forecast"].fill_null(np.nan), expected["forecast"].fill_null(np.nan), rtol=1e-6
        )


def test_a_past_time_uses_the_rows_before_it_and_append_keeps_both(town, tmp_path):
    out = tmp_path / "kept.csv"
    first = command("forecast", town / "run", "--party", "east/north", "--out", out)
    past = ("--at", "2021-03-07T12:00", "--append")
    for _ in range(2):  # the second time it replaces itself
        again = command("forecast", town / "run", "--party", "east/north", "--out", out, *past)
        assert again.exit_code == first.exit_code == 0, again.output
    table = rows(out.read_text())
    assert table.group_by("origin_utc").len().sort("origin_utc").rows() == [
        ("2021-03-07T12:00:00Z", HORIZON),
        ("2021-03-09T00:00:00Z", HORIZON),
    ]
    out.write_text("a,b\n1,2\n")
    refused = command("forecast", town / "run", "--out", out, "--append")
    assert refused.exit_code == 2
    assert out.read_text() == "a,b\n1,2\n"


def test_a_site_that_was_carried_needs_its_map_or_city_file(town, forecast, tmp_path):
    carried = tmp_path / "carried"
    shutil.copytree(site_folder(town / "run", "west/office"), carried)
    refused = command("forecast", carried)
    assert refused.exit_code == 1
    assert "name it with --map MAP.toml" in str(refused.exception)
    expected = rows(forecast.stdout).filter(party="west/office")
    for more in (("--map", town / "map.toml"), ("--city", town / "west.toml")):
        found = command("forecast", carried, *more)
        assert found.exit_code == 0, found.output
        assert rows(found.stdout).equals(expected)
    wrong = command("forecast", carried, "--city", town / "east.toml")
    assert "none of its agencies is a party" in str(wrong.exception)
    nothing = command("forecast", tmp_path)
    assert re.search("name (one of them|the folder of a finished run)", str(nothing.exception))


def test_the_map_may_move_with_the_run_and_another_is_refused(town, tmp_path):
    moved = tmp_path / "moved"
    shutil.copytree(town, moved)
    (moved / "map.toml").rename(moved / "other.toml")
    (moved / "run" / "map.json").write_text('{"absolute": "/gone.toml", "relative": "../map.toml"}')
    assert "no longer there" in str(command("forecast", moved / "run").exception)
    assert command("forecast", moved / "run", "--map", moved / "other.toml").exit_code == 0
    text = (moved / "other.toml").read_text().replace('name = "little"', 'name = "else"')
    (moved / "map.toml").write_text(text)
    assert "holds a run of 'little'" in str(command("forecast", moved / "run").exception)


def test_one_party_whose_records_fail_does_not_stop_the_others(town, tmp_path):
    moved = tmp_path / "moved"
    shutil.copytree(town, moved)
    (moved / "run" / "map.json").unlink()
    (moved / "east-north.csv").write_text("time,p0\nnot a time,1\n")
    found = command("forecast", moved / "run", "--map", moved / "map.toml")
    assert found.exit_code == 0
    table = rows(found.stdout)
    (failed,) = table.filter(party="east/north").iter_rows(named=True)
    assert failed["reason"] == "records"
    assert "not a time" in failed["note"]
    assert len(table.filter(party="west/office")) == HORIZON
    alone = command("forecast", moved / "run", "--map", moved / "map.toml", "--party", "east/north")
    assert alone.exit_code == 1


def test_names_and_times_that_are_wrong_are_named(town):
    wrong = command("forecast", town / "run", "--party", "east/nort", "--service", "wate")
    assert "Did you mean 'east/north'" in str(wrong.exception)
    assert "Did you mean 'water'" in str(wrong.exception)
    assert command("forecast", town / "run", "--at", "9.3.2021").exit_code == 2
    assert command("forecast", town / "run", "--at", "2021-03-09", "--watch").exit_code == 2
    late = command("forecast", town / "run", "--at", "2021-03-12T01:00")
    assert late.exit_code == 1
    assert set(rows(late.stdout)["reason"]) == {"late-records"}
    lagging = command("forecast", town / "run", "--at", "2021-03-11T00:00", "--party", "east/north")
    assert lagging.exit_code == 0
    assert rows(lagging.stdout)["origin_utc"][0] == "2021-03-11T00:00:00Z"


def test_what_is_no_file_is_not_replaced(town, tmp_path):
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        done = command("forecast", town / "run", "--party", "east/north", "--out", pipe)
        assert done.exit_code == 0, done.output
        assert len(rows(os.read(reading, 1 << 16).decode())) == HORIZON
        assert pipe.is_fifo()
    finally:
        os.close(reading)
    for verb in (("forecast",), ("export", "--party", "east/north")):
        refused = command(verb[0], town / "run", *verb[1:], "--out", tmp_path)
        assert refused.exit_code == 2


@pytest.mark.filterwarnings("ignore:east/north. rows that its networks learned from")
def test_lost_rows_and_a_time_between_steps_have_their_own_reasons(town, tmp_path):
    between = command("forecast", town / "run", "--at", "2021-03-08T02:30")
    assert set(rows(between.stdout)["reason"]) == {"time"}
    moved = tmp_path / "moved"
    shutil.copytree(town, moved)
    (moved / "run" / "map.json").unlink()
    lines = (moved / "east-north.csv").read_text().splitlines(keepends=True)
    (moved / "east-north.csv").write_text("".join(lines[: -7 * 24]))
    lost = command("forecast", moved / "run", "--map", moved / "map.toml", "--party", "east/north")
    (only,) = rows(lost.stdout).iter_rows(named=True)
    assert only["reason"] == "late-records"
    assert "Put back the rows that its source has lost" in only["note"]


def test_the_reports_figures_can_be_recomputed_from_a_backtest(town, tmp_path):
    out = tmp_path / "backtest.parquet"
    done = command("backtest", town / "run", "--out", out)
    assert done.exit_code == 0, done.output
    results = json.loads((town / "run" / "results.json").read_text())["services"][0]["parties"]
    # with pandas: frame = pandas.read_parquet(out); the rest is the same in both
    frame = pl.read_parquet(out).drop_nulls("truth")
    for party in results:
        own = frame.filter(party=party["name"])
        for method, column in (("automatic", "forecast"), ("alone", "alone")):
            off = own[column].cast(pl.Float64) - own["truth"]
            assert off.abs().mean() == pytest.approx(party["test"][method]["mae"], rel=1e-6)
            rmse = (off**2).mean() ** 0.5
            assert rmse == pytest.approx(party["test"][method]["rmse"], rel=1e-6)
        inside = own["truth"].is_between(own["low"], own["high"])
        assert inside.mean() == pytest.approx(party["band_coverage"])


def test_a_backtest_keeps_to_its_times_and_stride(town, tmp_path):
    span = ("--start", "2021-03-05T00:00", "--end", "2021-03-06T00:00", "--stride", "3")
    done = command("backtest", town / "run", "--party", "east/north", *span)
    table = rows(done.stdout)
    origins = sorted(set(table["origin_utc"]))
    assert origins[0] >= "2021-03-05T00:00:00Z"
    assert table["time_utc"].max() == "2021-03-05T23:00:00Z"
    assert len(origins) == (24 - HORIZON) // 3 + 1
    learned = command("backtest", town / "run", "--start", "2021-02-05")
    assert learned.exit_code == 1
    assert "networks learned from rows until" in learned.output + learned.stderr


def test_watch_forecasts_again_when_rows_come(tmp_path):
    values = {name: flows(days=37, places=1, seed=n) for n, name in enumerate(("a/x", "a/y"))}

    def write(hours):
        town = LittleMap(tmp_path)
        for name, flow in values.items():
            town.party(name, flow[:hours])
        return town.write(service(levels=(), settings="pooled = false", rounds=1))

    library.Federation(write(36 * 24), tmp_path / "run").fit()
    out = tmp_path / "now.csv"
    watching = started("forecast", tmp_path / "run", "--watch", "--every", "0.2", "--out", out)
    try:
        _until(out.exists, watching)
        before = rows(out.read_text())
        assert set(before["origin_utc"]) == {"2021-03-09T00:00:00Z"}
        write(36 * 24 + 2)
        newest = {"2021-03-09T02:00:00Z"}
        _until(lambda: set(rows(out.read_text())["origin_utc"]) == newest, watching)
        assert rows(out.read_text())["party"].to_list() == before["party"].to_list()
    finally:
        watching.send_signal(signal.SIGINT)
        _, said = watching.communicate(timeout=PATIENCE_S)
    assert watching.returncode == 130
    assert "Stopped." in said
    assert "Traceback" not in said


def _until(true, process):
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_vertical_run_is_forecast_with_its_agencies_and_without_one(tmp_path):
    path = little(tmp_path)
    folder = tmp_path / "run"
    run_vertical(load_map(path), folder)
    done = command("forecast", folder)
    assert done.exit_code == 0, done.output
    table = rows(done.stdout)
    assert set(table["party"]) == {"east/water"}
    assert table["note"].null_count() == len(table) == 2 * HORIZON
    assert (table["high"] - table["low"]).min() > 0
    assert command("backtest", folder).exit_code == 1
    for encoder in folder.glob("sites/east.weather/packages/*/*.encoder"):
        encoder.unlink()
    without = rows(command("forecast", folder).stdout)
    assert without["note"][0].startswith("without weather")
    assert without["reason"].null_count() == len(without)
    assert (without["high"] - without["low"]).sum() >= (table["high"] - table["low"]).sum()


def test_times_are_those_of_the_city_with_their_offset(tmp_path):
    town = LittleMap(tmp_path).party("a/x", flows(places=1)).party("a/y", flows(places=1, seed=1))
    path = town.write(service(levels=(), settings="pooled = false", rounds=1))
    city = tmp_path / "a.toml"
    city.write_text(city.read_text().replace('"UTC"', '"Asia/Kathmandu"'))
    library.Federation(path, tmp_path / "run").fit()
    table = rows(command("forecast", tmp_path / "run", "--party", "a/x").stdout)
    for row in table.iter_rows(named=True):
        assert row["time"].endswith("+05:45")
        assert datetime.fromisoformat(row["time"]) == datetime.fromisoformat(row["time_utc"])
    assert datetime.fromisoformat(table["origin"][0]) == END - timedelta(hours=5, minutes=45)
