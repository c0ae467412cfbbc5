from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import settings as tries
from hypothesis import strategies as st

from deepcity.data.config.time_settings import TimeSettings
from deepcity.data.connectors.csv import CsvSettings
from deepcity.data.findings import IssueLog
from deepcity.data.sheet import Sheet
from deepcity.data.timestamps.dst import NO_TIME
from deepcity.data.timestamps.parse import utc_times
from deepcity.data.timestamps.zones import utc_candidates

ZONES = sorted(available_timezones())
ROME_AUTUMN = 1_667_080_800  # 2022-10-30 00:00 in Rome; clocks go from 03:00 back to 02:00


def wall_texts(zone, utc):
    """With seconds: Liberia was 44 min 30 s behind until 1972."""
    return [
        f"{datetime.fromtimestamp(s, UTC).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}"
        for s in utc
    ]


def read(texts, zone, places=None, **settings):
    source = CsvSettings(name="s", path="x", time=TimeSettings(column="time", **settings))
    rows = np.arange(2, 2 + len(texts), dtype=np.int64)
    place_R = np.zeros(len(texts), dtype=np.int64) if places is None else np.array(places)
    issues = IssueLog("x")
    assert source.time is not None
    sheet = Sheet(pl.DataFrame({"time": texts}), rows, place_R, source, source.time, zone, issues)
    return utc_times(sheet), issues


@tries(deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    start=st.integers(0, 2_100_000_000 // 3600),
    step=st.sampled_from([300, 900, 1800, 3600]),
    count=st.integers(2, 400),
)
@example(zone="Europe/Rome", start=ROME_AUTUMN // 3600, step=900, count=30)
@example(zone="Australia/Lord_Howe", start=1_743_818_400 // 3600 - 24, step=1800, count=100)
@example(zone="Antarctica/Troll", start=1_698_534_000 // 3600, step=3600, count=48)
@example(zone="Pacific/Apia", start=1_325_152_800 // 3600, step=3600, count=72)
@example(zone="America/St_Johns", start=1_257_048_000 // 3600 - 24, step=300, count=400)
def test_wall_times_in_order_come_back_to_the_same_moments(zone, start, step, count):
    """No hour is lost or doubled; what cannot be told apart is a problem, never a guess."""
    utc = (start * 3600 + step * np.arange(count)).astype(np.int64)
    found, issues = read(wall_texts(zone, utc.tolist()), zone, ambiguous="infer")
    if found is None:
        assert all("only one row" in problem.reason for problem in issues.problems)
        texts = wall_texts(zone, [utc[0] - 86_400, *utc, utc[-1] + 86_400])
        maybe = utc_candidates(np.array([np.datetime64(t, "s").astype(int) for t in texts]), zone)
        assert maybe.ambiguous_R.any()
    else:
        assert found.tolist() == utc.tolist()


@tries(deadline=None)
@given(zone=st.sampled_from(ZONES), start=st.integers(0, 580_000), places=st.integers(2, 4))
def test_doubled_hours_are_distinguished_within_each_place(zone, start, places):
    utc = np.repeat(start * 3600 + 3600 * np.arange(60), places)
    found, _ = read(
        wall_texts(zone, utc.tolist()), zone, np.tile(range(places), 60), ambiguous="infer"
    )
    assert found is None or found.tolist() == utc.tolist()


@pytest.mark.parametrize("rows", ["by time", "by place"])
def test_an_autumn_night_is_distinguished_within_each_place(rows):
    """The test above seldom meets an autumn night, and lets a refusal pass."""
    hours, places = ROME_AUTUMN - 36_000 + 3600 * np.arange(60), np.arange(3)
    utc, of = np.repeat(hours, 3), np.tile(places, 60)
    order = np.arange(len(utc)) if rows == "by time" else np.argsort(of, kind="stable")
    texts = wall_texts("Europe/Rome", utc[order].tolist())
    found, issues = read(texts, "Europe/Rome", of[order], ambiguous="infer")
    assert issues.problems == []
    assert found.tolist() == utc[order].tolist()


def rome(*hours):
    return [f"2022-10-30 {hour}" for hour in hours]


def test_an_autumn_hour_by_every_rule():
    texts = rome("01:00", "02:00", "02:00", "03:00")
    first = ROME_AUTUMN + 3600
    expected = {
        "infer": [0, 1, 2, 3],
        "earlier": [0, 1, 1, 3],
        "later": [0, 2, 2, 3],
    }
    for rule, hours in expected.items():
        found, _ = read(texts, "Europe/Rome", ambiguous=rule)
        assert found.tolist() == [first + 3600 * hour for hour in hours], rule
    found, issues = read(texts, "Europe/Rome", ambiguous="mask")
    assert (found == NO_TIME).tolist() == [False, True, True, False]
    assert issues.findings[0].count == 2
    found, issues = read(texts, "Europe/Rome")
    assert found is None
    assert "rows 3, 4" in issues.problems[0].reason


def test_one_row_of_a_doubled_hour_is_not_guessed():
    found, issues = read(rome("01:00", "02:00", "03:00"), "Europe/Rome", ambiguous="infer")
    assert found is None
    assert "row 3" in issues.problems[0].reason


def test_a_doubled_hour_is_reported_with_both_offsets():
    found, issues = read(rome("01:00", "02:00", "03:00"), "Europe/Rome")
    assert found is None
    reason_text = issues.problems[0].reason
    assert "2022-10-30 02:00+02:00 and 2022-10-30 02:00+01:00" in reason_text


def test_a_doubled_hour_out_of_order_is_not_guessed():
    found, issues = read(rome("03:00", "02:00", "02:00", "01:00"), "Europe/Rome", ambiguous="infer")
    assert found is None
    assert "out of order" in issues.problems[0].reason


def test_a_skipped_hour_by_every_rule():
    texts = ["2022-03-27 01:00", "2022-03-27 02:00", "2022-03-27 03:00"]
    found, issues = read(texts, "Europe/Rome")
    assert found is None
    assert "row 3" in issues.problems[0].reason
    found, issues = read(texts, "Europe/Rome", nonexistent="mask")
    assert (found == NO_TIME).tolist() == [False, True, False]
    found, _ = read(texts, "Europe/Rome", nonexistent="shift")
    assert np.diff(found).tolist() == [3600, 0]


@pytest.mark.parametrize(
    ("texts", "settings"),
    [
        (["2022-07-01T00:00:00+02:00", "2022-07-01T01:00:00+02:00"], {}),
        (["2022-06-30T22:00:00Z", "2022-06-30T23:00:00Z"], {}),
        (["1656626400", "1656630000"], {"format": "epoch_s"}),
        (["1656626400000", "1656630000000"], {"format": "epoch_ms"}),
        (["2022-06-30 24:00", "2022-07-01 01:00"], {}),
        (["2022063024", "2022070101"], {"format": "%Y%m%d%H"}),
        (["1/7/2022 0:00", "1/7/2022 1:00"], {"format": "%d/%m/%Y %H:%M"}),
        (["2022-07-01 0:00-0:59", "2022-07-01 1:00-1:59"], {"format": "%Y-%m-%d %H:%M*"}),
        (["01-07-2022 12.00.00 AM", "01-07-2022 1.00.00 AM"], {"format": "%d-%m-%Y %I.%M.%S %p"}),
        (["2022-07-01 07:00", "2022-07-01 08:00"], {"city": "Asia/Seoul"}),
    ],
)
def test_ways_to_write_a_time(texts, settings):
    found, issues = read(texts, settings.pop("city", "Europe/Rome"), **settings)
    assert found is not None, issues.problems
    assert found.tolist() == [1_656_626_400, 1_656_630_000]


@pytest.mark.parametrize("text", ["", "soon", "2022-13-01 00:00", "31/12/20", "0022-01-01 00:00"])
def test_what_is_no_time_is_reported_with_its_row(text):
    found, issues = read(["2022-07-01 00:00", text], "UTC", format="%Y-%m-%d %H:%M")
    assert found is None
    assert "row 3" in issues.problems[0].reason


def test_an_operational_day_ends_next_morning():
    found, _ = read(["2019-12-31 23:00", "2019-12-31 00:00"], "UTC", day_starts="06:00")
    assert found.tolist() == [1_577_833_200, 1_577_836_800]


def test_elapsed_time_from_a_start_does_not_mind_daylight_saving():
    source = TimeSettings(start=datetime(2022, 10, 30), step=timedelta(hours=1))  # noqa: DTZ001
    frame = pl.DataFrame({"a": ["1"] * 5})
    settings = CsvSettings(name="s", path="x", time=source)
    rows = np.arange(5)
    sheet = Sheet(frame, rows, rows * 0, settings, source, "Europe/Rome", IssueLog("x"))
    found = utc_times(sheet)
    assert found is not None
    assert found.tolist() == [ROME_AUTUMN + 3600 * hour for hour in range(5)]
