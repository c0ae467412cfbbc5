"""Rows pushed to an agency's own machine: a small endpoint that appends them to a file.

The file is one of its own, followed like any other CSV file; the source's header comes with
the first rows. It listens on the loopback address alone: rows never leave the machine by it.
"""

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from deepcity.city.errors import ConfigError
from deepcity.city.problem import Problem
from deepcity.data.city_file import CityFile
from deepcity.data.connectors.csv import CsvSettings

_MOST_BYTES = 16_000_000


def start_rows_endpoint(
    city_file: CityFile, agency: str, folder: Path, port: int
) -> dict[str, Path]:
    """Listen in a thread of its own; source -> the file its rows are appended to.

    ``POST /rows?source=NAME`` takes CSV lines, header first; NAME may be left out where the
    agency has one source.

    Raises:
        ConfigError: if no source of the agency is a CSV file with a header.
    """
    settings = next(one for one in city_file.settings.agency if one.name == agency)
    names = sorted({field.source for field in settings.fields})
    fitting = [name for name in names if _fits(city_file.sources[name])]
    if not fitting:
        right = "describe the pushed rows as a csv source with a header"
        reason = "none of its sources can be pushed"
        raise ConfigError([Problem(city_file.path.name, f"agency[{agency}]", None, reason, right)])
    folder.mkdir(parents=True, exist_ok=True)
    files = {name: folder / f"{name}.csv" for name in fitting}
    _listen(files, port)
    return files


def _fits(source: object) -> bool:
    return isinstance(source, CsvSettings) and source.header and not source.transpose


def _listen(files: Mapping[str, Path], port: int) -> None:
    from fastapi import FastAPI, Request
    from fastapi.concurrency import run_in_threadpool
    from fastapi.responses import JSONResponse

    from deepcity.web.api.refusals import Refusal, refuse
    from deepcity.web.server.serving import make_server

    app = FastAPI(title="deepcity: rows of an agency", docs_url=None, redoc_url=None)
    app.add_exception_handler(Refusal, refuse)
    lock = threading.Lock()

    @app.post("/rows")
    async def rows(request: Request, source: str | None = None) -> JSONResponse:
        """Append CSV lines, header first."""
        name = source or (next(iter(files)) if len(files) == 1 else "")
        if name not in files:
            right = f"name one of {', '.join(files)}"
            raise Refusal(404, f"source {name}", "not a source of the agency", right)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MOST_BYTES:
                raise Refusal(413, "body", f"over {_MOST_BYTES:,} bytes", "send fewer rows")
        count = await run_in_threadpool(_append, files[name], bytes(body), lock)
        return JSONResponse({"rows": count})

    server = make_server(app, "127.0.0.1", port)
    threading.Thread(target=server.run, daemon=True).start()


def _append(path: Path, body: bytes, lock: threading.Lock) -> int:
    """Append rows under the file's header; they are on disk when it returns."""
    from deepcity.web.api.refusals import Refusal

    if not body.endswith(b"\n"):
        raise Refusal(422, "body", "its last line has no end", "end each line with a line feed")
    header, _, rows = body.partition(b"\n")
    with lock, path.open("a+b") as file:
        _cut_half_line(file)
        file.seek(0)
        known = file.readline()
        if known and known.strip() != header.strip():
            right = f"send {known.decode(errors='replace').strip()[:200]}"
            raise Refusal(422, "header", "not that of the rows before", right)
        file.write(rows if known else body)
        file.flush()
        os.fsync(file.fileno())
    return rows.count(b"\n")


def _cut_half_line(file: BinaryIO) -> None:
    """What was being written when its writer was killed: no sender got a receipt for it."""
    file.seek(0)
    whole = 0
    for line in file:
        whole += len(line) if line.endswith(b"\n") else 0
    file.truncate(whole)
