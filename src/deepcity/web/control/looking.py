"""Routes that show a node as it is, or as it was known at a time."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from deepcity.live.node.alarm_book import AlarmState
from deepcity.live.node.decision_book import DecisionStatus
from deepcity.live.node.incidents import incident, incidents
from deepcity.live.node.known import frame, party_of, series
from deepcity.live.node.node import Node
from deepcity.web.control.accounts import User
from deepcity.web.control.answers import (
    alarm_json,
    city_json,
    decision_json,
    frame_json,
    incident_json,
    now_json,
    series_json,
    source_json,
)
from deepcity.web.control.map_answer import map_json

Asking = Callable[[Request], User]
Seconds = Annotated[int, Query(ge=0, lt=1 << 40, description="seconds since 1970, UTC")]
Known = Annotated[
    int | None, Query(ge=0, lt=1 << 40, description="as it was known then; left out, now")
]
Name = Annotated[str, Query(max_length=200)]


def looking_routes(node: Node, folders: Sequence[Path], asking: Asking) -> APIRouter:
    """Routes for everyone who is logged in.

    Args:
        asking: gives the person who asks, or refuses.
    """
    routes = APIRouter(prefix="/api", dependencies=[Depends(asking)])

    @routes.get("/city")
    def city(user: Annotated[User, Depends(asking)]) -> dict[str, Any]:
        """The city, its services and parties, and who asks."""
        return city_json(node, user)

    @routes.get("/now")
    def now() -> dict[str, Any]:
        """How each party stands."""
        return now_json(node)

    @routes.get("/frame")
    def one_frame(service: Name, party: Name, time: Seconds, known: Known = None) -> dict[str, Any]:
        """One moment of all places of a party: measured, or as forecast."""
        return frame_json(frame(node, party_of(node, service, party), time, known))

    @routes.get("/series")
    def one_series(
        service: Name,
        party: Name,
        place: Name,
        since: Seconds,
        until: Seconds,
        known: Known = None,
    ) -> dict[str, Any]:
        """One place over time, with its newest forecast."""
        key = party_of(node, service, party)
        found = series(node, key, place, since, until, known)
        panel = node.panel(node.parties[key].party.party.agency)
        return series_json(place, panel.clock.step_s, found)

    @routes.get("/decisions")
    def decisions(
        limit: Annotated[int, Query(ge=1, le=500)] = 50, status: DecisionStatus | None = None
    ) -> list[dict[str, Any]]:
        """The newest decisions first."""
        now_s = node.clock.now()
        newest = reversed(list(node.decisions.decisions.values()))
        chosen = [one for one in newest if status in (None, one.status(now_s))]
        return [decision_json(node, one, now_s) for one in chosen[:limit]]

    @routes.get("/alarms")
    def alarms(
        state: Annotated[str, Query(pattern="^(open|all)$")] = "open",
    ) -> list[dict[str, Any]]:
        """The newest alarms first; `open`: those that nobody has closed."""
        newest = reversed(list(node.alarms.alarms.values()))
        chosen = [one for one in newest if state == "all" or one.state is not AlarmState.CLOSED]
        return [alarm_json(node, one) for one in chosen]

    @routes.get("/sources")
    def sources() -> list[dict[str, Any]]:
        """How new each agency's records are."""
        now_s = node.clock.now()
        return [source_json(node, node.source(agency, now_s)) for agency in node.agencies]

    @routes.get("/map")
    def one_map() -> dict[str, Any]:
        """The Inter-City Application Map: cities, services, levels, gains and bytes."""
        return map_json(node, folders)

    @routes.get("/incidents")
    def all_incidents(user: Annotated[User, Depends(asking)]) -> list[dict[str, Any]]:
        """All incidents, newest first."""
        return [incident_json(one, user) for one in incidents(node)]

    @routes.get("/incidents/{number}")
    def one_incident(number: int, user: Annotated[User, Depends(asking)]) -> dict[str, Any]:
        """An incident with those of its entries that are for who asks."""
        return incident_json(incident(node, number), user)

    return routes
