"""What operators do: every change is the node's event with who and when; roles keep to theirs."""

import re

import pytest
from control_room_page import control_room
from fake_city import FakeCity, serving_city
from playwright.sync_api import expect


def test_an_alarm_from_acknowledged_to_closed(room, city):
    page = room.open("#/alarms").page
    expect(room.alarm(1)).to_contain_text("Jam at N003")
    room.change(1, "acknowledge")
    expect(room.alarm(1).locator("header .pill")).to_have_text("acknowledged")
    room.change(1, "assign", "Road patrol 2")
    expect(room.alarm(1)).to_contain_text("assigned to Road patrol 2")
    room.change(1, "comment", "Camera 7 shows a stopped lorry")
    room.change(1, "escalate", "needs the police")
    expect(room.alarm(1)).to_contain_text("escalated")
    room.alarm(1).get_by_text("History (5)").click()
    expect(room.alarm(1)).to_contain_text("Camera 7 shows a stopped lorry")
    room.change(1, "close")
    expect(room.alarm(1)).to_have_count(0)
    page.get_by_label("Show closed ones").check()
    expect(room.alarm(1).locator("header .pill")).to_have_text("closed")
    changes = [one["change"] for one in city.alarms[1]["history"]]
    assert changes == ["raised", "acknowledge", "assign", "comment", "escalate", "close"]
    assert {one["who"] for one in city.alarms[1]["history"][1:]} == {"mina"}


def test_the_queue_is_worked_by_keys(room, city):
    page = room.open("#/alarms").page
    expect(room.alarm(1)).to_be_visible()
    for key in ("j", "j", "k", "a"):
        page.keyboard.press(key)
    expect(room.alarm(1).locator("header .pill")).to_have_text("acknowledged")
    page.keyboard.press("c")
    page.keyboard.type("ja, 1 ok")
    page.keyboard.press("Enter")
    expect(room.alarm(1)).to_contain_text("History (3)")
    assert city.alarms[1]["history"][-1]["comment"] == "ja, 1 ok"
    page.keyboard.press("?")
    expect(page.locator("dialog")).to_contain_text("Keyboard shortcuts")


def test_a_new_alarm_is_said_aloud(room, city):
    page = room.open("#/agencies").page
    expect(page.locator("tr[data-agency=nuri-roads]")).to_be_visible()
    expect(page.locator("nav .count").first).to_have_text("3")
    city.raise_alarm("Jam at N010", "N010 정체")
    expect(page.locator("#announce-critical")).to_have_text("New alarm, critical: Jam at N010")
    city.raise_alarm("Slow at N010", "N010 서행", "warning")
    expect(page.locator("#announce-warning")).to_have_text("New alarm, warning: Slow at N010")
    expect(page.locator("nav .count").first).to_have_text("5")


def test_an_alarm_leads_to_its_place(room):
    page = room.open("#/alarms").page
    room.alarm(2).get_by_text("Show on the map").click()
    expect(page.locator(".detail h2")).to_have_text("N007")
    expect(page.locator("#party")).to_have_value("water nuri-water/inflow")


def test_a_decision_is_confirmed_and_undone(room, city):
    page = room.open("#/decisions").page
    card = room.decision(1)
    expect(card).to_contain_text("The jam began at N008")
    row = card.locator("tbody tr").nth(1)
    expect(row).to_contain_text("nuri-weather")
    expect(row).to_contain_text("1 h")
    expect(row).to_contain_text("0.04")
    expect(card).to_contain_text("90%")
    room.answer(1, "confirm", "patrol informed")
    expect(card.locator("header .pill")).to_have_text("confirmed")
    expect(card).to_contain_text("patrol informed")
    card.locator("button[data-answer=undo]").click()
    expect(card.locator("header .pill")).to_have_text("waiting")
    room.answer(1, "reject", "road works")
    expect(card.locator("header .pill")).to_have_text("rejected")
    answers = [(one["answer"], one["who"]) for one in city.decisions[1]["answers"]]
    assert answers == [("confirm", "mina"), ("undo", "mina"), ("reject", "mina")]
    comments = [one["comment"] for one in city.decisions[1]["answers"]]
    assert comments == ["patrol informed", "", "road works"], "a comment is of one answer"
    expect(page.locator("nav .count")).to_have_count(1)


def test_advice_asks_for_no_answer_and_tells_what_happened(room):
    room.open("#/decisions")
    card = room.decision(2)
    expect(card).to_contain_text("11 drivers found a space")
    expect(card.locator("button")).to_have_count(0)


def test_a_hand_over_tells_the_shift_and_takes_notes(room, city):
    page = room.open("#/handover").page
    expect(page.locator(".figures")).to_contain_text("alarms raised")
    expect(page.locator(".lines")).to_contain_text("Jam at N003")
    page.locator("textarea[name=note]").fill("Lorry at N003 is being towed")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator("#notes")).to_contain_text("Lorry at N003 is being towed")
    assert city.notes[0]["who"] == "mina"


def test_what_is_left_to_do_is_of_the_moment_of_the_figures(room, city):
    page = room.open("#/handover").page
    expect(page.locator(".lines > li")).to_have_count(4)
    city.alarms[3]["state"] = "closed"  # and the other lists of the page are not asked for again
    city.emit("note")
    expect(page.locator(".figures")).to_contain_text(re.compile(r"2\s*alarms open|alarms open\s*2"))
    expect(page.locator(".lines > li")).to_have_count(3)


@pytest.mark.parametrize(
    ("language", "replaced"),
    [("en-US", "replaced by a worse one"), ("ko-KR", "더 심한 경보로 바뀜")],
)
def test_an_alarm_says_what_came_of_its_cause(browser, language, replaced):
    city = FakeCity()
    over = {"change": "over", "who": "", "at_s": city.now_s, "to": "", "comment": ""}
    city.alarms[3].update(service="", place=None, over=True, replaced="worse")
    city.alarms[3]["history"].append(over)
    with serving_city(city) as address, control_room(browser, address, language=language) as room:
        room.open("#/alarms")
        card = room.alarm(3)
        expect(card.locator(".tags")).to_have_text(replaced)
        expect(card.locator(".history")).to_contain_text(replaced)
        expect(card.locator("header")).to_contain_text("nuri-parking/occupied")
        assert "· ·" not in " ".join(card.locator("header").inner_text().split())


def test_an_open_incident_is_left_to_do_in_the_hand_over(room):
    page = room.open("#/incidents").page
    page.locator("input[name=title]").fill("Burst main at N003")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("Burst main at N003")
    room.go("handover")
    expect(page.locator(".lines")).to_contain_text("Burst main at N003")


def test_sources_say_age_lateness_and_doubts(room):
    page = room.open("#/agencies").page
    late = page.locator("tr[data-agency=nuri-parking]")
    expect(late).to_contain_text("late")
    expect(late).to_contain_text("1 h 30 min")
    expect(late).to_contain_text("N006 has sent nothing for 3 days")


def test_the_inter_city_map_shows_who_shares_which_layer(room):
    page = room.open("#/intercity").page
    traffic = page.locator("figure.band").first
    expect(traffic.locator("rect.shared")).to_have_count(3 + 3 + 2)
    expect(traffic.locator(".link:not(.unused)")).to_have_count(2 + 2 + 1)
    expect(traffic.locator(".link.unused")).to_have_count(1)  # both sent h4, and nobody chose it
    expect(traffic.locator("text.stem")).to_have_text(["private"] * 3)
    expect(traffic.locator("text.mark.new")).to_have_count(1)
    expect(traffic).to_contain_text("−19%")  # the sign of reports: less error is below 0
    parking = page.locator("figure.band").nth(1)
    expect(parking.locator("text.mark.silent")).to_have_count(1)
    expect(parking).to_contain_text("round 12/40")
    water = page.locator("figure.band").nth(2)  # one chose h1, one nothing: h1 is of both
    expect(water.locator(".link:not(.unused)")).to_have_count(1)
    expect(water.locator("[data-party='haneul-water/inflow'] rect.given")).to_have_count(2)


def test_the_same_map_as_a_table_says_with_whom_and_since_when(room):
    page = room.open("#/intercity").page
    page.get_by_role("button", name="As a table").click()
    expect(page.locator("#map-parties tbody tr")).to_have_count(7)
    first = page.locator("#map-parties tbody tr").first
    expect(first).to_contain_text("1.25 MB")
    expect(first).to_contain_text("Haneul Speed (to h3)")
    silent = page.locator("tr[data-party='bada-parking/occupied']")
    expect(silent).to_contain_text("round 12 of 40")
    expect(silent).to_contain_text("does not answer: no answer within 60 s")


def test_agencies_of_one_city_give_an_application_a_hidden_layer(room):
    page = room.open("#/intercity").page
    meeting = page.locator("#vertical figure")
    expect(meeting.locator(".link")).to_have_count(2)
    weather = meeting.locator("[data-agency=weather]")
    expect(weather.locator("rect")).to_have_count(4)  # the stem and h1 to the cut after h3
    expect(weather.locator("rect.shared")).to_have_count(1)
    expect(meeting.locator("[data-agency=metro]")).to_contain_text("silent")
    expect(meeting).to_contain_text("−9.3%")
    page.get_by_role("button", name="As a table").click()
    row = page.locator("#map-agencies tr[data-agency=weather]")
    expect(row).to_contain_text("16 × 2")
    expect(row).to_contain_text("+0.4%")


@pytest.mark.parametrize("role", ["auditor", "analyst"])
def test_who_may_only_look_has_no_buttons(room, city, role):
    city.role = role
    page = room.open("#/decisions").page
    expect(room.decision(1)).to_contain_text("Your role may look, but not answer.")
    expect(page.locator("[data-answer]")).to_have_count(0)
    room.go("alarms")
    expect(room.alarm(1)).to_be_visible()
    expect(page.locator("[data-change]")).to_have_count(0)
    room.go("handover")
    expect(page.locator("#notes")).to_be_attached()
    expect(page.locator("textarea")).to_have_count(0)
    room.go("incidents")
    expect(page.locator("main form")).to_have_count(0)
