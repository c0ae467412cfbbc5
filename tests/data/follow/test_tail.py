"""Whole lines of a growing file, each once, whatever its writer does."""

import os
from contextlib import closing

import pytest

from deepcity.data.follow.tail import Tail


@pytest.fixture
def path(tmp_path):
    return tmp_path / "rows.csv"


@pytest.fixture
def tail(path):
    with closing(Tail(path)) as tail:
        yield tail


def append(path, text):
    with path.open("ab") as file:
        file.write(text.encode())


def test_rows_that_are_appended_come_once(path, tail):
    assert not tail.poll()  # it is not there yet
    append(path, "time,a\n")
    assert not tail.poll()
    append(path, "1,2\n3,4\n")
    assert tail.poll()
    assert not tail.poll()
    append(path, "5,6\n")
    assert tail.poll()
    assert tail.text() == b"time,a\n1,2\n3,4\n5,6\n"


def test_a_line_that_is_half_written_is_left_until_it_is_whole(path, tail):
    append(path, "time,a\n1,2\n3,4")  # is it 4, or 45?
    assert tail.poll()
    assert tail.text() == b"time,a\n1,2\n"
    append(path, "5\n")
    assert tail.poll()
    assert tail.text() == b"time,a\n1,2\n3,45\n"


def test_a_header_that_is_half_written(path, tail):
    append(path, "time,")
    assert not tail.poll()
    append(path, "a\n1,2\n")
    assert tail.poll()
    assert tail.text() == b"time,a\n1,2\n"


def test_a_line_end_inside_quotes_ends_no_row(path, tail):
    append(path, 'time,note\n1,"a\nb"\n2,"c\n')
    tail.poll()
    assert tail.lines == [b'1,"a\nb"\n']


def test_a_file_that_is_rotated_is_read_to_its_end_and_then_its_successor(path, tail):
    append(path, "time,a\n1,2\n")
    tail.poll()
    append(path, "3,4\n")  # after the last look, before the rotation
    path.rename(path.with_suffix(".1"))
    assert tail.poll()
    append(path, "time,a\n5,6\n")
    assert tail.poll()
    assert tail.text() == b"time,a\n1,2\n3,4\n5,6\n"


def test_a_file_that_is_cut_is_read_from_its_start(path, tail):
    append(path, "time,a\n1,2\n3,4\n")
    tail.poll()
    path.write_text("time,a\n5,6\n", encoding="utf-8")
    assert tail.poll()
    assert tail.text() == b"time,a\n1,2\n3,4\n5,6\n"


def test_a_file_that_is_written_anew_with_all_its_rows_doubles_none(path, tail):
    append(path, "time,a\n1,2\n3,4\n")
    tail.poll()
    fresh = path.with_suffix(".new")
    fresh.write_text("time,a\n1,2\n3,4\n5,6\n", encoding="utf-8")
    fresh.replace(path)
    assert tail.poll()
    assert tail.text() == b"time,a\n1,2\n3,4\n5,6\n"


def test_a_successor_with_other_columns_is_not_read(path, tail):
    append(path, "time,a\n1,2\n")
    tail.poll()
    path.unlink()
    append(path, "time,b\n5,6\n")
    for _ in range(2):
        with pytest.raises(ValueError, match="another header"):
            tail.poll()
    assert tail.text() == b"time,a\n1,2\n"


def test_old_rows_may_be_forgotten(path, tail):
    append(path, "time,a\n1,2\n3,4\n5,6\n")
    tail.poll()
    tail.keep_last(1)
    assert tail.text() == b"time,a\n5,6\n"


def correct(path, old, new):
    """As a program does that writes the same file anew."""
    before = path.read_bytes()
    after = before.replace(old.encode(), new.encode())
    path.write_bytes(after)
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000_000))  # a clock may be too coarse


@pytest.mark.parametrize("new", ["3,77", "3,7"], ids=["longer", "as long"])
def test_a_row_that_is_corrected_in_its_place_is_read_again(path, tail, new):
    append(path, "time,a\n1,2\n3,4\n5,6\n7,")
    tail.poll()
    correct(path, "3,4", new)
    append(path, "8\n")
    assert tail.poll()
    assert tail.text().decode() == f"time,a\n1,2\n{new}\n5,6\n7,8\n"
    assert not tail.poll()


def test_the_first_row_is_corrected_by_a_new_file(path, tail):
    append(path, "time,a\n1,2\n3,4\n5,6\n")
    tail.poll()
    fresh = path.with_suffix(".new")
    fresh.write_text("time,a\n1,9\n3,4\n5,6\n", encoding="utf-8")
    fresh.replace(path)
    assert tail.poll()
    assert tail.text() == b"time,a\n1,9\n3,4\n5,6\n"


def test_a_correction_leaves_the_rows_of_files_before(path, tail):
    append(path, "time,a\n1,2\n3,4\n")
    tail.poll()
    path.rename(path.with_suffix(".1"))
    append(path, "time,a\n5,6\n7,8\n")
    tail.poll()
    correct(path, "5,6", "5,9")
    assert tail.poll()
    assert tail.text() == b"time,a\n1,2\n3,4\n5,9\n7,8\n"


def test_a_file_that_is_cut_and_grows_past_its_old_length(path, tail):
    append(path, "time,a\n1,2\n3,4\n")
    tail.poll()
    path.write_text("time,a\n5,6\n7,8\n9,10\n", encoding="utf-8")
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000_000))
    assert tail.poll()
    assert tail.text() == b"time,a\n1,2\n3,4\n5,6\n7,8\n9,10\n"


def test_a_correction_after_old_rows_were_forgotten(path, tail):
    append(path, "time,a\n1,2\n3,4\n5,6\n")
    tail.poll()
    tail.keep_last(2)
    append(path, "7,8\n")
    assert tail.poll()
    assert tail.text() == b"time,a\n3,4\n5,6\n7,8\n"  # as ever: nothing was corrected
    correct(path, "5,6", "5,66")
    assert tail.poll()
    assert b"5,66\n7,8\n" in tail.text()
    assert tail.text().count(b"7,8") == 1
