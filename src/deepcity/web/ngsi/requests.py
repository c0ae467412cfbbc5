"""What a request for entities asks, read from its parameters; nothing is unbounded."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Query, Request, Response
from fastapi.responses import JSONResponse

from deepcity.web.ngsi.attribute_query import attribute_query
from deepcity.web.ngsi.city_entities import CityEntities, EntityGroup
from deepcity.web.ngsi.context import CONTEXT_NAME, short_name
from deepcity.web.ngsi.entity import Entity, Form, Json
from deepcity.web.ngsi.geo_query import geo_query
from deepcity.web.ngsi.patterns import pattern
from deepcity.web.ngsi.problems import NgsiError, bad

MOST, USUAL = 1_000, 20
"""Entities in one answer: at most, and where no limit is given."""
JSON, LD, GEO = "application/json", "application/ld+json", "application/geo+json"
_MOST_NAMES = 100
Text = Annotated[str | None, Query(max_length=2_000)]
Long = Annotated[str | None, Query(max_length=20_000)]
Test = Callable[[Entity], bool]


@dataclass(frozen=True)
class EntitySelection:
    """Which entities.

    Attributes:
        types: empty: all.
        ids: empty: all.
        id_fits: None: all.
        attributes: at least one of which an entity has; empty: any.
        tests: all of which an entity passes.
    """

    types: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    id_fits: Callable[[str], bool] | None = None
    attributes: tuple[str, ...] = ()
    tests: tuple[Test, ...] = field(default=())

    def found(self, city: CityEntities) -> "Found":
        """The entities of a city that fit, not yet made where that can be put off."""
        chosen = []
        for group in city.groups():
            if self.types and group.type not in self.types:
                continue
            if self.attributes and not set(self.attributes) & set(group.names()):
                continue
            at = [
                number
                for number, name in enumerate(group.ids)
                if (not self.ids or name in self.ids)
                and (self.id_fits is None or self.id_fits(name))
            ]
            if self.tests or self.attributes:
                at = [number for number in at if self.fits(group.entity(number))]
            if at:
                chosen.append((group, at))
        return Found(chosen)

    def fits(self, one: Entity) -> bool:
        """Whether an entity has one of the attributes, and passes the tests."""
        if self.attributes and not any(one.attribute(name) for name in self.attributes):
            return False
        return all(test(one) for test in self.tests)


@dataclass(frozen=True)
class Found:
    """Groups, and the positions in them of the entities that fit."""

    parts: list[tuple[EntityGroup, list[int]]]

    def __len__(self) -> int:
        return sum(len(at) for _, at in self.parts)

    def page(self, offset: int, limit: int) -> Iterator[tuple[EntityGroup, int]]:
        """Some of them, in order."""
        for group, at in self.parts:
            for number in at[offset : offset + limit]:
                yield group, number
            limit -= len(at[offset : offset + limit])
            offset = max(0, offset - len(at))


def selection(
    kind: str | None,
    ids: str | None,
    id_pattern: str | None,
    attrs: str | None,
    q: str | None,
    geo: tuple[str | None, str | None, str | None, str | None],
) -> EntitySelection:
    """The selection of a request's parameters.

    Args:
        geo: georel, geometry, coordinates and geoproperty.

    Raises:
        NgsiError: with the parameter that cannot be read.
    """
    georel, geometry, coordinates, geoproperty = geo
    tests: list[Test] = []
    if q is not None:
        tests.append(attribute_query(q))
    if georel is not None:
        if geometry is None or coordinates is None:
            name = "geometry" if geometry is None else "coordinates"
            raise bad(name, "", "missing", "georel needs geometry and coordinates")
        tests.append(geo_query(georel, geometry, coordinates, geoproperty or "location"))
    elif geometry is not None or coordinates is not None:
        raise bad("georel", "", "missing", "give e.g. georel=near;maxDistance==500")
    fits = None if id_pattern is None else pattern(id_pattern, "idPattern")
    types = (
        ()
        if kind is None or kind == "*"
        else tuple(map(short_name, names(kind.replace("|", ","), "type")))
    )
    chosen = () if ids is None else names(ids, "id")
    wanted = () if attrs is None else tuple(map(short_name, names(attrs, "attrs")))
    return EntitySelection(types, chosen, fits, wanted, tuple(tests))


def asked_entities(
    type: Text = None,  # noqa: A002 - the standard's names, here and below
    id: Text = None,  # noqa: A002
    idPattern: Text = None,
    attrs: Text = None,
    q: Text = None,
    georel: Text = None,
    geometry: Text = None,
    coordinates: Long = None,
    geoproperty: Text = None,
) -> EntitySelection:
    """The entities that a request asks for, by the parameters of every route for several.

    Raises:
        NgsiError: if all are asked for, or with the parameter that cannot be read.
    """
    if not any((type, id, idPattern, attrs, q, georel)):
        right = "give at least one of type, id, idPattern, attrs, q and georel"
        raise NgsiError("all entities were asked for", right)
    return selection(type, id, idPattern, attrs, q, (georel, geometry, coordinates, geoproperty))


AskedEntities = Annotated[EntitySelection, Depends(asked_entities)]


def names(text: str, parameter: str) -> tuple[str, ...]:
    """A list of names between commas.

    Raises:
        NgsiError: if one is empty, or there are too many.
    """
    found = tuple(text.split(","))
    if len(found) > _MOST_NAMES:
        raise bad(parameter, text, f"{len(found)} names", f"give at most {_MOST_NAMES}")
    if not all(found):
        raise bad(parameter, text, "an empty name", "write names between commas")
    return found


def check_parameters(request: Request) -> None:
    """Refuse parameters that the route does not know: a filter must not be passed over.

    Raises:
        NgsiError: with all of them.
    """
    route = request.scope["route"]
    known = {one.alias for one in route.dependant.query_params}
    known |= {one.alias for part in route.dependant.dependencies for one in part.query_params}
    strange = sorted(set(request.query_params) - known - {"local", "lang"})
    if strange:
        right = f"known here: {', '.join(sorted(known)) or 'none'}"
        shown = ", ".join(strange)[:200]
        raise NgsiError(f"unknown parameters {shown!r}", right, "InvalidRequest")
    twice = [one for one in request.query_params if len(request.query_params.getlist(one)) > 1]
    if twice:
        right = "give it once; values stand between commas"
        raise NgsiError(f"parameter {twice[0][:200]!r} twice", right, "InvalidRequest")


def form_of(options: str | None, form: str | None) -> Form:
    """The representation asked for.

    Raises:
        NgsiError: if an option is not known.
    """
    found = Form.NORMALIZED
    known = {"keyValues": Form.SIMPLIFIED, **{one.value: one for one in Form}}
    for one in (*(options or "").split(","), form or ""):
        if not one:
            continue
        if one == "sysAttrs":
            right = "when an entity was created or changed is not kept; see observedAt"
            raise bad("options", one, "not kept here", right)
        if one not in known:
            raise bad("options", one, "not known", f"give one of {', '.join(known)}")
        found = known[one]
    return found


def media_type(request: Request, *known: str) -> str:
    """The media type to answer in.

    Raises:
        NgsiError: if none of those that the client accepts is known.
    """
    accepted = request.headers.get("accept", "*/*")[:2_000]
    rated = []
    for number, part in enumerate(accepted.split(",")[:50]):
        kind, *more = (one.strip() for one in part.split(";"))
        weight = next((one[2:] for one in more if one.startswith("q=")), "1")
        try:
            rated.append((-float(weight), number, kind.lower()))
        except ValueError:
            continue
    for weight_, _, kind in sorted(rated):
        if weight_ == 0:
            continue
        if kind in ("*/*", "application/*"):
            return known[0]
        if kind in known:
            return kind
    raise bad("Accept", accepted, "none of these can be made", f"accept {', '.join(known)}")


def context_url(request: Request) -> str:
    """Where the @context is served."""
    return f"{str(request.base_url).rstrip('/')}/ngsi-ld/v1/jsonldContexts/{CONTEXT_NAME}"


def respond(
    request: Request,
    body: Json | list[Json],
    media: str,
    *,
    count: int | None = None,
    links: tuple[str, ...] = (),
    status: int = 200,
) -> Response:
    """An answer with its @context: in the body of JSON-LD, else in a header (6.3.5, 6.3.6).

    Args:
        count: of all results, where that was asked for.
        links: to other pages.
    """
    url = context_url(request)
    headers = {} if count is None else {"NGSILD-Results-Count": str(count)}
    if media == LD:
        parts = body if isinstance(body, list) else [body]
        for one in parts:
            one["@context"] = url
    else:
        context = f'<{url}>; rel="http://www.w3.org/ns/json-ld#context"; type="{LD}"'
        links = (context, *links)
    if links:
        headers["Link"] = ", ".join(links)
    return JSONResponse(body, status, headers, media)


def page_links(request: Request, offset: int, limit: int, count: int) -> tuple[str, ...]:
    """Links to the page before and the next one (6.3.10)."""
    found = []
    for rel, start in (("prev", offset - limit), ("next", offset + limit)):
        if limit and ((rel == "prev" and offset > 0) or (rel == "next" and start < count)):
            asked = {**request.query_params, "offset": str(max(0, start)), "limit": str(limit)}
            query = "&".join(f"{quote(name)}={quote(value)}" for name, value in asked.items())
            found.append(f'<{request.url.path}?{query}>; rel="{rel}"; type="{LD}"')
    return tuple(found)
