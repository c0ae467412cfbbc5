"""Routes about events: as they come, a page of them, a shift's summary, and counters."""

import asyncio
from collections.abc import AsyncIterable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from deepcity.live.node.alarm_book import AlarmChange, AlarmState
from deepcity.live.node.decision_book import DecisionStatus
from deepcity.live.node.node import Node
from deepcity.store.events.event import EventKind, EventQuery
from deepcity.web.api.refusals import Refusal
from deepcity.web.control.accounts.accounts import User
from deepcity.web.control.answers import alarm_json, decision_json, event_json
from deepcity.web.control.event_feed import EventFeed
from deepcity.web.control.overview.source_answers import sources_json

Asking = Callable[[Request], User]
_CLOCK_S, _LOOK_S = 1.0, 0.2


def event_routes(node: Node, asking: Asking) -> APIRouter:
    """Routes about events.

    Args:
        asking: gives the person who asks, or refuses.
    """
    routes = APIRouter(dependencies=[Depends(asking)])

    feed = EventFeed(node)

    @routes.get(
        "/api/stream", response_class=EventSourceResponse, dependencies=[Depends(feed.watch)]
    )
    async def stream(
        request: Request,
        last_event_id: Annotated[str, Header(max_length=20)] = "",
    ) -> AsyncIterable[ServerSentEvent]:
        """Events as they come, from where the client was; the city's time every second.

        It ends when the session does, or the role may look no longer.
        """
        after, waited = node.last, _CLOCK_S
        if last_event_id.isdecimal():
            after = min(int(last_event_id), after)  # greater in another node's events
        while True:  # until the client goes
            for number, event in await feed.newer(after):
                yield event
                after = number
            if waited >= _CLOCK_S:
                waited = 0.0
                try:
                    asking(request)
                except Refusal:
                    return
                yield ServerSentEvent(data={"now_s": node.clock.now()}, event="clock")
            await asyncio.sleep(_LOOK_S)
            waited += _LOOK_S

    @routes.get("/api/events")
    def events(
        after: Annotated[int, Query(ge=0, lt=1 << 60)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 200,
        kind: EventKind | None = None,
        until_s: Annotated[int | None, Query(ge=0, lt=1 << 40)] = None,
        *,
        user: Annotated[User, Depends(asking)],
    ) -> list[dict[str, Any]]:
        """Events in order, without their arrays; `until_s`: those known before then."""
        kinds = () if kind is None else (kind,)
        query = EventQuery(kinds, after=after, until_s=until_s, limit=limit, data=False)
        return [event_json(event, user) for event in node.events.read(query)]

    @routes.get("/api/handover")
    def handover(since: Annotated[int, Query(ge=0, lt=1 << 40)]) -> dict[str, Any]:
        """What a shift leaves to the next: what happened since, and what is open."""
        return _handover(node, since)

    @routes.get("/metrics")
    def metrics() -> Response:
        """Counters in the format of Prometheus."""
        return Response(_metrics(node), media_type=CONTENT_TYPE_LATEST)

    return routes


def _handover(node: Node, since_s: int) -> dict[str, Any]:
    now_s = node.clock.now()
    kinds = (EventKind.ALARM, EventKind.ANSWER, EventKind.NOTE, EventKind.DECISION)
    found = node.events.read(EventQuery(kinds, since_s=since_s, data=False, limit=10_000))
    changes = [event.body["change"] for event in found if event.kind is EventKind.ALARM]
    answers = [event for event in found if event.kind is EventKind.ANSWER]
    counted = [event.body["answer"] for event in answers]
    newest = reversed(list(node.decisions.decisions.values()))
    waiting = [one for one in newest if one.status(now_s) is DecisionStatus.WAITING]
    alarms = reversed(list(node.alarms.alarms.values()))
    left = [one for one in alarms if one.state is not AlarmState.CLOSED]
    return {
        "since_s": since_s,
        "until_s": now_s,
        "alarms": {
            "opened": changes.count(AlarmChange.RAISED.value),
            "closed": changes.count(AlarmChange.CLOSE.value),
            "open": len(left),
        },
        "decisions": {
            "made": sum(event.kind is EventKind.DECISION for event in found),
            "confirmed": counted.count("confirm"),
            "rejected": counted.count("reject"),
            "waiting": len(waiting),
        },
        "answers": [
            {
                "who": event.who,
                "answer": event.body["answer"],
                "at_s": event.at_s,
                "comment": event.body["comment"],
                "decision": event.body["decision"],
                "party": event.party,
            }
            for event in answers
        ],
        "sources": sources_json(node, now_s),
        "notes": [
            {"who": event.who, "at_s": event.at_s, "text": event.body["text"]}
            for event in found
            if event.kind is EventKind.NOTE
        ],
        "open": {
            "alarms": [alarm_json(node, one) for one in left],
            "decisions": [decision_json(node, one, now_s) for one in waiting],
        },
    }


def _metrics(node: Node) -> bytes:
    registry, now_s = CollectorRegistry(), node.clock.now()
    last = Gauge("deepcity_events", "Events kept so far.", registry=registry)
    last.set(node.last)
    lag = Gauge(
        "deepcity_source_lag_seconds", "Age of an agency's records.", ["agency"], registry=registry
    )
    for agency in node.agencies:
        state = node.source(agency, now_s)
        if state.newest_s is not None:
            lag.labels(agency).set(state.lag_s)
    deep = Gauge(
        "deepcity_deep_data_age_seconds",
        "Age of the deep data that an agency's process sent.",
        ["service", "party", "agency"],
        registry=registry,
    )
    for sent in node.deep_sources(now_s):
        if sent.state.age_s is not None:
            deep.labels(sent.service, sent.party, sent.state.name).set(sent.state.age_s)
    alarms = Gauge("deepcity_alarms_open", "Alarms that nobody has closed.", registry=registry)
    alarms.set(sum(one.state is not AlarmState.CLOSED for one in node.alarms.alarms.values()))
    age = Gauge(
        "deepcity_forecast_age_seconds",
        "Time since a party's newest forecast.",
        ["service", "party"],
        registry=registry,
    )
    for (service, party), one in node.parties.items():
        if one.forecast is not None:
            age.labels(service, party).set(now_s - one.forecast.made_s)
    found: bytes = generate_latest(registry)
    return found
