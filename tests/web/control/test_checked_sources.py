"""What the data check doubts and what forecasters learned, on the pages of a real node."""

import time

import numpy as np
import pytest
from control_room_page import PHONE, control_room
from live_city import DAY, HOUR, START, SlowLearner, write
from live_server import serving
from playwright.sync_api import expect
from processes import PATIENCE_S

from deepcity.live.node.checking.checker import RecordChecker
from deepcity.store.events.event import EventDraft, EventKind
from deepcity.web.control.app import create_control_room

FAULTS = slice(36 * 24, 37 * 24), slice(36 * 24, 37 * 24 + 6)
LEARNED = {
    "outcome": "refined", "number": 1, "learned_from_s": START, "learned_to_s": START + DAY,
    "kept": 0.5, "refined": 0.25, "unit": "L/s", "drift_since_s": START,
    "metric": {"en": "mean absolute error", "ko": "평균 절대 오차"}, "problem": "",
}  # fmt: skip
KOREAN = {"language": "ko-KR", "viewport": PHONE}


def faulty(name, values):
    """Since the run: a gap of all places of x, and a stuck place of y."""
    changed = values.copy()
    gap, stuck = FAULTS
    if name == "a/x":
        changed[gap] = np.nan
    else:
        changed[stuck, 1] = 12.5
    return changed


@pytest.fixture
def address(open_node, tmp_path):
    """A node whose records were checked, and one of whose forecasters has learned."""
    folder = tmp_path / "faulty"
    folder.mkdir()
    write(folder, 39, faulty)
    problem = {"outcome": "problem", "problem": "the rows <b>are</b> lost"}
    learned = [
        EventDraft(EventKind.UPDATE, "update/1", START + 2 * DAY, "water", "a/x", body=LEARNED),
        EventDraft(EventKind.UPDATE, "update/2", START + 2 * DAY, "", "a/y", body=problem),
    ]
    learner = SlowLearner()
    start, checker = START + 2 * DAY - HOUR, RecordChecker(folder / "a.toml", tmp_path)
    node = open_node(folder=folder, start=start, learner=learner, checker=checker)
    node.tick()
    learner.found = learned
    end = time.monotonic() + PATIENCE_S
    while node.check("y") is None or node.update("water", "a/x") is None:
        assert time.monotonic() < end
        node.tick()
        time.sleep(0.02)
    with serving(create_control_room(node, [], tmp_path / "state")) as found:
        yield found


def test_doubts_and_what_was_learned_are_read_in_both_languages(browser, address):
    with control_room(browser, address) as room:
        page = room.open("#/agencies").page
        x, y = (page.locator(f"tr[data-agency={name}]") for name in "xy")
        expect(x).to_contain_text("gaps of a day or longer, masked (24 steps)")
        expect(x).to_contain_text("9 Mar 2021, 00:00 to 10 Mar 2021, 00:00")
        expect(y).to_contain_text("flow at p1: one value for a day or longer")
        expect(y).to_contain_text("9 Mar 2021, 00:00 to 10 Mar 2021, 06:00; value 12.5 L/s")
        expect(y.locator("[data-check=done]")).to_contain_text("Data check of")
        room.open("#/services/water")
        expect(page.locator(".learned li")).to_have_count(2)
        done, failed = page.locator(".learned li").all()
        expect(done).to_contain_text("mean absolute error on the newest days 0.5 → 0.25 L/s")
        expect(done).to_contain_text("Learned on 11 Mar 2021, 00:00 from values until 10 Mar 2021")
        expect(done).to_contain_text("errors are above the usual since 9 Mar 2021")
        expect(failed).to_contain_text("“the rows <b>are</b> lost”")
        room.quiet()
    with control_room(browser, address, **KOREAN) as room:
        page = room.open("#/agencies").page
        y = page.locator("tr[data-agency=y]")
        expect(y).to_contain_text("p1의 flow: 값이 계속 바뀌는 곳인데 하루 이상 같은 값입니다")
        expect(y).to_contain_text("2021년 3월 9일 00:00부터 2021년 3월 10일 06:00까지; 값 12.5 L/s")
        expect(y.locator("[data-check=done]")).to_contain_text("데이터 점검")
        box = y.locator(".doubts").bounding_box()  # seen without sideways scrolling
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]
        room.open("#/services/water")
        expect(page.locator(".learned li").first).to_contain_text("평균 절대 오차 0.5 → 0.25 L/s")
        expect(page.locator(".learned li").last).to_contain_text("학습하지 못했습니다")
        assert page.evaluate("document.body.scrollWidth") <= PHONE["width"]
        room.quiet()
