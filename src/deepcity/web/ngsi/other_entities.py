"""Alarms, decisions and forecasters as entities."""

from collections.abc import Sequence
from typing import Any

from deepcity.live.node.alarm_book import Alarm, AlarmSeverity
from deepcity.live.node.decision_book import KnownDecision
from deepcity.live.node.node import Node, PartyKey
from deepcity.live.node.party import NodeParty, VerticalNodeParty
from deepcity.web.control.words import alarm_words, decision_sentences, title_of
from deepcity.web.ngsi.data_models import ALERT, DECISION, MODEL
from deepcity.web.ngsi.entity import Attribute, Entity, date_time, moment, urn
from deepcity.web.ngsi.place_entities import PlaceGroup

_CATEGORY = {
    "transport": "traffic",
    "environment": "environment",
    "resources": "environment",
    "cctv": "security",
    "life": "security",
}
"""Domain -> a category of the model's list, which has none for networks of pipes and wires."""
_SUB_CATEGORY = {
    "air-warning": "airPollution",
    "traffic": "trafficJam",
    "crowding-warning": "crowdRisk",
}
"""Application -> a value of the model's list, which has none for the others."""
_SEVERITY = {AlarmSeverity.WARNING: "medium", AlarmSeverity.CRITICAL: "critical"}


def party_name(key: PartyKey) -> tuple[str, str]:
    """Agency and service, as ids have them."""
    service, party = key
    return party.rpartition("/")[2], service


def alert_severity(severity: AlarmSeverity, *, escalated: bool) -> str:
    """In the words of the model Alert."""
    if severity is not AlarmSeverity.WARNING:
        return "critical"
    return "high" if escalated else _SEVERITY[severity]


def alert_entity(
    node: Node, city: str, alarm: Alarm, source: str | None, place: str | None
) -> Entity:
    """An alarm as an Alert.

    Args:
        source: id of the entity that raised it; None: the node did.
        place: id of the entity that it is about; None: of no single one.
    """
    key = alarm.service, alarm.party
    now = node.parties.get(key)
    agency = alarm.party if now is None else now.party.party.agency
    known = {one.name: one for one in node.city_file.city.agencies}
    domain = known[agency].domain if agency in known else ""
    kind = _SUB_CATEGORY.get("" if now is None else now.party.facts.application, "")
    severity = alert_severity(alarm.severity, escalated=alarm.escalated)
    found = [
        Attribute("category", _CATEGORY.get(domain, "environment")),
        *([Attribute("subCategory", kind)] if kind else []),
        Attribute("alarmCode", alarm.code),
        Attribute("severity", severity),
        Attribute("description", alarm_words(node, alarm).en),
        Attribute("dateIssued", date_time(alarm.since_s), observed_s=alarm.since_s),
        Attribute("data", dict(alarm.numbers)),
        Attribute("alertState", "over" if alarm.over else alarm.state.value),
        Attribute("dataProvider", agency),
        Attribute("alertSource", source or urn("CityNode", city), "Relationship"),
    ]
    if place is not None:
        found.append(Attribute("refAlertedPlace", place, "Relationship"))
        found += _location(node, agency, alarm.place)
    return Entity(urn(ALERT, city, agency, str(alarm.id)), ALERT, tuple(found))


def decision_entity(node: Node, city: str, made: KnownDecision, now_s: int) -> Entity:
    """A party's newest decision, of our own type."""
    key = made.service, made.party
    decision = made.decision
    actions: list[dict[str, Any]] = [
        {
            "code": one.code,
            "place": one.place,
            "at": moment(one.at_s),
            "numbers": dict(one.numbers),
        }
        for one in decision.actions
    ]
    reasons = [
        {"code": one.code, "place": one.place, "numbers": dict(one.numbers)}
        for one in decision.reasons
    ]
    sentences = [one.en for one in decision_sentences(node, made) if one is not None]
    found = (
        Attribute("name", title_of(node, key).en),
        Attribute("description", " ".join(sentences)),
        Attribute("service", made.service),
        Attribute("task", made.task.value),
        Attribute("status", made.status(now_s).value),
        Attribute("confirmedBy", decision.confirm.value),
        Attribute("certainty", decision.certainty, observed_s=made.made_s, unit="C62"),
        Attribute("actions", actions, observed_s=made.made_s),
        Attribute("reasons", reasons, observed_s=made.made_s),
        Attribute("decisionNumber", made.id),
        Attribute("dateIssued", date_time(made.made_s)),
        Attribute("validTo", date_time(decision.valid_until_s)),
        Attribute("refModel", urn(MODEL, city, *party_name(key)), "Relationship"),
    )
    return Entity(urn(DECISION, city, *party_name(key)), DECISION, found)


def model_entity(
    city: str, key: PartyKey, party: NodeParty, groups: Sequence[PlaceGroup]
) -> Entity:
    """A party's forecaster as an MLModel."""
    facts, step_s = party.facts, 0
    inputs, outputs = [], []
    for group in groups:
        step_s = group.panel.clock.step_s
        inputs += [one.name for one in group.fields]
        outputs += [
            ahead.name
            for ahead in group.forecasts
            if ahead.found.service == key[0] and ahead.found.party == key[1]
        ]
    vertical = isinstance(party, VerticalNodeParty)
    found = (
        Attribute("name", f"{key[0]} of {key[1]}"),
        Attribute("dataProvider", party.party.agency),
        Attribute("mlFramework", "PyTorch"),
        Attribute("typeOfAlgorithm", "regression"),
        Attribute(
            "algorithm",
            "vertical federated network" if vertical else "online-weighted ensemble of experts",
        ),
        Attribute("inputAttributes", inputs),
        Attribute("outputAttributes", outputs),
        Attribute("outputDataTypes", ["Number"] * len(outputs)),
        Attribute("horizonSteps", facts.horizon, unit="C62"),
        Attribute("stepSeconds", step_s, unit="SEC"),
        Attribute("band", facts.band, unit="C62"),
    )
    return Entity(urn(MODEL, city, *party_name(key)), MODEL, found)


def _location(node: Node, agency: str, place: str) -> list[Attribute]:
    found = next((one for one in node.panel(agency).places if one.id == place), None)
    if found is None or found.lat is None or found.lon is None:
        return []
    point = {"type": "Point", "coordinates": [found.lon, found.lat]}
    return [Attribute("location", point, "GeoProperty")]
