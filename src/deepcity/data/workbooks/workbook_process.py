"""Reads the sheets of a workbook in a process of its own, whose memory is bounded.

A reader of workbooks lays a sheet out as a rectangle before it gives a row: two cells at the
sheet's corners, in 60 kB, ask for 512 GB, and the process that asked is ended. So it is asked
for by this one, which does nothing else: run as a script, it takes a request as JSON on its
standard input, writes each sheet to an Arrow file, and prints a JSON reply.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any, TypedDict


class SheetRequest(TypedDict):
    """What is to be read: all sheets, those named, or the first one where `sheets` is empty."""

    path: str
    sheets: list[str] | None
    header_row: int | None
    rows: int | None
    folder: str
    max_bytes: int


class SheetReply(TypedDict, total=False):
    """The workbook's sheets and the files of those read, or why they cannot be read."""

    names: list[str]
    files: dict[str, str]
    unknown: str
    error: str
    memory: bool


def read_sheets(request: SheetRequest) -> SheetReply:
    """Write the sheets asked for to files in the request's folder."""
    import fastexcel
    import polars  # noqa: F401 - loaded before memory is bounded

    _bound_memory(request["max_bytes"])
    workbook = fastexcel.read_excel(request["path"])
    names = workbook.sheet_names
    wanted = names if request["sheets"] is None else request["sheets"] or names[:1]
    unknown = [name for name in wanted if name not in names]
    if unknown:
        return {"names": names, "unknown": unknown[0]}
    files: dict[str, str] = {}
    options: dict[str, Any] = {"n_rows": request["rows"], "dtypes": "string"}
    for number, name in enumerate(wanted):
        sheet = workbook.load_sheet(name, header_row=request["header_row"], **options)
        files[name] = str(Path(request["folder"]) / str(number))
        sheet.to_polars().write_ipc(files[name])
    return {"names": names, "files": files}


def _bound_memory(max_bytes: int) -> None:
    """Let this process take so many bytes beyond what it holds now; only Linux can tell both."""
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except (ImportError, OSError):
        return
    most = pages * resource.getpagesize() + max_bytes
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """One request, one reply."""
    request: SheetRequest = json.loads(sys.stdin.read())
    try:
        reply = read_sheets(request)
    except MemoryError:
        reply = {"memory": True}
    except BaseException as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        reply = {"error": lines[0][:200]}
    sys.stdout.write(json.dumps(reply))
    sys.stdout.flush()
    os._exit(0)  # nothing is left to close, and there may be no memory to close it with


if __name__ == "__main__":
    main()
