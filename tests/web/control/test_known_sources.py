"""How sources stood at a time past: over HTTP, and on the page where the map's slider stands."""

import httpx
import pytest
from control_room_page import control_room
from live_city import DAY, HOUR, START
from live_server import serving
from playwright.sync_api import expect

from deepcity.store.events.event import EventDraft, EventKind
from deepcity.web.control.app import create_control_room

BODY = {"doubts": [], "from_s": None, "to_s": None, "problem": "", "checked_s": None}
BAD = {
    "code": "reading_not_a_number", "numbers": {"count": 3},
    "names": {"file": "a.csv", "column": "flow", "value": "n/k", "rows": ["7"], "text": "no"},
}  # fmt: skip


@pytest.fixture
def address(open_node, tmp_path):
    """A node six hours after its start; in the third a cell of x could not be read."""
    node = open_node()
    for _ in range(6):
        node.tick()
    for hours, notes in ((2, [BAD]), (4, [])):
        at_s, body = START + hours * HOUR, {**BODY, "reading": notes}
        node.keep([EventDraft(EventKind.CHECK, f"check/x/{at_s}", at_s, party="x", body=body)])
    with serving(create_control_room(node, [], tmp_path / "state")) as found:
        yield found


def test_sources_are_told_as_they_were_known(address):
    now_s = httpx.get(f"{address}/api/now").json()["now_s"]

    def asked(known=None):
        query = {} if known is None else {"known": known}
        return {
            one["agency"]: one for one in httpx.get(f"{address}/api/sources", params=query).json()
        }

    now, then = asked()["x"], asked(START + 3 * HOUR)["x"]
    assert (now["newest_s"], now["doubts"]) == (now_s - HOUR, [])
    assert (then["newest_s"], then["lag_s"], then["status"]) == (START + 3 * HOUR, 0, "fresh")
    assert now["rows"] - then["rows"] == (now["newest_s"] - then["newest_s"]) // HOUR
    assert [one["code"] for one in then["check"]["reading"]] == ["reading_not_a_number"]
    assert then["doubts"][0]["en"].startswith("a.csv, flow: cells that are not numbers")
    assert asked(START - DAY)["y"]["status"] == "waiting"
    assert asked(now_s + DAY) == asked()
    assert httpx.get(f"{address}/api/sources", params={"known": "14:05"}).status_code == 422


def test_the_page_follows_the_slider_into_the_past(browser, address):
    with control_room(browser, address) as room:
        room.open()
        page = room.page
        room.slide_to(START + 3 * HOUR)
        room.go("agencies")
        x = page.locator("tr[data-agency=x]")
        expect(page.locator("#as-known")).to_contain_text("As they were known at")
        expect(x).to_contain_text("cells that are not numbers")
        page.locator("#as-known button").click()
        expect(page.locator("#as-known")).to_have_count(0)
        expect(x).not_to_contain_text("cells that are not numbers")
        room.quiet()
