"""A server of the control room's HTTP contract around an invented city, for tests of the page.

`python tests/fake_city.py --places 100000` serves it for a look at the page without a node.
"""

import asyncio
import json
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Annotated

import fake_cases
import fake_city_data as data
import fake_house
import fake_incidents
import uvicorn
from fastapi import Body, FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from fastapi.staticfiles import StaticFiles
from live_server import free_port, serving_with

import deepcity

Json = Annotated[dict, Body()]
STATIC = Path(deepcity.__file__).parent / "web" / "static"
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; worker-src 'self'; "
    "frame-ancestors 'none'; base-uri 'self'"
)
ROLES = {"mina": "operator", "joon": "operator", "ara": "auditor", "root": "admin"}
STATES = {"acknowledge": "acknowledged", "close": "closed"}
ANSWERS = {"confirm": "confirmed", "reject": "rejected", "undo": "waiting"}


@dataclass
class FakeCity:
    """The state behind the server; tests change it and see the page follow."""

    places: int = 60
    login: bool = False
    role: str = "operator"
    mode: str = "replay"
    now_s: int = data.START_S
    clock_skew_s: int = 0
    events: list = field(default_factory=list)
    incidents: dict = field(default_factory=dict)
    notes: list = field(default_factory=list)
    services: list = field(default_factory=lambda: data.SERVICES)
    caps: dict = field(default_factory=dict)
    meanwhile: dict = field(default_factory=dict)  # of a decision, just before an answer comes
    first_learning_since_s: int | None = None
    desk: object = None  # a real CaseDesk: this city searches for people
    plan: object = None  # (service, party, requests, units) -> a plan

    def __post_init__(self):
        self.parties = data.parties(self.places)
        self.alarms = {one["id"]: one for one in data.alarms()}
        self.decisions = {one["id"]: one for one in data.decisions()}

    def party(self, service, name):
        return next(p for p in self.parties if (p.service, p.name) == (service, name))

    def emit(self, kind, *, who="", service="", party="", **body):
        event = {"seq": len(self.events) + 1, "kind": kind, "at_s": self.now_s,
                 "recorded_s": self.now_s, "service": service, "party": party, "who": who,
                 "body": body}  # fmt: skip
        self.events.append(event)
        return event["seq"]

    def advance(self, seconds):
        self.now_s += seconds
        self.emit("rows")
        self.emit("forecast")

    def raise_alarm(self, en, ko, severity="critical"):
        number = len(self.alarms) + 1
        raised = data.alarm(number, "traffic", "nuri-roads/speed", "N010", "jam", severity,
                            self.now_s, data.text(en, ko))  # fmt: skip
        self.alarms[raised["id"]] = raised
        self.emit("alarm", service="traffic", party="nuri-roads/speed")

    def origin(self, party):
        """The end of the newest measured step, and the start of the first forecast one."""
        return (self.now_s - party.late_s) // data.STEP_S * data.STEP_S

    def frame(self, party, time_s):
        origin_s = self.origin(party)
        answer = {"time_s": time_s, "origin_s": None, "low": None, "high": None}
        if time_s < origin_s:
            return answer | {"kind": "measured", "value": party.measured(time_s)}
        if time_s < origin_s + data.HORIZON * data.STEP_S:
            value, low, high = party.forecast(time_s, origin_s)
            found = {"kind": "forecast", "origin_s": origin_s, "value": value}
            return answer | found | {"low": low, "high": high}
        return answer | {"kind": "none", "value": [None] * party.places}

    def series(self, party, place, since, until, known):
        index = party.index(place)
        last_s = self.origin(party) if known is None else known // data.STEP_S * data.STEP_S
        first_s = -(-since // data.STEP_S) * data.STEP_S
        times = range(first_s, min(last_s, until + 1), data.STEP_S)
        ahead = [last_s + step * data.STEP_S for step in range(data.HORIZON)]
        band = [[one[index] for one in party.forecast(t, last_s)] for t in ahead]
        value, low, high = (list(one) for one in zip(*band, strict=True))
        measured = {"time": list(times), "value": [party.measured(t)[index] for t in times]}
        forecast = {"origin_s": last_s, "time": ahead, "value": value, "low": low, "high": high}
        return {"place": place, "step_s": data.STEP_S, "measured": measured, "forecast": forecast}

    def now(self):
        learning = {"first_learning_since_s": self.first_learning_since_s}
        return {"now_s": self.now_s, **learning, "parties": [
            {"service": p.service, "party": p.name, "status": "late" if p.late_s else "fresh",
             "newest_s": self.origin(p), "lag_s": self.now_s - self.origin(p),
             "origin_s": self.origin(p) if p.forecasts else None, "made_s": self.now_s,
             "gap": p.gap}
            for p in self.parties]}  # fmt: skip

    def sources(self):
        doubt = data.text("N006 has sent nothing for 3 days", "N006은 3일째 값이 없습니다")
        return [
            {"agency": p.agency, "title": p.title, "status": "late" if p.late_s else "fresh",
             "newest_s": self.origin(p), "lag_s": self.now_s - self.origin(p), "rows": 128_400,
             "places": p.places, "missing": 0.017, "doubts": [doubt] if p.late_s else []}
            for p in self.parties
        ]  # fmt: skip

    def handover(self, since):
        alarms, decided = self.alarms.values(), self.decisions.values()
        count = lambda rows, key, *of: sum(row[key] in of for row in rows)  # noqa: E731
        return {
            "since_s": since, "until_s": self.now_s,
            "alarms": {"opened": len(alarms), "closed": count(alarms, "state", "closed"),
                       "open": count(alarms, "state", "open", "acknowledged")},
            "decisions": {"made": len(decided), "confirmed": count(decided, "status", "confirmed"),
                          "rejected": count(decided, "status", "rejected"),
                          "waiting": count(decided, "status", "waiting")},
            "answers": [{**answer, "decision": one["id"]}
                        for one in decided for answer in one["answers"]],
            "sources": self.sources(), "notes": self.notes,
            "open": {"alarms": [one for one in alarms if one["state"] != "closed"],
                     "decisions": [one for one in decided if one["status"] == "waiting"]},
        }  # fmt: skip


def create_app(city, static=STATIC):
    """The contract of the control room, as far as the page uses it."""
    app = FastAPI()
    _guard(app, city)
    _read_routes(app, city)
    fake_house.add_route(app, city)
    _write_routes(app, city)
    fake_incidents.add_routes(app, city, role_of)
    if city.desk is not None:
        fake_cases.add_routes(app, city, role_of)
    app.mount("/", StaticFiles(directory=static, html=True))
    return app


def refusal(status, value, reason, following):
    errors = [{"value": value, "reason": reason, "next": following}]
    return JSONResponse({"errors": errors}, status)


def _guard(app, city):
    @app.middleware("http")
    async def guard(request: Request, call_next):
        name = request.cookies.get("name") if city.login else "mina"
        request.state.user = name
        path, needed = request.url.path, request.method == "POST"
        free = not path.startswith("/api/") or path == "/api/session"
        if not free and name not in ROLES:
            answer = refusal(401, "", "nobody is logged in", "log in")
        elif (
            not free
            and needed
            and not path.endswith("/seen")
            and role_of(city, name) in {"auditor", "analyst"}
        ):
            answer = refusal(403, name, "may only look", "ask an operator")
        else:
            answer = await call_next(request)
        answer.headers["Content-Security-Policy"] = POLICY
        answer.headers["Date"] = formatdate(time.time() + city.clock_skew_s, usegmt=True)
        return answer

    @app.post("/api/session")
    def log_in(body: Json):
        if body["name"] not in ROLES or body["password"] != "open sesame":
            return refusal(401, body["name"], "name or password is wrong", "try again")
        answer = JSONResponse({"name": body["name"], "role": role_of(city, body["name"])})
        answer.set_cookie("name", body["name"], httponly=True, samesite="strict")
        return answer

    @app.delete("/api/session")
    def log_out():
        answer = JSONResponse({})
        answer.delete_cookie("name")
        return answer


def role_of(city, name):
    return ROLES[name] if city.login else city.role


def _read_routes(app, city):
    described = None

    @app.get("/api/city")
    def read_city(request: Request):
        nonlocal described
        described = described or [party.describe() for party in city.parties]
        name = request.state.user
        body = {
            "name": "nuri", "title": data.text("Nuri", "누리시"), "time_zone": "Asia/Seoul",
            "mode": city.mode, "speed": 60, "now_s": city.now_s,
            "user": {"name": name, "role": role_of(city, name)},
            "services": city.services, "parties": described, "agencies": data.AGENCIES,
            "searches": city.desk is not None,
        }  # fmt: skip
        return Response(json.dumps(body), media_type="application/json")

    @app.get("/api/now")
    def now():
        return city.now()

    @app.get("/api/frame")
    def frame(service: str, party: str, time: int):
        found = city.frame(city.party(service, party), time)
        return Response(json.dumps(found), media_type="application/json")

    @app.get("/api/series")
    def series(service: str, party: str, place: str, since: int, until: int,
               known: int | None = None):  # fmt: skip
        return city.series(city.party(service, party), place, since, until, known)

    @app.get("/api/decisions")
    def decisions(limit: int = 50, service: str | None = None):
        found = [one for one in city.decisions.values() if service in (None, one["service"])]
        return sorted(found, key=lambda one: -one["at_s"])[:limit]

    @app.get("/api/plan")
    def plan(service: str, party: str, units: int | None = None,
             request: Annotated[list[str] | None, Query()] = None):  # fmt: skip
        if city.plan is not None:
            return city.plan(service, party, request or [], units)
        own = [one for one in city.decisions.values() if one["service"] == service]
        return {**own[-1], "id": None, "status": "advice", "steps": 2}

    @app.get("/api/decisions/{number}/cap")
    def cap(number: int):
        if number not in city.caps:
            return refusal(409, f"decision {number}", "it warns of nothing", "ask for an alert")
        return Response(city.caps[number], media_type="application/cap+xml")

    @app.get("/api/alarms")
    def alarms(state: str = "open"):
        found = sorted(city.alarms.values(), key=lambda one: -one["since_s"])
        return [one for one in found if state == "all" or one["state"] != "closed"]

    @app.get("/api/sources")
    def sources():
        return city.sources()

    @app.get("/api/map")
    def map_of_cities():
        return data.map_of_cities()

    @app.get("/api/handover")
    def handover(since: int):
        return city.handover(since)

    @app.get("/api/events")
    def events(after: int = 0, limit: int = 200):
        return city.events[after : after + limit]

    @app.get("/api/stream")
    async def stream(request: Request):
        since = int(request.headers.get("last-event-id") or len(city.events))
        return StreamingResponse(_stream(city, since), media_type="text/event-stream")


async def _stream(city, sent):
    clock_due = 0.0
    while True:
        for event in city.events[sent:]:
            sent = {key: event[key] for key in ("seq", "kind", "at_s", "service", "party")}
            yield f"id: {event['seq']}\nevent: {event['kind']}\ndata: {json.dumps(sent)}\n\n"
            sent = event["seq"]
        if time.monotonic() >= clock_due:
            clock_due = time.monotonic() + 1
            yield f"event: clock\ndata: {json.dumps({'now_s': city.now_s})}\n\n"
        await asyncio.sleep(0.05)


def _write_routes(app, city):
    @app.post("/api/decisions/{number}/answers")
    def answer(number: int, request: Request, body: Json):
        decision, who = city.decisions[number], request.state.user
        decision.update(city.meanwhile.pop(number, {}))
        if decision["status"] == "waiting" and city.now_s >= decision["valid_until_s"]:
            decision["status"] = "expired"
        if (decision["status"] == "waiting") != (body["answer"] != "undo"):
            closed = refusal(409, f"decision {number}", f"it is {decision['status']}", "look")
            return JSONResponse(json.loads(closed.body) | {"decision": decision}, 409)
        decision["status"] = ANSWERS[body["answer"]]
        decision["answers"].append({"who": who, "answer": body["answer"], "at_s": city.now_s,
                                    "comment": body.get("comment", "")})  # fmt: skip
        city.emit("answer", who=who)
        return decision

    @app.post("/api/alarms/{number}/changes")
    def change(number: int, request: Request, body: Json):
        alarm, what = city.alarms[number], body["change"]
        alarm["state"] = STATES.get(what, alarm["state"])
        alarm["escalated"] |= what == "escalate"
        if what == "assign":
            alarm["assigned_to"] = body["to"]
        alarm["history"].append(
            {"change": what, "who": request.state.user, "at_s": city.now_s,
             "to": body.get("to", ""), "comment": body.get("comment", "")})  # fmt: skip
        city.emit("alarm", who=request.state.user)
        return alarm

    @app.post("/api/handover/notes")
    def note(request: Request, body: Json):
        written = {"who": request.state.user, "at_s": city.now_s, "text": body["text"]}
        city.notes.append(written)
        city.emit("note", who=request.state.user)
        return written


@contextmanager
def serving_city(city, port=None):
    """The city behind a real HTTP server, with its own `Date` header: gives its address."""
    how = {"date_header": False, "timeout_graceful_shutdown": 1}
    with serving_with(create_app(city), port or free_port(), **how) as address:
        yield address


if __name__ == "__main__":
    import argparse

    parser = argparse.ArgumentParser()
    parser.add_argument("--places", type=int, default=60)
    parser.add_argument("--port", type=int, default=8123)
    parser.add_argument("--login", action="store_true")
    given = parser.parse_args()
    app = create_app(FakeCity(places=given.places, login=given.login))
    uvicorn.run(app, port=given.port, date_header=False, log_level="warning")
