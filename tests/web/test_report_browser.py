"""The report in a real browser: silent, offline, and speaking both languages."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import CHROMIUM, NO_CHROMIUM, Tab, browsing
from fake_results import fake_results

from deepcity.city.localized_text import LocalizedText
from deepcity.runs.note import Note
from deepcity.web.report import write_report
from deepcity.web.report.notes import note

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)

VISIBLE_H1 = "document.querySelector('h1').innerText"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(fake_results(), path)
    return path.as_uri()


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with browsing(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def test_it_is_silent_and_asks_for_nothing(tab: Tab, report: str) -> None:
    tab.open(report)
    assert tab.complaints == []
    assert [url for url in tab.requests if not url.startswith("data:")] == [report]


def test_the_switch_changes_the_language_and_the_hash_remembers(tab: Tab, report: str) -> None:
    tab.open(report)
    assert tab.value(VISIBLE_H1) == "Water and footsteps, forecast together"
    tab.value("document.querySelector('[data-language=ko]').click()")
    assert tab.value(VISIBLE_H1) == "함께 예측하는 물과 발걸음"
    assert tab.value("document.title") == "함께 예측하는 물과 발걸음"
    assert tab.value("location.hash") == "#ko"
    assert tab.value("document.querySelector('select option').textContent") == "A 구역"
    tab.open(report + "#ko/limits")
    assert tab.value("document.documentElement.lang") == "ko"
    assert tab.value("document.activeElement.id") == "limits"
    tab.value("document.querySelector('[data-go=map]').click()")
    assert tab.value("location.hash") == "#ko/map"


def test_it_starts_in_the_language_of_the_browser(tmp_path: Path, report: str) -> None:
    with browsing(tmp_path, language="ko-KR") as korean:
        korean.open(report)
        assert korean.value("document.documentElement.lang") == "ko"


def test_the_picker_shows_one_party(tab: Tab, report: str) -> None:
    tab.open(report + "#en")
    shown = (
        "[...document.querySelectorAll('#service-1 .panel')]"
        ".filter(p => getComputedStyle(p).display !== 'none').map(p => p.innerText)"
    )
    (first,) = tab.value(shown)
    assert "District J" in first  # the one with little data
    tab.value(
        "var s = document.querySelector('#service-1 select'); s.value = '1';"
        "s.dispatchEvent(new Event('change'))"
    )
    (second,) = tab.value(shown)
    assert "District B" in second


def test_values_are_read_back_from_the_lines(tab: Tab, report: str) -> None:
    tab.open(report + "#en")
    tab.value(
        "var c = document.querySelectorAll('#service-1 svg[data-kind=hours]')[9]; c.focus();"
        "c.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight', bubbles: true}))"
    )
    tooltip = tab.value("document.getElementById('tip').innerText")
    party = fake_results().services[0].parties[9]
    assert tooltip.startswith("+1 h")
    assert f"{party.test['alone'].mae_by_horizon[0]:.2f}" in tooltip


def test_a_reason_is_reported_on_focus(tab: Tab, report: str) -> None:
    tab.open(report + "#en")
    tab.value("document.querySelector('.pick').focus()")
    tooltip = tab.value("document.getElementById('tip').innerText")
    assert tooltip == note(fake_results().services[0].parties[0].level_reason).en


def test_a_hostile_title_stays_words(tab: Tab, tmp_path: Path) -> None:
    bad = "<script>window.hacked=1</script>\"'><img src=x onerror=window.hacked=1>{{7*7}}"
    results = fake_results(2, streets=False)
    water = results.services[0]
    evil = water.parties[0].model_copy(
        update={
            "title": LocalizedText(en=bad, ko=bad),
            "level_reason": Note(
                code="newcomer_first_day", names={"unit": bad}, numbers={"others": 1, "error": 2}
            ),
            "forecast": water.parties[0].forecast.model_copy(
                update={"place": bad, "time_zone": bad}
            ),
        }
    )
    hostile = water.model_copy(
        update={
            "parties": [evil, *water.parties[1:]],
            "title": LocalizedText(en=bad, ko=bad),
            "unit": bad,
        }
    )
    update = {
        "services": [hostile],
        "title": LocalizedText(en=bad, ko=bad),
        "map": bad,
        "version": bad,
    }
    path = tmp_path / "report.html"
    write_report(results.model_copy(update=update), path)
    tab.open(path.as_uri())
    tab.value("document.querySelectorAll('[data-tip-en]').forEach(n => n.focus())")
    tab.value("document.querySelector('[data-language=ko]').click()")
    assert tab.value("window.hacked") is None
    assert tab.value("document.querySelectorAll('img').length") == 0
    assert tab.value("document.scripts.length") == 3
    assert tab.value(VISIBLE_H1) == bad
    assert tab.complaints == []


LONG = {
    "en": "Metropolitan waterworks and drainage headquarters of the northern districts",
    "ko": "북부권역상수도및하수도통합관리사업본부제이정수센터운영지원과",
}


def with_long_names(part: object) -> object:
    """Results in which every text of two languages is as long as an authority's name."""
    if isinstance(part, dict):
        if set(part) == {"en", "ko"}:
            return dict(LONG)
        return {key: with_long_names(one) for key, one in part.items()}
    return [with_long_names(one) for one in part] if isinstance(part, list) else part


@pytest.mark.parametrize("names", ["plain", "long"])
def test_no_text_is_wider_than_a_phone(tab: Tab, report: str, tmp_path: Path, names: str) -> None:
    shown = report
    if names == "long":
        plain = fake_results()
        raw = with_long_names(plain.model_dump(mode="json"))
        write_report(type(plain).model_validate(raw), tmp_path / "long.html")
        shown = (tmp_path / "long.html").as_uri()
    size = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}
    tab.ask("Emulation.setDeviceMetricsOverride", **size)
    for language in ("en", "ko"):
        tab.open(f"{shown}#{language}")
        assert tab.value("document.documentElement.scrollWidth") <= 360
    tab.ask("Emulation.clearDeviceMetricsOverride")
