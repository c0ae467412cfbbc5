"""The route by which other systems write what places measure (NGSI-LD 5.6.8, 6.15)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from deepcity.city.errors import DataError
from deepcity.live.feeds.feeds import Feeds
from deepcity.live.feeds.row_door import RowDoor
from deepcity.web.control.pushing import PushRate
from deepcity.web.ngsi.city_entities import CityEntities
from deepcity.web.ngsi.problems import NgsiError, bad, details
from deepcity.web.ngsi.query_document import json_value
from deepcity.web.ngsi.requests import Text
from deepcity.web.ngsi.writing.written_rows import WrittenCell, cells_of, rows_of

_Row = tuple[str, str, int]
_Made = tuple[frozenset[int], list[dict[str, str | float | None]]]
MOST_ENTITIES, MOST_BYTES = 1_000, 1_000_000
UPSERT = "/entityOperations/upsert"


def add_write_routes(
    routes: APIRouter, city: CityEntities, feeds: Feeds, rate: PushRate | None = None
) -> None:
    """Add it to a router."""
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


def _written(city: CityEntities, feeds: Feeds, rate: PushRate, raw: Sequence[Any]) -> Response:
    batch = _Batch([str(one.get("id")) if isinstance(one, dict) else "" for one in raw])
    known = {name for one in city.node.agencies for it in city.places(one) for name in it.ids}
    new = [name for name in dict.fromkeys(batch.ids) if name not in known]
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
    return _answer(batch, new)


def _door(feeds: Feeds, cell: WrittenCell) -> RowDoor:
    door = feeds.door(cell.agency, cell.source)
    if door is None:
        right = "let its source in the city file be one that rows are pushed to"
        title = f"no rows come to {cell.agency}/{cell.source}"
        raise NgsiError(title, right, "OperationNotSupported")
    return door


def _put(door: RowDoor, whole: Sequence[_Made], batch: _Batch) -> None:
    """Keep rows of a source; of those that are refused, each by itself is left out."""
    content = json.dumps([row for _, rows in whole for row in rows]).encode()
    try:
        door.put(content, csv=False)
    except DataError as error:
        if len(whole) == 1:
            door.refused.add(error.problems)
            title = " ".join(f"{one.key}: {one.reason}." for one in error.problems[:10])
            batch.fail(whole[0][0], NgsiError(title, error.problems[0].right))
            return
        _put(door, whole[: len(whole) // 2], batch)
        _put(door, whole[len(whole) // 2 :], batch)
    except OSError as error:
        failed = NgsiError(
            f"it cannot be stored: {error.strerror}", "send it again", "InternalError"
        )
        for numbers, _ in whole:
            batch.fail(numbers, failed)


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
