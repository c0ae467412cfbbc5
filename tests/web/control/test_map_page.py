"""The map: now, forecast and band of a place; the time slider; places without positions."""

import re
import time

import fake_city_data as data
import pytest
from control_room_page import control_room
from fake_city import FakeCity, serving_city
from playwright.sync_api import expect


def newest(city):
    """The start of the newest step that was measured."""
    return city.now_s - data.STEP_S


def shown(value):
    return re.compile(rf"^{re.escape(f'{value:.3g}')}\s")


def test_first_view_shows_places_alarms_and_decisions(room, city):
    page = room.open().page
    room.map_ready()
    assert page.evaluate("controlRoom.layer.places.length") == city.places
    expect(page).to_have_title("Map · Nuri")
    expect(page.locator("#clock")).to_contain_text("14:00:00")
    expect(page.locator("#connection")).to_have_text("Connected")
    expect(page.locator(".rail")).to_contain_text("Jam at N003")
    expect(page.locator(".rail")).to_contain_text("Show the detour over N011")


def test_a_click_shows_now_forecast_and_band(room, city):
    page = room.open().page
    room.map_ready()
    party = city.parties[0]
    expect(room.choose_on_map(2)).to_have_text(shown(party.measured(newest(city))[2]))
    expect(page.locator(".chart canvas")).to_be_visible()
    expect(page.locator(".chart")).to_have_attribute(
        "aria-label", re.compile("N003: last measured")
    )
    page.get_by_text("Forecast of 14:00 as numbers").click()
    expect(page.locator(".detail details tbody tr")).to_have_count(data.HORIZON)


def test_the_slider_goes_into_the_forecast_and_into_the_past(room, city):
    page = room.open().page
    room.map_ready()
    room.choose_on_map(2)
    party, ahead = city.parties[0], city.now_s + 3600
    room.slide_to(ahead)
    value, low, high = (one[2] for one in party.forecast(ahead, city.now_s))
    expect(page.locator(".slider-shown")).to_contain_text("forecast of 14:00")
    expect(room.value()).to_have_text(shown(value))
    expect(room.value()).to_contain_text(f"between {low:.3g} and {high:.3g}")
    expect(page.locator(".map")).to_have_attribute("data-kind", "forecast")
    room.slide_to(city.now_s - 3600)
    expect(page.locator(".slider-shown")).to_contain_text("13:00")
    expect(room.value()).to_have_text(shown(party.measured(city.now_s - 3600)[2]))
    # What was known then stands beside what happened.
    expect(page.locator(".legend")).to_contain_text("forecast of 13:00")
    page.locator("#now").click()
    expect(page.locator(".slider-shown")).to_contain_text("measured")


def test_playback_walks_on_and_stops(room, city):
    page = room.open().page
    room.map_ready()
    page.locator("#play").click()
    expect(page.locator(".slider-shown")).to_contain_text("forecast of 14:00")
    page.locator("#play").click()
    expect(page.locator("#play")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("n")
    expect(page.locator(".slider-shown")).to_contain_text("measured")


def test_what_is_not_measured_is_said(room):
    page = room.open().page
    room.map_ready()
    expect(room.choose_on_map(5)).to_contain_text("–")
    expect(page.locator(".freshness")).to_contain_text("98% of places with a value")


@pytest.mark.parametrize(
    ("language", "learned", "made"),
    [
        ("en-US", "The first forecast is being learned, since ", "first forecast is being made"),
        ("ko-KR", "첫 예측을 ", "첫 예측을 만들고 있습니다"),
    ],
)
def test_the_first_forecast_is_waited_for_in_words(browser, language, learned, made):
    city = FakeCity()
    parties, city.parties = city.parties, []
    city.first_learning_since_s = int(time.time()) - 120
    with serving_city(city) as address, control_room(browser, address, language=language) as room:
        empty = room.open().page.locator(".empty")
        expect(empty).to_contain_text(learned)
        expect(empty).to_contain_text(re.compile(r"\d\d:\d\d.*2\s*(min|분)"))
    city.parties, city.first_learning_since_s = parties, None
    for party in city.parties:
        party.forecasts = False
    with serving_city(city) as address, control_room(browser, address, language=language) as room:
        expect(room.open().page.locator("#first-forecast")).to_contain_text(made)


def test_places_without_positions_are_tiles(room, city):
    page = room.open().page
    room.choose_party("water", "nuri-water/inflow")
    expect(page.locator(".tile")).to_have_count(10)
    page.locator(".tile").nth(6).click()
    value = city.parties[2].measured(newest(city))[6]
    expect(room.value()).to_have_text(shown(value))
    expect(page.locator(".detail")).to_contain_text("Flow at N007 stays above")


def test_the_table_has_what_the_map_shows(room, city):
    page = room.open().page
    room.map_ready()
    page.locator("#as-table").click()
    expect(page.locator("tbody tr")).to_have_count(city.places)
    page.get_by_role("searchbox").fill("n003")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("alarm")


def test_new_rows_are_shown_as_they_come(room, city):
    page = room.open().page
    room.map_ready()
    room.choose_on_map(2)
    city.advance(data.STEP_S)
    expect(page.locator("#clock")).to_contain_text("14:15:00")
    expect(room.value()).to_have_text(shown(city.parties[0].measured(newest(city))[2]))


def test_a_scrubbed_slider_shows_where_it_rests(room, city):
    room.open()
    room.map_ready()
    room.choose_on_map(2)
    for steps in range(1, 9):
        room.slide_to(city.now_s + steps * data.STEP_S)
    value, *_ = city.parties[0].forecast(city.now_s + 8 * data.STEP_S, city.now_s)
    expect(room.value()).to_have_text(shown(value[2]))


def test_of_many_places_the_table_shows_some_and_finds_any(browser):
    city = FakeCity(places=3000)
    with serving_city(city) as address, control_room(browser, address) as room:
        page = room.open().page
        room.map_ready()
        page.locator("#as-table").click()
        expect(page.locator("tbody tr")).to_have_count(200)
        expect(page.locator(".places")).to_contain_text("The first 200 of 3,000")
        page.get_by_role("searchbox").fill("N2999")
        expect(page.locator("tbody tr")).to_have_count(1)
        room.quiet()
