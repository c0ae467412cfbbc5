"""A node's state as JSON. Shapes: N places, T times, H horizon steps."""

from dataclasses import asdict
from itertools import zip_longest
from typing import Any

import numpy as np

from deepcity.applications.application import Application, applications
from deepcity.city.arrays import Floats
from deepcity.live.node.alarm_book import Alarm
from deepcity.live.node.decision_book import KnownDecision
from deepcity.live.node.forecast_event import gap_from
from deepcity.live.node.incidents import roles_of
from deepcity.live.node.known import PlacesFrame, Series
from deepcity.live.node.node import Node, PartyKey, PartyNow
from deepcity.live.node.outcome import outcome_of
from deepcity.live.node.party import NodeParty
from deepcity.store.events.event import Event, EventKind
from deepcity.web.control.accounts.accounts import User
from deepcity.web.control.incidents.answer import agencies_json
from deepcity.web.control.leakage import leakage_of
from deepcity.web.control.overview.cell_outlines import cell_outlines
from deepcity.web.control.overview.update_answer import update_json
from deepcity.web.control.roles import may, may_see
from deepcity.web.control.words import (
    agency_title,
    alarm_words,
    decision_sentences,
    facts_of,
    gap_words,
    title_of,
)
from deepcity.web.report.decisions import action_words
from deepcity.web.report.figures import number, percent
from deepcity.web.report.text import both, translate

Json = dict[str, Any]
_DIGITS = 4


def city_json(node: Node, user: User, *, searches: bool = False) -> Json:
    """The city, its services and parties.

    Args:
        searches: whether the city searches for people.
    """
    city, now = node.city_file.city, node.parties
    services = {service: one for (service, _), one in now.items()}
    return {
        "name": city.name,
        "title": both(city.title),
        "time_zone": city.clock.time_zone,
        "mode": node.clock.mode.value,
        "speed": node.clock.speed if np.isfinite(node.clock.speed) else None,
        "now_s": node.clock.now(),
        "user": {"name": user.name, "role": user.role.value},
        "services": [_service_json(name, one) for name, one in services.items()],
        "parties": [_party_json(node, key, one.party) for key, one in now.items()],
        "agencies": agencies_json(node),
        "searches": searches and may(user.role, "GET", "/api/cases"),
    }


def now_json(node: Node) -> Json:
    """How each party stands, and since when forecasters learn from new days, if they do now."""
    now_s = node.clock.now()
    return {
        "now_s": now_s,
        "learning_since_s": node.learning_since_s,
        "first_learning_since_s": node.first_learning_since_s,
        "parties": [_party_now(node, key, one, now_s) for key, one in node.parties.items()],
    }


def frame_json(found: PlacesFrame) -> Json:
    """One moment of all places."""
    measured = not np.isfinite(found.low_N).any()
    return {
        "time_s": found.time_s,
        "kind": found.kind.value,
        "origin_s": found.origin_s,
        "value": numbers(found.value_N),
        "low": None if measured else numbers(found.low_N),
        "high": None if measured else numbers(found.high_N),
    }


def series_json(place: str, step_s: int, found: Series) -> Json:
    """One place over time."""
    forecast = None
    if found.forecast is not None:
        one, at = found.forecast, found.place
        forecast = {
            "origin_s": one.origin_s,
            "time": one.time_H.tolist(),
            "value": numbers(one.value_NH[at]),
            "low": numbers(one.low_NH[at]),
            "high": numbers(one.high_NH[at]),
        }
    measured = {"time": found.time_T.tolist(), "value": numbers(found.value_T)}
    return {"place": place, "step_s": step_s, "measured": measured, "forecast": forecast}


def decision_json(node: Node, made: KnownDecision, now_s: int) -> Json:
    """A decision with its reasons, its evidence and what was answered."""
    decision, party = made.decision, node.parties.get((made.service, made.party))
    sentences = decision_sentences(node, made)
    reasons = [
        {
            "code": "" if reason is None else reason.code,
            "numbers": {} if reason is None else dict(reason.numbers),
            "place": "" if reason is None else reason.place,
            "text": {"en": "", "ko": ""} if text is None else both(text),
        }
        for reason, text in zip_longest(decision.reasons, sentences)
    ]
    return {
        "id": made.id,
        "service": made.service,
        "party": made.party,
        "at_s": made.made_s,
        "valid_until_s": decision.valid_until_s,
        "task": made.task.value,
        "confirm": decision.confirm.value,
        "certainty": decision.certainty,
        "status": made.status(now_s).value,
        "actions": [
            {
                "code": one.code,
                "place": one.place,
                "at_s": one.at_s,
                "numbers": dict(one.numbers),
                "route": list(one.route),
                "usual_route": list(one.usual_route),
                "text": both(action_words(one.code, one.place)),
            }
            for one in decision.actions
        ],
        "reasons": reasons,
        "evidence": [
            {
                "agency": one["agency"],
                "title": both(agency_title(node, one["agency"])),
                "newest_s": one["newest_s"],
                "age_s": one["lag_s"],
                "missing": one.get("missing"),
                "status": one["status"],
                "leakage": None if party is None else leakage_of(party.party.party, one),
            }
            for one in made.evidence
        ],
        "band": None if party is None else party.party.facts.band,
        "answers": [{**asdict(one), "answer": one.answer.value} for one in made.answers],
        "outcome": _outcome_json(node, made),
    }


def alarm_json(node: Node, alarm: Alarm) -> Json:
    """An alarm with its history."""
    found = asdict(alarm)
    found["numbers"] = dict(alarm.numbers)
    found["severity"], found["state"] = alarm.severity.value, alarm.state.value
    found["text"] = both(alarm_words(node, alarm))
    found["replaced"] = "worse" if alarm.worsened else "other" if alarm.replaced_by else ""
    found["assigned_to"] = alarm.assigned_to or None
    found["history"] = [{**asdict(one), "change": one.change.value} for one in alarm.history]
    return found


def event_json(event: Event, user: User) -> Json:
    """An event without its arrays; of an entry that is not for this person, that it was made."""
    body = dict(event.body)
    if event.kind is EventKind.INCIDENT and not may_see(user.role, roles_of(event)):
        body |= {"text": None, "geometry": None, "agency": None}
    return {
        "seq": event.seq,
        "kind": event.kind.value,
        "at_s": event.at_s,
        "recorded_s": event.recorded_s,
        "service": event.service,
        "party": event.party,
        "who": event.who,
        "body": body,
    }


def numbers(values: Floats) -> list[float | None]:
    """Numbers as JSON has them: null where there is none."""
    rounded = np.round(values.astype(float), _DIGITS)
    return [
        value if finite else None
        for value, finite in zip(rounded.tolist(), np.isfinite(values).tolist(), strict=True)
    ]


def _service_json(name: str, one: PartyNow) -> Json:
    application: Application | None = applications().get(one.party.facts.application)
    if application is None:
        nothing = {"en": "", "ko": ""}
        title = {"en": name, "ko": name}
        texts = {"title": title, "question": nothing, "decision": nothing}
        return {"name": name, "application": "", "task": "forecast", **texts}
    return {
        "name": name,
        "application": application.name,
        "task": application.task.value,
        "title": both(application.title),
        "question": both(application.question),
        "decision": both(application.decision),
    }


def _party_json(node: Node, key: PartyKey, one: NodeParty) -> Json:
    panel = node.panel(one.party.agency)
    field = panel.fields[panel.field_index(one.facts.field)]
    agencies = node.city_file.settings.agency
    grid = next((it.grid for it in agencies if it.name == one.party.agency), None)
    return {
        "service": key[0],
        "party": key[1],
        "agency": one.party.agency,
        "title": both(title_of(node, key)),
        "field": field.name,
        "kind": field.kind.value,
        "unit": field.unit,
        "step_s": panel.clock.step_s,
        "horizon": one.facts.horizon,
        "places": [
            {"id": place.id, "lat": place.lat, "lon": place.lon, "capacity": place.capacity}
            for place in panel.places
        ],
        "outlines": cell_outlines(grid, panel.places),
    }


def _party_now(node: Node, key: PartyKey, one: PartyNow, now_s: int) -> Json:
    state = node.source(one.party.party.agency, now_s)
    forecast, failed = one.forecast, one.failed
    gap = None if failed is None else gap_words(gap_from(failed.body["gap"]))
    return {
        "service": key[0],
        "party": key[1],
        "status": state.status.value,
        "newest_s": state.newest_s,
        "lag_s": state.lag_s,
        "origin_s": None if forecast is None else forecast.origin_s,
        "made_s": None if forecast is None else forecast.made_s,
        "gap": gap,
        "update": update_json(node, key),
    }


def _outcome_json(node: Node, made: KnownDecision) -> Json | None:
    """How the forecast behind it fared since."""
    found, facts = outcome_of(node, made), facts_of(node, (made.service, made.party))
    if found is None or facts is None:
        return None
    text = translate(
        "control.outcome",
        n=found.measured,
        p=percent(found.inside, 0),
        error=f"{number(found.error, 2)} {facts.unit}",
    )
    figures = {"measured": found.measured, "inside": found.inside, "error": found.error}
    return {"text": both(text), "numbers": figures}
