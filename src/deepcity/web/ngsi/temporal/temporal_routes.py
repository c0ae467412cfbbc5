"""Routes to what entities were, and are forecast to be, over time (NGSI-LD 6.18, 6.19, 6.24)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi import Query as Parameter
from fastapi.concurrency import run_in_threadpool

from deepcity.web.ngsi.city_entities import AlertGroup, CityEntities, EntityGroup
from deepcity.web.ngsi.context import short_name
from deepcity.web.ngsi.entity import Json
from deepcity.web.ngsi.entity_routes import Count, Offset, found_entity
from deepcity.web.ngsi.place_entities import PlaceGroup
from deepcity.web.ngsi.problems import NgsiError, bad
from deepcity.web.ngsi.projection import AskedProjection
from deepcity.web.ngsi.query_document import Query, query_document
from deepcity.web.ngsi.requests import (
    JSON,
    LD,
    USUAL,
    AskedEntities,
    Text,
    media_type,
    names,
    page_links,
    respond,
)
from deepcity.web.ngsi.temporal.temporal_alerts import alert_history, alert_json
from deepcity.web.ngsi.temporal.temporal_entities import check_size, evolutions, temporal_json
from deepcity.web.ngsi.temporal.temporal_query import TemporalQuery, temporal_query

Page = Annotated[int, Parameter(ge=1, le=1_000)]
Last = Annotated[int | None, Parameter(ge=1, le=100_000)]


def asked_times(
    timerel: Text = None,
    timeAt: Text = None,
    endTimeAt: Text = None,
    timeproperty: Text = "observedAt",
    lastN: Last = None,
    aggrMethods: Text = None,
    aggrPeriodDuration: Text = None,
) -> TemporalQuery:
    """The span that a request asks for, and how it is shown.

    Raises:
        NgsiError: with the parameter that cannot be read.
    """
    return temporal_query(
        timerel, timeAt, endTimeAt, lastN, aggrMethods, aggrPeriodDuration,
        timeproperty or "observedAt",
    )  # fmt: skip


AskedTimes = Annotated[TemporalQuery, Depends(asked_times)]
_FORMS = ("normalized", "temporalValues", "simplified", "aggregatedValues")


def add_temporal_routes(routes: APIRouter, city: CityEntities) -> None:
    """Add them to a router."""

    @routes.get("/temporal/entities")
    def entities(
        request: Request,
        chosen: AskedEntities,
        asked: AskedTimes,
        shown: AskedProjection,
        limit: Page = USUAL,
        offset: Offset = 0,
        count: Count = False,
        options: Text = None,
        format: Text = None,  # noqa: A002 - the standard's name
    ) -> Response:
        """Places and alarms over time, a page of them."""
        query = Query(chosen, shown, asked)
        return _answer(request, city, query, limit, offset, count, _form(options, format, asked))

    @routes.post("/temporal/entityOperations/query")
    async def query(
        request: Request,
        limit: Page = USUAL,
        offset: Offset = 0,
        count: Count = False,
        options: Text = None,
    ) -> Response:
        """Places and alarms over time that fit a query in the body."""
        asked = await query_document(request)
        form = _form(options, None, asked.times or TemporalQuery())
        return await run_in_threadpool(_answer, request, city, asked, limit, offset, count, form)

    @routes.get("/temporal/entities/{entity}")
    def entity(
        request: Request,
        entity: str,
        asked: AskedTimes,
        projection: AskedProjection,
        attrs: Text = None,
        options: Text = None,
        format: Text = None,  # noqa: A002 - the standard's name
    ) -> Response:
        """A place or an alarm over time."""
        shown = _form(options, format, asked)
        group, at = found_entity(city.past(), entity)
        if not isinstance(group, PlaceGroup | AlertGroup):
            right = "places and alarms are kept over time here; see /api/events for the others"
            raise NgsiError(f"{group.type} has no history", right, "ResourceNotFound")
        wanted = () if attrs is None else tuple(map(short_name, names(attrs, "attrs")))
        size, body = _over_time(group, at, asked, wanted, shown)
        check_size(size)
        return respond(request, projection.shown(body), media_type(request, JSON, LD))


def _answer(
    request: Request, city: CityEntities, query: Query, limit: int, offset: int, count: bool,
    form: str,
) -> Response:  # fmt: skip
    """A page of entities over time.

    Raises:
        NgsiError: if no span is asked for, or the answer is too large.
    """
    asked = query.times
    if asked is None or not asked.bounded:
        raise bad("timerel", "", "missing", "give before, after or between, and timeAt")
    found = query.entities.found(city.past())
    body: list[Json] = []
    size = 0
    for group, at in found.page(offset, limit):
        instances, one = _over_time(group, at, asked, query.entities.attributes, form)
        size += instances
        check_size(size)
        if instances:
            body.append(query.shown.shown(one))
    total = len(found)
    links = page_links(request, offset, limit, total)
    media = media_type(request, JSON, LD)
    return respond(request, body, media, count=total if count else None, links=links)


def _over_time(
    group: EntityGroup, at: int, asked: TemporalQuery, attributes: tuple[str, ...], form: str
) -> tuple[int, Json]:
    """How many instances an entity has within a span, and the entity with them."""
    if isinstance(group, PlaceGroup):
        found = evolutions(group, at, asked, attributes)
        size = sum(len(one.time_S) for one in found)
        check_size(size)
        return size, temporal_json(group, at, found, asked, form)
    if isinstance(group, AlertGroup):
        history = alert_history(group.alarms[at], asked, attributes)
        body = alert_json(group.ids[at], group.type, history, asked, form)
        return sum(map(len, history.values())), body
    return 0, {}


def _form(options: str | None, form: str | None, asked: TemporalQuery) -> str:
    """The representation asked for; aggregation methods ask for aggregated values.

    Raises:
        NgsiError: if it is not known, or methods are missing.
    """
    given = [one for one in (*(options or "").split(","), form or "") if one]
    for one in given:
        if one not in _FORMS:
            raise bad("options", one, "not known", f"give one of {', '.join(_FORMS)}")
    found = given[-1] if given else "normalized"
    found = "temporalValues" if found == "simplified" else found
    if asked.methods:
        return "aggregatedValues"
    if found == "aggregatedValues":
        raise bad("aggrMethods", "", "missing", "give e.g. aggrMethods=avg,max")
    return found
