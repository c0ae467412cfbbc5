"""A page for each service: what is common, and what each service's own file shows."""

import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
import road
from control_room_page import PHONE, control_room
from fake_city import serving_city
from fake_services import NAMES, city_of_services, state_of
from playwright.sync_api import expect
from test_readers import serious, widest

from deepcity.applications.application import applications

PARTS = Path(__file__).parents[3] / "frontend" / "src" / "services" / "parts"
AUDITED = ("traffic", "air-warning", "crime-prevention")  # have every kind of piece
SPECIAL = {
    "traffic": "like an incident",
    "parking-guidance": "Spaces now and ahead",
    "air-warning": "Message to the public",
    "electricity": "Who could shift",
    "water-leaks": "suspected",
    "crowding-warning": "Of its limit",
    "crime-prevention": "Feedback loop",
}


@pytest.fixture(scope="module")
def services():
    """One city for all tests that only look."""
    city = city_of_services()
    with serving_city(city) as address:
        yield city, address


@pytest.fixture(scope="module")
def room_of_services(browser, services):
    """One control room, in which only the address changes."""
    with control_room(browser, services[1]) as room:
        yield room
        room.quiet()


@pytest.fixture
def pages(room_of_services):
    """Opens a service's page by its name."""

    def opened(name):
        page = room_of_services.open(f"#/services/{name}").page
        expect(page.locator(f".service-page[data-service={name}] .chart canvas")).to_be_visible()
        return page

    return opened


def test_a_part_is_named_for_its_application():
    assert {path.stem for path in PARTS.glob("*.tsx")} == set(NAMES)
    assert set(NAMES) <= set(applications())


def test_every_service_has_a_card_that_leads_to_its_page(room_of_services):
    page = room_of_services.open("#/services").page
    expect(page.locator("[data-service]")).to_have_count(len(NAMES))
    broken = {}
    for name in NAMES:
        page.locator("nav a[href='#/services']").click()
        page.locator(f"[data-service={name}] h2 a").click()
        expect(page.locator("h1")).to_have_text(applications()[name].title.en)
        expect(page.locator(".question")).to_contain_text(applications()[name].question.en)
        expect(page.locator(".service-page")).to_contain_text(SPECIAL[name])
        expect(page.locator(".service-page .chart canvas")).to_be_visible()
        expect(page.locator("#earlier")).to_contain_text("within the band")
        if name in AUDITED:
            broken[name] = serious(page, ".special")
    assert {name: found for name, found in broken.items() if found} == {}


def test_a_phone_shows_every_service_in_korean_without_sideways_scrolling(browser, services):
    with control_room(browser, services[1], viewport=PHONE, language="ko-KR") as room:
        wide = {}
        for name in NAMES:
            page = room.open(f"#/services/{name}").page
            expect(page.locator("h1")).to_have_text(applications()[name].title.ko)
            expect(page.locator(".service-page .chart canvas")).to_be_visible()
            wide[name] = widest(page)
        assert set(wide.values()) == {360}, wide
        room.quiet()


def test_a_detour_is_drawn_against_the_usual_way_with_ranked_causes(pages):
    page = pages("traffic")
    expect(page.locator(".place-map")).to_have_attribute("data-ways", "2")
    marks = page.locator(".place-map .spot.cause")
    expect(marks).to_have_text(["1", "2", "3"])
    assert marks.first.get_attribute("data-place") == "g"
    why, began = page.locator(".jam .scroll").all()
    expect(why.locator("tbody tr").first).to_contain_text("like an incident")
    expect(why.locator("tbody tr").first).to_contain_text("0 of 3 like days were jammed")
    expect(page.locator(".special")).to_contain_text("Weather is not among the causes")
    expect(began.locator("tbody tr").first).to_contain_text("g")
    expect(page.locator("tr", has_text="detour").last).to_contain_text("c → x → y → i")
    expect(page.locator("tr", has_text="usual way").last).to_contain_text("g → h → i")


def test_cars_are_counted_where_they_are_sent(pages, services):
    page = pages("parking-guidance")
    decision = next(d for d in services[0].decisions.values() if d["service"] == "parking-guidance")
    cars = sum(one["numbers"]["count"] for one in decision["actions"])
    marks = page.locator(".place-map .spot")
    expect(marks).to_have_count(3)
    assert sum(map(int, marks.all_inner_texts())) == cars == 55
    expect(page.locator("table", has_text="Capacity").locator("tbody tr")).to_have_count(3)


def test_a_plan_is_asked_for_by_keyboard_or_by_a_click_on_the_map(pages):
    page = pages("parking-guidance")
    page.locator("input[name=lat]").press_sequentially("51.002")
    page.locator("input[name=lon]").fill("13.0")
    page.locator("select[name=step]").select_option("1")
    page.locator("input[name=cars]").fill("3")
    page.keyboard.press("Enter")
    expect(page.locator("#plan-answer")).to_contain_text("kept nowhere")
    expect(page.locator(".place-map .spot.goal")).to_have_count(1)
    expect(page.locator(".place-map .spot.act")).to_have_text(["3"])
    assert serious(page, ".special") == []
    page.locator(".place-map canvas").click(position={"x": 90, "y": 90})
    expect(page.locator("input[name=lat]")).not_to_have_value("51.002")
    page.get_by_role("button", name="Back to the newest decision").click()
    expect(page.locator(".place-map .spot.act")).to_have_count(3)
    page = pages("crime-prevention")
    page.locator("input[name=units]").fill("2")
    page.keyboard.press("Enter")
    expect(page.locator(".place-map .spot")).to_have_text(["1", "2"])
    page.get_by_role("button", name="Back to the newest decision").click()
    expect(page.locator(".place-map .spot")).to_have_text(["1", "2", "3", "4"])


def test_a_plan_asked_for_before_the_page_knows_what_can_be_planned_is_answered(browser, services):
    held = []

    def hold(route):
        if "units=" in route.request.url:
            route.continue_()
        else:
            held.append(route)

    with control_room(browser, services[1]) as room:
        room.page.route("**/api/plan?*", hold)
        page = room.open("#/services/crime-prevention").page
        page.locator("input[name=units]").fill("2")
        page.keyboard.press("Enter")
        expect(page.locator(".place-map .spot")).to_have_text(["1", "2"])
        assert held
        for route in held:
            route.continue_()
        room.quiet()


def test_the_message_of_a_warning_can_be_read_and_downloaded(browser, services):
    city, address = services
    ((number, message),) = city.caps.items()
    with control_room(browser, address, language="ko-KR") as room:
        page = room.open("#/services/air-warning").page
        expect(page.locator(".cap h3")).to_contain_text("경보")
        expect(page.locator(".cap")).to_contain_text("승인 전 초안")
        expect(page.locator(".cap dd").last).to_contain_text("p1, p2")
        with page.expect_download() as download:
            page.get_by_role("link", name="메시지 내려받기").click()
        assert download.value.suggested_filename == f"cap-{number}.xml"
        assert Path(download.value.path()).read_bytes() == message
        page.locator("[data-language=en]").click()
        expect(page.locator(".cap h3")).to_contain_text("Warn at")
        room.quiet()


def test_patrols_stand_beside_the_checks_of_what_they_do(pages):
    page = pages("crime-prevention")
    expect(page.locator(".place-map .spot")).to_have_text(["1", "2", "3", "4"])
    expect(page.locator(".place-map")).to_have_attribute("data-cells", "4")
    checks = page.locator(".checks")
    expect(checks).to_contain_text("bear more of the patrols than of the offences")
    expect(checks).to_contain_text("would draw patrols to where patrols already are")


def test_stations_are_listed_by_the_time_at_which_they_fill(pages, services):
    page = pages("crowding-warning")
    decision = services[0].decisions[2 * NAMES.index("crowding-warning") + 2]
    expect(page.locator(".special tbody tr")).to_have_count(len(decision["actions"]))
    expect(page.locator(".special tbody tr").first).to_contain_text("150%")


def test_the_chart_is_read_by_keyboard_and_its_place_is_chosen(pages):
    page = pages("electricity")
    page.locator("#service-place").select_option("p3")
    expect(page.locator(".chart")).to_have_attribute("aria-label", re.compile("^p3: "))
    page.locator(".chart").focus()
    page.keyboard.press("End")
    expect(page.locator(".chart-values")).to_contain_text("between")
    page.keyboard.press("Home")
    expect(page.locator(".chart-values")).to_contain_text("measured")


def test_a_decision_is_confirmed_on_its_service_s_page(browser):
    city = city_of_services(("water-leaks",))
    with serving_city(city) as address, control_room(browser, address) as room:
        room.open("#/services/water-leaks")
        room.answer(2, "confirm", "crew sent")
        expect(room.decision(2)).to_contain_text("crew sent")
        assert city.decisions[2]["status"] == "confirmed"
        expect(room.page.locator("nav .count")).to_have_count(0)
        room.quiet()


def quiet_states():
    """Every service with nothing to do."""
    found = {name: state_of(name) for name in NAMES}
    found["traffic"] = replace(road.state(road.known()), now_s=found["traffic"].now_s)
    found["parking-guidance"] = replace(found["parking-guidance"], requests=())
    found["water-leaks"] = replace(found["water-leaks"], known_TN=None)
    found["crime-prevention"] = replace(found["crime-prevention"], units=0)
    for name in ("air-warning", "crowding-warning"):
        low_NH = np.zeros_like(found[name].forecast_NH)
        found[name] = replace(found[name], forecast_NH=low_NH)
    found["electricity"] = replace(
        found["electricity"],
        forecast_NH=np.full_like(found["electricity"].forecast_NH, np.nan),
    )
    return found


def test_a_page_says_when_there_is_nothing_to_do(browser):
    says = {
        "traffic": "No jam now or ahead",
        "parking-guidance": "Nobody has asked for a space",
        "air-warning": "No warning: no place is likely enough",
        "electricity": "Nothing to do",
        "water-leaks": "are needed before the first comparison",
        "crowding-warning": "No station is likely enough",
        "crime-prevention": "Nothing to do",
    }
    city = city_of_services(states=quiet_states())
    assert not city.caps
    with serving_city(city) as address, control_room(browser, address) as room:
        for name, words in says.items():
            page = room.open(f"#/services/{name}").page
            expect(page.locator(".service-page")).to_contain_text(words)
        room.quiet()


def test_a_service_without_a_file_shows_its_actions(room):
    page = room.open("#/services/traffic").page  # its reasons are none of the service's own
    expect(page.locator(".special")).to_contain_text("What it would do")
    expect(page.locator(".special tbody tr")).to_have_count(1)
    page = room.open("#/services/water").page
    expect(page.locator(".service-page .chart canvas")).to_be_visible()
    expect(page.locator(".service-page")).to_contain_text("Flow at N007 stays above")


def test_an_unknown_service_is_named_and_inert(room):
    hostile = "<img src=x onerror=alert(1)>"
    page = room.open(f"#/services/{quote(hostile, safe='')}").page
    expect(page.locator("main")).to_contain_text(f"runs no service named {hostile}")
    expect(page.locator("main img")).to_have_count(0)
    page.get_by_role("link", name="All services").click()
    expect(page.locator("[data-service]")).to_have_count(3)
