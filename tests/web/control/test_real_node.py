"""The page before a real `deepcity up`: what it shows, and that it outlives the node."""

import pytest
from control_room_page import control_room
from node_process import running
from playwright.sync_api import expect


@pytest.fixture
def node(trained, tmp_path):
    replay = ("--replay", "2021-03-09T00:00", "--speed", "3600", "--state", tmp_path / "state")
    with running(trained / "a.toml", *replay) as found:
        yield found


def test_what_a_node_forecasts_is_seen_and_it_comes_back_when_killed(browser, node):
    with control_room(browser, node.address) as room:
        page = room.open().page
        expect(page.locator(".tile")).to_have_count(2)
        expect(page.locator("#connection")).to_have_text("Connected")
        page.locator(".tile").first.click()
        expect(room.value()).to_contain_text("L/s")
        room.go("decisions")
        expect(page.locator("[data-decision]").first).to_be_visible()
        room.go("agencies")
        expect(page.locator("main")).to_contain_text("fresh", ignore_case=True)
        room.go("intercity")
        expect(page.locator("main")).to_contain_text("a/x")
        assert room.complaints == []
        before = page.locator("#clock").get_attribute("datetime")
        node.kill()
        expect(page.locator("#lost")).to_be_visible()
        node.start()
        expect(page.locator("#connection")).to_have_text("Connected")
        expect(page.locator("#clock")).not_to_have_attribute("datetime", before)
        expect(page.locator("#lost")).to_have_count(0)
        assert room.foreign == []
