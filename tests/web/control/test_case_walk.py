"""A search from opening to closing on the page, by people in browsers of their own."""

import json

import pytest
from axe_playwright_python.sync_playwright import Axe
from case_room_world import REPORT, desk_of, trust_accounts, walked_world
from control_room_page import PHONE, control_room
from fake_city import FakeCity, serving_city
from playwright.sync_api import expect
from searching_cities import PURPOSE

from deepcity.web.control.cases.bodies import SearchCaseAsked

CUT = """() => [...document.querySelectorAll("main *")].filter(one => {
  if (one.closest(".scroll, svg, .place-map, .sr, option")) return false;
  const box = one.getBoundingClientRect();
  return box.width > 0 && box.height > 0 && (box.right > innerWidth + 1 || box.left < -1);
}).map(one => `${one.tagName}#${one.id}.${one.className} ${one.textContent.slice(0, 40)}`)"""


@pytest.fixture
def world(tmp_path):
    found = walked_world(tmp_path)
    trust_accounts(found, "mina", "joon", "root")
    return found


@pytest.fixture
def city(world):
    return FakeCity(login=True, desk=desk_of(world))


def seat(room, name, where="#/searches"):
    """A person at a page of their own."""
    url = room.address
    room.page.context.add_cookies([{"name": "name", "value": name, "url": url}])
    room.open(where)
    expect(room.page.locator("main h1")).to_be_visible()
    return room.page


def opened_case(city):
    """A case that mina opened and two others approved."""
    asked = SearchCaseAsked(**{**REPORT, "upper": ["red"], "height_m": (1.0, 1.3)})
    signed = city.desk.room.open(asked.opening("incheon/mina", None), asked.query()).case
    for name in ("joon", "root"):
        city.desk.approve(signed.id, name, signed.digest())
    return signed.id


def serious(page):
    found = Axe().run(page, context="main").response["violations"]
    return [
        (one["id"], [node["target"] for node in one["nodes"][:3]])
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]


def test_two_people_and_an_admin_find_a_child(browser, city, tmp_path):
    with (
        serving_city(city) as address,
        control_room(browser, address) as first,
        control_room(browser, address, language="ko-KR", scheme="light") as second,
    ):
        mina, joon = seat(first, "mina"), seat(second, "joon")
        expect(joon.locator("nav")).to_contain_text("사람 찾기")
        fill_in(mina, tmp_path)
        expect(mina.locator("main h1")).to_have_text(f"Missing child: {PURPOSE}")
        expect(mina.locator("#approve")).to_have_count(0)  # mina opened it
        expect(mina.locator("#approvals")).to_contain_text("others must approve")

        joon.locator("#cases a").click()
        expect(joon.locator("#who")).to_contain_text("사진 1장")
        expect(joon.locator("#who")).to_contain_text("윗옷: 빨강")
        joon.locator("#approve").click()
        expect(joon.locator("#approvals")).to_contain_text("1명이 더 승인해야")
        expect(mina.locator("#approvals")).to_contain_text("incheon/joon")  # by itself
        with control_room(browser, address) as third:
            root = seat(third, "root", joon.url.partition(address)[2].lstrip("/"))
            root.locator("#approve").click()
            expect(root.locator("#searching")).to_be_visible()
            third.quiet()

        mina.locator("#search").click()
        expect(mina.locator("#hits tbody tr")).to_have_count(4)
        expect(mina.locator("#path li")).to_have_count(3)
        expect(mina.locator("#path li").last).to_contain_text("seoul/3")
        expect(mina.locator(".place-map[data-ways='1']")).to_be_visible()
        expect(mina.locator(".place-map .spot.act")).to_have_text(["1", "2", "3"])
        expect(mina.locator("#next li").first).to_contain_text("seoul/")
        expect(joon.locator("#hits tbody tr")).to_have_count(4)
        expect(joon.locator("#findings")).to_contain_text("점수는 증거가 아닙니다")

        row = joon.locator("tr[data-hit^='suwon/']")
        row.locator("button[data-verdict=rejected]").click()
        expect(row).to_have_attribute("data-verdict", "rejected")
        seen = mina.locator("tr[data-hit^='seoul/']")
        seen.locator("button[data-verdict=confirmed]").click()
        expect(seen.locator(".pill")).to_have_text("confirmed")
        expect(mina.locator("tr[data-hit^='suwon/'] .pill")).to_have_text("somebody else")

        joon.locator("#close-case").click()
        expect(joon.locator("#closing")).to_contain_text("되돌릴 수 없습니다")
        joon.locator("#close-sure").click()
        expect(joon.locator("#unreached")).to_have_text("물어본 모든 도시에 알렸습니다.")
        expect(joon.locator("#hits")).to_have_count(0)
        expect(mina.locator(".page-bar .pill")).to_have_text("closed")
        expect(mina.locator("#hits")).to_have_count(0)
        for room in (first, second):
            room.quiet()


def fill_in(page, folder):
    """The report of a child by pictures and words."""
    form = page.locator("#open-case")
    form.locator("[name=purpose]").fill(PURPOSE)
    for name in ("seoul", "suwon"):
        form.locator(f"fieldset[name=cities] input[value={name}]").check()
    form.locator("fieldset[name=upper] input[value=red]").check()
    form.locator("[name=least]").fill("1")
    form.locator("[name=most]").fill("1.3")
    wrong, right = folder / "wrong.json", folder / "child.json"
    wrong.write_text("[]")
    right.write_text(json.dumps(REPORT["pictures"]))
    form.locator("[name=pictures]").set_input_files(wrong)
    expect(form.get_by_role("alert")).to_contain_text("holds no embeddings")
    form.locator("[name=pictures]").set_input_files(right)
    expect(form).to_contain_text("1 embeddings of network net")
    expect(form.locator(".place-map[data-ready=true]")).to_be_visible()
    form.locator(".place-map canvas").click()
    expect(form.locator("[name=lat]")).not_to_have_value("")
    form.locator("[name=lat]").fill("37.4")
    form.locator("[name=lon]").fill("126.9")
    expect(form.locator("[name=time]")).to_have_value("2027-01-15T17:00")  # now, in Seoul
    form.locator("[name=time]").fill("2027-01-15T16:00")
    form.locator("button[type=submit]").click()


def test_a_page_that_watches_searches_by_itself(browser, city, world):
    case = opened_case(city)
    with serving_city(city) as address, control_room(browser, address) as room:
        page = seat(room, "joon", f"#/searches/{case}")
        page.locator("[name=watching]").check()
        expect(page.locator("#hits tbody tr")).to_have_count(4)
        room.quiet()


def test_who_may_only_look_finds_no_button_and_is_recorded(browser, city):
    case = opened_case(city)
    city.desk.search(case, "joon")
    with serving_city(city) as address, control_room(browser, address) as room:
        page = seat(room, "ara", f"#/searches/{case}")
        expect(page.locator("#hits tbody tr")).to_have_count(4)
        for one in ("#approve", "#search", "#close-case", "#hits button"):
            expect(page.locator(one)).to_have_count(0)
        page.goto(f"{address}/#/searches")
        expect(page.locator("#cases a")).to_have_count(1)
        expect(page.locator("#open-case")).to_have_count(0)
        room.quiet()


def test_a_city_that_searches_for_nobody_shows_no_such_page(browser):
    with serving_city(FakeCity()) as address, control_room(browser, address) as room:
        room.open("#/incidents")
        expect(room.page.locator("nav a[href='#/incidents']")).to_be_visible()
        expect(room.page.locator("nav a[href='#/searches']")).to_have_count(0)
        room.quiet()


@pytest.mark.parametrize(("language", "scheme"), [("en-US", "dark"), ("ko-KR", "light")])
def test_nothing_is_cut_on_a_phone_and_axe_finds_nothing_serious(browser, city, language, scheme):
    case = opened_case(city)
    city.desk.search(case, "joon")
    how = {"viewport": PHONE, "language": language, "scheme": scheme}
    with serving_city(city) as address, control_room(browser, address, **how) as room:
        found = {}
        page = seat(room, "mina")
        for where in ("#/searches", f"#/searches/{case}"):
            page.goto(f"{address}/{where}")
            expect(page.locator(".place-map[data-ready=true]")).to_be_visible()
            expect(page.locator("#open-case, #hits")).to_be_visible()
            page.wait_for_timeout(150)
            scrolls = "(m => m.scrollWidth - m.clientWidth)(document.querySelector('main'))"
            found[where] = [page.evaluate(CUT), page.evaluate(scrolls), serious(page)]
        assert all(one == [[], 0, []] for one in found.values()), found
        assert page.evaluate("document.scrollingElement.scrollWidth") == 360
        room.quiet()
