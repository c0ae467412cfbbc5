"""Requests to the routes of a running city: of nobody, of a person, of an agency, and raw bytes."""

import gzip
import json
import random
import re
import socket
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import numpy as np
from live_town import HOUR, NOW

from benchmarks.damaged_files import damaged
from benchmarks.mutated_files.mutations import of_json
from benchmarks.mutated_requests.endings import OTHER, REFUSED, SAME, TAKEN, UNNAMED, Kind
from benchmarks.mutated_requests.rooms import Room, Rooms, Route
from benchmarks.mutated_requests.tokens import own_claims, signed, thief_token
from deepcity.live.wire import BLOB, cell_names, pack_deep
from deepcity.store.deep_data.batch import DeepData

_TEXTS = (
    "²", "١٢", "1e9", "-1", "9" * 30, "9" * 5000, "NaN", "inf", "", "\x00", "a\r\nb", "%", "ü",
    "\ufeff", "true", "null", "[]", "{}", "../..", "..%2f..", "%00", "0", "1", str(NOW), "x" * 4000,
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2024-05-24T10:00:00", "urn:x:y",
    "town/environment/weather/h3@x", "'; drop table deep; --", "<script>", "${x}", "\x1b[2J",
)  # fmt: skip
_FORMS = ("application/json", "text/csv", BLOB, "application/ld+json", "", "²", "a" * 5000)
_RIGHTS = ("as nobody", "as nobody", "cookie", "basic", "token", "signed")
_DENIED = range(400, 500)


def request_kinds(rooms: Rooms, address: str) -> list[Kind]:
    """One of each kind of sender.

    Args:
        address: where the control room is served too: `HOST:PORT`.
    """
    both = (rooms.control, rooms.application)
    return [
        Kind("request, of nobody", lambda draw: _of_nobody(draw.choice(both), draw)),
        Kind("request, of an admin", lambda draw: _of_admin(rooms.control, draw)),
        Kind("request, to an application", lambda draw: _asked(rooms.application, draw, {})),
        Kind("request, an agency's deep data", lambda draw: _deep_data(rooms, draw)),
        Kind("request, raw bytes", lambda draw: _raw(address, draw)),
    ]


def _of_nobody(room: Room, draw: random.Random) -> str:
    """No right at all, or forged ones: nothing but what is public may be answered."""
    how, headers = draw.choice(_RIGHTS), {}
    if how == "cookie":
        headers["Cookie"] = damaged(room.cookie.encode() or b"deepcity=x", draw)[1]
    elif how == "basic":
        headers["Authorization"] = draw.choice(("Basic ", "Basic Zm9v", "Basic ²", "basic a2ltOg"))
    elif how == "token":
        headers["Authorization"] = f"Bearer {draw.choice(_TEXTS)}"
    elif how == "signed":
        headers["Authorization"] = f"Bearer {thief_token(draw)[0]}"
    if how == "cookie" and headers["Cookie"] == room.cookie.encode():
        return SAME
    return _asked(room, draw, headers, rights=False)


def _of_admin(room: Room, draw: random.Random) -> str:
    return _asked(room, draw, {"Cookie": room.cookie})


def _asked(room: Room, draw: random.Random, headers: Any, *, rights: bool = True) -> str:
    """A request to one of the routes, with values that do not fit."""
    route = draw.choice(room.routes)
    if rights and route.path == "/api/session" and route.method == "DELETE":
        return REFUSED  # it would end the session of all that follow
    method = route.method if draw.random() < 0.9 else draw.choice(("PUT", "PATCH", "TRACE", "Ü"))
    path = re.sub(r"\{[^}]*\}", lambda _: quote(draw.choice(_TEXTS), safe=""), route.path)
    query = [(draw.choice([*route.query, "strange"]), draw.choice(_TEXTS)) for _ in range(2)]
    body, form = _body(room, route, draw)
    sent = {**headers, "Content-Type": form.encode(), draw.choice(("Accept", "X-Odd")): b"\xff\xe2"}
    try:
        reply = room.ask(method, f"{path}?{urlencode(query)}", headers=_bytes(sent), content=body)
    except (httpx.InvalidURL, httpx.LocalProtocolError, UnicodeEncodeError, ValueError):
        return REFUSED  # the client cannot send such a one
    except Exception as error:
        return f"{UNNAMED}: {method} {path[:80]}: {type(error).__name__}: {error}"
    return _ending(reply, route, public=rights or route.path.startswith(room.public))


def _body(room: Room, route: Route, draw: random.Random) -> tuple[bytes, str]:
    whole = _sample(room.document, route.schema, draw)
    text = json.dumps(whole if draw.random() < 0.2 else of_json(whole, draw)).encode()
    how = draw.random()
    if how < 0.6:
        return text, "application/json"
    if how < 0.75:
        return damaged(text + b"    ", draw)[1], "application/json"
    if how < 0.8:
        return b"[" * 100_000, draw.choice(_FORMS)
    if how < 0.82:
        return b" " * 1_000_001, draw.choice(_FORMS)
    if how < 0.9:
        return gzip.compress(b"\n" * 10_000_000), draw.choice(_FORMS)
    return draw.randbytes(200), draw.choice(_FORMS)


def _sample(document: Any, schema: Any, draw: random.Random, depth: int = 0) -> Any:
    """A value that may fit a JSON schema."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        schema = document["components"]["schemas"].get(name, {})
    for key in ("anyOf", "oneOf", "enum", "examples"):
        if schema.get(key):
            one = draw.choice(schema[key])
            return one if key in ("enum", "examples") else _sample(document, one, draw, depth + 1)
    kind = schema.get("type")
    if kind == "object" and depth < 6:
        held = schema.get("properties", {}).items()
        return {name: _sample(document, one, draw, depth + 1) for name, one in held}
    if kind == "array" and depth < 6:
        return [_sample(document, schema.get("items", {}), draw, depth + 1)]
    return {"string": "weather", "integer": 1, "number": 0.5, "boolean": True}.get(str(kind))


def _deep_data(rooms: Rooms, draw: random.Random) -> str:
    """Deep data with the right of the agency, whose bytes or parameters are damaged."""
    package = rooms.town.encoders["weather"]
    rows = DeepData(
        package.space,
        np.array([NOW - HOUR]),
        cell_names(package.cells)[:1],
        np.array([[0.1, 0.2, 0.3]], np.float32),
    )
    body, form = pack_deep(rows), BLOB
    if draw.random() < 0.5:
        cell = str(rows.cell_R[0])
        row = {"time": NOW - HOUR, "cell": cell, "vector": [0.1, 0.2, 0.3], "known": True}
        body, form = json.dumps(of_json({"rows": [row]}, draw)).encode(), "application/json"
    else:
        body = damaged(body, draw)[1]
    query = {"space": str(package.space), "revision": "0"}
    if draw.random() < 0.3:
        query[draw.choice(("space", "revision"))] = draw.choice(_TEXTS)
    headers = {
        "Authorization": f"Bearer {signed(json.dumps(own_claims()))}",
        "Content-Type": form,
    }
    room = draw.choice((rooms.control, rooms.application))
    try:
        reply = room.ask("POST", "/deep-data", params=query, headers=headers, content=body)
    except Exception as error:
        return f"{UNNAMED}: deep data: {type(error).__name__}: {error}"
    return _ending(reply, Route("POST", "/deep-data", (), {}), public=True)


def _ending(reply: httpx.Response, route: Route, *, public: bool) -> str:
    asked = f"{reply.request.method} {str(reply.request.url)[:300]}"
    where = f"{asked}: {reply.status_code} {reply.text[:200]}"
    if reply.status_code in _DENIED or reply.status_code in (503, 507):
        return REFUSED if _is_named(reply) else f"{UNNAMED}: {where}"
    if reply.status_code >= 500:
        return f"{UNNAMED}: {where}"
    return OTHER if public else f"{TAKEN}: {where}"


def _is_named(reply: httpx.Response) -> bool:
    """Whether an answer says why, as the house or as NGSI-LD does; HEAD has no body."""
    if reply.request.method == "HEAD":
        return True
    try:
        found = reply.json()
    except ValueError:
        return False
    if "errors" in found:
        named = (one["reason"] and one["next"] for one in found["errors"])
        return bool(found["errors"]) and all(named)
    return bool(found.get("title") and found.get("type"))


def _raw(address: str, draw: random.Random) -> str:
    """Bytes at the port that are no HTTP, or HTTP that lies; then an honest request."""
    host, _, port = address.partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.settimeout(2)
        try:
            line.sendall(_lines(draw))
            line.shutdown(socket.SHUT_WR)
            answer = line.recv(4_000)
        except (TimeoutError, OSError):
            answer = b""
    if answer.startswith(b"HTTP/1.1 5"):
        return f"{UNNAMED}: raw: {answer[:200]!r}"
    if answer.startswith(b"HTTP/1.1 2"):  # the page is everybody's, its facts are not
        facts = b"application/json" in answer and b'"ready"' not in answer
        return f"{TAKEN}: raw: {answer[:200]!r}" if facts else OTHER
    alive = httpx.get(f"http://{address}/health", trust_env=False, timeout=30)
    return REFUSED if alive.status_code == 200 else f"{UNNAMED}: raw: {alive.text[:100]}"


def _lines(draw: random.Random) -> bytes:
    head = b"GET /api/city HTTP/1.1\r\nHost: localhost\r\n"
    return draw.choice(
        (
            draw.randbytes(500),
            head + b"X: " + b"y" * draw.choice((70_000, 1_000_000)) + b"\r\n\r\n",
            head + b"".join(b"X%d: y\r\n" % n for n in range(5_000)) + b"\r\n",
            head + b"Content-Length: -1\r\n\r\n",
            head + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
            head + b"Content-Length: " + b"9" * 400 + b"\r\n\r\n",
            head + b"Content-Length: \xd9\xa1\r\n\r\nx",
            head + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx",
            head
            + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\nGET / HTTP/1.1",
            head + b"Authorization: Bearer \xff\xfe\x00\r\n\r\n",
            head + b"no colon\r\n\r\n",
            b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"GET http://elsewhere/api/city HTTP/1.1\r\nHost: elsewhere\r\n\r\n",
            b"GET /api/city HTTP/9.9\r\n\r\n",
            b"POST /deep-data HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            damaged(head + b"Accept: */*\r\n\r\n", draw)[1],
        )
    )


def _bytes(headers: dict[str, Any]) -> list[tuple[bytes, bytes]]:
    """Headers as they go over the wire, whatever they hold."""
    return [
        (name.encode(), value if isinstance(value, bytes) else str(value).encode("utf-8"))
        for name, value in headers.items()
    ]
