"""The route by which other systems send rows."""

import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.concurrency import run_in_threadpool

from deepcity.city.errors import DataError
from deepcity.data.config.toml_file import near_name
from deepcity.live.feeds.feeds import Feeds
from deepcity.live.feeds.row_spool import KeyReusedError
from deepcity.web.api.refusals import Refusal
from deepcity.web.control.accounts.accounts import User

Asking = Callable[[Request], User]
MOST_BYTES = 8_000_000
MOST_A_MINUTE = 600
_JSON = ("application/json", "application/x-ndjson")
_CSV = ("text/csv",)
_GZIP = b"\x1f\x8b"
_RIGHT = "name an agency and a source of it whose format is one that rows come to"


@dataclass
class PushRate:
    """At most so many requests a minute for each source. Threads may share it."""

    most: int = MOST_A_MINUTE
    clock: Callable[[], float] = time.monotonic
    _since: dict[str, tuple[float, int]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def allows(self, source: str) -> bool:
        """Whether one more is within the limit."""
        with self._lock:
            begun, count = self._since.get(source, (self.clock(), 0))
            if self.clock() - begun >= 60:
                begun, count = self.clock(), 0
            self._since[source] = begun, count + 1
            return count < self.most


def pushing_routes(feeds: Feeds, asking: Asking, rate: PushRate | None = None) -> APIRouter:
    """The route for other systems.

    Args:
        asking: gives the account that asks, or refuses.
    """
    routes, rate = APIRouter(prefix="/api"), rate or PushRate()

    @routes.post("/sources/{agency}/{source}/rows", status_code=201, dependencies=[Depends(asking)])
    async def rows(
        agency: str,
        source: str,
        request: Request,
        response: Response,
        idempotency_key: Annotated[str, Header(max_length=255)] = "",
    ) -> dict[str, Any]:
        """Send rows of an agency's source: a CSV with a header, or JSON objects.

        All are kept, and 201 says so, or none. What was kept before (the same
        `Idempotency-Key`, or the same rows) changes nothing: 200.
        """
        door = feeds.door(agency, source)
        if door is None:
            near = near_name(f"{agency}/{source}"[:200], feeds.names)
            right = f"did you mean {near}? N{_RIGHT[1:]}" if near else _RIGHT
            raise Refusal(404, f"{agency}/{source}", "no rows are taken here", right)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in (*_JSON, *_CSV):
            right = f"send one of {', '.join((*_JSON, *_CSV))}"
            raise Refusal(415, f"Content-Type {kind}", "neither JSON nor CSV", right)
        if not rate.allows(source):
            reason = f"over {rate.most} requests within a minute for this source"
            raise Refusal(429, source, reason, "send more rows in fewer requests")
        body = await run_in_threadpool(_unpacked, await _body(request))
        try:
            found = await run_in_threadpool(door.put, body, csv=kind in _CSV, key=idempotency_key)
        except DataError as error:
            door.refused.add(error.problems)
            raise
        except KeyReusedError as error:
            raise Refusal(
                422, f"Idempotency-Key {error.value}", error.reason, error.right
            ) from error
        except OSError as error:
            right = "send them again, with the same key; none of them was kept"
            raise Refusal(507, "rows", f"they cannot be stored: {error.strerror}", right) from error
        response.status_code = 200 if found.repeated else 201
        return {
            "rows": found.rows,
            "repeated": found.repeated,
            "other_places": found.other_places,
            "near_places": dict(found.near_places),
            "other_columns": list(found.other_columns),
        }

    return routes


async def _body(request: Request) -> bytes:
    """The body, unless it is too large.

    Raises:
        Refusal: if it is.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise Refusal(413, "body", f"over {MOST_BYTES:,} bytes", "send fewer rows at once")
    return bytes(body)


def _unpacked(body: bytes) -> bytes:
    """A body that is gzip, unpacked: a small one may hold gigabytes.

    Raises:
        Refusal: if it is too large then, or broken.
    """
    if not body.startswith(_GZIP):
        return body
    unpacking, right = zlib.decompressobj(wbits=31), "send fewer rows at once"
    try:
        found = unpacking.decompress(body, MOST_BYTES + 1)
    except zlib.error as error:
        raise Refusal(
            422, "body", f"broken gzip: {error}", "pack it again, or send it plain"
        ) from error
    if len(found) > MOST_BYTES:
        raise Refusal(413, "body", f"over {MOST_BYTES:,} bytes when unpacked", right)
    if not unpacking.eof or unpacking.unused_data:
        reason = "gzip that is cut off, or of several parts"
        raise Refusal(422, "body", reason, "pack it again as one, or send it plain")
    return found
