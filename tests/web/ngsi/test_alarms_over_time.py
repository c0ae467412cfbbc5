"""Alarms as Alert entities over time: raised, acknowledged, over, closed, and how severe."""

import pytest
from live_city import HOUR, START

from deepcity.live.node.alarm_book import AlarmChange
from deepcity.store.events.event import EventDraft, EventKind

RAISED = {"change": "raised", "place": "p1", "code": "warn", "severity": "warning", "decision": 0}
STEPS = (
    (AlarmChange.ACKNOWLEDGE, "acknowledged"),
    (AlarmChange.ESCALATE, None),
    (AlarmChange.COMMENT, None),
    (AlarmChange.CLOSE, "closed"),
)


@pytest.fixture(scope="module")
def alert(node):
    """The id of an alarm with a history of five hours."""
    body = {**RAISED, "numbers": {"probability": 0.7}}
    draft = EventDraft(EventKind.ALARM, "alarm/of/test", START, "water", "a/x", body=body)
    (event,) = node.keep([draft])
    for number, (change, _) in enumerate(STEPS, 1):
        at_s = START + number * HOUR
        args = (event.seq, change, "kim", at_s, "", "seen")
        node.change(lambda args=args: node.alarms.change(*args))
    return f"urn:ngsi-ld:Alert:a:x:{event.seq}"


def get(client, path, **asked):
    found = client.get(path, params=asked)
    assert found.status_code == 200, found.text
    return found.json()


def test_a_closed_alarm_has_its_states_and_severities_over_time(client, alert):
    assert client.get(f"/entities/{alert}").status_code == 404  # it is closed
    found = get(client, f"/temporal/entities/{alert}")
    states = [(one["value"], one["observedAt"]) for one in found["alertState"]]
    assert states == [
        ("open", "2021-03-09T00:00:00Z"),
        ("acknowledged", "2021-03-09T01:00:00Z"),
        ("closed", "2021-03-09T04:00:00Z"),
    ]
    assert [one["value"] for one in found["severity"]] == ["medium", "high"]
    assert (found["id"], found["type"]) == (alert, "Alert")


def test_a_span_the_newest_pairs_and_counts(client, alert):
    path = f"/temporal/entities/{alert}"
    span = {"timerel": "between", "timeAt": "2021-03-09T00:30:00Z"}
    within = get(client, path, **span, endTimeAt="2021-03-09T02:30:00Z")
    assert [one["value"] for one in within["alertState"]] == ["acknowledged"]
    assert [one["value"] for one in within["severity"]] == ["high"]
    pairs = get(client, path, lastN=1, options="temporalValues", attrs="alertState")
    assert pairs["alertState"]["values"] == [["closed", "2021-03-09T04:00:00Z"]]
    assert "severity" not in pairs
    counts = get(client, path, aggrMethods="totalCount,avg", attrs="alertState")["alertState"]
    assert [one[0] for one in counts["totalCount"]] == [3]
    assert "avg" not in counts
    before = get(client, path, timerel="before", timeAt="2020-01-01T00:00:00Z")
    assert set(before) == {"id", "type"}


def test_a_page_of_alarms_over_time(client, alert):
    span = {"timerel": "after", "timeAt": "2021-03-09T03:30:00Z"}
    found = get(client, "/temporal/entities", type="Alert", **span)
    assert alert in [one["id"] for one in found]
    early = {"timerel": "before", "timeAt": "2020-01-01T00:00:00Z"}
    assert get(client, "/temporal/entities", type="Alert", **early) == []
    model = get(client, "/entities", type="MLModel")[0]["id"]
    refused = client.get(f"/temporal/entities/{model}")
    assert (refused.status_code, "has no history" in refused.json()["title"]) == (404, True)
