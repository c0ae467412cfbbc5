"""Nothing fails silently: server gone, data stale, clock wrong, nobody logged in."""

import re
import socket
from functools import partial

import pytest
from control_room_page import control_room
from fake_city import FakeCity, serving_city
from live_server import free_port
from playwright.sync_api import expect


def test_a_server_that_goes_is_told_and_one_that_comes_back_is_found(browser, city):
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with control_room(browser, address) as room:
        with serving_city(city, port):
            page = room.open().page
            room.map_ready()
            room.choose_on_map(2)
            before = room.value().inner_text()
        lost = page.locator("#lost")
        expect(lost).to_contain_text("No connection to the server")
        expect(lost).to_contain_text("14:00:0")  # until when what is shown is right
        expect(page.locator("#connection")).to_have_text("Not connected")
        expect(room.value()).to_have_text(before)
        city.advance(900)
        with serving_city(city, port):
            expect(lost).to_have_count(0)
            expect(page.locator("#clock")).to_contain_text("14:15:00")
            expect(room.value()).not_to_have_text(before)
        assert room.foreign == []


@pytest.mark.parametrize(
    ("language", "again", "kept", "button"),
    [
        ("en-US", r"Next try in \d+ s\.", "reached the server are kept", "Try now"),
        ("ko-KR", r"\d+초 뒤 다시 시도합니다\.", "그대로 남아 있습니다", "지금 시도"),
    ],
)
def test_a_lost_server_is_said_aloud_once_with_when_it_is_tried_again(
    browser, city, language, again, kept, button
):
    port = free_port()
    with control_room(browser, f"http://127.0.0.1:{port}", language=language) as room:
        room.page.clock.install()
        with serving_city(city, port):
            page = room.open("#/alarms").page
            expect(room.alarm(1)).to_be_visible()
        lost = page.locator("#lost")
        expect(lost.locator("#retry")).to_have_text(re.compile(again))
        expect(lost).to_contain_text(kept)
        aloud = page.locator("#announce-state")
        before = aloud.inner_text()
        assert before.strip()
        was = lost.inner_text()
        expect(lost).not_to_have_text(was)  # it counts on
        assert aloud.inner_text() == before, "what counts each second is not read aloud"
        for live in page.locator("[aria-live], [role=status], [role=alert]").all():
            assert not live.locator("#retry").count()
        for failed_s in (1, 2, 4, 8):  # then its own next try is 16 s away
            expect(lost.locator("#retry")).to_have_text(re.compile(again))
            page.clock.fast_forward(1_000 * failed_s)
        expect(lost.locator("#retry")).to_have_text(re.compile(r"\b[1-3]\d\D"))
        with serving_city(city, port):
            lost.get_by_role("button", name=button).click()
            expect(lost).to_have_count(0)


def test_a_try_that_comes_to_no_end_is_given_up(browser, city):
    port = free_port()
    with control_room(browser, f"http://127.0.0.1:{port}") as room:
        room.page.clock.install()
        with serving_city(city, port):
            page = room.open("#/alarms").page
            expect(room.alarm(1)).to_be_visible()
        expect(page.locator("#retry")).to_have_text(re.compile("Next try"))
        with socket.create_server(("127.0.0.1", port)):  # it takes calls and answers none
            page.get_by_role("button", name="Try now").click()
            expect(page.locator("#retry")).to_have_text("Trying now …")
            page.clock.fast_forward(12_000)
            expect(page.locator("#retry")).to_have_text(re.compile("Next try"))


def test_a_change_without_a_server_says_so(browser, city):
    port = free_port()
    with control_room(browser, f"http://127.0.0.1:{port}") as room:
        with serving_city(city, port):
            room.open("#/alarms")
            expect(room.alarm(1)).to_be_visible()
        room.change(1, "acknowledge")
        expect(room.alarm(1).get_by_role("alert")).to_contain_text("was not reached")
        expect(room.alarm(1).locator("header .pill")).to_have_text("open")


def test_stale_data_is_told_on_every_page(room):
    page = room.open("#/intercity").page
    expect(page.locator("#stale")).to_contain_text("Car parks (late, newest value 1 h 30 min old)")
    room.go("map")
    room.choose_party("parking", "nuri-parking/occupied")
    expect(page.locator(".freshness")).to_contain_text("Nothing since 12:30")


def test_a_wrong_clock_is_told(browser):
    city = FakeCity(clock_skew_s=900)
    with serving_city(city) as address, control_room(browser, address) as room:
        page = room.open().page
        expect(page.locator("#wrong-clock")).to_contain_text("15 min behind the server's")
        room.quiet()


def test_a_right_clock_is_not_told(room):
    page = room.open().page
    expect(page.locator("#connection")).to_have_text("Connected")
    expect(page.locator("#wrong-clock")).to_have_count(0)


def test_a_refusal_is_shown_with_its_next_step(browser, city):
    with serving_city(city) as address, control_room(browser, address) as room:
        page = room.open("#/decisions").page
        expect(room.decision(1).locator("[data-answer=confirm]")).to_be_visible()
        city.role = "auditor"  # taken back while the page is open
        room.answer(1, "confirm")
        expect(page.get_by_role("alert")).to_contain_text("may only look")
        expect(page.get_by_role("alert")).to_contain_text("ask an operator")
        expect(room.decision(1).locator("header .pill")).to_have_text("waiting")


def test_nobody_logged_in_is_asked_for_a_name(browser):
    city = FakeCity(login=True)
    with serving_city(city) as address, control_room(browser, address) as room:
        page = room.open("#/alarms").page
        room.log_in("ara", "guess")
        expect(page.get_by_role("alert")).to_contain_text("name or password is wrong")
        room.log_in("ara", "open sesame")
        expect(page.locator(".user")).to_contain_text("ara auditor")
        expect(room.alarm(1)).to_be_visible()
        expect(page.locator("#connection")).to_have_text("Connected")
        page.get_by_role("button", name="Log out").click()
        expect(page.locator("input[name=password]")).to_be_visible()


def test_a_korean_sentence_has_the_particle_that_fits_what_was_put_in(browser, address):
    with control_room(browser, address, language="ko-KR") as room:
        for status, words in ((503, "상태 503으로"), (502, "상태 502로")):
            room.page.route("**/api/map", partial(_answered, status))
            room.open("#/intercity")
            room.page.reload()
            expect(room.page.locator("main .notice")).to_contain_text(words)


def _answered(status, route):
    route.fulfill(status=status, body="")
