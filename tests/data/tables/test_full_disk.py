"""No room for what must wait on disk: told as such, with nothing left behind."""

import resource
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from towns import toml

CHECK = """
import resource, sys
from pathlib import Path
from deepcity.data.text_files import csv_transposed
from deepcity.data.tables import spool
from deepcity.data.check.file_report import check_file
from deepcity.data.connectors import parquet
spool.MAX_ROWS_IN_MEMORY, csv_transposed.MAX_CELLS_IN_MEMORY, parquet.GROUP_CELLS = 50, 50, 50
resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))
for problem in check_file(Path(sys.argv[1])).problems:
    print(problem)
"""
TIMES = [f"2024-01-{1 + hour // 24:02d} {hour % 24:02d}:00" for hour in range(400)]
FRAME = pl.DataFrame({"time": TIMES, "a": [f"{hour}.5" for hour in range(400)]})
CSV = 'format = "csv"\npath = "records.csv"\n'


def wide(folder: Path) -> str:
    FRAME.write_csv(folder / "records.csv")
    return CSV + 'time = { column = "time" }'


def on_its_side(folder: Path) -> str:
    FRAME.transpose(include_header=True, header_name="time", column_names="time").write_csv(
        folder / "records.csv"
    )
    return CSV + 'transpose = true\ntime = { column = "time" }'


def one_group(folder: Path) -> str:
    FRAME.write_parquet(folder / "records.parquet")
    return 'format = "parquet"\npath = "records.parquet"\ntime = { column = "time" }'


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="needs a limit of file sizes")
@pytest.mark.parametrize("write", [wide, on_its_side, one_group])
def test_a_full_temporary_folder_is_named(write, tmp_path):
    source, rest = write(tmp_path), tmp_path / "rest"
    rest.mkdir()
    path = tmp_path / "town.toml"
    path.write_text(toml(source=source, places='["a"]'), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", CHECK, str(path)],
        env={"TMPDIR": str(rest), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"TMPDIR = '{rest}': no disk space left there" in done.stdout
    assert "Free some, or set TMPDIR to another folder" in done.stdout
    assert list(rest.iterdir()) == []
