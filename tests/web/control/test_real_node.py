"""The page before a real `deepcity up`: what it shows, and that it outlives the node."""

import pytest
from control_room_page import control_room
from live_server import serving
from node_process import running
from playwright.sync_api import expect

from deepcity.web.control.accounts.account_file import account_entry
from deepcity.web.control.accounts.accounts import load_accounts
from deepcity.web.control.app import create_control_room
from deepcity.web.control.roles import Role

PASSWORD = "correct horse battery"


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
        room.go("services")
        page.locator("[data-service] h2 a").first.click()
        expect(page.locator(".service-page .chart canvas")).to_be_visible()
        expect(page.locator(".service-page [data-decision]")).to_be_visible()
        room.go("agencies")
        expect(page.locator("main")).to_contain_text("fresh", ignore_case=True)
        room.go("intercity")
        expect(page.locator("main")).to_contain_text("x: uses shared layers up to")
        assert room.complaints == []
        before = page.locator("#clock").get_attribute("datetime")
        node.kill()
        expect(page.locator("#lost")).to_be_visible()
        node.start()
        expect(page.locator("#connection")).to_have_text("Connected")
        expect(page.locator("#clock")).not_to_have_attribute("datetime", before)
        expect(page.locator("#lost")).to_have_count(0)
        assert room.foreign == []


@pytest.fixture
def entered(browser, open_node, tmp_path):
    """The control room of a node with accounts, once for each of three people."""
    people = {"mina": Role.OPERATOR, "joon": Role.OPERATOR, "hana": Role.ANALYST}
    path = tmp_path / "accounts.toml"
    path.write_text("\n".join(account_entry(*one, PASSWORD) for one in people.items()))
    node = open_node(speed=1e-6)
    node.tick()
    app = create_control_room(node, [], tmp_path / "state", load_accounts(path))
    with (
        serving(app) as address,
        control_room(browser, address) as mina,
        control_room(browser, address, language="ko-KR") as joon,
        control_room(browser, address) as hana,
    ):
        for room, name in ((mina, "mina"), (joon, "joon"), (hana, "hana")):
            room.open("#/incidents").log_in(name, PASSWORD)
            expect(room.page.locator("main.at-incidents")).to_be_visible()
        yield mina, joon, hana


def test_an_entry_is_seen_by_those_whom_it_is_for(entered):
    mina, joon, hana = entered
    mina.page.locator("input[name=title]").fill("Burst main")
    mina.page.get_by_role("button", name="Open an incident").click()
    for room in (joon, hana):
        room.page.get_by_text("Burst main").click()
        expect(room.page.locator("h1")).to_have_text("Burst main")
    for role, text in (("operator", "The caller's name is Kim"), ("", "Valve 7 is closed")):
        mina.page.locator("select[name=for]").select_option(role)
        mina.page.locator("textarea[name=entry]").fill(text)
        mina.page.get_by_role("button", name="Add note").click()
        expect(mina.page.locator("#entries")).to_contain_text(text)
    expect(joon.page.locator("#entries")).to_contain_text("Valve 7 is closed")
    expect(joon.page.locator("#entries")).to_contain_text("Kim")
    expect(hana.page.locator("#entries")).to_contain_text("Valve 7 is closed")
    expect(hana.page.locator("#entries")).not_to_contain_text("Kim")
    raw = hana.page.evaluate("fetch('/api/events?limit=1000').then(found => found.text())")
    assert "Valve 7" in raw
    assert "Kim" not in raw


def test_tasks_name_agencies_and_each_reader_is_noted_as_far_as_they_may_see(entered):
    """Two browsers of operators and one of an analyst, at once, before a real node."""
    mina, joon, hana = entered
    mina.page.locator("input[name=title]").fill("Burst main")
    mina.page.get_by_role("button", name="Open an incident").click()
    mina.page.locator("input[name=agency]").fill("Harbour police")
    mina.page.locator("textarea[name=entry]").fill("Keep boats away")
    mina.page.get_by_role("button", name="Add as task").click()
    expect(mina.page.locator("#tasks li")).to_contain_text("Harbour police")
    for room in (joon, hana):
        room.page.get_by_text("Burst main").click()
        expect(room.page.locator("#concerned")).to_contain_text("Harbour police")
    seen = mina.page.locator("#entries .task .seen-by")
    expect(seen).to_contain_text("joon (operator)")
    expect(seen).to_contain_text("hana (analyst)")
    mina.page.locator("select[name=for]").select_option("operator")
    mina.page.locator("textarea[name=entry]").fill("The caller's name is Kim")
    mina.page.get_by_role("button", name="Add note").click()
    note = mina.page.locator("#entries .note .seen-by")
    expect(note).to_contain_text("joon (operator)")
    expect(note).not_to_contain_text("hana")
    joon.page.locator("#tasks button").click()  # no words are needed
    expect(hana.page.locator("#tasks .done")).to_contain_text("done by joon")
    expect(hana.page.locator("textarea")).to_have_count(0)
    for room in entered:
        assert room.foreign == []
        assert {one for one in room.complaints if "401" not in one} == set()  # before the log-in
