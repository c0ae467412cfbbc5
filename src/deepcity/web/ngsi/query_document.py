"""A query as a JSON document (5.2.23): of POST /entityOperations/query, of the same for what was
(6.24), and of subscriptions.
"""

import json
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from deepcity.web.ngsi.context import short_name
from deepcity.web.ngsi.problems import NgsiError, bad, shown
from deepcity.web.ngsi.projection import Projection, projection
from deepcity.web.ngsi.requests import EntitySelection, Test, selection
from deepcity.web.ngsi.temporal.temporal_query import TemporalQuery, temporal_query

MOST_BYTES = 65_536
_TYPES = ("application/json", "application/ld+json")


class Asked(BaseModel):
    """A part of a document; keys that it does not know are refused."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class EntitySelector(Asked):
    """Entities of a type (5.2.33)."""

    type: str = Field(max_length=500)
    id: str | list[str] | None = None
    idPattern: str | None = Field(default=None, max_length=500)


class GeoQuery(Asked):
    """A geo-query (5.2.13)."""

    georel: str = Field(max_length=100)
    geometry: str = Field(max_length=100)
    coordinates: str | list[Any]
    geoproperty: str = Field(default="location", max_length=500)


class TemporalPart(Asked):
    """A temporal query (5.2.21)."""

    timerel: str = Field(max_length=20)
    timeAt: str = Field(max_length=50)
    endTimeAt: str | None = Field(default=None, max_length=50)
    timeproperty: str = Field(default="observedAt", max_length=100)
    lastN: int | None = Field(default=None, ge=1, le=100_000)
    aggrMethods: list[str] = Field(default_factory=list, max_length=20)
    aggrPeriodDuration: str | None = Field(default=None, max_length=50)


class QueryDocument(Asked):
    """A query."""

    type: str = Field(pattern="^Query$")
    entities: list[EntitySelector] = Field(default_factory=list, max_length=100)
    attrs: list[str] = Field(default_factory=list, max_length=100)
    q: str | None = Field(default=None, max_length=2_000)
    geoQ: GeoQuery | None = None
    temporalQ: TemporalPart | None = None
    pick: list[str] = Field(default_factory=list, max_length=100)
    omit: list[str] = Field(default_factory=list, max_length=100)
    context: Any = Field(default=None, alias="@context")


@dataclass(frozen=True)
class Query:
    """What a document asks.

    Attributes:
        shown: of each entity.
        times: None: what is now.
    """

    entities: EntitySelection
    shown: Projection
    times: TemporalQuery | None


async def json_body(request: Request) -> dict[str, Any]:
    """A request's body, an object of at most `MOST_BYTES`.

    Raises:
        NgsiError: if it is none.
    """
    found = await json_value(request, MOST_BYTES)
    if not isinstance(found, dict):
        raise NgsiError("the body is no object", "send an object", "InvalidRequest")
    return found


async def json_value(request: Request, most: int) -> Any:  # noqa: ANN401 - JSON
    """A request's body, JSON of at most so many bytes.

    Raises:
        NgsiError: if it is none.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _TYPES and kind != "application/merge-patch+json":
        raise bad("Content-Type", kind, "not read here", f"send {' or '.join(_TYPES)}")
    data = bytearray()
    async for part in request.stream():
        data += part
        if len(data) > most:
            raise bad("body", f"{len(data)} bytes", "too large", f"send at most {most}")
    try:
        found = json.loads(bytes(data), parse_constant=_no_number)
        json.dumps(found, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError) as error:
        right = "send JSON in UTF-8"
        raise NgsiError("the body is no JSON", right, "InvalidRequest") from error
    return found


async def query_document(request: Request) -> Query:
    """The query of a request's body.

    Raises:
        NgsiError: with all that cannot be read.
    """
    raw = await json_body(request)
    try:
        asked = QueryDocument.model_validate(raw)
    except ValidationError as error:
        raise wrong_document(error) from error
    if not (asked.entities or asked.attrs or asked.q or asked.geoQ):
        raise NgsiError("all entities were asked for", "give entities, attrs, q or geoQ")
    found = selection(None, None, None, None, asked.q, geo_of(asked.geoQ))
    tests = found.tests
    if asked.entities:
        tests = (selector_test(asked.entities), *tests)
    names = tuple(map(short_name, asked.attrs))
    types = selector_types(asked.entities)
    chosen = EntitySelection(types=types, attributes=names, tests=tests)
    return Query(chosen, projection(asked.pick, asked.omit), _times_of(asked.temporalQ))


def _times_of(asked: TemporalPart | None) -> TemporalQuery | None:
    if asked is None:
        return None
    return temporal_query(
        asked.timerel,
        asked.timeAt,
        asked.endTimeAt,
        asked.lastN,
        ",".join(asked.aggrMethods),
        asked.aggrPeriodDuration,
        asked.timeproperty,
    )


def selector_types(selectors: list[EntitySelector]) -> tuple[str, ...]:
    """Types that selectors name; empty: all."""
    found = tuple(dict.fromkeys(short_name(one.type) for one in selectors))
    return () if "*" in found else found


def selector_test(selectors: list[EntitySelector]) -> Test:
    """Whether an entity is one that some selector names.

    Raises:
        NgsiError: if a pattern cannot be used.
    """
    tests = []
    for one in selectors:
        found = selection(None, None, one.idPattern, None, None, (None,) * 4)
        ids = {one.id} if isinstance(one.id, str) else set(one.id or ())
        tests.append((short_name(one.type), ids, found.id_fits))
    return lambda entity: any(
        kind in ("*", entity.type)
        and (not ids or entity.id in ids)
        and (fits is None or bool(ids) or fits(entity.id))
        for kind, ids, fits in tests
    )


def geo_of(asked: GeoQuery | None) -> tuple[str | None, str | None, str | None, str | None]:
    """A geo-query as parameters have it."""
    if asked is None:
        return None, None, None, None
    raw = asked.coordinates
    text = raw if isinstance(raw, str) else json.dumps(raw)
    return asked.georel, asked.geometry, text, asked.geoproperty


def wrong_document(error: ValidationError) -> NgsiError:
    """All that is wrong with a document."""
    wrong = []
    for one in error.errors()[:10]:
        value = "" if one["type"] == "missing" else f" {shown(one['input'])}"
        wrong.append(f"{'.'.join(map(str, one['loc'])) or 'body'}{value}: {one['msg']}")
    return NgsiError("; ".join(wrong), "see docs/how-to/standards.md for what is read here")


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no JSON")
