"""An agency's panel as its records grow, whatever form they have."""

import numpy as np
import pytest
from sqlalchemy import create_engine, text

from deepcity.city.errors import DataError
from deepcity.data.follow.follow_source import SourceFollower

pytest_plugins = ["towns"]

ROWS = "time,a,b\n2024-05-01T00:00,1,2\n2024-05-01T01:00,3,4\n"


def flows(panel):
    return panel.values_TNF[:, :, 0].tolist()


@pytest.fixture
def followed(town, tmp_path):
    opened = []

    def follow(records=ROWS, **settings):
        opened.append(SourceFollower(town(records, **settings), "office", tmp_path / "spool", None))
        return opened[-1], tmp_path / "records.csv"

    yield follow
    for one in opened:
        one.close()


def test_a_csv_file_that_grows(followed):
    office, path = followed()
    assert flows(office.poll()) == [[1, 2], [3, 4]]
    assert office.poll() is None
    with path.open("a") as file:
        file.write("2024-05-01T02:00,5,6\n2024-05-01T03:00,7,")
    assert flows(office.poll()) == [[1, 2], [3, 4], [5, 6]]
    with path.open("a") as file:
        file.write("8\n")
    assert flows(office.poll())[-1] == [7, 8]


def test_a_row_that_cannot_be_read_is_reported_and_mending_it_goes_on(followed):
    office, path = followed()
    office.poll()
    with path.open("a") as file:
        file.write("2024-05-01T02:00,broken,6\n")
    with pytest.raises(DataError, match="broken") as told:
        office.poll()
    assert [one.file for one in told.value.problems] == ["records.csv"]  # not the copy of it
    assert office.poll() is None
    fresh = path.with_suffix(".new")
    fresh.write_text(ROWS + "2024-05-01T02:00,5,6\n", encoding="utf-8")
    fresh.replace(path)
    assert flows(office.poll()) == [[1, 2], [3, 4], [5, 6]]


def test_a_row_that_is_sent_again_corrects_the_first_where_the_source_says_so(followed):
    source = 'format = "csv"\npath = "records.csv"\n'
    time = 'time = { column = "time", duplicates = "last" }'
    office, path = followed(source=source + time)
    office.poll()
    with path.open("a") as file:
        file.write("2024-05-01T00:00,9,2\n2024-05-01T02:00,5,6\n")
    assert flows(office.poll()) == [[9, 2], [3, 4], [5, 6]]


def test_rows_nobody_looks_back_on_are_forgotten(followed):
    rows = [f"2024-05-{day:02d}T{hour:02d}:00,{day},{hour}" for day in (1, 2) for hour in range(24)]
    office, path = followed("\n".join(["time,a,b", *rows, ""]))
    office.steps_back = 3
    assert len(office.poll().time_T) == 48
    with path.open("a") as file:
        file.write("2024-05-03T00:00,3,0\n")
    panel = office.poll()
    assert 6 <= len(panel.time_T) <= 8
    assert flows(panel)[-1] == [3, 0]


def test_a_database_is_asked_again(followed, tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path / 'records.db'}")
    with engine.begin() as connection:
        connection.execute(text("create table flows (at text, a real, b real)"))
        rows = "insert into flows values ('2024-05-01T00:00', 1, 2), ('2024-05-01T01:00', 3, 4)"
        connection.execute(text(rows))
    source = 'format = "sql"\nurl = "sqlite:///records.db"\nquery = "select * from flows"\n'
    office, _ = followed(source=source + 'time = { column = "at" }')
    assert flows(office.poll()) == [[1, 2], [3, 4]]
    with engine.begin() as connection:
        connection.execute(text("insert into flows values ('2024-05-01T02:00', 5, 6)"))
    engine.dispose()
    assert flows(office.poll()) == [[1, 2], [3, 4], [5, 6]]


def test_a_file_of_another_form_is_read_again_when_it_changed(followed, tmp_path):
    import polars as pl

    times = ["2024-05-01T00:00", "2024-05-01T01:00", "2024-05-01T02:00"]
    frame = pl.DataFrame({"time": times, "a": [1.0, 3, 5], "b": [2.0, 4, 6]})
    frame.head(2).write_parquet(tmp_path / "records.parquet")
    source = 'format = "parquet"\npath = "records.parquet"\ntime = { column = "time" }'
    office, _ = followed(source=source)
    assert flows(office.poll()) == [[1, 2], [3, 4]]
    assert office.poll() is None
    frame.write_parquet(tmp_path / "records.parquet")
    np.testing.assert_array_equal(flows(office.poll()), [[1, 2], [3, 4], [5, 6]])


def test_a_stray_quote_is_told_at_once_and_the_rows_after_it_are_read_when_it_is_mended(followed):
    office, path = followed()
    office.poll()
    rows = [f"2024-05-{d:02d}T{h:02d}:00,5,6\n" for d in range(2, 9) for h in range(24)]
    with path.open("a") as file:
        file.writelines(['2024-05-01T02:00,"5,6\n', *rows])
    with pytest.raises(DataError, match=r"row 4 = .*never closed") as caught:
        office.poll()
    assert len(caught.value.problems) == 1
    assert office.poll() is None  # told once
    mended = path.with_suffix(".new")
    mended.write_text(path.read_text().replace('"5', "5"))
    mended.replace(path)
    panel = office.poll()
    assert panel.mask_TNF[:, 0, 0].sum() == 3 + len(rows)


STRAYS = {
    "opens a value": lambda row: row.replace(",", ',"', 1),
    "opens a row": lambda row: '"' + row,
    "inside a value": lambda row: row.replace(",", ',"5" or "', 1),
    "after the last value": lambda row: row + ',"',
    "before a quoted value": lambda row: row.replace(",", ',""', 1),
}


@pytest.mark.parametrize("stray", STRAYS)
@pytest.mark.parametrize("quoted", [False, True])
@pytest.mark.parametrize("before", [0, 30])
@pytest.mark.parametrize("column", ["time", "day"])
def test_wherever_a_stray_quote_stands_it_is_told_within_one_look(
    followed, stray, quoted, before, column
):
    """Also where it is in the first row, or times have no cell that tells a row by its form."""
    time = f'time = {{ column = "{column}" }}'
    if column == "day":
        time = 'time = { columns = ["day", "hour"], format = "%d.%m.%y %H" }'
    sign = '"' if quoted else ""
    hours = [(day, hour) for day in range(1, 10) for hour in range(24)]
    times = [f"2024-05-0{d}T{h:02d}:00" if column == "time" else f"{d}.5.24,{h}" for d, h in hours]
    rows = [f"{at},{sign}5.5{sign},{sign}6{sign}" for at in times]
    head = "time,a,b" if column == "time" else "day,hour,a,b"
    broken = [*rows[:before], STRAYS[stray](rows[before]), *rows[before + 1 :]]
    office, path = followed(
        "\n".join([head, *broken, ""]),
        source=f'format = "csv"\npath = "records.csv"\n{time}\n',
    )
    with pytest.raises(DataError, match=r"records\.csv"):
        office.poll()
    mended = path.with_suffix(".new")
    mended.write_text("\n".join([head, *rows, ""]))
    mended.replace(path)
    assert office.poll().mask_TNF[:, 0, 0].sum() == len(rows)


def test_a_text_of_several_lines_is_no_stray_quote(followed):
    office, path = followed("time,a,b,note\n" + ROWS.split("\n", 1)[1].replace("\n", ",x\n"))
    office.poll()
    with path.open("a") as file:
        file.write('2024-05-01T02:00,5,6,"pipe, valve,\nand, see there, 3,\n')
    assert office.poll() is None  # it may go on
    with path.open("a") as file:
        file.write('a pump, 2024"\n2024-05-01T03:00,7,8,x\n')
    assert flows(office.poll()) == [[1, 2], [3, 4], [5, 6], [7, 8]]


def test_files_of_a_pattern_are_read_again_when_one_is_added(followed, tmp_path):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "1.csv").write_text(ROWS)
    office, _ = followed(source='format = "csv"\npath = "m/*.csv"\ntime = { column = "time" }')
    assert flows(office.poll()) == [[1, 2], [3, 4]]
    assert office.poll() is None
    (tmp_path / "m" / "2.csv").write_text("time,b,a\n2024-05-01T02:00,6,5\n")
    assert flows(office.poll()) == [[1, 2], [3, 4], [5, 6]]
