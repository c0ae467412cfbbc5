"""Two people in one incident, each in a browser of their own."""

import pytest
from control_room_page import control_room
from fake_city import FakeCity, serving_city
from playwright.sync_api import expect


@pytest.fixture
def city():
    return FakeCity(login=True)


@pytest.fixture
def two(browser, city):
    with (
        serving_city(city) as address,
        control_room(browser, address) as mina,
        control_room(browser, address, language="ko-KR", scheme="light") as joon,
    ):
        for room, name in ((mina, "mina"), (joon, "joon")):
            room.page.context.add_cookies([{"name": "name", "value": name, "url": address}])
            room.open("#/incidents")
            expect(room.page.locator("main form")).to_be_visible()
        yield mina, joon


def only(city):
    """The one incident of the city."""
    (found,) = city.incidents.values()
    return found


def opened(mina, joon):
    mina.page.locator("input[name=title]").fill("Lorry across the bridge")
    mina.page.get_by_role("button", name="Open an incident").click()
    expect(mina.page.locator("h1")).to_have_text("Lorry across the bridge")
    joon.page.get_by_text("Lorry across the bridge").click()
    expect(joon.page.locator("h1")).to_have_text("Lorry across the bridge")


def test_two_see_each_others_entries_tasks_and_readings(two, city):
    mina, joon = two
    opened(mina, joon)
    mina.page.locator("textarea[name=entry]").fill("Close the northern ramp")
    mina.page.get_by_role("button", name="Add as task").click()
    expect(joon.page.locator("#tasks")).to_contain_text("Close the northern ramp")
    expect(mina.page.locator("#readers")).to_contain_text("joon")
    joon.page.locator("#tasks button").click()
    expect(mina.page.locator("#tasks .done")).to_contain_text("done by joon")
    expect(mina.page.locator("#entries .task .seen-by")).to_contain_text("joon (operator)")
    kinds = [(one["kind"], one["who"]) for one in only(city)["entries"]]
    assert ("task", "mina") in kinds
    assert ("done", "joon") in kinds


def test_a_task_is_given_to_an_agency_of_the_city_or_to_any_name(two, city):
    mina, joon = two
    opened(mina, joon)
    for given, task in (("Weather office", "Rain by eight?"), ("Harbour police", "Boats")):
        mina.page.locator("input[name=agency]").fill(given)
        mina.page.locator("textarea[name=entry]").fill(task)
        mina.page.get_by_role("button", name="Add as task").click()
        expect(mina.page.locator("#tasks")).to_contain_text(task)
    expect(joon.page.locator("#tasks li").first).to_contain_text("기상청")
    expect(joon.page.locator("#concerned .agency")).to_have_text(["기상청", "Harbour police"])
    names = [one["agency"]["name"] for one in only(city)["entries"] if one["kind"] == "task"]
    assert names == ["weather", "Harbour police"]
    joon.go("incidents")
    expect(joon.page.locator(".cards")).to_contain_text("기상청")


def test_who_may_only_look_is_noted_as_a_reader_too(browser, two, city):
    mina, joon = two
    opened(mina, joon)
    with control_room(browser, mina.address) as ara:
        url = mina.address
        ara.page.context.add_cookies([{"name": "name", "value": "ara", "url": url}])
        ara.open(f"#/incidents/{only(city)['id']}")
        expect(ara.page.locator("h1")).to_have_text("Lorry across the bridge")
        expect(ara.page.locator("textarea")).to_have_count(0)
        expect(mina.page.locator("#readers")).to_contain_text("ara")
        ara.quiet()


def test_what_one_draws_the_other_sees(two, city):
    mina, joon = two
    opened(mina, joon)
    page = mina.page
    expect(page.locator(".room-map[data-ready=true]")).to_be_visible()
    page.locator("[data-tool=point]").click()
    expect(page.locator("[data-tool=save]")).to_be_visible()
    page.locator(".room-map").scroll_into_view_if_needed()
    box = page.locator(".room-map").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.locator("[data-tool=save]").click()
    expect(joon.page.locator(".room-side")).to_contain_text("그림 1개")
    (drawn,) = [one for one in only(city)["entries"] if one["kind"] == "drawing"]
    (feature,) = drawn["geometry"]["features"]
    assert feature["geometry"]["type"] == "Point"
    mina.quiet()


def test_a_closed_incident_takes_no_entry(two):
    mina, joon = two
    opened(mina, joon)
    expect(joon.page.locator("textarea")).to_have_count(1)
    mina.page.locator("#close-incident").click()
    expect(joon.page.locator("textarea")).to_have_count(0)
    expect(mina.page.locator("textarea")).to_have_count(0)
