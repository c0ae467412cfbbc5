"""Long tables a batch at a time, by memory and by disk: the same panel as of one piece."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from deepcity.city.errors import DataError
from deepcity.data import connectors
from deepcity.data.city_file import load_panel, load_with_findings
from deepcity.data.tables import records, spool

pytest_plugins = ["towns"]

START = datetime(2024, 3, 29, tzinfo=UTC)  # two nights before Berlin's clocks go forward
SOURCE = 'format = "csv"\npath = "records.csv"\nlayout = "long"\nplace = "station"\n'
TIME = 'time = { column = "time", step = "20min", zone = "UTC"%s }'
COUNTS = '[{ name = "people", kind = "count", unit = "people", source = "records" }]'
ROWS = st.lists(
    st.tuples(st.integers(0, 5 * 72 - 1), st.sampled_from("ab"), st.integers(0, 99)),
    min_size=4,
    max_size=80,
    unique_by=lambda row: row[:2],
)


def table(rows, head="time,station,people,flow"):
    times = [(START + timedelta(minutes=20 * step)).isoformat(" ")[:19] for step, *_ in rows]
    lines = [
        f"{time},{place},{value},{value / 4}"
        for time, (_, place, value) in zip(times, rows, strict=True)
    ]
    return "\n".join([head, *lines]) + "\n"


@pytest.fixture
def small(monkeypatch):
    def set_sizes(batch, held):
        monkeypatch.setattr(connectors, "BATCH_ROWS", batch)
        monkeypatch.setattr(spool, "MAX_ROWS_IN_MEMORY", held)
        monkeypatch.setattr(
            records, "MAX_STEPS_PER_ROW", 1000
        )  # a few rows over days are meant here

    return set_sizes


def slowly(rows, stat):
    """The same by hand: the clock's hour of each (place, hour) by its three rows."""
    hours: dict[tuple[int, str], list[int]] = {}
    for step, place, value in rows:
        hours.setdefault((step // 3, place), []).append(value)
    first, last = min(h for h, _ in hours), max(h for h, _ in hours)
    out = np.full((last - first + 1, 2), np.nan)
    for (hour, place), values in hours.items():
        need = 3 if stat == "sum" else 1.5
        if len(values) >= need:
            out[hour - first, "ab".index(place)] = (
                sum(values) if stat == "sum" else np.mean(values) / 4
            )
    return out


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=ROWS, batch=st.integers(1, 90), held=st.integers(1, 90), shuffled=st.booleans())
@example(  # blocks with a single row
    rows=[(77, "b", 43), (264, "a", 3), (277, "a", 78), (355, "b", 75), (250, "a", 22)],
    batch=1,
    held=2,
    shuffled=False,
)
def test_any_size_of_batch_and_memory_gives_the_same(rows, batch, held, shuffled, town, small):
    if len({step for step, *_ in rows}) < 2 or {place for _, place, _ in rows} != {"a", "b"}:
        return
    rows = rows if shuffled else sorted(rows)
    small(batch, held)
    city = town(table(rows), source=SOURCE + TIME % "", fields=COUNTS)
    np.testing.assert_array_equal(
        load_panel(city, "office").values_TNF[:, :, 0], slowly(rows, "sum").astype(np.float32)
    )
    city = town(table(rows), source=SOURCE + TIME % "")
    np.testing.assert_allclose(
        load_panel(city, "office").values_TNF[:, :, 0], slowly(rows, "mean"), rtol=1e-6
    )


@pytest.mark.parametrize("held", [7, 10_000])
def test_autumn_s_doubled_hour_over_batches(held, town, small):
    """Wall times of ten days around the change; rows of one hour fall into several batches."""
    small(5, held)
    zone = "Europe/Berlin"
    days = datetime(2024, 10, 22, tzinfo=UTC), datetime(2024, 11, 1, tzinfo=UTC)
    utc = pl.datetime_range(*days, "30m", eager=True)
    wall = utc.dt.convert_time_zone(zone).dt.strftime("%Y-%m-%d %H:%M").to_list()
    rows = [f"{time},{place},{n}" for n, time in enumerate(wall) for place in "ab"]
    source = SOURCE + 'time = { column = "time", ambiguous = "infer" }'
    text = "\n".join(["time,station,flow", *rows]) + "\n"
    panel = load_panel(town(text, source=source, zone=zone, step="30min"), "office")
    assert panel.time_T[0] == int(utc[0].timestamp())
    np.testing.assert_array_equal(panel.values_TNF[:, 1, 0], np.arange(len(utc)))


def test_what_batches_find_is_reported_once(town, small):
    small(4, 10)
    rows = [(step, place, step % 9) for step in range(40) for place in "abz"]
    text = table(rows).replace(",a,7,1.75", ",a,7,99").replace(",b,3,0.75", ",b,3,-")
    fields = '[{ name = "flow", kind = "flow", unit = "L/s", source = "records", valid = [0, 50] }]'
    found = load_with_findings(town(text, source=SOURCE + TIME % "", fields=fields), "office")
    reported = {finding.what: finding for finding in found.findings}
    assert reported["other-places"].count == 40
    assert reported["outside-valid"].count == 4
    assert reported["other-places"].text.endswith("and more later in the file")
    whats = [finding.what for finding in found.findings if finding.what != "short"]
    assert len(whats) == len(set(whats))


@pytest.mark.parametrize("held", [7, 10_000])
def test_rows_stamped_with_their_end_and_two_for_one_time(held, town, small):
    small(5, held)
    rows = [(step, place, step) for step in range(1, 4 * 72) for place in "ab"]
    source = SOURCE + TIME % ', stamp = "end", duplicates = "last"'
    text = table([*rows, *[(step, place, step + 1) for step, place, _ in rows]])
    loaded = load_with_findings(town(text, source=source, fields=COUNTS), "office")
    values = loaded.panel.values_TNF[:, 0, 0]
    np.testing.assert_array_equal(values[:-1], [3 * 3 * h + 9 for h in range(len(values) - 1)])
    assert np.isnan(values[-1])  # two of three rows


@pytest.mark.parametrize("held", [3, 1000])
def test_rows_of_which_no_time_can_be_believed(held, town, small):
    small(5, held)
    skipped = [f"2024-03-31 02:{minute:02d},{place},1" for minute in range(20) for place in "ab"]
    source = SOURCE + 'time = { column = "time", nonexistent = "mask" }'
    text = "\n".join(["time,station,flow", *skipped]) + "\n"
    with pytest.raises(DataError, match="rows = 0: fewer than two times"):
        load_panel(town(text, source=source, zone="Europe/Berlin"), "office")


@pytest.mark.parametrize("batch", [3, 1000])
def test_problems_stop_the_reading_and_name_their_rows(batch, town, small):
    small(batch, 10)
    text = table([(step, place, step) for step in range(40) for place in "ab"])
    text = text.replace(",b,30,7.5", ",b,30,seven")
    with pytest.raises(DataError, match=r"'seven': not a number \(row 63\)"):
        load_panel(town(text, source=SOURCE + TIME % ""), "office")


def test_coarser_rows_stay_on_their_own_step(town, small):
    small(5, 7)
    rows = [(step * 9, place, step) for step in range(40) for place in "ab"]
    fields = '[{ name = "flow", kind = "flow", unit = "L/s", source = "records", spread = true }]'
    source = SOURCE + TIME.replace("20min", "3h") % ""
    panel = load_panel(town(table(rows), source=source, fields=fields), "office")
    np.testing.assert_array_equal(panel.values_TNF[:, 0, 0], np.repeat(np.arange(40) / 4, 3))


def test_nothing_is_left_behind(town, small, tmp_path, monkeypatch):
    small(5, 7)
    (tmp_path / "spool").mkdir()
    monkeypatch.setattr(spool.tempfile, "tempdir", str(tmp_path / "spool"))
    rows = [(step, place, step) for step in range(40) for place in "ab"]
    load_panel(town(table(rows), source=SOURCE + TIME % ""), "office")
    assert not list((tmp_path / "spool").iterdir())
