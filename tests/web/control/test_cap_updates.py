"""Warnings one after another as CAP messages: what is updated, what cancelled, by which names."""

from dataclasses import replace

import httpx
import numpy as np
import pytest
from application_contract import made_state
from cap_tools.models import Alert
from live_city import HOUR, START, node_in
from live_server import serving
from xsdata.formats.dataclass.parsers import XmlParser

from deepcity.applications.application import Task, applications
from deepcity.live.node.decision_book import AnswerKind, decision_event
from deepcity.store.events.event import EventDraft, EventKind
from deepcity.web.control.app import create_control_room


@pytest.fixture
def node(trained, tmp_path):
    with node_in(trained, tmp_path) as found:
        found.tick()
        yield found


@pytest.fixture
def client(node, tmp_path):
    app = create_control_room(node, [], tmp_path / "state")
    with serving(app) as address, httpx.Client(base_url=address, timeout=60) as found:
        yield found


def decided(node, hours, *places, confirm=True):
    """An air warning at some places, and its alarms; its number."""
    air = applications()["air-warning"]
    state = made_state(air)
    forecast_NH = np.full_like(state.forecast_NH, 3.0)
    for place in places:
        forecast_NH[place, 5:] = 150.0
    at_s = START + hours * HOUR
    made = replace(air.decide(replace(state, forecast_NH=forecast_NH)), valid_until_s=at_s + HOUR)
    forecast = EventDraft(EventKind.FORECAST, f"forecast/x/{at_s}", at_s, body={"origin_s": at_s})
    evidence = node.source("x", at_s)
    draft = decision_event("water", "a/x", made, Task.ALERT, evidence, forecast)
    (event,) = node.keep([draft])
    node._raise_alarms(event)
    if confirm and places:
        given = AnswerKind.CONFIRM
        known = replace(node.decisions.decisions[event.seq], replaced=False)
        known = replace(known, decision=replace(known.decision, valid_until_s=1 << 40))
        book = replace(node.decisions, decisions={event.seq: known})
        node.keep([book.answer(event.seq, given, "kim", at_s)])
    return event.seq


def message(client, path):
    found = client.get(path)
    assert found.status_code == 200, found.text
    return XmlParser().from_bytes(found.content, Alert)


def names(alert):
    """Identifiers that a message refers to."""
    return [one.split(",")[1] for one in (alert.references or "").split()]


def test_a_warning_that_changes_is_an_update_and_one_that_ends_a_cancel(client, node):
    numbers = [
        decided(node, 1, 0, 1),
        decided(node, 2, 1),
        decided(node, 3, 1, confirm=False),
        decided(node, 4, 0, 1),
        decided(node, 5),
        decided(node, 6, 1),
    ]
    found = [message(client, f"/api/decisions/{one}/cap") for one in numbers]
    kinds = [one.msg_type.value for one in found]
    assert kinds == ["Alert", "Update", "Update", "Update", "Cancel", "Alert"]
    assert [one.status.value for one in found] == ["Actual"] * 2 + ["Draft"] + ["Actual"] * 3
    own = [one.identifier for one in found]
    assert len(set(own)) == 6
    assert [names(one) for one in found] == [
        [],
        own[:1],
        own[:2],
        own[:2],  # the third was never issued
        [own[0], own[1], own[3]],
        [],
    ]
    cancel = found[4]
    assert [one.language for one in cancel.infos] == ["en-US", "ko-KR"]
    assert [one.response_types[0].value for one in cancel.infos] == ["AllClear"] * 2
    assert client.get("/api/decisions/999999/cap").status_code == 404
    quiet = decided(node, 7, confirm=False)
    again = decided(node, 8, confirm=False)
    assert message(client, f"/api/decisions/{quiet}/cap").msg_type.value == "Cancel"
    nothing = client.get(f"/api/decisions/{again}/cap")
    assert (nothing.status_code, "warns of nothing" in nothing.text) == (409, True)


def test_an_alarm_has_the_newest_message_about_it(client, node):
    decided(node, 1, 0, 1)
    first, second = list(node.alarms.alarms.values())[-2:]
    decided(node, 2, 1)
    over = message(client, f"/api/alarms/{first.id}/cap")  # goes on at the other place
    goes_on = message(client, f"/api/alarms/{second.id}/cap")
    assert (over.msg_type.value, over.identifier) == ("Update", goes_on.identifier)
    decided(node, 3)
    decided(node, 4, 1)
    assert message(client, f"/api/alarms/{second.id}/cap").msg_type.value == "Cancel"
    assert message(client, f"/api/alarms/{first.id}/cap").identifier == over.identifier
    assert client.get("/api/alarms/999999/cap").status_code == 404


def test_a_sources_alarm_is_no_warning_to_the_public(client, node):
    body = {
        "change": "raised", "place": "", "code": "source-late", "numbers": {},
        "severity": "warning", "decision": 0,
    }  # fmt: skip
    (event,) = node.keep([EventDraft(EventKind.ALARM, "alarm/of/x", START, "", "x", body=body)])
    found = client.get(f"/api/alarms/{event.seq}/cap")
    assert (found.status_code, "no decision raised it" in found.text) == (404, True)
