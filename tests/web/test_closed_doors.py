"""No door of any web application opens without a key, but those named here with their reason."""

import base64
import json
import re
from pathlib import Path

import httpx
import oidc_room
import pytest
from fastapi import APIRouter, FastAPI, WebSocket
from fastapi.staticfiles import StaticFiles
from itsdangerous import TimestampSigner
from live_server import TOKENS, access, application_of, serving
from live_town import HOUR, NOW, START
from node_town import city_folder, town_node
from open_doors import MOUNT, WEBSOCKET, Door, doors, opened
from searching_cities import approved, make_world

import deepcity
from deepcity.exchange.message import to_bytes
from deepcity.intercity.casework.case import CaseVerb
from deepcity.live.access import ReaderEntry
from deepcity.web import rows_endpoint
from deepcity.web.api.app import create_app
from deepcity.web.casework.owner_app import create_owner_app
from deepcity.web.control.accounts.account_file import account_entry
from deepcity.web.control.accounts.accounts import load_accounts
from deepcity.web.control.app import create_control_room
from deepcity.web.control.roles import OPEN, Role
from deepcity.web.server import serving as server_module

OPEN_ROOM = {
    Door("GET", "/"): "the page, the same for every city; it shows nothing before a log-in",
    Door(MOUNT, ""): "the page's scripts, styles and coastlines, as the wheel ships them",
    Door("GET", "/health"): "whether it has begun, for whoever restarts it",
    Door("GET", "/api/session"): "by which ways people log in",
    Door("POST", "/api/session"): "the log-in itself",
    Door("DELETE", "/api/session"): "ends the session of whoever asks, and no other",
    Door("GET", "/api/oidc"): "sends the browser to the other provider",
    Door("GET", "/api/oidc/callback"): "takes what the other provider signed",
    Door("GET", "/ngsi-ld/v1/jsonldContexts/{name}"): "the public words of NGSI-LD answers",
}
OPEN_APPLICATION = {
    Door("GET", "/health"): "whether forecasts can be made, for whoever restarts it",
    Door("GET", "/openapi.json"): "the form of questions and answers, no answer",
    Door("HEAD", "/openapi.json"): "its headers",
}
OPEN_ROWS = {
    Door("POST", "/rows"): "adds rows of the agency's own machine; it reads nothing out",
    Door("GET", "/openapi.json"): "the form of that one question",
    Door("HEAD", "/openapi.json"): "its headers",
}
QUERY = {"space": "town/environment/weather/h3@0123456789abcdef"}
ROOM = ReaderEntry(name="room", token="control-room-0123456789")


def session_signed_with(key):
    """A cookie that makes its sender an admin, if the key were the room's."""
    facts = {"name": "kim", "stamp": "", "since": 2_000_000_000, "id": "x", "role": "admin"}
    body = base64.b64encode(json.dumps(facts).encode())
    return {"Cookie": f"deepcity={TimestampSigner(key).sign(body).decode()}"}


def unsigned_token():
    parts = ({"alg": "none", "typ": "JWT"}, {"iss": "kim", "sub": "kim", "aud": "town"})
    coded = [base64.urlsafe_b64encode(json.dumps(one).encode()).decode() for one in parts]
    return {"Authorization": f"Bearer {'.'.join(coded).replace('=', '')}."}


STRANGERS = {
    "nothing": {},
    "an empty token": {"Authorization": "Bearer"},
    "a guess": {"Authorization": f"Bearer {'x' * 40}"},
    "an unsigned token": unsigned_token(),
    "a password that is none": {"Authorization": "Basic a2ltOmtpbQ=="},
    "a session signed with nothing": session_signed_with(""),
    "a proxy's word": {"X-Forwarded-User": "kim", "X-Forwarded-For": "127.0.0.1"},
}


@pytest.fixture(scope="module")
def room(town_trained, tmp_path_factory):
    """A control room with everything on: accounts, another provider, agencies' tokens."""
    folder = tmp_path_factory.mktemp("room")
    (folder / "accounts.toml").write_text(account_entry("kim", Role.ADMIN, "correct horse"))
    people = load_accounts(folder / "accounts.toml")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROOM_SECRET", "s & c")
        provider = oidc_room.settings(folder, "http://127.0.0.1:9")
    city = city_folder(folder / "city", (NOW - START) // HOUR, town_trained.fused_file)
    url = f"duckdb:///{folder / 'city.duckdb'}"
    with town_node(city, access(), lambda: NOW + 60, url) as node:
        app = create_control_room(node, [], folder / "state", people, oidc=provider)
        with serving(app) as address:
            yield app, address


@pytest.fixture(scope="module")
def application(town_trained, tmp_path_factory):
    """A service's own API, with tokens for those who ask and those who send."""
    url = f"duckdb:///{tmp_path_factory.mktemp('served') / 'deep.duckdb'}"
    allowed = access(readers=[ROOM])
    with application_of(town_trained, url, until=NOW, allowed=allowed) as (address, live):
        yield create_app(live, allowed), address


@pytest.mark.parametrize("who", STRANGERS)
def test_the_control_room_opens_no_other_door(room, who):
    app, address = room
    asked = doors(app) - set(OPEN_ROOM)
    assert len(asked) > 50
    assert opened(app, address, asked, STRANGERS[who], QUERY) == {}


@pytest.mark.parametrize("who", STRANGERS)
def test_a_service_opens_no_other_door(application, who):
    app, address = application
    asked = doors(app) - set(OPEN_APPLICATION)
    assert {door.path for door in asked} == {"/deep-data", "/forecast", "/decision", "/agencies"}
    assert opened(app, address, asked, STRANGERS[who], QUERY) == {}


def test_one_door_s_key_opens_no_other_kind_of_door(room, application):
    """An agency may send and not ask, a reader ask and not send; neither is a person."""
    agency, reader = ({"Authorization": f"Bearer {one}"} for one in (TOKENS["gates"], ROOM.token))
    app, address = room
    sending = {one for one in doors(app) if one.path.startswith("/deep-data")}
    assert len(sending) == 2
    asked = doors(app) - set(OPEN_ROOM)
    assert set(opened(app, address, asked, agency, QUERY)) <= sending
    assert opened(app, address, asked, reader, QUERY) == {}
    app, address = application
    asked = doors(app) - set(OPEN_APPLICATION)
    assert {one.path for one in opened(app, address, asked, agency, QUERY)} == {"/deep-data"}
    assert "/deep-data" not in {one.path for one in opened(app, address, asked, reader, QUERY)}


def test_the_lists_name_doors_that_are_there(room, application):
    assert set(OPEN_ROOM) <= doors(room[0])
    assert set(OPEN_APPLICATION) <= doors(application[0])
    routes = {(one.method, one.path) for one in OPEN_ROOM if one.method != MOUNT}
    assert routes == OPEN  # the room's own table says the same


def test_what_open_doors_tell_is_of_no_city(room):
    with httpx.Client(base_url=room[1], trust_env=False) as client:
        assert set(client.get("/health").json()) == {"ready", "reason"}
        assert set(client.get("/api/session").json()) == {"password", "oidc"}
        shown = Path(deepcity.__file__).parent / "web" / "static"
        mounted = [one for one in room[0].routes if isinstance(getattr(one, "app", 0), StaticFiles)]
        assert [one.app.all_directories for one in mounted] == [[shown]]


def test_rows_are_taken_from_this_machine_s_programs_alone(monkeypatch):
    """Its one door has no key: it is on the loopback address, and no page may knock."""
    made = []

    class Server:
        def run(self):
            """Nothing is served here."""

    def make(app, host, port):
        made.append((app, host, port))
        return Server()

    monkeypatch.setattr(server_module, "make_server", make)
    rows_endpoint._listen({}, 1)
    (app, host, _), *others = made
    assert (host, others) == ("127.0.0.1", [])
    assert doors(app) == set(OPEN_ROWS)


def test_there_is_no_application_that_is_not_walked_here():
    source = Path(deepcity.__file__).parent
    made = {
        str(path.relative_to(source))
        for path in source.rglob("*.py")
        if re.search(r"\b(FastAPI|Starlette|HTTPServer|Flask)\(", path.read_text(encoding="utf-8"))
    }
    rooms = {"web/control/app.py", "web/api/app.py", "web/casework/owner_app.py"}
    assert made == {*rooms, "web/rows_endpoint.py"}


def test_the_door_of_cameras_needs_a_signature_instead_of_a_key(tmp_path):
    """Who knocks without a case that a trusted city signed gets a refusal, whatever they bring."""
    world = make_world(tmp_path)
    app = create_owner_app(world.cities["seoul"].owner(), "seoul")
    assert doors(app) == {Door("POST", "/case"), Door("GET", "/health")}
    stranger = make_world(tmp_path / "elsewhere")
    room, case = stranger.room(), approved(stranger)
    content = room.file(case).private().query
    signed, query = room.file(case).signed(), bytes.fromhex(content)
    strange = room._message(signed, "seoul", CaseVerb.SEARCH, 1, query)
    with serving(app) as address, httpx.Client(base_url=address, trust_env=False) as client:
        for body, status in ((b"", 422), (to_bytes(strange), 403)):
            answer = client.post("/case", content=body, headers={"Authorization": "Bearer x"})
            assert answer.status_code == status
        assert client.get("/health").json() == {"city": "seoul"}


def test_the_walk_finds_doors_of_every_kind_and_those_left_open():
    """As one who adds a door would forget its key: in a router, by a socket, in a mounted part."""
    app, part = FastAPI(openapi_url=None), FastAPI(openapi_url=None)
    inner, deep = APIRouter(), APIRouter()
    part.add_api_route("/rows", lambda: "all of them")
    deep.add_api_route("/route", lambda: "open")
    inner.include_router(deep, prefix="/deep")
    app.include_router(inner, prefix="/in")
    app.mount("/part", part)

    @app.websocket("/live")
    async def live(socket: WebSocket):
        await socket.accept()
        await socket.close()

    @app.websocket("/closed")
    async def closed(socket: WebSocket):
        await socket.close(1008)

    left_open = {
        Door("GET", "/in/deep/route"), Door("GET", "/part/rows"), Door(WEBSOCKET, "/live"),
    }  # fmt: skip
    there = {one for one in doors(app) if not one.path.startswith(("/docs", "/redoc"))}
    assert there == left_open | {Door(MOUNT, "/part"), Door(WEBSOCKET, "/closed")}
    with serving(app) as address:
        found = opened(app, address, there - {Door(MOUNT, "/part")}, {}, {})
    assert set(found) == left_open
