"""The sheets of a workbook as files of columns, read once by a process of its own."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import weakref
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from deepcity.data.errors import ReadError
from deepcity.data.file_state import file_state
from deepcity.data.workbooks import workbook_process
from deepcity.data.workbooks.workbook_process import SheetReply, SheetRequest

MAX_MEMORY_MB = 700
_PATIENCE_S = 1800  # for a sheet of a million rows on a busy machine
_KEPT = 8  # workbooks
_ENVIRONMENT = {"POLARS_MAX_THREADS": "1", "RUST_BACKTRACE": "0", "RAYON_NUM_THREADS": "1"}


@dataclass(frozen=True, eq=False)
class Workbook:
    """Sheets that were read.

    Attributes:
        names: of all sheets of the workbook.
        files: sheet -> an Arrow file of its rows, every cell a text; removed with this object.
    """

    names: tuple[str, ...]
    files: dict[str, Path]


def open_workbook(
    path: Path,
    sheets: tuple[str, ...] | None,
    header_row: int | None,
    rows: int | None = None,
    max_memory_mb: float = MAX_MEMORY_MB,
) -> Workbook:
    """Read some sheets, or all for None, or the first for none.

    Args:
        header_row: the row that names the columns, from 0; None: none does.
        rows: how many rows to read; None: all.
        max_memory_mb: what reading it may take.

    Raises:
        ReadError: if it is damaged, lacks one of the sheets, or would take more memory.
    """
    try:
        state = file_state(path)
    except OSError as error:
        reason = f"cannot be read: {error.strerror or error}"
        raise ReadError("path", path.name, reason, "check the path and permissions") from error
    return _opened(path, state, sheets, header_row, rows, round(max_memory_mb * 1e6))


@lru_cache(maxsize=_KEPT)
def _opened(
    path: Path,
    _state: object,
    sheets: tuple[str, ...] | None,
    header_row: int | None,
    rows: int | None,
    max_bytes: int,
) -> Workbook:
    folder = tempfile.mkdtemp(prefix="deepcity-")
    request: SheetRequest = {
        "path": str(path),
        "sheets": None if sheets is None else list(sheets),
        "header_row": header_row,
        "rows": rows,
        "folder": folder,
        "max_bytes": max_bytes,
    }
    try:
        files = _asked(path, request)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    weakref.finalize(files, shutil.rmtree, folder, ignore_errors=True)
    return files


def _asked(path: Path, request: SheetRequest) -> Workbook:
    done = subprocess.run(
        [sys.executable, "-P", workbook_process.__file__],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=False,
        timeout=_PATIENCE_S,
        env={**os.environ, **_ENVIRONMENT},
    )
    reply: SheetReply = json.loads(done.stdout) if done.stdout.startswith("{") else {}
    if "unknown" in reply:
        right = f"the workbook's sheets are {', '.join(reply['names'])}"
        raise ReadError("sheet", reply["unknown"], "no such sheet", right)
    if "error" in reply:
        right = "check that the file is complete and that Excel opens it"
        raise ReadError("path", path.name, f"cannot be read: {reply['error']}", right)
    if "files" not in reply:
        reason = (
            f"cannot be read in {request['max_bytes'] / 1e6:,.0f} MB of memory: it is damaged, or "
            "a cell lies far from the others, or it is very large"
        )
        right = "delete stray cells, or save the sheet as CSV, or raise max_memory_mb"
        raise ReadError("path", path.name, reason, right)
    return Workbook(
        tuple(reply["names"]), {name: Path(file) for name, file in reply["files"].items()}
    )
