"""Answers are made once, kept until something changes, and not sent to whoever has them."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest
from fastapi import Response
from live_server import TOKENS, application_of
from live_town import HOUR, NOW

from deepcity.live.arrow import ARROW
from deepcity.live.wire import BLOB, cell_names, pack_deep, to_rows
from deepcity.web.api.answer_cache import LONGEST_S, AnswerCache


@pytest.fixture(scope="module")
def served(town_trained, tmp_path_factory):
    url = f"duckdb:///{tmp_path_factory.mktemp('kept') / 'deep.duckdb'}"
    with application_of(town_trained, url, until=NOW, clock=lambda: NOW + 60) as found:
        yield found


@pytest.fixture
def made(served, monkeypatch):
    """The moments of all forecasts made from here on."""
    application, moments = served[1], []
    forecast = type(application).forecast

    def counted(self, at):
        moments.append(at)
        return forecast(self, at)

    monkeypatch.setattr(type(application), "forecast", counted)
    return moments


def test_many_who_ask_at_once_get_one_forecast(served, made):
    def ask(_):
        query = {"at": NOW - HOUR}
        return httpx.get(f"{served[0]}/forecast", params=query, trust_env=False, timeout=60)

    begun = time.monotonic()
    with ThreadPoolExecutor(20) as threads:
        replies = list(threads.map(ask, range(60)))
    assert {reply.status_code for reply in replies} == {200}
    assert len({reply.content for reply in replies}) == 1
    most = 1 + (time.monotonic() - begun) // LONGEST_S  # where the machine is busy
    assert set(made) == {NOW - HOUR}
    assert len(made) <= most


def test_it_is_made_anew_when_deep_data_or_own_rows_come(town_trained, served, made):
    package = town_trained.encoders["weather"]
    with httpx.Client(base_url=served[0], trust_env=False, timeout=60) as client:
        first = client.get("/forecast")
        held = {"If-None-Match": first.headers["ETag"]}
        same = client.get("/forecast", params={"at": NOW + 30}, headers=held)
        assert (same.status_code, same.content) == (304, b"")
        assert same.headers["ETag"] == first.headers["ETag"]
        assert client.get("/forecast", headers={**held, "Accept": ARROW}).status_code == 200
        times_B = np.array([NOW])
        batch = package.encode(town_trained.panel("weather"), times_B)
        body = pack_deep(to_rows(package.space, cell_names(package.cells), times_B, batch))
        headers = {"Authorization": f"Bearer {TOKENS['weather']}", "Content-Type": BLOB}
        query = {"space": str(package.space)}
        assert client.post("/deep-data", params=query, content=body, headers=headers).json()["new"]
        fresh = client.get("/forecast", headers=held)
        assert (fresh.status_code, fresh.json()["used"]) == (200, ["weather"])
        assert fresh.headers["ETag"] != first.headers["ETag"]
        made.clear()
        served[1].load_rows(town_trained.panel("metro", NOW))
        client.get("/forecast")
        assert NOW in made


def test_it_holds_so_many_bytes_and_so_long():
    now, made, version = [0.0], [], [1]

    async def work():
        cache = AnswerCache(lambda: version[0], most_bytes=250, longest_s=5, clock=lambda: now[0])

        async def get(key):
            await cache.get(key, lambda: made.append(key) or Response(b"x" * 100))

        for key in "abab":
            await get(key)
        assert made == ["a", "b"]
        for key in "cbca":  # a was made longest ago, and went
            await get(key)
        assert made == ["a", "b", "c", "a"]
        now[0] = 6
        await get("c")
        assert made[4:] == ["c"]
        assert list(cache._kept) == ["c"]  # the others are over too
        version[0] += 1
        await get("c")
        assert made[5:] == ["c"]
        with pytest.raises(ZeroDivisionError):
            await cache.get("d", lambda: 1 / 0)
        await get("d")
        assert made[6:] == ["d"]
        assert cache._bytes <= 250

    asyncio.run(work())
