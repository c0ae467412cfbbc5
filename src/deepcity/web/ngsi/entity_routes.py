"""Routes to entities, their types and attributes (NGSI-LD 6.4, 6.5, 6.23, 6.25 to 6.28)."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from deepcity.web.ngsi.city_entities import CityEntities, EntityGroup
from deepcity.web.ngsi.context import short_name
from deepcity.web.ngsi.entity import Form, Json, entity_json, feature_json, features_json, urn
from deepcity.web.ngsi.problems import NgsiError, bad
from deepcity.web.ngsi.projection import AskedProjection, Projection
from deepcity.web.ngsi.requests import (
    GEO,
    JSON,
    LD,
    MOST,
    USUAL,
    AskedEntities,
    EntitySelection,
    Text,
    form_of,
    media_type,
    names,
    page_links,
    respond,
)

Count = Annotated[bool, Query()]
Limit = Annotated[int, Query(ge=0, le=MOST)]
Offset = Annotated[int, Query(ge=0, lt=1 << 40)]


def add_entity_routes(routes: APIRouter, city: CityEntities) -> None:
    """Add them to a router."""

    @routes.get("/entities")
    def entities(
        request: Request,
        asked: AskedEntities,
        shown: AskedProjection,
        limit: Limit = USUAL,
        offset: Offset = 0,
        count: Count = False,
        options: Text = None,
        format: Text = None,  # noqa: A002 - the standard's name
    ) -> Response:
        """Entities that fit, a page of them."""
        form = form_of(options, format)
        return _answer(request, city, asked, shown, limit, offset, count, form)

    @routes.get("/entities/{entity}")
    def entity(
        request: Request,
        entity: str,
        shown: AskedProjection,
        attrs: Text = None,
        options: Text = None,
        format: Text = None,  # noqa: A002 - the standard's name
    ) -> Response:
        """One entity."""
        group, at = found_entity(city, entity)
        wanted = () if attrs is None else tuple(map(short_name, names(attrs, "attrs")))
        one = group.entity(at).only(wanted)
        if wanted and not one.attributes:
            right = f"it has {', '.join(group.names())}"
            raise NgsiError(f"{attrs!r}: no attributes of {one.id}", right, "ResourceNotFound")
        media, form = media_type(request, JSON, LD, GEO), form_of(options, format)
        body = feature_json(one, form) if media == GEO else entity_json(one, form)
        return respond(request, shown.shown(body), media)

    @routes.get("/types")
    def types(request: Request, details: bool = False) -> Response:
        """Types of entities that there are."""
        found = _by_type(city)
        media = media_type(request, JSON, LD)
        if not details:
            body = {"typeList": sorted(found)}
            return respond(request, _listed("EntityTypeList", city, body), media)
        each: list[Json] = [
            {"id": name, "type": "EntityType", "typeName": name, "attributeNames": _names(groups)}
            for name, groups in sorted(found.items())
        ]
        return respond(request, each, media)

    @routes.get("/types/{name}")
    def one_type(request: Request, name: str) -> Response:
        """A type: how many entities, and their attributes."""
        groups = _by_type(city).get(short_name(name))
        if groups is None:
            raise _unknown("type", name, sorted(_by_type(city)))
        body = {
            "id": short_name(name),
            "type": "EntityTypeInfo",
            "typeName": short_name(name),
            "entityCount": sum(len(one.ids) for one in groups),
            "attributeDetails": [_attribute(one, groups) for one in _names(groups)],
        }
        return respond(request, body, media_type(request, JSON, LD))

    @routes.get("/attributes")
    def attributes(request: Request, details: bool = False) -> Response:
        """Attributes that entities have."""
        groups = list(city.groups())
        media = media_type(request, JSON, LD)
        if not details:
            body = {"attributeList": sorted(_names(groups))}
            return respond(request, _listed("AttributeList", city, body), media)
        each = [_attribute(one, groups) for one in sorted(_names(groups))]
        return respond(request, each, media)

    @routes.get("/attributes/{name}")
    def one_attribute(request: Request, name: str) -> Response:
        """An attribute: how many entities of which types may have it."""
        groups = list(city.groups())
        if short_name(name) not in _names(groups):
            raise _unknown("attribute", name, sorted(_names(groups)))
        found = _attribute(short_name(name), groups)
        return respond(request, found, media_type(request, JSON, LD))

    @routes.post("/entityOperations/query")
    async def query(
        request: Request,
        limit: Limit = USUAL,
        offset: Offset = 0,
        count: Count = False,
        options: Text = None,
    ) -> Response:
        """Entities that fit a query in the body (6.23)."""
        from fastapi.concurrency import run_in_threadpool

        from deepcity.web.ngsi.query_document import query_document

        asked = await query_document(request)
        if asked.times is not None:
            right = "ask POST /temporal/entityOperations/query"
            raise bad("temporalQ", "", "not of a query for what is", right)
        form = form_of(options, None)
        return await run_in_threadpool(
            _answer, request, city, asked.entities, asked.shown, limit, offset, count, form
        )


def found_entity(city: CityEntities, name: str) -> tuple[EntityGroup, int]:
    """Where an entity is.

    Raises:
        NgsiError: if there is none of that id.
    """
    found = city.find(name)
    if found is None:
        right = "see /ngsi-ld/v1/types, then /ngsi-ld/v1/entities?type="
        raise NgsiError(f"no entity {name[:200]!r}", right, "ResourceNotFound")
    return found


def _answer(
    request: Request,
    city: CityEntities,
    asked: EntitySelection,
    shown: Projection,
    limit: int,
    offset: int,
    count: bool,
    form: Form,
) -> Response:
    """A page of entities."""
    if limit == 0 and not count:
        raise bad("limit", limit, "without count=true nothing is asked", "give 1 to 1000")
    media = media_type(request, JSON, LD, GEO)
    found = asked.found(city)
    page = [group.entity(at).only(asked.attributes) for group, at in found.page(offset, limit)]
    body: Any
    if media == GEO:
        body = features_json(shown.shown(feature_json(one, form)) for one in page)
    else:
        body = [shown.shown(entity_json(one, form)) for one in page]
    total = len(found)
    links = page_links(request, offset, limit, total)
    return respond(request, body, media, count=total if count else None, links=links)


def _by_type(city: CityEntities) -> dict[str, list[EntityGroup]]:
    found: dict[str, list[EntityGroup]] = {}
    for group in city.groups():
        found.setdefault(group.type, []).append(group)
    return found


def _names(groups: Sequence[EntityGroup]) -> list[str]:
    return list(dict.fromkeys(name for one in groups for name in one.names()))


def _attribute(name: str, groups: Sequence[EntityGroup]) -> Json:
    own = [one for one in groups if name in one.names()]
    kinds = {"location": "GeoProperty"}
    kind = "Relationship" if name in ("alertSource", "refModel", "refAlertedPlace") else "Property"
    return {
        "id": name,
        "type": "Attribute",
        "attributeName": name,
        "attributeTypes": [kinds.get(name, kind)],
        "typeNames": sorted({one.type for one in own}),
        "attributeCount": sum(len(one.ids) for one in own),
    }


def _listed(kind: str, city: CityEntities, body: Json) -> Json:
    return {"id": urn(kind, city.city), "type": kind, **body}


def _unknown(what: str, name: str, known: Sequence[str]) -> NgsiError:
    return NgsiError(
        f"no entity has the {what} {name[:200]!r}", f"there are {', '.join(known)}",
        "ResourceNotFound",
    )  # fmt: skip
