"""`deepcity up` with agencies as processes of their own, which are killed and started again.

All processes go by a clock that the test sets; hours pass at once.
"""

import time
from contextlib import contextmanager

import httpx
import numpy as np
import pytest
from clocked import PROGRAM, SetClock
from live_server import TOKENS, agency_process
from live_town import DAY, HOUR, NOW, START
from node_process import running
from node_town import OTHER, access_file, city_folder, grow, second_service

from deepcity.live.delivery import SENT_AT
from deepcity.live.wire import BLOB, cell_names, pack_deep
from deepcity.store.deep_data.batch import DeepData
from deepcity.store.open_store import open_store

HOURS = (NOW - START) // HOUR
MINUTE = 60


def forecasts(node, service="ridership", kind="forecast"):
    events = node.ask("/api/events", kind=kind, limit=1000) or []
    return [one["body"] for one in events if one["service"] == service]


def agency_of(forecast, name="weather"):
    return next(one for one in forecast["agencies"] if one["agency"] == name)


def newest(node, origin_s, status):
    """Whether the newest forecast begins then, and weather was of that status."""
    made = forecasts(node)
    found = made and made[-1]["origin_s"] == origin_s and "agencies" in made[-1]
    return found and agency_of(made[-1])["status"] == status


@contextmanager
def sender(town, clock, folder, address):
    """The weather office's process; it does not outlive the block."""
    program = (*PROGRAM, clock.file)
    process = agency_process(town, "weather", folder, address, program=program)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def push(node, clock, package, vectors, *, times, token=TOKENS["weather"], space=None, sent=None):
    """Deep data as anyone can send them: status and answer."""
    cells = np.resize(cell_names(package.cells), len(times))
    batch = DeepData(package.space, np.array(times), cells, np.array(vectors, np.float32))
    reply = httpx.post(
        f"{node.address}/deep-data",
        params={"space": space or str(package.space)},
        content=pack_deep(batch),
        headers={
            "Authorization": f"Bearer {token}",
            "Content-Type": BLOB,
            SENT_AT: str(int(clock.now() if sent is None else sent)),
        },
        trust_env=False,
    )
    return reply.status_code, reply.json()


@pytest.fixture
def clock(tmp_path):
    return SetClock(tmp_path / "clock", NOW + MINUTE)


def test_a_node_forecasts_with_an_agency_that_is_killed_and_comes_back(
    town_trained, tmp_path, clock
):
    office, here = tmp_path / "office", tmp_path / "city"
    town_trained.copy_to(office, HOURS)
    other = second_service(town_trained, tmp_path / "other")
    city = city_folder(here, HOURS, town_trained.fused_file, other.fused_file)
    access = access_file(tmp_path / "access.toml", "ridership", OTHER)
    options = ("--access", access, "--state", here / "state", "--look", "0.3")
    with running(city, *options, program=(*PROGRAM, clock.file)) as node:
        with sender(town_trained, clock, office, node.address):
            node.wait(lambda: newest(node, NOW, "fresh"))
            found = forecasts(node)[-1]
            assert agency_of(found)["lag_s"] == 0
            assert "without gates (no-data)" in found["note"]
            assert "weather" not in found["note"]
        # killed; three hours later its deep data are too old, and the forecast goes on
        grow(here, "riders", HOURS + 3)
        clock.set(NOW + 3 * HOUR + MINUTE)
        node.wait(lambda: newest(node, NOW + 3 * HOUR, "late"))
        found = forecasts(node)[-1]
        assert agency_of(found)["lag_s"] == 3 * HOUR
        assert "without weather (late: its newest deep data are 3:00 h old" in found["note"]
        evidence = forecasts(node, kind="decision")[-1]["evidence"]
        assert [(one["agency"], one["status"]) for one in evidence] == [
            ("metro", "fresh"),
            ("gates", "no-data"),
            ("weather", "late"),
        ]
        source = source_of(node)
        assert (source["status"], source["lag_s"] // HOUR) == ("late", 3)
        assert (source["deep"]["layer"], source["deep"]["width"]) == ("h3", 3)
        node.wait(lambda: "source-late" in alarms(node))
        # it comes back with the rows that it has read since
        grow(office, "sky", HOURS + 3)
        with sender(town_trained, clock, office, node.address):
            node.wait(lambda: newest(node, NOW + 3 * HOUR, "fresh"))
        assert agency_of(forecasts(node)[-1])["lag_s"] == 0
        node.wait(lambda: source_of(node)["status"] == "fresh" and not alarms(node))
        hostile(node, clock, town_trained, other)
        # what one application is sent, another does not see
        assert {agency_of(one)["status"] for one in forecasts(node, OTHER)} == {"no-data"}
        known = len(forecasts(node))
        node.kill()
        node.start()
        node.wait()
        assert source_of(node)["status"] == "fresh"
        assert len(forecasts(node)) == known
    assert_once(town_trained, here / "state" / "city-deep.duckdb")


def source_of(node, service="ridership"):
    found = [one for one in node.ask("/api/sources") if one["deep"] is not None]
    (one,) = [o for o in found if (o["agency"], o["deep"]["service"]) == ("weather", service)]
    return one


def alarms(node):
    return {one["code"] for one in node.ask("/api/alarms", state="all") if not one["over"]}


def hostile(node, clock, town, other):
    """What is refused leaves nothing; what comes twice counts once."""
    weather, at = town.encoders["weather"], [NOW + 3 * HOUR]
    right, before = [[0.1, 0.2, 0.3]], len(forecasts(node))
    for status, how in (
        (401, {"token": "nobodys-token-0123456789"}),
        (401, {"token": "x"}),
        (403, {"token": TOKENS["gates"]}),
        (409, {"space": str(weather.space).replace(weather.version, "0" * 16)}),
        (412, {"sent": clock.now() - DAY}),
        (422, {"times": [NOW + 9 * HOUR]}),
        (422, {"times": [NOW + 7]}),
        (422, {"vectors": [[np.nan, 0, 0]]}),
        (422, {"vectors": [[1e30, 0, 0]]}),
        (422, {"vectors": [[0, 0, -1.01]]}),
        (422, {"vectors": right}),  # another vector for what is stored
    ):
        asked = {"vectors": right, "times": at, **how}
        found, body = push(node, clock, weather, **asked)
        assert found == status, (how, body)
        assert body["errors"][0]["next"]
    for result in ("new", "repeated"):  # a body that is sent again has no effect
        status, body = push(node, clock, weather, right, times=[NOW - 40 * HOUR])
        assert (status, body[result]) == (200, 1)
    time.sleep(1)  # three looks of the node
    assert len(forecasts(node)) == before


def assert_once(town, path):
    """Each time of the weather office once, from a day before its first pass on."""
    space = town.encoders["weather"].space
    with open_store(f"duckdb:///{path}", lambda *_: True) as store:
        times = store.read(space, None, 0, 2 * NOW, reader="ridership").time_R.tolist()
    assert times == [NOW - 40 * HOUR, *range(NOW - DAY, NOW + 3 * HOUR + 1, HOUR)]
