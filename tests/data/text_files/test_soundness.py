"""Damaged and hostile text files end in a named error, in bounded memory."""

import gzip
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepcity.data.check.draft import draft
from deepcity.data.connectors import read_table
from deepcity.data.connectors.csv import CsvSettings
from deepcity.data.errors import ReadError
from deepcity.data.text_files.quotes import in_quotes, split_rows

ROWS = "time,a,note\n" + "".join(
    f"2024-01-{d:02d} {h:02d}:00,{d * 31 + h * 7},y\n" for d in range(1, 29) for h in range(24)
)
PACKED = gzip.compress(ROWS.encode(), mtime=0)
BIG_MB = 300


def refused(folder, content, **more):
    (folder / "r.csv").write_bytes(content)
    with pytest.raises(ReadError) as caught:
        read_table(CsvSettings(name="r", path="r.csv", **more), folder)
    return caught.value


def test_one_bit_flipped_is_told_with_its_place_by_check_and_draft(tmp_path):
    at = len(PACKED) // 2
    damaged = bytearray(PACKED)
    damaged[at] ^= 8
    error = refused(tmp_path, bytes(damaged))
    assert "damaged" in error.reason
    assert f"of {len(PACKED):,}" in error.reason or "its" in error.reason
    (tmp_path / "r.csv.gz").write_bytes(bytes(damaged))
    raw, (problem,) = draft(tmp_path / "r.csv.gz")
    assert raw is None
    assert "damaged" in problem.reason


def test_a_cut_file_and_other_packings(tmp_path):
    assert "cut off after 500 bytes, in line" in refused(tmp_path, PACKED[:500]).reason
    assert "packed by zstd" in refused(tmp_path, b"\x28\xb5\x2f\xfd\0\0\0\0\0").reason


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(bit=st.integers(0, len(PACKED) * 8 - 1))
def test_any_flipped_bit_is_harmless_or_told(bit, tmp_path):
    damaged = bytearray(PACKED)
    damaged[bit // 8] ^= 1 << bit % 8
    (tmp_path / "r.csv").write_bytes(bytes(damaged))
    source = CsvSettings(name="r", path="r.csv")
    try:
        frame = read_table(source, tmp_path).frame
    except ReadError:
        return
    assert frame.height == 28 * 24  # a bit of the packing's header, on which nothing depends


def test_a_quote_that_is_never_closed_is_told_with_its_line(tmp_path):
    lines = ROWS.splitlines(keepends=True)
    lines[100] = lines[100].replace("y", '"y')
    assert "line 101 opens a double quote" in refused(tmp_path, "".join(lines).encode()).reason


def test_a_quote_within_a_cell_is_told_with_its_line(tmp_path):
    text = ROWS.replace(",y\n", ',5" pipe\n', 1)
    assert "line 2 has a double quote within a cell" in refused(tmp_path, text.encode()).reason
    doubled = ROWS.replace(",y\n", ',"5"" pipe"\n', 1)
    (tmp_path / "r.csv").write_text(doubled)
    assert read_table(CsvSettings(name="r", path="r.csv"), tmp_path).frame["note"][0] == '5" pipe'


@pytest.mark.parametrize("pairs", ['""', '""""x', 'x""'])
def test_a_cell_in_quotes_without_end_is_told_with_its_line(pairs, tmp_path):
    text = ROWS + f'2024-03-01,1,"{(pairs + chr(10)) * 9_000}"\n'
    reason = refused(tmp_path, text.encode(), max_line_mb=0.01).reason
    line = ROWS.count("\n") + 1
    assert f"line {line:,} opens a double quote that is not closed within 10,000 bytes" in reason


def test_many_cells_in_quotes_are_no_long_one(tmp_path):
    rows = "".join(f'2024-01-01 {h:02d}:00,"{h}","a ""b""\nc"\n' for h in range(24)) * 200
    (tmp_path / "r.csv").write_text(f"time,a,note\n{rows}")
    settings = CsvSettings(name="r", path="r.csv", max_line_mb=0.001)
    assert read_table(settings, tmp_path).frame.height == 24 * 200


def test_columns_without_end(tmp_path):
    assert "over 200,000 columns" in refused(tmp_path, b"," * 300_000 + b"\n").reason


def test_the_longest_line_may_be_set(tmp_path):
    text = b"time,a\n1," + b"x" * 50_000 + b"\n"
    assert "line 2 is longer than 10,000 bytes" in refused(tmp_path, text, max_line_mb=0.01).reason
    (tmp_path / "r.csv").write_bytes(text)
    assert read_table(CsvSettings(name="r", path="r.csv"), tmp_path).frame.height == 1


def bomb(path):
    with gzip.open(path, "wb") as file:
        file.write(b"time,a\n")
        for _ in range(BIG_MB):
            file.write(b"x" * (1 << 20))


def line(path):
    with path.open("wb") as file:
        file.write(b"time,a\n")
        for _ in range(BIG_MB):
            file.write(b"1," * (1 << 19))


@pytest.mark.parametrize(("write", "name"), [(bomb, "r.csv.gz"), (line, "r.csv")])
@pytest.mark.parametrize("option", ["--draft", "--json"])
def test_a_line_without_end_costs_no_memory(write, name, option, tmp_path):
    """A file of 300 kB that unpacks to a line of 300 MB; measured in a process of its own."""
    write(tmp_path / name)
    code = (
        "import sys; from pathlib import Path; from deepcity.cli import app\n"
        "try: app(sys.argv[1:], standalone_mode=True)\n"
        "finally: print(Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "data", "check", option, str(tmp_path / name)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "line 2 is longer than 32,000,000 bytes" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert int(done.stdout.split()[-1]) < 1000 * BIG_MB


CELLS = st.text(st.sampled_from('a1-,"\n '), max_size=6)


@settings(max_examples=200, deadline=None)
@given(table=st.lists(st.lists(CELLS, min_size=2, max_size=3), min_size=1, max_size=5))
def test_rows_in_quotes_are_split_as_they_were_joined(table):
    rows = [
        (",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n").encode()
        for row in table
    ]
    assert split_rows(b"".join(rows), b",") == (rows, b"", [])
    assert not any(in_quotes(row, b",") for row in rows)
