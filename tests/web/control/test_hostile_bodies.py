"""What a hostile body may cost: bounded before it is unpacked, parsed or kept."""

import asyncio
import gzip
import json

import httpx
import pytest
from fastapi import FastAPI, Request
from pydantic import ValidationError

from deepcity.web.api.refusals import Refusal
from deepcity.web.control import pushing
from deepcity.web.control.incidents.routes import EntryAsked
from deepcity.web.ngsi.subscriptions.subscription import SubscriptionDocument
from deepcity.web.server.bodies import BodyLimit


def test_a_bomb_is_refused_and_a_packed_batch_is_read():
    assert pushing._unpacked(gzip.compress(b"time,station\n")) == b"time,station\n"
    bomb = gzip.compress(b"\n" * (pushing.MOST_BYTES + 1))
    for body, status in ((bomb, 413), (b"\x1f\x8bxx", 422)):
        with pytest.raises(Refusal) as caught:
            pushing._unpacked(body)
        assert caught.value.status == status


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "\\ud800"}',
        '{"a": NaN}',
        '{"a": %s}' % ("[" * 700 + "]" * 700),
        '{"a": "%s"}' % ("x" * 200_001),
    ],
)
def test_a_geometry_that_cannot_be_kept_and_shown_is_refused(text):
    with pytest.raises(ValidationError):
        EntryAsked(kind="drawing", geometry=json.loads(text))
    assert EntryAsked(kind="drawing", geometry={"type": "Point", "coordinates": [1, 2]}).geometry


@pytest.mark.parametrize("name", ["urn:가", "urn:a/b", "urn:a%2Fb"])
def test_a_subscription_that_no_path_or_header_can_name_is_refused(name):
    asked = {"type": "Subscription", "notification": {"endpoint": {"uri": "http://127.0.0.1/"}}}
    SubscriptionDocument.model_validate({**asked, "id": "urn:a:b"})
    with pytest.raises(ValidationError):
        SubscriptionDocument.model_validate({**asked, "id": name})


def test_a_body_is_refused_before_it_is_parsed():
    app = FastAPI()

    @app.post("/notes")
    @app.post("/rows")
    async def length(request: Request) -> int:
        return len(await request.body())

    app.add_middleware(BodyLimit, most=10, own=("/rows",))

    async def statuses() -> list[int]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://a") as client:
            sizes = [("/notes", 10), ("/notes", 11), ("/rows", 11)]
            return [(await client.post(path, content=b"x" * n)).status_code for path, n in sizes]

    assert asyncio.run(statuses()) == [200, 413, 200]


def test_a_body_whose_length_is_stated_is_refused_before_it_comes():
    """Whoever says that a terabyte follows, and sends nothing, is not waited for."""
    app = FastAPI()

    @app.post("/notes")
    async def length(request: Request) -> int:
        return len(await request.body())

    app.add_middleware(BodyLimit, most=10)

    async def never():
        raise AssertionError("it was waited for")
        yield b""

    async def status(stated: str) -> int:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://a") as client:
            headers = {"Content-Length": stated}
            return (await client.post("/notes", content=never(), headers=headers)).status_code

    for stated in ("11", "1099511627776", "9" * 30):
        assert asyncio.run(status(stated)) == 413
    with pytest.raises(AssertionError, match="waited for"):
        asyncio.run(status("10"))
