"""Batches of rows: checked as a file's rows are, and kept wholly or not at all."""

import json
from contextlib import suppress

import numpy as np
import pytest
import towns
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepcity.city.errors import DataError, LiveError
from deepcity.data.city_file import check_city, load_panel
from deepcity.live.feeds.row_door import open_door

pytest_plugins = ["towns"]

NOW = 1_714_600_000  # 2024-05-01 21:46:40 UTC
PUSH = 'format = "push"\nplace = "station"'


@pytest.fixture
def door_of(town):
    opened = []

    def make(source=PUSH, **more):
        opened.append(open_door(town(source=source, **more), "records", lambda: NOW))
        return opened[-1]

    yield make
    for one in opened:
        one.spool.close()


def record(hour, station, flow, **more):
    return {"time": f"2024-05-01T{hour:02d}:00:00Z", "station": station, "flow": flow, **more}


def put(door, *records, **how):
    return door.put(json.dumps(records).encode(), csv=False, **how)


def flows(door, town):
    panel = load_panel(town(source=PUSH), "office")
    return panel.values_TNF[:, :, 0].tolist()


def refused(door, body, *, csv=True):
    """The problems of a batch, none of which was kept."""
    before = door.spool.path.read_bytes()
    with pytest.raises(DataError) as caught:
        door.put(body, csv=csv)
    assert door.spool.path.read_bytes() == before
    return caught.value.problems


def test_rows_in_json_and_csv_are_one_panel(door_of, town):
    door = door_of()
    assert put(door, record(1, "a", 1.5), record(1, "b", 2)).rows == 2
    csv = "time,station,flow,colour\n2024-05-01 02:00,a,3,red\n2024-05-01 02:30,z,9,red\n"
    found = door.put(csv.encode(), csv=True)
    assert (found.rows, found.other_places, found.other_columns) == (1, 1, ("colour",))
    assert flows(door, town)[:2] == [[1.5, 2], [3, pytest.approx(float("nan"), nan_ok=True)]]


def test_the_first_row_alone_is_a_panel(door_of, town):
    door = door_of()
    put(door, record(1, "b", 4))
    assert flows(door, town)[0][1] == 4


def test_what_comes_again_changes_nothing_and_a_correction_corrects(door_of, town):
    door = door_of()
    put(door, record(1, "a", 1), record(1, "b", 1))
    assert put(door, record(1, "a", 1), record(1, "b", 1)).repeated
    assert put(door, record(1, "a", 7), key="x").rows == 1
    assert put(door, record(1, "a", 7), key="x").repeated
    put(door, record(1, "a", 7), key="another key, the same time and place")
    assert flows(door, town) == [[7, 1]]


def test_a_wall_time_is_of_the_city_and_an_offset_counts(door_of):
    door = door_of(zone="Asia/Seoul")
    door.put(b"time,station,flow\n2024-05-01 09:00,a,1\n", csv=True)
    put(door, {"time": "2024-05-01T10:00:00+09:00", "station": "a", "flow": 2})
    lines = door.spool.path.read_text().splitlines()[1:]
    assert lines == ["2024-05-01T00:00:00+00:00,a,1", "2024-05-01T01:00:00+00:00,a,2"]


def test_seconds_since_1970_where_the_source_says_so(door_of, town):
    door = door_of(PUSH + '\ntime = { column = "at", format = "epoch_s" }')
    put(door, {"at": NOW - 100, "station": "a", "flow": 2})
    assert door.spool.path.read_text().splitlines()[1].startswith("2024-05-01T21:45:00+00:00")


def test_all_problems_come_at_once_with_the_numbers_of_rows(door_of):
    head = "time,station,flow\n"
    rows = "2024-05-01 01:00,a,x\n2024-05-01 02:00,b,2\n2024-05-01 03:00,b,y\n"
    door = door_of()
    text = " ".join(map(str, refused(door, (head + rows).encode())))
    assert "row 2" in text
    assert "row 4" in text
    text = " ".join(map(str, refused(door, b"time,flow\nx,1\n")))
    assert "station" in text


@pytest.mark.parametrize(
    ("body", "csv", "word"),
    [
        (b"time,station,flow\n2060-05-01 02:00,a,1\n", True, "max_ahead"),
        (b"time,station,flow\n1999-05-01 02:00,a,1\n", True, "max_age"),
        (b"time,station,flow\n2024-05-01 02:00,q,1\n", True, "known are"),
        (b"time,station,flo\n2024-05-01 02:00,a,1\n", True, "flow"),
        (b"time,station,flow\n", True, "none"),
        (b"", True, "empty"),
        (b"\xff\xfe\x00", True, ""),
        (b"{", False, "not JSON"),
        (b"[1, 2]", False, "list of objects"),
        (b"[" * 10_000, False, "nested"),
        (b'[{"time": NaN}]', False, "not JSON"),
        (b'[{"time": 1714521000, "station": "a", "flow": 1}]', False, "epoch_s"),
    ],
)
def test_what_cannot_be_a_row_is_refused_with_the_next_step(door_of, body, csv, word):
    problems = refused(door_of(), body, csv=csv)
    assert word.lower() in " ".join(map(str, problems)).lower()
    assert all(one.reason and one.right for one in problems)
    assert "/tmp" not in str(problems)


@pytest.mark.parametrize("name", ["x" * 201, "a\nb", "a\x00b"])
def test_a_name_that_no_place_has_is_refused_where_any_may_come(tmp_path, name):
    path = tmp_path / "town.toml"
    path.write_text(towns.toml(source=PUSH, places='"all"'), encoding="utf-8")
    city_file, _ = check_city(path, later=True)
    door = open_door(city_file, "records", lambda: NOW)
    body = json.dumps([record(1, name, 1)]).encode()
    assert "at most 200 signs" in str(refused(door, body, csv=False))
    door.spool.close()


@pytest.mark.parametrize(
    ("body", "csv", "value"),
    [
        (b'[{"time":"2024-05-01T01:00:00Z","station":"b","flow":1e999}]', False, "1E+999"),
        (b'[{"time":"2024-05-01T01:00:00Z","station":"b","flow":-1e39}]', False, "-1E+39"),
        (b"time,station,flow\n2024-05-01 01:00,b,inf\n", True, "inf"),
    ],
)
def test_a_number_that_no_panel_holds_is_refused_with_its_place(door_of, body, csv, value):
    (problem,) = refused(door_of(), body, csv=csv)
    assert (problem.key, problem.value) == ("flow", value)
    assert "infinite, or too large, at b (r" in problem.reason


def test_one_that_was_kept_before_that_is_missing(door_of, town):
    door = door_of()
    names = ("time", "station", "flow")
    kept = [
        *(("2024-05-01T01:00:00+00:00", place, "1e39") for place in "ab"),
        ("2024-05-01T02:00:00+00:00", "a", "2"),
        ("2024-05-01T02:00:00+00:00", "b", "3"),
    ]
    door.spool.append([dict(zip(names, one, strict=True)) for one in kept], "k", "c")
    first, second = flows(door, town)
    assert np.isnan(first).all()
    assert second == [2, 3]


def test_too_many_rows_are_refused(door_of, monkeypatch):
    monkeypatch.setattr("deepcity.live.feeds.row_door.MOST_ROWS", 2)
    body = json.dumps([record(1, "a", 1)] * 3).encode()
    assert "too many" in str(refused(door_of(), body, csv=False))


CELLS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(st.sampled_from(["time", "station", "flow", "x"]), CELLS)))
def test_whatever_is_sent_is_kept_so_that_it_can_be_read_or_refused(door_of, town, records):
    door = door_of()
    with suppress(DataError):
        door.put(json.dumps(records).encode(), csv=False)
        load_panel(town(source=PUSH), "office")
    door.spool.close()


def test_a_source_of_another_format_has_no_door(town):
    with pytest.raises(LiveError, match="rows do not come"):
        open_door(town("time,a,b\n2024-05-01,1,2\n"), "records")


@pytest.mark.parametrize(
    ("body", "csv", "named", "right"),
    [
        (b'{"a":', False, "JSON", "send the body whole"),
        (b"[]", False, "None", "send a list of objects alone"),
        (b'{"a":[{"x":1}],"b":[{"x":1}]}', False, "None", "send a list of objects alone"),
        (b'[{"time":"' + b"x" * 1_100_000 + b'"}]', False, "JSON", "at most 1,000,000 bytes"),
        (b"time,station,flow\n1,a," + b"9" * 1_100_000, True, "CSV", "at most 1,000,000 bytes"),
        (b"time,station,flow\n1,\xb0\xa1,1\n", True, "None", "send it as UTF-8"),
    ],
)
def test_a_sender_is_refused_in_words_for_senders(door_of, body, csv, named, right):
    (problem,) = refused(door_of(), body, csv=csv)
    assert (problem.key, str(problem.value)) == ("body", named)
    assert right in problem.right
    for word in ("rows.json", "rows.csv", "_mb", "encoding =", "records ="):
        assert word not in str(problem)


def test_settings_that_a_source_has_are_named_as_the_city_files(door_of):
    door = door_of()
    (problem,) = refused(door, b'time,station,flow\n2024-05-01 01:00,a,"1,5"\n')
    assert "decimal = ','" in problem.right
    assert problem.right.endswith("; settings are the source's, in the city file")
    (problem,) = refused(door, b"time,station,flow\nyesterday,a,1\n")
    assert problem.right.endswith("; settings are the source's, in the city file")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ('time,station,flow\n2024-05-01 02:00,a,"12,5x"\n', "write 12.5 for '12,5x'"),
        ('time,station,flow\n2024-05-01 02:00,a,"12,5"\n', "write 12.5 for '12,5'"),
        ("time,station,flow\n2024-05-01 02:00,a,12.5x\n", "write 12.5 for '12.5x'"),
        ("time,station,flw\n2024-05-01 02:00,a,1\n", "rename 'flw' to flow"),
        ("time,statoin,flow\n2024-05-01 02:00,a,1\n", "rename 'statoin' to it"),
        ("time,station,flow\n1/5/2024 2h,a,1\n", "send times as 2024-05-01T08:00:00+09:00"),
        ("time;station;flow\n2024-05-01 02:00;a;1,5\n", "part cells by commas"),
    ],
)
def test_a_slip_is_answered_with_what_would_be_right(door_of, rows, words):
    (problem,) = refused(door_of(), rows.encode())
    assert words in problem.right
    assert "unit_text" not in problem.right


def test_the_answer_to_a_slip_is_taken(door_of):
    door = door_of()
    for value in ("12.5", "1234", "0.5"):
        row = f"time,station,flow\n2024-05-01 02:00,a,{value}\n"
        assert door.put(row.encode(), csv=True).rows == 1


def test_a_unit_is_still_offered_and_two_readings_are_left_to_people(door_of):
    door = door_of()
    (unit,) = refused(door, b"time,station,flow\n2024-05-01 02:00,a,12.5 L/s\n")
    assert "unit_text = ['L/s']" in unit.right
    (both,) = refused(door, b'time,station,flow\n2024-05-01 02:00,a,"1,234"\n')
    assert "write" not in both.right
    many = "".join(f"2024-05-01 0{hour}:00,a,1{hour}x\n" for hour in range(1, 6))
    (usual,) = refused(door, f"time,station,flow\n{many}".encode())
    assert "unit_text = ['x']" in usual.right


def test_places_like_a_known_one_are_named(door_of):
    door = door_of(places='[{ id = "pump-north" }, { id = "b" }]')
    (problem,) = refused(door, b"time,station,flow\n2024-05-01 02:00,pump-nort,1\n")
    assert "did you mean 'pump-north'?" in problem.right
    found = door.put(
        b"time,station,flow\n2024-05-01 02:00,b,1\n2024-05-01 02:00,pump-nort,1\n", csv=True
    )
    assert (found.other_places, found.near_places) == (1, (("pump-nort", "pump-north"),))
