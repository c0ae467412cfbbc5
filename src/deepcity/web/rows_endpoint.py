"""Rows pushed to an agency's own machine: a small endpoint that appends them to a file.

The file is one of its own, followed like any other CSV file; the source's header comes with
the first rows. A batch is checked before as a node checks those of its feeds: one that could not
be read would keep all rows after it from being read too. It listens on the loopback address alone:
rows never leave the machine by it. It has no key, so a page in this machine's browser is kept out:
a browser names the page that a request comes from, and no program does.
"""

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from deepcity.city.errors import ConfigError
from deepcity.city.problem import Problem
from deepcity.data.city_file import CityFile
from deepcity.data.config.settings import PlaceSettings
from deepcity.data.config.source import Layout
from deepcity.data.connectors.csv import CsvSettings
from deepcity.data.follow.follow_source import follows_lines
from deepcity.live.feeds.batch_check import OpenBatch, body_of, check_batch, readers_of

_MOST_BYTES = 16_000_000
_LOOPBACK = ("127.0.0.1", "localhost")
_OF_A_PAGE = ("origin", "sec-fetch-site")


def start_rows_endpoint(
    city_file: CityFile, agency: str, folder: Path, port: int
) -> dict[str, Path]:
    """Listen in a thread of its own; source -> the file its rows are appended to.

    ``POST /rows?source=NAME`` takes CSV lines, header first; NAME may be left out where the
    agency has one source.

    Raises:
        ConfigError: if no source of the agency is one plain CSV file with a header.
    """
    settings = next(one for one in city_file.settings.agency if one.name == agency)
    names = sorted({field.source for field in settings.fields})
    fitting = [name for name in names if _fits(city_file.sources[name])]
    if not fitting:
        right = "describe the pushed rows as a csv source of one plain file with a header"
        reason = "none of its sources can be pushed"
        raise ConfigError([Problem(city_file.path.name, f"agency[{agency}]", None, reason, right)])
    folder.mkdir(parents=True, exist_ok=True)
    doors = {name: _Door(city_file, agency, name, folder / f"{name}.csv") for name in fitting}
    _listen(doors, port)
    return {name: door.path for name, door in doors.items()}


def _fits(source: object) -> bool:
    return isinstance(source, CsvSettings) and source.header and follows_lines(source)


@dataclass(frozen=True)
class _Door:
    """Takes the rows of one source. Threads may share it."""

    city_file: CityFile
    agency: str
    source: str
    path: Path
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, body: bytes) -> int:
        """Check rows, and append them under the file's header; on disk when it returns.

        Raises:
            DataError: with every problem of the rows; none is kept.
            Refusal: if the body is cut off, or its header is another one.
        """
        from deepcity.web.api.refusals import Refusal

        if not body.endswith(b"\n"):
            raise Refusal(422, "body", "its last line has no end", "end each line with a line feed")
        header, _, rows = body.partition(b"\n")
        if self.path.exists():  # before its rows, which are read by it
            with self._lock, self.path.open("a+b") as file:
                self._check_header(file, header)
        check_batch(body_of(self.city_file.sources[self.source], csv=True), body, self._checked)
        with self._lock, self.path.open("a+b") as file:
            known = self._check_header(file, header)
            file.write(rows if known else body)
            file.flush()
            os.fsync(file.fileno())
        return rows.count(b"\n")

    def _check_header(self, file: BinaryIO, header: bytes) -> bool:
        """Whether the file has a header already; a half line at its end is cut.

        Raises:
            Refusal: if it is another one.
        """
        from deepcity.web.api.refusals import Refusal

        _cut_half_line(file)
        file.seek(0)
        known = file.readline()
        if known and known.strip() != header.strip():
            shown = f"{self.path.parent.name}/{self.path.name}"
            right = f"send {known.decode(errors='replace').strip()[:200]}"
            raise Refusal(422, "header", f"not that of the rows before, in {shown}", right)
        return bool(known)

    def _checked(self, batch: OpenBatch) -> bool:
        """Read a batch as the file will be; of events, which make sense in the file, the times."""
        body, clock = batch.body, self.city_file.city.clock
        time_names = () if body.time is None else body.time.names
        batch.check_columns([*time_names, *filter(None, (body.place, body.lat, body.lon))])
        if batch.issues.problems:
            return False
        readers = readers_of(self.city_file, self.source)
        own = next(one for one in readers if one.settings.name == self.agency)
        if body.layout is Layout.EVENTS:
            batch.check_times(clock)
        elif body.layout is Layout.LONG:
            present = [(one, one.fields if one is own else ()) for one in readers]
            batch.check_long(present, clock)
        else:
            places = [
                PlaceSettings(id=one.id) for one in self.city_file.city.agency(self.agency).places
            ]
            batch.check_values(own.settings, own.fields, own.places or places, clock)
        return True


def _listen(doors: Mapping[str, _Door], port: int) -> None:
    from fastapi import FastAPI, Request
    from fastapi.concurrency import run_in_threadpool
    from fastapi.middleware.trustedhost import TrustedHostMiddleware
    from fastapi.responses import JSONResponse

    from deepcity.city.errors import DeepCityError
    from deepcity.web.api.refusals import Refusal, refuse
    from deepcity.web.server.serving import make_server

    app = FastAPI(title="deepcity: rows of an agency", docs_url=None, redoc_url=None)
    app.add_exception_handler(DeepCityError, refuse)
    app.add_exception_handler(Refusal, refuse)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(_LOOPBACK))  # no name of a page

    @app.post("/rows")
    async def rows(request: Request, source: str | None = None) -> JSONResponse:
        """Append CSV lines, header first."""
        if any(one in request.headers for one in _OF_A_PAGE):
            right = "send rows with a program, such as curl"
            raise Refusal(403, "origin", "a page in a browser may not send rows", right)
        name = source or (next(iter(doors)) if len(doors) == 1 else "")
        if name not in doors:
            right = f"name one of {', '.join(doors)}"
            raise Refusal(404, f"source {name}", "not a source of the agency", right)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MOST_BYTES:
                raise Refusal(413, "body", f"over {_MOST_BYTES:,} bytes", "send fewer rows")
        count = await run_in_threadpool(doors[name].put, bytes(body))
        return JSONResponse({"rows": count})

    server = make_server(app, "127.0.0.1", port)
    threading.Thread(target=server.run, daemon=True).start()


def _cut_half_line(file: BinaryIO) -> None:
    """What was being written when its writer was killed: no sender got a receipt for it."""
    file.seek(0)
    whole = 0
    for line in file:
        whole += len(line) if line.endswith(b"\n") else 0
    file.truncate(whole)
