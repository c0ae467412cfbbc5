"""A running city with its routes, in this process: a node of a small town, and its application."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import live_server
import live_town
import node_town
from fastapi import FastAPI

from benchmarks.mutated_requests.tokens import OWNER, city_access
from deepcity.live.access import Access
from deepcity.live.application import LiveApplication
from deepcity.store.signatures.ed25519 import public_hex
from deepcity.web.api.app import create_app
from deepcity.web.control.accounts.account_file import account_entry, signing_entry
from deepcity.web.control.accounts.accounts import load_accounts
from deepcity.web.control.app import create_control_room
from deepcity.web.control.roles import Role

PASSWORD = "correct horse battery"
_SECONDS = 60.0
_STREAMS = ("/api/stream",)  # an answer without an end
_PUBLIC = ("/health", "/api/session", "/ngsi-ld/v1/jsonldContexts")
_ASKED = ("/health", "/openapi.json", "/forecast", "/decision", "/agencies")


@dataclass
class Route:
    """A route as its API describes it.

    Attributes:
        schema: of a JSON body; empty: it takes none that is described.
    """

    method: str
    path: str
    query: tuple[str, ...]
    schema: dict[str, Any]


@dataclass
class Room:
    """One server in this process, and what it serves.

    Attributes:
        public: beginnings of the paths that are answered to everybody.
        cookie: of a person who is logged in.
    """

    app: FastAPI
    routes: list[Route]
    document: dict[str, Any]
    public: tuple[str, ...]
    cookie: str = ""
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def __post_init__(self) -> None:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://localhost")
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def ask(self, method: str, url: str, **how: Any) -> httpx.Response:
        """Send one request.

        Raises:
            TimeoutError: if no answer comes.
        """

        async def asked() -> httpx.Response:
            self._client.cookies.clear()
            return await asyncio.wait_for(self._client.request(method, url, **how), _SECONDS)

        return asyncio.run_coroutine_threadsafe(asked(), self._loop).result()

    def close(self) -> None:
        """End its loop."""
        asyncio.run_coroutine_threadsafe(self._client.aclose(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_SECONDS)
        self._loop.close()


@dataclass(frozen=True)
class Rooms:
    """A control room with accounts and an application, of one town."""

    control: Room
    application: Room
    town: live_town.Town
    access: Access


@contextmanager
def rooms(town: live_town.Town, folder: Path) -> Iterator[Rooms]:
    """Both servers of a town that has done one step."""
    access, hours = city_access(), (live_town.NOW - live_town.START) // live_town.HOUR
    city = node_town.city_folder(folder / "city", hours, town.fused_file)
    accounts = folder / "accounts.toml"
    owner = signing_entry("weather", Role.ADMIN, public_hex(OWNER))  # its tokens are mutated
    accounts.write_text(account_entry("kim", Role.ADMIN, PASSWORD) + "\n" + owner)
    url, deep = (f"duckdb:///{folder / name}.duckdb" for name in ("city", "deep"))
    with (
        node_town.town_node(city, access, lambda: live_town.NOW + 60, url) as node,
        live_server.store_of(town, deep, access) as store,
    ):
        application = LiveApplication(town.fused, store)
        application.load_rows(town.panel("metro", live_town.NOW))
        app = create_app(application, access, clock=lambda: live_town.NOW + 60)
        control = _room(
            create_control_room(node, [], folder / "state", load_accounts(accounts)), _PUBLIC
        )
        found = Rooms(control, _room(app, _ASKED), town, access)
        reply = control.ask("POST", "/api/session", json={"name": "kim", "password": PASSWORD})
        control.cookie = reply.headers["set-cookie"].partition(";")[0]
        try:
            yield found
        finally:
            control.close()
            found.application.close()


def _room(app: FastAPI, public: tuple[str, ...]) -> Room:
    document = app.openapi()
    routes = [
        Route(method.upper(), path, _query(one), _schema(one))
        for path, ways in document["paths"].items()
        if path not in _STREAMS
        for method, one in ways.items()
    ]
    return Room(app, routes, document, public)


def _query(operation: dict[str, Any]) -> tuple[str, ...]:
    return tuple(one["name"] for one in operation.get("parameters", []) if one["in"] == "query")


def _schema(operation: dict[str, Any]) -> dict[str, Any]:
    body = operation.get("requestBody", {}).get("content", {})
    found: dict[str, Any] = body.get("application/json", {}).get("schema", {})
    return found
