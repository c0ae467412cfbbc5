"""Wide tables a batch at a time, by memory and by disk: the same panel as of one piece."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepcity.city.errors import DataError
from deepcity.data import connectors
from deepcity.data.city_file import load_panel, load_with_findings
from deepcity.data.tables import records, spool

pytest_plugins = ["towns"]

START = datetime(2024, 3, 29, tzinfo=UTC)
SOURCE = 'format = "csv"\npath = "records.csv"\n'
TIME = 'time = { column = "time", step = "20min", zone = "UTC"%s }'
TWO = (
    '[{ name = "flow", kind = "flow", unit = "L/s", source = "records", column = "{place} flow" }, '
    '{ name = "people", kind = "count", unit = "people", source = "records", '
    'column = "{place} people" }]'
)
ROWS = st.lists(
    st.tuples(st.integers(0, 5 * 72 - 1), *[st.none() | st.integers(0, 99)] * 2),
    min_size=2,
    max_size=60,
    unique_by=lambda row: row[0],
)


@pytest.fixture
def small(monkeypatch):
    def set_sizes(batch, held):
        monkeypatch.setattr(connectors, "BATCH_ROWS", batch)
        monkeypatch.setattr(spool, "MAX_ROWS_IN_MEMORY", held)
        monkeypatch.setattr(
            records, "MAX_STEPS_PER_ROW", 1000
        )  # a few rows over days are meant here

    return set_sizes


@pytest.fixture
def sizes(monkeypatch):
    """Rows of each batch that was read."""
    found = []
    whole = connectors.batches_of

    def counted(rows, first_row):
        for table in whole(rows, first_row):
            found.append(table.frame.height)
            yield table

    for format_ in ("csv", "parquet"):
        monkeypatch.setattr(f"deepcity.data.connectors.{format_}.batches_of", counted)
    return found


def text_of(rows, head="time,a flow,b flow,a people,b people"):
    def cells(step, a, b):
        time = (START + timedelta(minutes=20 * step)).isoformat(" ")[:19]
        values = ["" if x is None else str(x) for x in (a, b)]
        return ",".join([time, *[f"{x}.25" if x else x for x in values], *values])

    return "\n".join([head, *[cells(*row) for row in rows]]) + "\n"


def slowly(rows):
    """The same by hand: flow is the mean of half an hour or more, people the sum of a whole one."""
    hours = {}
    for step, *values in rows:
        hours.setdefault(step // 3, []).append(values)
    first, last = min(hours), max(hours)
    out_TNF = np.full((last - first + 1, 2, 2), np.nan)
    for hour, group in hours.items():
        for n in range(2):
            known = [values[n] for values in group if values[n] is not None]
            if len(known) >= 2:
                out_TNF[hour - first, n, 0] = np.mean([x + 0.25 for x in known])
            if len(known) == 3:
                out_TNF[hour - first, n, 1] = sum(known)
    return out_TNF.astype(np.float32)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=ROWS, batch=st.integers(1, 70), held=st.integers(1, 70), shuffled=st.booleans())
def test_any_size_of_batch_and_memory_gives_the_same(rows, batch, held, shuffled, town, small):
    rows = rows if shuffled else sorted(rows)
    city = town(text_of(rows), source=SOURCE + TIME % "", fields=TWO)
    small(10_000, 10_000)
    whole = load_with_findings(city, "office")
    small(batch, held)
    parts = load_with_findings(city, "office")
    np.testing.assert_array_equal(parts.panel.time_T, whole.panel.time_T)
    np.testing.assert_array_equal(parts.panel.values_TNF, whole.panel.values_TNF)
    np.testing.assert_allclose(whole.panel.values_TNF, slowly(sorted(rows)), rtol=1e-6)
    reported = [{(f.what, f.where) for f in loaded.findings} for loaded in (whole, parts)]
    assert reported[0] == reported[1]


@pytest.mark.parametrize("format_", ["csv", "parquet"])
def test_a_table_of_many_columns_comes_in_fewer_rows(format_, town, sizes, monkeypatch):
    monkeypatch.setattr(connectors, "BATCH_CELLS", 30)
    rows = [(step, step % 7, step % 5) for step in range(60)]
    source = SOURCE.replace("csv", format_) + TIME % ""
    lines = text_of(rows)
    town(lines, source=SOURCE + TIME % "", fields=TWO)  # writes the records
    frame = pl.read_csv(lines.encode())
    city = town(lines, source=SOURCE + TIME % "", fields=TWO)
    if format_ == "parquet":
        frame.write_parquet(city.path.parent / "records.parquet")
        city = town(lines, source=source, fields=TWO)
    sizes.clear()
    panel = load_panel(city, "office")
    assert sizes == [6] * 10  # 30 cells over a time and four columns
    np.testing.assert_array_equal(panel.values_TNF, slowly(rows))


def test_a_matrix_of_which_rows_are_counted(town, small, sizes):
    """Rows without header or time go on counting from batch to batch, past empty ones."""
    small(4, 3)
    source = (
        'format = "csv"\npath = "records.csv"\nheader = false\nnames = ["a", "b"]\n'
        'time = { start = 2024-05-01T08:00:00, step = "1h", hours = ["08:00", "11:00"] }'
    )
    text = "\n".join("," if n % 5 == 2 else f"{n},{n}" for n in range(30)) + "\n"
    panel = load_panel(town(text, source=source), "office")
    assert len(sizes) > 1
    hour = (panel.time_T - panel.time_T[0]) // 3600
    for n in range(30):
        value = panel.values_TNF[hour == n // 3 * 24 + n % 3, 0, 0]
        assert value.item() == n or (n % 5 == 2 and np.isnan(value).all())


@pytest.mark.parametrize("batch", [3, 1000])
def test_problems_of_all_batches_are_reported_at_once(batch, town, small):
    small(batch, 10)
    text = text_of([(step, step, step) for step in range(40)])
    text = text.replace(",4.25,4.25,", ",four,4.25,").replace(",9.25,9.25,", ",nine,9.25,")
    text = text.replace(",30.25,30.25,30,30", ",30.25,30.25,30,-30")
    text += text.splitlines()[-1] + "\n"
    with pytest.raises(DataError) as caught:
        load_panel(town(text, source=SOURCE + TIME % "", fields=TWO), "office")
    reported = [(problem.key, problem.value) for problem in caught.value.problems]
    assert reported[:2] == [("a flow", "four"), ("b people", -30.0)]
    assert [key for key, _ in reported] == ["a flow", "b people", "time"]
    assert "more than one row for one time" in caught.value.problems[2].reason


def test_a_date_that_the_first_batch_leaves_open(town, small):
    """Until the 13th, 03/04 may be either; the rows further down tell."""
    small(24, 1000)
    hours = [START + timedelta(hours=n) for n in range(6 * 24)]
    start = datetime(2024, 4, 10, tzinfo=UTC)
    hours = [start + (hour - START) for hour in hours]
    lines = [f"{hour:%m/%d/%Y %H:%M},{n},{n}" for n, hour in enumerate(hours)]
    source = SOURCE + 'time = { column = "time" }'
    panel = load_panel(town("\n".join(["time,a,b", *lines]) + "\n", source=source), "office")
    assert panel.time_T[0] == int(start.timestamp())
    np.testing.assert_array_equal(panel.values_TNF[:, 0, 0], np.arange(6 * 24))


def test_what_no_row_of_one_batch_is(town, small):
    """A sort of rows that is rare is no fault; one that no batch has is told."""
    small(5, 10)
    lines = [f"2024-05-{1 + n // 24:02d} {n % 24:02d}:00,{n},{n},{n == 29}" for n in range(72)]
    text = "\n".join(["time,a,b,checked", *lines]) + "\n"
    fields = (
        '[{ name = "flow", kind = "flow", unit = "L/s", source = "records", '
        'where = { checked = ["%s"] } }]'
    )
    source = SOURCE + 'time = { column = "time" }'
    for wanted, warned in (("true", True), ("True", False)):
        found = load_with_findings(town(text, source=source, fields=fields % wanted), "office")
        assert ("where" in {finding.what for finding in found.findings}) is warned
