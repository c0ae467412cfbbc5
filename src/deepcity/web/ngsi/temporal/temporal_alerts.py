"""The past of alarms as Alert entities over time: their state and severity (NGSI-LD 4.5.6)."""

from typing import Any

from deepcity.live.node.alarm_book import Alarm, AlarmChange
from deepcity.web.ngsi.entity import Json, moment
from deepcity.web.ngsi.other_entities import alert_severity
from deepcity.web.ngsi.temporal.temporal_query import TemporalQuery

Instance = tuple[str, int]
"""A value, and since when, UTC seconds."""
_STATES = {
    AlarmChange.RAISED: "open",
    AlarmChange.ACKNOWLEDGE: "acknowledged",
    AlarmChange.OVER: "over",
    AlarmChange.CLOSE: "closed",
}


def alert_history(
    alarm: Alarm, asked: TemporalQuery, attributes: tuple[str, ...]
) -> dict[str, list[Instance]]:
    """Attributes of an alarm over the span asked for, oldest first; those without are left out.

    Args:
        attributes: names; empty: all.
    """
    states: list[Instance] = []
    severities = [(alert_severity(alarm.severity, escalated=False), alarm.since_s)]
    for entry in alarm.history:
        state = _STATES.get(entry.change)
        is_over = bool(states) and states[-1][0] == "over"
        if state is not None and not (is_over and entry.change is AlarmChange.ACKNOWLEDGE):
            states.append((state, entry.at_s))
        if entry.change is AlarmChange.ESCALATE:
            severities.append((alert_severity(alarm.severity, escalated=True), entry.at_s))
    found = {}
    for name, instances in (("alertState", states), ("severity", severities)):
        within = [one for one in instances if asked.since_s <= one[1] < asked.until_s]
        within = within if asked.last is None else within[-asked.last :]
        if within and (not attributes or name in attributes):
            found[name] = within
    return found


def alert_json(
    name: str, kind: str, found: dict[str, list[Instance]], asked: TemporalQuery, form: str
) -> Json:
    """An alarm over time; of texts there are the aggregates `totalCount` and `distinctCount`.

    Args:
        name, kind: the entity's id and type.
        form: `normalized`, `temporalValues` or `aggregatedValues`.
    """
    return {"id": name, "type": kind, **{k: _shown(v, asked, form) for k, v in found.items()}}


def _shown(instances: list[Instance], asked: TemporalQuery, form: str) -> Any:  # noqa: ANN401
    if form == "aggregatedValues":
        span = [moment(instances[0][1]), moment(instances[-1][1] + 1)]
        counts = {
            "totalCount": len(instances),
            "distinctCount": len({value for value, _ in instances}),
        }
        kept = {one: [[counts[one], *span]] for one in asked.methods if one in counts}
        return {"type": "Property", **kept}
    if form == "temporalValues":
        return {"type": "Property", "values": [[value, moment(at)] for value, at in instances]}
    return [
        {"type": "Property", "value": value, "observedAt": moment(at)} for value, at in instances
    ]
