"""Routes by which other systems write what places measure (NGSI-LD 6.5, 6.6, 6.15)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from deepcity.city.errors import DataError
from deepcity.city.problem import Problem
from deepcity.live.feeds.feeds import Feeds
from deepcity.live.feeds.row_door import RowDoor
from deepcity.web.control.pushing import PushRate
from deepcity.web.ngsi.city_entities import CityEntities
from deepcity.web.ngsi.context import short_name
from deepcity.web.ngsi.entity_routes import found_entity
from deepcity.web.ngsi.problems import NgsiError, bad, details, shown
from deepcity.web.ngsi.query_document import json_body, json_value
from deepcity.web.ngsi.requests import Text
from deepcity.web.ngsi.writing.written_rows import WrittenCell, cells_of, rows_of

_Row = tuple[str, str, int]
_Made = tuple[frozenset[int], list[dict[str, str | float | None]]]
MOST_ENTITIES, MOST_BYTES = 1_000, 1_000_000
UPSERT = "/entityOperations/upsert"
ATTRIBUTES = (
    ("PATCH", "/entities/{entity}"),
    ("PATCH", "/entities/{entity}/attrs"),
    ("POST", "/entities/{entity}/attrs"),
)
"""What is the same here: an entity keeps all that it had, and has new values."""
_MOST_TRIES = 100
"""Times that rows of one request are offered to a source, of which others were refused."""


def add_write_routes(
    routes: APIRouter, city: CityEntities, feeds: Feeds, rate: PushRate | None = None
) -> None:
    """Add them to a router."""
    rate = rate or PushRate()

    @routes.post(UPSERT)
    async def upsert(request: Request, options: Text = None) -> Response:
        """Write what places measured, as rows of the sources that come to this city.

        Nothing is taken away by it: values of other times and attributes stay, whatever `options`
        says.
        """
        if options not in (None, "", "update", "replace"):
            raise bad("options", options, "not known", "give update or replace")
        raw = await json_value(request, MOST_BYTES)
        if not isinstance(raw, list) or not raw:
            raise NgsiError("the body is no list", "send a list of entities", "InvalidRequest")
        if len(raw) > MOST_ENTITIES:
            right = f"send at most {MOST_ENTITIES:,} at once"
            raise NgsiError(f"{len(raw):,} entities", right, "TooManyResults")
        return await run_in_threadpool(_written, city, feeds, rate, raw)

    async def attributes(request: Request, entity: str) -> Response:
        """Write attributes of one entity, as rows of the sources that come to this city.

        Attributes that are not sent stay as they are.
        """
        raw = await json_body(request)
        return await run_in_threadpool(_written_to, city, feeds, rate, entity, raw)

    for method, path in ATTRIBUTES:
        routes.add_api_route(path, attributes, methods=[method])


@dataclass
class _Batch:
    """What becomes of each entity.

    Attributes:
        ids: of all.
        errors: number of an entity -> why it is not written.
    """

    ids: list[str]
    errors: dict[int, NgsiError] = field(default_factory=dict)

    def fail(self, numbers: int | frozenset[int], error: NgsiError) -> None:
        """Entities are not written; of each the first reason counts."""
        for number in [numbers] if isinstance(numbers, int) else numbers:
            self.errors.setdefault(number, error)


def _written_to(
    city: CityEntities, feeds: Feeds, rate: PushRate, name: str, raw: Mapping[str, Any]
) -> Response:
    """The answer to attributes that are written to one entity.

    Raises:
        NgsiError: if there is none of that name, or with the reason why they are not written.
    """
    group, at = found_entity(city, name)
    for key, right in (("id", group.ids[at]), ("type", group.type)):
        stated = raw.get(key, right)
        if not isinstance(stated, str) or short_name(stated) != right:
            raise bad(key, stated, f"that of {name[:200]} is another", f"give {right}")
    batch = _kept(city, feeds, rate, [{**raw, "id": group.ids[at], "type": group.type}])
    if batch.errors:
        raise batch.errors[0]
    return Response(status_code=204)


def _written(city: CityEntities, feeds: Feeds, rate: PushRate, raw: Sequence[Any]) -> Response:
    known = {name for one in city.node.agencies for it in city.places(one) for name in it.ids}
    batch = _kept(city, feeds, rate, raw)
    return _answer(batch, [name for name in dict.fromkeys(batch.ids) if name not in known])


def _kept(city: CityEntities, feeds: Feeds, rate: PushRate, raw: Sequence[Any]) -> _Batch:
    """What became of entities, as many of which are kept as can be."""
    batch = _Batch([str(one.get("id")) if isinstance(one, dict) else "" for one in raw])
    rows: dict[_Row, list[tuple[int, WrittenCell]]] = {}
    for number, one in enumerate(raw):
        try:
            if not isinstance(one, dict):
                raise bad("entity", one, "no object", "send entities with id and type")
            cells = cells_of(city, one)
            for cell in cells:
                _door(feeds, cell)
        except NgsiError as error:
            batch.fail(number, error)
            continue
        for cell in cells:
            row = cell.source, cell.place, cell.observed_s
            rows.setdefault(row, []).append((number, cell))
    by_source: dict[str, list[_Made]] = {}
    for (source, *_), numbered in rows.items():
        numbers = frozenset(number for number, _ in numbered)
        try:
            made = rows_of(_door(feeds, numbered[0][1]), [cell for _, cell in numbered])
        except NgsiError as error:
            batch.fail(numbers, error)
            continue
        by_source.setdefault(source, []).append((numbers, made))
    for source, whole in by_source.items():
        if rate.allows(source):
            _put(feeds.doors[source], whole, batch)
            continue
        right = "send more entities in fewer requests"
        much = NgsiError(f"over {rate.most} requests a minute for {source}", right)
        batch.fail(frozenset().union(*(numbers for numbers, _ in whole)), much)
    return batch


def _door(feeds: Feeds, cell: WrittenCell) -> RowDoor:
    door = feeds.door(cell.agency, cell.source)
    if door is None:
        right = "let its source in the city file be one that rows are pushed to"
        title = f"no rows come to {cell.agency}/{cell.source}"
        raise NgsiError(title, right, "OperationNotSupported")
    return door


def _put(door: RowDoor, whole: Sequence[_Made], batch: _Batch) -> None:
    """Keep rows of a source; of those that are refused, each by itself is left out."""
    waiting, tries = [list(whole)], 0
    while waiting:
        some = waiting.pop()
        error = _refusal(door, [row for _, rows in some for row in rows])
        if error is None:
            continue
        tries += 1
        if len(some) > 1 and tries <= _MOST_TRIES and not isinstance(error, OSError):
            middle = len(some) // 2
            waiting += [some[middle:], some[:middle]]
            continue
        for numbers, _ in some:
            batch.fail(numbers, _reason(error, alone=len(some) == 1))
        if isinstance(error, DataError):
            door.refused.add(error.problems)


def _refusal(
    door: RowDoor, rows: Sequence[Mapping[str, str | float | None]]
) -> DataError | OSError | None:
    """Why rows are not kept; None: they are."""
    try:
        door.put(json.dumps(rows).encode(), csv=False)
    except (DataError, OSError) as error:
        return error
    return None


def _reason(error: DataError | OSError, *, alone: bool) -> NgsiError:
    """As it is reported of an entity.

    Args:
        alone: whether its rows were refused by themselves.
    """
    if isinstance(error, OSError):
        title = f"it cannot be stored: {error.strerror}"
        return NgsiError(title, "send it again", "InternalError")
    title = " ".join(_problem(one) for one in error.problems[:10])
    if alone:
        return NgsiError(title, error.problems[0].right)
    title = f"it was not tried alone, beside so many that are refused, as for: {title}"
    return NgsiError(title, "correct those that are named, and send the others again")


def _problem(one: Problem) -> str:
    value = "" if one.value is None else f" {shown(one.value)}"
    return f"{one.key}{value}: {one.reason}."


def _answer(batch: _Batch, new: Sequence[str]) -> Response:
    """201 with the ids that are new, 204 where none is, 207 where some are not written."""
    if not batch.errors:
        return JSONResponse(list(new), 201) if new else Response(status_code=204)
    done = [name for n, name in enumerate(batch.ids) if n not in batch.errors]
    errors = [
        {"entityId": batch.ids[number], "error": details(error)}
        for number, error in sorted(batch.errors.items())
    ]
    return JSONResponse({"success": list(dict.fromkeys(done)), "errors": errors}, 207)
