"""What leaves my house, in the control room: sums of ledgers, however long they are."""

import json
import shutil

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from control_room_page import PHONE, control_room
from fake_city import serving_city
from live_server import serving
from playwright.sync_api import expect
from release_ledgers import key_of, release

from deepcity.city.errors import LiveError
from deepcity.live.node.open_node import MapFolders
from deepcity.store.release_ledger import totals
from deepcity.store.release_ledger.ledger_file import ReleaseLedger
from deepcity.store.run_folder import site_folder
from deepcity.web.control.app import create_control_room
from deepcity.web.control.house import answer
from deepcity.web.control.house.answer import house_json


def test_a_run_shows_what_left_each_of_the_city_s_parties(open_node, trained, tmp_path):
    app = create_control_room(open_node(speed=1e-6), MapFolders([trained], [trained / "run"]),
                              tmp_path / "state")  # fmt: skip
    with serving(app) as address:
        first = httpx.get(f"{address}/api/house").json()
        names = [one["party"] for one in first["parties"]]
        other = httpx.get(f"{address}/api/house", params={"party": names[-1]}).json()
        unknown = httpx.get(f"{address}/api/house", params={"party": "b/nobody"})
    results = json.loads((trained / "run" / "results.json").read_text())
    assert names == [one["name"] for one in results["services"][0]["parties"]]
    assert first["house"]["party"] == names[0]
    assert other["house"]["party"] == names[-1]
    assert first["house"]["never"]["en"].startswith("Raw records, ")
    what = [one["what"]["en"] for one in first["house"]["rows"]]
    assert "layer h1" in what
    assert "head, the last layer" in what
    assert not first["house"]["reading"]
    assert unknown.status_code == 404


def test_several_runs_of_a_party_are_counted_together(open_node, trained, tmp_path):
    node, run = open_node(speed=1e-6), trained / "run"
    shutil.copytree(run, tmp_path / "again")
    once = house_json(node, [run])["house"]
    twice = house_json(node, [run, tmp_path / "again"])["house"]
    for one, two in zip(once["rows"], twice["rows"], strict=True):
        assert int(two["times"].replace(",", "")) == 2 * int(one["times"].replace(",", ""))


def test_a_long_ledger_is_read_bit_by_bit_and_no_entry_is_sent(
    open_node, trained, tmp_path, monkeypatch
):
    run = tmp_path / "run"
    shutil.copytree(trained / "run", run)
    name = house_json(open_node(speed=1e-6), [run])["house"]["party"]
    path = site_folder(run, name) / "releases.jsonl"
    path.unlink()
    ledger = ReleaseLedger(path, name, key_of(name))
    ledger.record([release(number, party=name, receiver="x" * 150) for number in range(3000)])
    monkeypatch.setattr(answer, "_READING_S", 0)
    monkeypatch.setattr(totals, "_LINES_A_LOOK", 500)
    node, seen = open_node(speed=1e-6), []
    while (found := house_json(node, [run], name))["house"]["reading"]:
        seen.append(found["house"]["rows"][0]["times"])
        assert len(json.dumps(found)) < 10_000
    assert seen[:2] == ["500", "1,000"]
    assert found["house"]["rows"][0]["times"] == "3,000"


def test_a_city_in_no_run_has_no_house(open_node, tmp_path):
    node = open_node(speed=1e-6)
    assert house_json(node, [tmp_path]) == {"parties": [], "house": None}
    with pytest.raises(LiveError):
        house_json(node, [tmp_path], "a/b")


def test_the_page_says_what_never_leaves_and_what_has(room):
    page = room.open("#/house").page
    house = page.locator("[data-house]")
    expect(house.locator(".never")).to_contain_text("Raw records, measured values and the stem")
    expect(house.locator("tbody tr")).to_have_count(7)
    row = house.locator("tbody tr").nth(1)
    expect(row).to_contain_text("layer h1")
    expect(row).to_contain_text(
        "Of 100 parts of what the input varies, 95 can be guessed back from 24 releases in a row; "
        "the forecast alone gives 72."
    )
    page.locator("#house-of").select_option(index=1)
    expect(house.locator("tbody tr").nth(1)).to_contain_text("deepcity audit RUN --party")
    page.locator("#house-of").select_option(index=2)
    expect(house).to_contain_text("kept at its own site")
    expect(house.locator("table")).to_have_count(0)


@pytest.mark.parametrize(("language", "viewport"), [("en-US", None), ("ko-KR", PHONE)])
def test_the_page_is_for_every_reader(browser, city, language, viewport):
    with (
        serving_city(city) as address,
        control_room(browser, address, language=language, viewport=viewport) as room,
    ):
        page = room.open("#/house").page
        expect(page.locator("[data-house] tbody tr")).to_have_count(7)
        found = Axe().run(page).response["violations"]
        assert [one["id"] for one in found if one["impact"] in {"serious", "critical"}] == []
        wide = page.evaluate(
            "[...document.querySelectorAll('main, .scroll')].filter(e => e.scrollWidth > "
            "e.clientWidth + 1).length"
        )
        assert wide == 0
        room.quiet()
