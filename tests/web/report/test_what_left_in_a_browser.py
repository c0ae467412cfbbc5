"""What leaves my house, as a report shows it: wide and on a phone, in both languages, to all."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import CHROMIUM, NO_CHROMIUM
from control_room_page import PHONE, WIDE, chromium
from house_records import PARTY, RESULTS, audit, left, record
from playwright.sync_api import expect

from deepcity.store.release_ledger.release import ReleaseForm
from deepcity.web.report.house.view import houses
from deepcity.web.report.write import write_report


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A party that was measured; all others have no ledger here."""
    folder = tmp_path_factory.mktemp("run")
    layers = [left(layer=f"h{depth}") for depth in range(1, 6)]
    claim = left(layer="claim", form=ReleaseForm.DOCUMENT, grant=None)
    site = record(folder, claim, *layers, left(layer="head"))
    audit(site, {f"h{depth}": 1 - 0.06 * depth for depth in range(1, 6)} | {"forecast": 0.72}, 0.97)
    write_report(RESULTS, folder / "report.html", (), houses(RESULTS.services, folder))
    return (folder / "report.html").as_uri()


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip(NO_CHROMIUM)
    with chromium() as opened:
        yield opened


@pytest.fixture(params=[WIDE, PHONE], ids=["wide", "phone"])
def page(request, browser):
    context = browser.new_context(viewport=request.param, locale="en-US")
    try:
        yield context.new_page()
    finally:
        context.close()


@pytest.mark.parametrize(
    ("language", "never", "leaks"),
    [
        ("en", "never leave District A.", "94 can be guessed back from 24 releases in a row"),
        ("ko", "결코 떠나지 않습니다", "94를 알아맞힐 수 있습니다"),
    ],
)
def test_a_reader_finds_what_never_leaves_and_what_has(page, report, language, never, leaks):
    page.goto(f"{report}#{language}/house")
    house = page.locator("#house .panel:not(.off)")
    expect(house.locator(f".finding [lang={language}]")).to_contain_text(never)
    rows = house.locator("tbody tr")
    expect(rows).to_have_count(7)
    expect(rows.nth(1).locator(f".leakage [lang={language}]").last).to_contain_text(leaks)
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    cut = page.evaluate(
        "[...document.querySelectorAll('#house .scroll')].filter(e => e.offsetParent && "
        "e.scrollWidth > e.clientWidth + 1).length"
    )
    assert cut == 0
    page.locator("#house-party").select_option(index=1)
    expect(page.locator("#house .panel:not(.off) table")).to_have_count(0)
    expect(page.locator("#house .panel:not(.off)")).not_to_contain_text(PARTY.title.en)


def test_axe_finds_nothing_serious_in_it(page, report):
    page.goto(f"{report}#en/house")
    found = Axe().run(page, context="#house").response["violations"]
    assert [one["id"] for one in found if one["impact"] in {"serious", "critical"}] == []
