"""Routes that show a node as it is, or as it was known at a time."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from deepcity.live.node.alarm_book import AlarmState
from deepcity.live.node.decision_book import DecisionStatus
from deepcity.live.node.known import frame, party_of, series
from deepcity.live.node.node import Node
from deepcity.web.control.accounts.accounts import User
from deepcity.web.control.answers import (
    alarm_json,
    city_json,
    decision_json,
    frame_json,
    now_json,
    series_json,
)
from deepcity.web.control.house.answer import house_json
from deepcity.web.control.intercity_map.answer import map_json
from deepcity.web.control.overview.source_answers import known_sources_json, sources_json

Asking = Callable[[Request], User]
Seconds = Annotated[int, Query(ge=0, lt=1 << 40, description="seconds since 1970, UTC")]
Known = Annotated[
    int | None, Query(ge=0, lt=1 << 40, description="as it was known then; left out, now")
]
Name = Annotated[str, Query(max_length=200)]


def looking_routes(
    node: Node, folders: Iterable[Path], asking: Asking, *, searches: bool = False
) -> APIRouter:
    """Routes for everyone who is logged in.

    Args:
        asking: gives the person who asks, or refuses.
        searches: whether this city searches for people.
    """
    routes = APIRouter(prefix="/api", dependencies=[Depends(asking)])

    @routes.get("/city")
    def city(user: Annotated[User, Depends(asking)]) -> dict[str, Any]:
        """The city, its services and parties, and who asks."""
        return city_json(node, user, searches=searches)

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
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
        status: DecisionStatus | None = None,
        service: Name | None = None,
    ) -> list[dict[str, Any]]:
        """The newest decisions first; `service`: of one service alone."""
        now_s = node.clock.now()
        newest = reversed(list(node.decisions.decisions.values()))
        chosen = [
            one
            for one in newest
            if status in (None, one.status(now_s)) and service in (None, one.service)
        ]
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
    def sources(known: Known = None) -> list[dict[str, Any]]:
        """How new each agency's records are, and the deep data of those that send some."""
        now_s = node.clock.now()
        if known is None or known >= now_s:
            return sources_json(node, now_s)
        return known_sources_json(node, known)

    @routes.get("/map")
    def one_map() -> dict[str, Any]:
        """The Inter-City Application Map: who shares which layer with whom, since when not."""
        return map_json(node, folders)

    @routes.get("/house")
    def house(party: Name | None = None) -> dict[str, Any]:
        """What leaves a party of this city: what never does, and what has, by its own ledger."""
        return house_json(node, folders, party)

    return routes
