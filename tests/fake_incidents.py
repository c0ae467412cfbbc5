"""Routes of incidents of an invented city."""

from typing import Annotated

import fake_city_data as data
from fastapi import Body, Request

Json = Annotated[dict, Body()]


def add_routes(app, city, role_of):
    """Rooms that keep what is posted to them."""

    @app.get("/api/incidents")
    def incidents():
        return list(city.incidents.values())

    @app.post("/api/incidents")
    def open_incident(request: Request, body: Json):
        assert all(isinstance(body[key], str) for key in ("title", "service", "party"))
        number, who = len(city.events) + 1, request.state.user
        first = {
            "seq": number, "kind": "open", "who": who, "role": role_of(city, who),
            "at_s": city.now_s, "text": body["title"], "geometry": None, "task": None,
            "roles": [], "agency": None, "seen_by": [],
        }  # fmt: skip
        city.incidents[number] = {
            "id": number, "title": body["title"], "opened_s": city.now_s, "closed_s": None,
            "who": who, "agencies": [], "entries": [first],
        }  # fmt: skip
        city.emit("incident", who=who)
        return city.incidents[number]

    @app.get("/api/incidents/{number}")
    def incident(number: int):
        return city.incidents[number]

    @app.post("/api/incidents/{number}/entries")
    def entry(number: int, request: Request, body: Json):
        room, who = city.incidents[number], request.state.user
        room["entries"].append({
            "seq": city.emit("incident", who=who), "kind": body["kind"], "who": who,
            "role": role_of(city, who), "at_s": city.now_s, "text": body.get("text", ""),
            "geometry": body.get("geometry"), "task": body.get("task"),
            "roles": body.get("roles", []), "agency": data.agency_named(body.get("agency")),
            "seen_by": [],
        })  # fmt: skip
        given = room["entries"][-1]["agency"]
        if given and given not in room["agencies"]:
            room["agencies"].append(given)
        if body["kind"] == "close":
            room["closed_s"] = city.now_s
        return room

    @app.post("/api/incidents/{number}/seen")
    def seen(number: int, request: Request, body: Json):
        room, who = city.incidents[number], request.state.user
        for one in room["entries"]:
            known = {look["who"] for look in one["seen_by"]} | {one["who"]}
            if one["seq"] <= body["entry"] and who not in known:
                look = {"who": who, "role": role_of(city, who), "at_s": city.now_s}
                one["seen_by"].append(look)
        city.emit("incident", who=who)
        return room
