"""A decision is open for as long as it holds by the city's time, and not a moment longer."""

import pytest
from control_room_page import control_room
from fake_city import FakeCity, serving_city
from fake_city_data import START_S
from live_server import free_port
from playwright.sync_api import expect

END_S = START_S + 7200


def closes(card):
    expect(card.locator("header .pill")).to_have_text("expired")
    expect(card.locator("[data-answer]")).to_have_count(0)


def test_a_card_closes_at_its_own_end_by_a_replayed_clock(room, city):
    page = room.open("#/decisions").page
    expect(room.decision(1).locator("[data-answer=confirm]")).to_be_visible()
    city.now_s = END_S - 1  # the node is busy: the clock goes on, and no event comes
    expect(room.decision(1)).to_contain_text("1 s left")
    expect(room.decision(1).locator("[data-answer=confirm]")).to_be_visible()
    city.now_s = END_S
    closes(room.decision(1))
    expect(room.decision(1)).to_contain_text("Nobody answered before it ended")
    expect(page.locator("nav a[href='#/decisions'] .count")).to_have_count(0)
    room.go("services")
    expect(page.locator("[data-service=traffic] .pill.expired")).to_be_visible()
    page.goto(f"{room.address}/#/services/traffic")
    closes(room.decision(1))


def test_a_live_citys_time_goes_on_without_its_node(browser):
    city, port = FakeCity(mode="live"), free_port()
    with control_room(browser, f"http://127.0.0.1:{port}") as room:
        room.page.clock.install()
        with serving_city(city, port):
            room.open("#/decisions")
            expect(room.decision(1).locator("[data-answer=confirm]")).to_be_visible()
        expect(room.page.locator("#lost")).to_be_visible()
        room.page.clock.fast_forward("02:00:00")
        closes(room.decision(1))


@pytest.mark.parametrize(
    ("language", "late", "pill"),
    [
        ("en-US", "your answer was not kept. This decision ended at", "expired"),
        ("ko-KR", "보낸 답은 저장되지 않았습니다. 이 결정의 기한은", "기한 지남"),
    ],
)
def test_an_answer_that_comes_too_late_is_told_so(browser, language, late, pill):
    city = FakeCity()
    with serving_city(city) as address, control_room(browser, address, language=language) as room:
        page = room.open("#/decisions").page
        page.locator(".page-bar select").select_option("waiting")
        expect(room.decision(1).locator("[data-answer=confirm]")).to_be_visible()
        city.meanwhile[1] = {"valid_until_s": START_S - 60}
        room.answer(1, "confirm", "patrol informed")
        expect(page.get_by_role("alert")).to_contain_text(late)
        expect(room.decision(1).locator("header .pill")).to_have_text(pill)
        expect(room.decision(1).locator("[data-answer]")).to_have_count(0)
        assert city.decisions[1]["answers"] == []


def test_who_was_slower_sees_what_the_other_answered(browser):
    city = FakeCity()
    with serving_city(city) as address, control_room(browser, address) as room:
        page = room.open("#/decisions").page
        expect(room.decision(1).locator("[data-answer=confirm]")).to_be_visible()
        answer = {"who": "joon", "answer": "reject", "at_s": START_S, "comment": "road works"}
        city.meanwhile[1] = {"status": "rejected", "answers": [answer]}
        room.answer(1, "confirm")
        expect(page.get_by_role("alert")).to_contain_text("joon has rejected it already")
        expect(room.decision(1).locator("header .pill")).to_have_text("rejected")
        expect(room.decision(1)).to_contain_text("road works")
