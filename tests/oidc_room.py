"""A control room without a city, and a browser that logs in there by OpenID Connect."""

import json
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import httpx
from fastapi import Depends, FastAPI
from live_server import serving

from deepcity.web.api.refusals import Refusal, refuse
from deepcity.web.control.oidc.settings import load_oidc
from deepcity.web.control.sessions.session import add_sessions


def settings(folder, issuer, **more):
    """As the file has them."""
    given = {
        "issuer": issuer, "client_id": "room", "address": "https://room.example",
        "client_secret": "${ROOM_SECRET}", **more,
    }  # fmt: skip
    lines = [f"{key} = {json.dumps(value)}" for key, value in given.items()]
    path = folder / "oidc.toml"
    path.write_text("\n".join([*lines, "[roles]", 'desk = "operator"', 'data = "analyst"']))
    return load_oidc(path)


@contextmanager
def room(folder, oidc, accounts=None):
    """A browser at a control room without a city."""
    app = FastAPI()
    app.add_exception_handler(Refusal, refuse)
    askers = add_sessions(app, accounts, folder / "session.key", oidc, city="town", secure=False)

    @app.get("/api/city")
    def city(user=Depends(askers.person)):  # noqa: B008
        return {"name": user.name, "role": user.role.value}

    with serving(app) as address, httpx.Client(base_url=address, timeout=30) as browser:
        yield browser


def begun(browser):
    """The address that a browser is sent to."""
    found = browser.get("/api/oidc")
    assert found.status_code == 303, found.text
    return found.headers["location"]


def back(browser, location, **how):
    """Follows the way back, at this address of the room."""
    parts = urlsplit(location)
    assert (parts.netloc, parts.path) == ("room.example", "/api/oidc/callback")
    return browser.get(f"{parts.path}?{parts.query}", **how)


def asked_of(url):
    return {key: value[0] for key, value in parse_qs(urlsplit(url).query).items()}


def reason(found):
    return found.json()["errors"][0]["reason"]
