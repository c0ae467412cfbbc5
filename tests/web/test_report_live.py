"""A report's live parts: the chart and cards of the control room, from inlined results alone."""

import json
import math
import re

import pytest
import road
from browser import CHROMIUM, NO_CHROMIUM
from control_room_page import PHONE, WIDE, chromium
from fake_results import fake_results
from fake_vertical_results import fake_party, fake_vertical_results
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import expect

from deepcity.applications.application import applications
from deepcity.web.report.inlining.data import LiveParty, inlined, of_run
from deepcity.web.report.page import render
from deepcity.web.report.vertical_page import render_vertical
from deepcity.web.report.write import write_report

EVIL = "</script><script>window.hacked=1</script><!--<script>\u2028\u2029'\"]]>&amp;"


def with_decision(results, place=None):
    """The first party has a jam to decide on; `place` is the jam's."""
    made = applications()["traffic"].decide(road.jammed())
    if place is not None:
        actions = tuple(replace_place(one, place) for one in made.actions)
        made = type(made)(actions, made.reasons, made.certainty, made.valid_until_s, made.confirm)
    service = results.services[0]
    first = service.parties[0].model_copy(update={"decision": made})
    service = service.model_copy(update={"parties": [first, *service.parties[1:]]})
    return results.model_copy(update={"services": [service, *results.services[1:]]})


def replace_place(action, place):
    return type(action)(action.code, place, action.at_s, action.numbers, route=action.route)


def data_of(page):
    return json.loads(re.search(r'id="results">(.*?)</script>', page, re.DOTALL)[1])


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(with_decision(fake_results(3, streets=False)), path)
    return path.as_uri()


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip(NO_CHROMIUM)
    with chromium() as opened:
        yield opened


@pytest.fixture
def open_report(browser):
    """Opens an address in a context of its own; it must ask and complain of nothing."""
    contexts, asked, complaints = [], [], []

    def opened(address, **how):
        context = browser.new_context(**{"viewport": WIDE, "locale": "en-US", **how})
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda one: asked.append(one.url))
        page.on("console", lambda one: complaints.append(one.text))
        page.on("pageerror", lambda one: complaints.append(str(one)))
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
    assert {url.split("#")[0] for url in asked if not url.startswith("data:")} <= {
        one.split("#")[0] for one in asked[:1]
    }


def chart_of(page):
    host = page.locator("[data-live=forecast]:visible").first
    host.scroll_into_view_if_needed()
    expect(host.locator(".chart canvas")).to_be_visible()
    return host


@pytest.mark.parametrize(
    ("language", "viewport", "read"),
    [("en-US", WIDE, "forecast"), ("ko-KR", PHONE, "예측")],
    ids=["en", "ko-phone"],
)
def test_the_forecast_is_a_chart_that_is_read_by_keyboard(
    open_report, report, language, viewport, read
):
    page = open_report(report, locale=language, viewport=viewport)
    host = chart_of(page)
    expect(host.locator(".still")).to_be_hidden()
    host.locator(".live .chart").focus()
    page.keyboard.press("End")
    expect(host.locator(".chart-values")).to_contain_text(read)
    kept = fake_results(3, streets=False).services[0].parties[0].forecast
    assert f"{kept.forecast[-1]:.3g}" in host.locator(".chart-values").inner_text()
    host.locator("summary").click()
    expect(host.locator("tbody tr")).to_have_count(len(kept.times))
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_the_decision_is_the_control_room_s_card_in_the_page_s_language(open_report, report):
    page = open_report(report)
    card = page.locator("[data-live=decision] .card.decision")
    page.locator("[data-live=decision]").scroll_into_view_if_needed()
    expect(card.locator("h2").first).to_have_text("Retime signals: g")
    expect(card).to_contain_text("% sure")
    expect(card.get_by_role("button")).to_have_count(0)
    page.locator("[data-language=ko]").click()
    expect(card.locator("h2").first).to_have_text("신호 시간 조정: g")
    expect(page.locator("[data-live=decision] .still")).to_be_hidden()
    page.emulate_media(media="print")
    expect(page.locator("[data-live=decision] .still")).to_be_visible()
    expect(card).to_be_hidden()


def test_without_a_script_pictures_and_words_remain(open_report, report):
    page = open_report(report, java_script_enabled=False)
    expect(page.locator("[data-live=forecast] svg").first).to_be_visible()
    expect(page.locator("[data-live=decision]")).to_contain_text("Retime signals: g")
    expect(page.locator(".live")).to_have_count(0)


def test_a_hostile_place_stays_words(open_report, tmp_path):
    results = with_decision(fake_results(2, streets=False), EVIL)
    service = results.services[0]
    evil = service.parties[0].forecast.model_copy(update={"place": EVIL, "time_zone": EVIL})
    first = service.parties[0].model_copy(update={"forecast": evil, "unit": EVIL})
    service = service.model_copy(update={"parties": [first, *service.parties[1:]]})
    results = results.model_copy(update={"services": [service]})
    assert data_of(render(results))["services"][0]["parties"][0]["forecast"]["place"] == EVIL
    write_report(results, tmp_path / "report.html")
    page = open_report((tmp_path / "report.html").as_uri())
    page.locator("select").first.select_option("0")
    host = chart_of(page)
    expect(host.locator(".live .chart")).to_have_attribute(
        "aria-label", re.compile("window.hacked=1")
    )
    page.locator("[data-live=decision]").scroll_into_view_if_needed()
    expect(page.locator(".card.decision h2").first).to_contain_text("window.hacked=1")
    assert page.evaluate("window.hacked ?? null") is None
    assert page.evaluate("document.scripts.length") == 3


def test_a_vertical_run_s_page_has_the_same_chart(open_report, tmp_path):
    page = render_vertical(fake_vertical_results(fake_party()))
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    chart_of(open_report((tmp_path / "page.html").as_uri()))


def test_what_is_inlined_is_what_results_have():
    results = with_decision(fake_results(3, streets=False))
    found = data_of(render(results))["services"][0]["parties"]
    for shown, party in zip(found, results.services[0].parties, strict=True):
        assert shown["forecast"]["times"] == party.forecast.times
        assert shown["forecast"]["low"] == pytest.approx(party.forecast.low, rel=1e-4)
    assert found[0]["decision"]["certainty"] == results.services[0].parties[0].decision.certainty
    assert found[1]["decision"] is None


def test_truths_that_are_not_granted_are_not_inlined():
    results = fake_results(2, streets=False)
    service = results.services[0]
    parties = [one.without_truths() for one in service.parties]
    results = results.model_copy(
        update={"services": [service.model_copy(update={"parties": parties})]}
    )
    shown = data_of(render(results))["services"][0]["parties"]
    assert [one["forecast"]["truth"] for one in shown] == [None, None]


def test_what_is_too_large_stays_a_picture_and_is_counted(monkeypatch):
    results = fake_results(3, streets=False)
    whole = of_run(results.services, 400)
    assert whole.left_out == 0
    one = len(whole.json) // 3
    monkeypatch.setattr("deepcity.web.report.inlining.data.MOST_BYTES", one + 100)
    found = of_run(results.services, 400)
    assert found.live == [[True, False, False]]
    assert found.left_out == 2
    assert len(found.json) < one + 200
    page = render(results)
    assert page.count('data-live="forecast"') == 1
    assert "The charts and decisions of 2 parties are pictures" in page


def test_no_more_steps_than_the_picture_has():
    party = fake_results(1, streets=False).services[0].parties[0]
    found = inlined([[LiveParty(party.title, "L/s", 3600, party.forecast)]], 24)
    assert len(json.loads(found.json)["services"][0]["parties"][0]["forecast"]["times"]) == 24


ONE = fake_results(1, streets=False).services[0].parties[0]


@given(place=st.text(), amount=st.floats(allow_nan=True, allow_infinity=True))
def test_any_name_and_number_is_json_that_html_reads_as_text(place, amount):
    kept = ONE.forecast.model_copy(
        update={"place": place, "forecast": [amount, *ONE.forecast.forecast[1:]]}
    )
    found = inlined([[LiveParty(ONE.title, "L/s", 3600, kept)]], 400).json
    assert found.isascii()
    assert not re.search("[<>&]", found)
    shown = json.loads(found)["services"][0]["parties"][0]["forecast"]
    assert shown["place"] == place
    read = shown["forecast"][0]
    if not math.isfinite(amount):
        assert read is None
    elif read is not None or abs(amount) < 1e308:  # beyond, rounding may leave what floats hold
        assert read == pytest.approx(amount, rel=1e-4)
