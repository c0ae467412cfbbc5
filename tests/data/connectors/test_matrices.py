"""Tables without names or times: matrices on their side, clocks that skip nights and weekends."""

import gzip
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepcity.city.errors import ConfigError, DataError
from deepcity.data import connectors
from deepcity.data.city_file import load_panel
from deepcity.data.config.time_settings import TimeSettings
from deepcity.data.connectors import read_batches, read_columns, read_table
from deepcity.data.connectors.csv import CsvSettings
from deepcity.data.findings import IssueLog
from deepcity.data.sheet import Sheet
from deepcity.data.text_files import csv_transposed
from deepcity.data.timestamps.parse import utc_times

pytest_plugins = ["towns"]

MATRIX = 'format = "csv"\npath = "records.csv"\nheader = false\ntranspose = true\n'
TIME = 'time = { start = 2024-05-01T00:00:00, step = "1h"%s }'
WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(
        st.lists(st.none() | st.integers(-99, 99), min_size=5, max_size=5), min_size=1, max_size=4
    )
)
def test_a_matrix_on_its_side(rows, town):
    """A time of which nothing is known still counts: the rows after it keep their times."""
    text = "\n".join(",".join("" if x is None else str(x) for x in row) for row in rows) + "\n"
    source = MATRIX + 'names = "station-{n}"\n' + TIME % ""
    city = town(text, source=source, places='"all"')
    names = [place.id for place in city.city.agencies[0].places]
    assert names == [f"station-{n + 1}" for n in range(len(rows))]
    values = load_panel(city, "office").values_TNF[:, :, 0]
    np.testing.assert_array_equal(values, np.array(rows, dtype=np.float64).T.astype(np.float32))


def test_a_matrix_with_names_and_times_on_its_side(town):
    text = "station,2024-05-01 00:00,2024-05-01 01:00\na,1,2\nb,3,\n"
    source = MATRIX.replace("false", "true") + 'time = { column = "station" }'
    panel = load_panel(town(text, source=source, places='"all"'), "office")
    assert [p.id for p in panel.places] == ["a", "b"]
    np.testing.assert_array_equal(panel.values_TNF[:, :, 0], [[1, 3], [2, np.nan]])


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(
        st.lists(st.none() | st.integers(-99, 99), min_size=7, max_size=7), min_size=1, max_size=9
    ),
    cells=st.integers(1, 30),
    strip=st.integers(1, 60),
    header=st.booleans(),
    asked=st.randoms(use_true_random=False),
)
def test_a_matrix_on_its_side_comes_in_batches(rows, cells, strip, header, asked, tmp_path_factory):
    """However few cells are read at once: what one asks for, in the order of the file."""
    folder = tmp_path_factory.mktemp("side")
    texts = [["" if x is None else str(x) for x in row] for row in rows]
    lines = [",".join([f"p{n}", *row] if header else row) for n, row in enumerate(texts)]
    head = ["spot," + ",".join(f"t{n}" for n in range(7))] if header else []
    (folder / "m.csv").write_text("\n".join([*head, *lines]) + "\n", encoding="utf-8")
    source = CsvSettings(
        name="m", path="m.csv", header=header, transpose=True,
        **({} if header else {"names": "p{n}"}),
    )  # fmt: skip
    named = {f"p{n + (not header)}": row for n, row in enumerate(texts)}
    named |= {"spot": [f"t{n}" for n in range(7)]} if header else {}
    columns = asked.sample(sorted(named), asked.randint(1, len(named)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connectors, "BATCH_CELLS", cells)
        patch.setattr(csv_transposed, "MAX_CELLS_IN_MEMORY", strip)
        assert set(read_columns(source, folder)) == set(named)
        tables = list(read_batches(source, folder, columns))
    assert max(table.frame.height for table in tables) <= max(1, cells // len(columns))
    first = 2 if header else 1
    starts = first + np.cumsum([0, *(table.frame.height for table in tables)])
    assert [table.first_row for table in tables] == starts[:-1].tolist()
    got = pl.concat([table.frame for table in tables])
    assert got.columns == columns
    wanted = {name: [x or None for x in named[name]] for name in columns}
    assert got.to_dict(as_series=False) == wanted


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("s\tt0\tt1\na\t1\t2\n\nb\t\t\n", {"a": ["1", "2"], "b": [None, None]}),
        ("s\tt0\tt1\r\na\t1\r\n", {"a": ["1", None]}),  # a short row
        ("\tt0\tt1\na\t1\t2\n", {"": ["t0", "t1"], "a": ["1", "2"]}),  # no word in the corner
        ('s\t"t\n0"\tt1\n"a\tb"\t1\t2\n', {"s": ["t\n0", "t1"], "a\tb": ["1", "2"]}),
        ("\ufeffs\tt0\na\t1\n", {"s": ["t0"], "a": ["1"]}),
    ],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_rows_as_people_write_them_become_columns(text, found, zipped, tmp_path):
    data = text.encode()
    (tmp_path / "m.csv").write_bytes(gzip.compress(data) if zipped else data)
    source = CsvSettings(name="m", path="m.csv", transpose=True, delimiter="\t")
    assert set(found) <= set(read_columns(source, tmp_path))
    (table,) = read_batches(source, tmp_path, list(found))
    assert table.frame.to_dict(as_series=False) == found


def test_rows_without_names_keep_their_numbers_though_nothing_was_measured(tmp_path):
    source = CsvSettings(
        name="m", path="m.csv", transpose=True, delimiter="\t", header=False, names="{n}"
    )
    (tmp_path / "m.csv").write_text("1\t2\n\t\n5\t6\n", encoding="utf-8")
    whole = read_table(source, tmp_path).frame.to_dict(as_series=False)
    assert whole == {"1": ["1", "2"], "2": [None, None], "3": ["5", "6"]}
    (tmp_path / "m.csv").write_text("1\n\n3\n", encoding="utf-8")
    assert read_table(source, tmp_path).frame.row(0) == ("1", None, "3")


@pytest.mark.parametrize(
    ("text", "reason", "right"),
    [
        ("station,t0,t1\na,1,2\na,3,4\n", "lines 2 and 3 both begin with 'a'", "Rename one"),
        ("station,t0,t1\n\n,1,2\n", "line 3 begins with an empty cell", "Name what the row"),
        ("station,t0,t1\na,1,2,3\n", "line 2 has 4 cells, the first row 3", "the delimiter"),
        (
            'station,t0,t1\n"a,1,2\n',
            "line 2 opens a double quote that is never closed",
            "Remove the quote",
        ),
        ("station,2024-05-01 00:00,2024-05-01 01:00\na,1,x\n", "a number (column 3)", "Correct"),
        ("", "no row in it", "the right file"),
        ("\n\n", "no row in it", "the right file"),
    ],
)
def test_what_cannot_be_turned_is_reported_with_its_line(text, reason, right, tmp_path, town):
    source = MATRIX.replace("false", "true") + 'time = { column = "station" }'
    with pytest.raises(DataError) as caught:
        load_panel(town(text, source=source, places='["a"]'), "office")
    assert reason in str(caught.value)
    assert right in str(caught.value)


def test_names_in_place_of_a_header(town):
    source = 'format = "csv"\npath = "records.csv"\nheader = false\nnames = ["time", "a", "b"]\n'
    text = "2024-05-01 00:00,1,2\n2024-05-01 01:00,3,4\n"
    panel = load_panel(town(text, source=source + 'time = { column = "time" }'), "office")
    assert panel.values_TNF[:, :, 0].tolist() == [[1, 2], [3, 4]]
    wrong = source.replace('"b"', '"b", "c"')
    with pytest.raises(DataError, match=r"4 names for 3 columns\. Give a name for each column"):
        load_panel(town(text, source=wrong + 'time = { column = "time" }'), "office")


@settings(max_examples=60, deadline=None)
@given(
    day=st.dates(datetime(2023, 1, 1).date(), datetime(2024, 12, 31).date()),  # noqa: DTZ001
    skipped=st.sets(st.sampled_from(range(7)), max_size=6),
    opens=st.integers(0, 20),
    hours=st.integers(1, 4),
    first=st.integers(0, 7),
    rows=st.integers(2, 40),
)
def test_rows_follow_each_other_through_open_hours_only(day, skipped, opens, hours, first, rows):
    """Said slowly: walk half hour by half hour, and take those that are open."""
    while day.weekday() in skipped:
        day += timedelta(days=1)
    moment = datetime(day.year, day.month, day.day, opens, tzinfo=UTC)
    moment += timedelta(minutes=30) * (first % (2 * hours))
    start, walked = moment, []
    while len(walked) < rows:
        if opens <= moment.hour < opens + hours and moment.weekday() not in skipped:
            walked.append(int(moment.timestamp()))
        moment += timedelta(minutes=30)
    time = TimeSettings(
        start=start.replace(tzinfo=None),
        step="30min",
        hours=(f"{opens:02d}:00", f"{(opens + hours) % 24:02d}:00"),
        weekdays=tuple(WEEKDAYS[n] for n in range(7) if n not in skipped),
    )
    frame = pl.DataFrame({"a": list(range(rows))})
    source = CsvSettings(name="x", path="x.csv", time=time)
    numbers = np.arange(rows, dtype=np.int64)
    issues = IssueLog("x.csv")
    found = utc_times(Sheet(frame, numbers, numbers * 0, source, time, "UTC", issues))
    assert issues.problems == []
    assert found.tolist() == walked


def test_open_hours_over_a_change_of_the_clock(town):
    """08:00 is 08:00 before and after; the steps between are missing, not shifted."""
    rows = "\n".join(str(n) for n in range(6)) + "\n"
    source = (
        'format = "csv"\npath = "records.csv"\nheader = false\nnames = ["a"]\ntime = { '
        'start = 2024-03-29T08:00:00, step = "1h", hours = ["08:00", "10:00"], '
        'weekdays = ["fri", "mon", "tue"] }'
    )
    panel = load_panel(town(rows, source=source, places='"all"', zone="Europe/Berlin"), "office")
    local = panel.clock.local_seconds(panel.time_T[panel.mask_TNF[:, 0, 0]])
    assert (local % 86_400 // 3600).tolist() == [8, 9] * 3
    assert np.diff(local // 86_400).tolist() == [0, 3, 0, 1, 0]
    assert panel.values_TNF[panel.mask_TNF].tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (MATRIX + 'names = "station"\n' + TIME % "", "pattern has no {n}"),
        (MATRIX + 'names = ["a", "a"]\n' + TIME % "", "a name occurs twice"),
        (
            'format = "csv"\npath = "records.csv"\nnames = ["a"]\n' + TIME % "",
            "only used without a header",
        ),
        (MATRIX + TIME % ', hours = ["08:00", "10:30"]', "the step does not divide"),
        (MATRIX + TIME % ', hours = ["08:00", "10:00"]', "outside hours"),
        (MATRIX + TIME % ', weekdays = ["mon"]', "not on one of the weekdays"),
        (MATRIX + TIME % ', weekdays = ["mnd"]', "not one of the known values"),
        (
            MATRIX + 'time = { column = "column_1", hours = ["08:00", "10:00"] }',
            "only used with start and step",
        ),
        (MATRIX + TIME % ', stamp = "wall_end"', "needs a stated step"),
    ],
)
def test_what_is_wrong_is_reported(source, message, town):
    with pytest.raises(ConfigError, match=message) as caught:
        town("1,2\n3,4\n", source=source, places='"all"')
    assert all(problem.right for problem in caught.value.problems)


def test_hours_numbered_by_their_end(town):
    """As load records number them: spring lacks 03:00, autumn has 02:00 twice."""
    zone = "America/New_York"
    starts = pl.datetime_range(
        datetime(2016, 11, 5, tzinfo=UTC), datetime(2016, 11, 8, tzinfo=UTC), "1h", eager=True
    )
    wall = starts.dt.convert_time_zone(zone).dt.replace_time_zone(None) + timedelta(hours=1)
    lines = [f"{time},{n},1" for n, time in enumerate(wall.dt.strftime("%Y-%m-%d %H:%M").to_list())]
    assert sum(line.startswith("2016-11-06 02:00") for line in lines) == 2
    source = (
        'format = "csv"\npath = "records.csv"\ntime = { column = "time", stamp = "wall_end", '
        'step = "1h", ambiguous = "infer" }'
    )
    city = town("\n".join(["time,a,b", *lines]) + "\n", source=source, zone=zone)
    panel = load_panel(city, "office")
    assert panel.time_T[0] == int(starts[0].timestamp())
    assert panel.values_TNF[:, 0, 0].tolist() == list(range(len(starts)))
