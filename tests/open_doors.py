"""Every door of an HTTP application, and which of them open to somebody without a key.

A door is a route, a websocket or a mounted application, at any depth of included routers; what
is none of these is a kind that the walk does not know, and so an error.
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import httpx
from fastapi import FastAPI
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

WEBSOCKET, MOUNT = "WEBSOCKET", "MOUNT"
REFUSED = 401


@dataclass(frozen=True, order=True)
class Door:
    """A method (or `WEBSOCKET`, `MOUNT`) and a path as the application wrote it."""

    method: str
    path: str


def doors(app: FastAPI) -> set[Door]:
    """All doors of an application.

    Raises:
        AssertionError: if there is something that can be asked and is no known kind of door.
    """
    return set(_doors([*app.routes, *getattr(app.router, "_low_priority_routes", ())]))


def _doors(routes: list[BaseRoute], prefix: str = "") -> Iterator[Door]:
    for one in routes:
        inner = getattr(one, "original_router", None)
        if inner is not None:  # a router that FastAPI keeps as a part
            below = getattr(one.include_context, "prefix", "")
            yield from _doors([*inner.routes, *inner._low_priority_routes], prefix + below)
        elif isinstance(one, Mount):
            yield Door(MOUNT, prefix + one.path)
            yield from _doors(list(one.routes or ()), prefix + one.path)
        elif isinstance(one, WebSocketRoute):
            yield Door(WEBSOCKET, prefix + one.path)
        else:
            assert isinstance(one, Route) or hasattr(one, "methods"), f"what is {one!r}?"
            methods = one.methods or {"GET", "POST", "PUT", "PATCH", "DELETE"}
            yield from (Door(method, prefix + one.path) for method in methods)


def opened(
    app: FastAPI,
    address: str,
    asked: set[Door],
    headers: Mapping[str, str],
    query: Mapping[str, str],
) -> dict[Door, int]:
    """The doors that answer these headers with anything but 401, and what they answer.

    Args:
        address: where the application is served.
        query: what a door needs to be asked at all.
    """
    found = {}
    with httpx.Client(base_url=address, trust_env=False, timeout=30) as client:
        for door in sorted(asked):
            if door.method == WEBSOCKET:
                status = _handshake(app, door.path, headers)
            else:
                method = "GET" if door.method == MOUNT else door.method
                with client.stream(method, door.path, headers=headers, params=query) as answer:
                    status = answer.status_code  # a stream's body would not end
            if status != REFUSED:
                found[door] = status
    return found


def _handshake(app: FastAPI, path: str, headers: Mapping[str, str]) -> int:
    """101 where a websocket is accepted, 401 where it is not; by ASGI itself, without a server."""
    answers = []
    scope = {
        "type": "websocket", "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": [(k.lower().encode(), v.encode()) for k, v in headers.items()],
        "scheme": "ws", "subprotocols": [], "client": ("127.0.0.1", 1), "server": ("localhost", 1),
    }  # fmt: skip

    async def receive() -> dict[str, object]:
        return {"type": "websocket.disconnect" if answers else "websocket.connect"}

    async def send(answer: Mapping[str, str]) -> None:
        answers.append(answer["type"])

    asyncio.run(app(scope, receive, send))
    return 101 if "websocket.accept" in answers else REFUSED
