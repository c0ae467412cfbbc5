"""Rows that came: each batch wholly or not at all, and once."""

import os
import subprocess
import sys
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from processes import ENV

from deepcity.city.errors import LiveError
from deepcity.live.feeds.row_reader import RowReader
from deepcity.live.feeds.row_spool import KeyReusedError, RowSpool, digest

COLUMNS = ["time", "place", "flow"]


def row(number):
    return {"time": f"2024-05-01T00:00:{number:02d}+00:00", "place": "a", "flow": str(number)}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "received" / "flows.csv"


def put(spool, *numbers, key=""):
    rows = [row(number) for number in numbers]
    return spool.append(rows, key or digest(rows), digest(rows))


def kept(path):
    return [line.rsplit(",", 1)[1] for line in path.read_text().splitlines()[1:]]


def test_batches_are_kept_once_also_over_a_restart(path):
    with RowSpool(path, COLUMNS, 10_000) as spool:
        assert put(spool, 1, 2)
        assert not put(spool, 1, 2)
    with RowSpool(path, COLUMNS, 10_000) as spool:
        assert not put(spool, 1, 2)
        assert put(spool, 3, key="third")
        assert not put(spool, 3, key="third")
        with pytest.raises(KeyReusedError):
            put(spool, 4, key="third")
    assert kept(path) == ["1", "2", "3"]


@pytest.mark.parametrize("left", ["2024-05-01T00:00:09+00:00,a,9\n", "2024-05-01T0", '"', "\n"])
def test_what_a_killed_writer_left_is_cut_off_and_can_come_again(path, left):
    with RowSpool(path, COLUMNS, 10_000) as spool:
        put(spool, 1)
    with path.open("a") as file:
        file.write(left)
    with RowSpool(path, COLUMNS, 10_000) as spool:
        assert kept(path) == ["1"]
        assert put(spool, 9)
    assert kept(path) == ["1", "9"]


def test_a_file_that_was_put_there_counts_by_its_whole_lines(path):
    path.parent.mkdir()
    path.write_text("time,place,flow\n" + ",".join(row(1).values()) + "\n2024-05")
    with RowSpool(path, COLUMNS, 10_000) as spool:
        put(spool, 2)
    assert kept(path) == ["1", "2"]


@pytest.mark.parametrize("left", [0, 5, len("time,place,flow\n"), 60])
def test_a_file_that_was_made_shorter_while_it_is_open_goes_on_from_what_is_whole(path, left):
    with RowSpool(path, COLUMNS, 10_000) as spool:
        put(spool, 1, 2)
        os.truncate(path, left)
        assert put(spool, 3)
        assert kept(path) == (["1", "3"] if left == 60 else ["3"])
        assert path.read_text().startswith("time,place,flow\n")
        assert "\0" not in path.read_text()


def test_a_reader_that_did_not_look_meanwhile_reads_whole_lines_of_a_file_made_shorter(path):
    with RowSpool(path, COLUMNS, 10_000) as spool, closing(RowReader(path, "time")) as reader:
        put(spool, 1, 2)
        reader.poll()
        os.truncate(path, 60)
        put(spool, 3, 44, 5)  # past the place where the reader was, which is within a line now
        assert reader.poll() is None, "the file is a new one"
        lines = reader.rows([reader.first_hour])
    assert [one.decode().strip().rsplit(",", 1)[1] for one in lines] == ["1", "3", "44", "5"]


@pytest.mark.parametrize("state", ["", "[]", '{"bytes": 1e400, "batches": {}}', "\0\0"])
def test_a_damaged_note_of_what_counts_costs_no_row(path, state):
    with RowSpool(path, COLUMNS, 10_000) as spool:
        put(spool, 1, 2)
    path.with_name(f"{path.name}.committed").write_text(state)
    with RowSpool(path, COLUMNS, 10_000) as spool:
        put(spool, 3)
    assert kept(path) == ["1", "2", "3"]


def test_a_file_that_was_taken_away_while_it_is_open_is_made_anew(path):
    with RowSpool(path, COLUMNS, 10_000) as spool:
        put(spool, 1, 2)
        path.rename(path.with_suffix(".1"))
        assert put(spool, 3)
        assert kept(path) == ["3"]


def test_a_field_that_is_read_from_now_on_gets_a_column(path):
    with RowSpool(path, COLUMNS, 10_000) as spool:
        put(spool, 1)
    with RowSpool(path, [*COLUMNS, "level"], 10_000) as spool:
        spool.append([{**row(2), "level": "5"}], "b", "b")
    with RowSpool(path, COLUMNS, 10_000) as spool:
        put(spool, 3)
    assert path.read_text().splitlines()[0] == "time,place,flow,level"
    assert kept(path) == ["", "5", ""]


def test_the_older_half_is_dropped_when_the_file_is_full(path):
    with RowSpool(path, COLUMNS, 1000) as spool:
        for number in range(60):
            put(spool, number)
            assert path.stat().st_size <= 1000
        assert kept(path)[-1] == "59"
        assert kept(path) == [str(n) for n in range(60 - len(kept(path)), 60)]
    with RowSpool(path, COLUMNS, 1000) as spool:
        assert not put(spool, 59)


def test_two_processes_do_not_share_it(path):
    with RowSpool(path, COLUMNS, 1000), pytest.raises(LiveError, match="another running city"):
        RowSpool(path, COLUMNS, 1000)


def test_nothing_is_kept_where_the_disk_refuses(path):
    with RowSpool(path, COLUMNS, 10_000) as spool:
        put(spool, 1)
        spool._state_path.unlink()
        spool._state_path.mkdir()  # the name that says what counts cannot be written
        with pytest.raises(OSError, match=r"."):
            put(spool, 2)
        spool._state_path.rmdir()
        assert kept(path) == ["1"]
        assert put(spool, 2)
    assert kept(path) == ["1", "2"]


@settings(max_examples=25)
@given(st.lists(st.text(), min_size=1, max_size=5))
def test_whatever_a_cell_holds_a_row_stays_a_line(tmp_path_factory, cells):
    path = tmp_path_factory.mktemp("spool") / "flows.csv"
    with RowSpool(path, ["cell"], 10**6) as spool:
        spool.append([{"cell": one} for one in cells], "a", "a")
    assert path.read_bytes().count(b"\n") == len(cells) + 1


WRITER = """
import sys
from pathlib import Path
from deepcity.live.feeds.row_spool import RowSpool
spool = RowSpool(Path(sys.argv[1]), ["number", "part"], 10**9)
for number in range(int(sys.argv[2]), 10**9):
    key = str(number)
    spool.append([{"number": key, "part": str(part)} for part in range(50)], key, key)
    print(number, flush=True)
"""


def test_what_had_its_receipt_outlives_kills_and_nothing_is_there_in_part(path):
    done = -1
    for _ in range(3):
        command = [sys.executable, "-c", WRITER, str(path), str(done + 1)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENV) as writer:
            receipts = [writer.stdout.readline() for _ in range(20)]
            writer.kill()
            receipts += writer.stdout.read().splitlines()
        done = int([one for one in receipts if one.strip()][-1])
    with RowSpool(path, ["number", "part"], 10**9) as spool:
        assert not spool.append([], str(done), str(done))
    rows = [line.split(",") for line in path.read_text().splitlines()[1:]]
    numbers = [int(number) for number, part in rows if part == "49"]
    assert numbers == list(range(len(numbers)))
    assert len(rows) == 50 * len(numbers)
    assert done < len(numbers) <= done + 2
