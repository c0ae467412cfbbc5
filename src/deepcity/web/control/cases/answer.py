"""A case as JSON: what is approved and by whom; and to who looks, sightings, path and advice.

No picture of anybody is in it, and no embedding: of pictures, how many there are.
"""

from typing import Any
from zoneinfo import ZoneInfo

from deepcity.applications.decision import Decision
from deepcity.applications.tasks.matching.match_state import Hit, MatchState
from deepcity.applications.tasks.matching.paths import Paths, paths
from deepcity.intercity.casework.case import SignedCase, approvers
from deepcity.intercity.casework.case_file import CASE_FILE, PRIVATE_FILE, OpenCase
from deepcity.intercity.casework.case_messages import query_of
from deepcity.vision.appearance import COLOURS
from deepcity.web.control.cases.case_desk import CaseDesk, search_every_s
from deepcity.web.control.cases.case_words import case_sentences
from deepcity.web.report.text import both

Json = dict[str, Any]


def cases_json(desk: CaseDesk, person: str) -> Json:
    """All cases without whom they look for, and what a new one may be opened with."""
    room = desk.room
    signed = room.cases()
    return {
        "now_s": int(room.clock()),
        "person": person,
        "city": room.city,
        "cities": sorted(desk.exchange.parties, key=lambda one: (one != room.city, one)),
        "services": [_service_json(desk, name) for name in room.services],
        "colours": list(COLOURS),
        "purposes": list(dict.fromkeys(one.case.purpose for one in signed)),
        "cameras": _own_cameras(desk),
        "cases": [summary_json(desk, one) for one in signed],
    }


def summary_json(desk: CaseDesk, signed: SignedCase) -> Json:
    """What is approved, and by whom."""
    case, terms = signed.case, desk.terms(signed.case.service)
    people = sorted(approvers(signed, desk.room.keyring))
    return {
        "id": case.id,
        "digest": case.digest(),
        "version": _version(desk, case.id),
        "state": _state_of(desk, signed, len(people)),
        "service": case.service,
        "title": _title(desk, case.service),
        "purpose": case.purpose,
        "cities": list(case.cities),
        "opened_by": case.opened_by,
        "opened_s": case.opened_s,
        "since_s": case.since_s,
        "until_s": case.until_s,
        "approved_by": people,
        "approvals_needed": terms.approvals,
        "warrant_needed": terms.warrant,
        "warrants": len(signed.warrants),
        "search_every_s": search_every_s(terms),
    }


def _title(desk: CaseDesk, name: str) -> dict[str, str]:
    """What a service is called; one that is no more, by its name."""
    service = desk.room.services.get(name)
    return {"en": name, "ko": name} if service is None else both(service.title)


def looked_at_json(
    desk: CaseDesk, signed: SignedCase, state: MatchState, decision: Decision, zone: ZoneInfo
) -> Json:
    """A case as a person looks at it."""
    found, kept = paths(state), desk.room.file(signed.case.id).private()
    spot = state.last_seen
    return {
        **closed_json(desk, signed),
        "query": _query_json(kept),
        "last_seen": {"lat": spot.lat, "lon": spot.lon, "at_s": int(state.last_seen_s)},
        "hits": _hits_json(state, found),
        "path": [
            {"place": one.place, "time_s": int(one.time_s), **_spot_json(state, one.place)}
            for one in (found.hits[at] for at in found.best)
        ],
        "watch": [
            {"place": one.place, "share": one.numbers["share"], **_spot_json(state, one.place)}
            for one in decision.actions
            if one.code == "watch"
        ],
        "ask": [
            {"city": one.place, "share": one.numbers["share"]}
            for one in decision.actions
            if one.code == "ask-city"
        ],
        "silent": list(state.silent),
        "searched": kept.number > 0,
        "sentences": [both(one) for one in case_sentences(decision, zone)],
        "confirm": decision.confirm.value,
        "certainty": decision.certainty,
    }


def closed_json(desk: CaseDesk, signed: SignedCase) -> Json:
    """What stays of a case when it is closed: what was approved, by which keys."""
    file = signed.to_line().decode() + "\n"
    return {
        **summary_json(desk, signed),
        "file": file,
        "keys": [one.key for one in signed.approvals],
    }


def _own_cameras(desk: CaseDesk) -> list[Json]:
    """Where the own city's cameras are, for a map on which the last place is chosen."""
    room = desk.room
    return [
        {"id": place, "lat": spot.lat, "lon": spot.lon, "capacity": None}
        for place, spot in room.cameras.items()
        if place.split("/", 1)[0] == room.city
    ]


def _service_json(desk: CaseDesk, name: str) -> Json:
    service = desk.room.services[name]
    return {
        "name": name,
        "title": both(service.title),
        "question": both(service.question),
        "approvals": service.terms.approvals,
        "warrant": service.terms.warrant,
        "most_hours": service.terms.most_hours,
        "back_hours": service.terms.back_hours,
    }


def _state_of(desk: CaseDesk, signed: SignedCase, people: int) -> str:
    terms = desk.terms(signed.case.service)
    if desk.room.file(signed.case.id).is_closed:
        return "closed"
    if desk.room.clock() >= signed.case.until_s:
        return "over"
    ready = people >= terms.approvals and (signed.warrants or not terms.warrant)
    return "open" if ready else "waiting"


def _version(desk: CaseDesk, case: str) -> str:
    """Changes with the case, so that a page looks at it anew only then: each look is recorded."""
    folder, found = desk.room.file(case).folder, []
    for name in (CASE_FILE, PRIVATE_FILE):
        path = folder / name
        found.append(str(path.stat().st_mtime_ns) if path.exists() else "0")
    return "-".join(found)


def _query_json(kept: OpenCase) -> Json:
    query = query_of(bytes.fromhex(kept.query))
    return {
        "pictures": len(query.embedding_QE) if query.has_pictures else 0,
        "network": query.network,
        "height_m": None if query.height_m is None else list(query.height_m),
        "upper": sorted(query.upper),
        "lower": sorted(query.lower),
    }


def _hits_json(state: MatchState, found: Paths) -> list[Json]:
    """All sightings in order of time, with how likely each is the person where that is known."""
    chances = {
        (one.place, one.time_s): float(chance)
        for one, chance in zip(found.hits, found.probability_N, strict=True)
    }

    def hit_json(one: Hit) -> Json:
        return {
            "city": one.city,
            "camera": one.camera,
            "time_s": int(one.time_s),
            "score": one.score,
            "verdict": one.verdict.value,
            "probability": chances.get((one.place, one.time_s)),
            **_spot_json(state, one.place),
        }

    return [hit_json(one) for one in sorted(state.hits, key=lambda one: (one.time_s, one.place))]


def _spot_json(state: MatchState, place: str) -> Json:
    """Where a camera is; null: not known."""
    spot = state.cameras.get(place)
    return {"lat": None, "lon": None} if spot is None else {"lat": spot.lat, "lon": spot.lon}
