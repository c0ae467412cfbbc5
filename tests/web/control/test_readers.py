"""For every reader: Korean and English, a phone, a wall, the keyboard, a screen reader."""

import re
from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe
from control_room_page import PHONE, control_room
from fake_city import FakeCity, serving_city
from playwright.sync_api import expect

PAGES = (
    "map", "alarms", "decisions", "services", "handover", "agencies", "intercity", "house",
    "incidents",
)  # fmt: skip


def serious(page, part=None):
    """Rules of axe-core that are broken with serious or critical impact, and where."""
    found = Axe().run(page, context=part).response["violations"]
    return [
        (one["id"], [node["target"] for node in one["nodes"][:3]])
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]


def widest(page):
    return page.evaluate("document.scrollingElement.scrollWidth")


def test_the_first_language_is_the_browsers_and_the_choice_is_kept(browser, address):
    with control_room(browser, address, language="ko-KR") as room:
        page = room.open().page
        expect(page.locator("nav")).to_contain_text("근무 교대")
        expect(page.locator("html")).to_have_attribute("lang", "ko")
        expect(page.locator(".rail")).to_contain_text("N003 정체")
        page.locator("[data-language=en]").click()
        expect(page.locator("nav")).to_contain_text("Shift hand-over")
        expect(page.locator(".rail")).to_contain_text("Jam at N003")
        page.reload()
        expect(page.locator("html")).to_have_attribute("lang", "en")
        page.keyboard.press("l")
        expect(page.locator("html")).to_have_attribute("lang", "ko")
        room.quiet()


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_axe_finds_nothing_serious_on_any_page(browser, address, city, scheme):
    with control_room(browser, address, scheme=scheme) as room:
        page = room.open().page
        room.map_ready()
        room.choose_on_map(2)
        expect(page.locator(".chart canvas")).to_be_visible()
        found = {"map": serious(page)}
        for name in PAGES[1:]:
            room.go(name)
            expect(page.locator("main :is(article, table, figure, form)").first).to_be_visible()
            found[name] = serious(page)
        assert {name: one for name, one in found.items() if one} == {}


LONG = {
    "en": "Metropolitan waterworks and drainage headquarters of the northern districts",
    "ko": "북부권역상수도및하수도통합관리사업본부제이정수센터운영지원과",
}
CUT = """() => [...document.querySelectorAll("body *")].filter(one => {
  if (one.closest(".scroll, svg, .map-canvas, .sr, .skip, nav, option")) return false;
  const box = one.getBoundingClientRect();
  return box.width > 0 && box.height > 0 && (box.right > innerWidth + 1 || box.left < -1);
}).map(one => `${one.tagName}#${one.id}.${one.className} ${one.textContent.slice(0, 40)}`)"""


def long_city():
    """A city whose names are as long as those of real authorities."""
    named = replace(FakeCity())
    named.services = [{**one, "title": LONG, "question": LONG} for one in named.services]
    for party in named.parties:
        party.title = LONG
    word = "Verwaltungsgemeinschaftsvorsitzendenstellvertretung"
    for one in named.alarms.values():
        one["assigned_to"] = word * 2
    for one in named.decisions.values():
        one["party"] += word
        one["evidence"] = [{**part, "agency": word, "title": LONG} for part in one["evidence"]]
        one["actions"] = [{**part, "text": LONG, "place": word} for part in one["actions"]]
        one["answers"] = [{"who": word, "answer": "confirm", "at_s": 0, "comment": word * 2}]
    return named


@pytest.mark.parametrize("language", ["en-US", "ko-KR"])
def test_long_names_are_cut_on_no_page_of_a_phone(browser, language):
    with (
        serving_city(long_city()) as address,
        control_room(browser, address, viewport=PHONE, language=language) as room,
    ):
        page = room.open().page
        room.map_ready()
        room.choose_on_map(2)
        expect(page.locator(".chart canvas")).to_be_visible()
        found = {"map": page.evaluate(CUT)}
        for name in (*PAGES[1:], "services/traffic", "services/parking", "services/water"):
            page.goto(f"{address}/#/{name}")
            expect(page.locator(f"main.at-{name.partition('/')[0]} h1")).to_be_visible()
            page.wait_for_timeout(150)
            found[name] = page.evaluate(CUT)
            wide = page.evaluate(
                "(m => m.scrollWidth - m.clientWidth)(document.querySelector('main'))"
            )
            found[name] += [f"the page scrolls by {wide}"] * (wide > 0)
        assert {name: one for name, one in found.items() if one} == {}


@pytest.mark.parametrize("language", ["en-US", "ko-KR"])
def test_a_phone_of_360_pixels_shows_every_page_without_sideways_scrolling(
    browser, address, language
):
    with control_room(browser, address, viewport=PHONE, language=language) as room:
        page = room.open().page
        room.map_ready()
        wide = {"map": widest(page)}
        room.choose_on_map(2)
        expect(page.locator(".chart canvas")).to_be_visible()
        for name in PAGES[1:]:
            room.go(name)
            expect(page.locator("main h1")).to_be_visible()
            wide[name] = widest(page)
        assert set(wide.values()) == {360}, wide
        room.quiet()


BROKEN = r"""() => {
  const found = [];
  for (const one of document.querySelectorAll(".pill, nav .short")) {
    if (one.getBoundingClientRect().width === 0) continue;
    const texts = document.createTreeWalker(one, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      for (const word of texts.currentNode.data.matchAll(/\S+/g)) {
        const range = document.createRange();
        range.setStart(texts.currentNode, word.index);
        range.setEnd(texts.currentNode, word.index + word[0].length);
        const lines = new Set([...range.getClientRects()].map(one => Math.round(one.top)));
        if (lines.size > 1) found.push(`${word[0]} stands on ${lines.size} lines`);
      }
    }
  }
  for (const one of document.querySelectorAll(".scroll:has(> table)")) {
    const cut = one.scrollWidth - one.clientWidth;
    if (cut > 1) found.push(`${one.getAttribute("aria-label")} is cut by ${cut}`);
  }
  return found;
}"""


@pytest.mark.parametrize("language", ["en-US", "ko-KR"])
def test_no_badge_tab_or_table_is_broken_or_cut_on_a_phone(browser, address, city, language):
    city.alarms[3].update(over=True, replaced="worse", escalated=True, assigned_to="Kim")
    names = [*PAGES[1:], "services/traffic", "services/parking", "services/water"]
    with control_room(browser, address, viewport=PHONE, language=language) as room:
        page = room.open().page
        room.map_ready()
        found = {"map": page.evaluate(BROKEN)}
        for name in names:
            if name == "intercity":  # its drawings and their table are wider, and say so
                continue
            page.goto(f"{address}/#/{name}")
            expect(page.locator(f"main.at-{name.partition('/')[0]} h1")).to_be_visible()
            page.wait_for_timeout(500)
            found[name] = page.evaluate(BROKEN)
        assert {name: one for name, one in found.items() if one} == {}


def test_the_keyboard_reaches_the_content_first(room):
    page = room.open("#/alarms").page
    expect(room.alarm(1)).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the content")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_keys_can_be_switched_off(room):
    page = room.open().page
    expect(page.locator("#connection")).to_have_text("Connected")
    page.keyboard.press("?")
    page.get_by_label("Shortcuts are on").uncheck()
    page.get_by_role("button", name="Close", exact=True).click()
    page.keyboard.press("2")
    expect(page.locator("main.at-map")).to_be_visible()
    page.keyboard.press("?")
    page.get_by_label("Shortcuts are on").check()
    page.keyboard.press("Escape")
    page.keyboard.press("2")
    expect(page.locator("main.at-alarms")).to_be_visible()


def test_the_wall_has_no_controls(room, city):
    page = room.open("?wall=1").page
    room.map_ready()
    expect(page.locator(".wall-alarms")).to_contain_text("Jam at N003")
    expect(page.locator("nav, select, input, form")).to_have_count(0)
    assert (
        page.locator("button:visible").count()
        == page.locator(".maplibregl-ctrl button:visible").count()
    )
    city.raise_alarm("Jam at N010", "N010 정체")
    expect(page.locator(".wall-alarms")).to_contain_text("Jam at N010")
    size = page.locator(".wall-alarms li").first.evaluate("e => getComputedStyle(e).fontSize")
    assert float(re.sub(r"px$", "", size)) > 20


def test_landmarks_and_headings_are_there(room):
    page = room.open("#/alarms").page
    expect(page.get_by_role("banner")).to_have_count(1)
    expect(page.get_by_role("main")).to_have_count(1)
    expect(page.get_by_role("navigation")).to_have_count(1)
    expect(page.locator("h1")).to_have_count(1)
    expect(page.locator("nav [aria-current=page]")).to_have_text(re.compile("Alarms"))
