"""Observations of an OGC SensorThings API 1.1: its newest ones, each time it is asked."""

import json
import math
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urljoin

from pydantic import Field

from deepcity.data.config.duration import Duration
from deepcity.data.errors import ReadError
from deepcity.data.feeds.polled import (
    PolledConnector,
    PolledSettings,
    Row,
    fetch,
    is_remote,
    same_host,
)

_QUERY = (
    "$expand=Datastream($select=name;$expand=Thing($select=name),ObservedProperty($select=name))"
    "&$orderby=phenomenonTime asc&$top=1000&$filter=phenomenonTime gt {since}"
)


class SensorthingsSettings(PolledSettings):
    """Keys of a SensorThings source, beside those of every feed that is asked for.

    `url` is the service's root, such as ``https://host/FROST-Server/v1.1``. A row is an
    observation; its column is the name of the observed property.

    Attributes:
        place_of: what a place is named by: ``thing`` or ``datastream``.
        back: how far back observations are asked for at a start.
        max_pages: pages of one answer that are followed.
    """

    format: Literal["sensorthings"] = "sensorthings"
    place_of: Literal["thing", "datastream"] = "thing"
    back: Duration = timedelta(hours=3)
    max_pages: int = Field(default=50, ge=1)


def snapshot(source: SensorthingsSettings, folder: Path, since_s: float) -> list[Row]:
    """A row for each new observation.

    Raises:
        ReadError: if it is no such service, or its pages lead elsewhere or have no end.
    """
    begin_s = max(since_s, time.time() - source.back.total_seconds())
    since = datetime.fromtimestamp(int(begin_s), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    link: str | None = source.url
    if is_remote(source.url):
        query = quote(_QUERY.format(since=since), safe="$=&(),;:")
        link = f"{source.url.rstrip('/')}/Observations?{query}"
    rows: list[Row] = []
    seen: set[str] = set()
    while link is not None:
        if link in seen or len(seen) >= source.max_pages:
            reason = "its pages come again" if link in seen else f"over {len(seen)} pages"
            right = "ask for less with a shorter back, or raise max_pages"
            raise ReadError("url", source.url, reason, right)
        seen.add(link)
        page = _page(source, link, folder)
        rows += [row for one in page["value"] if (row := _row(source, one)) is not None]
        link = _next(source, link, page.get("@iot.nextLink"))
    return rows


def _page(source: SensorthingsSettings, link: str, folder: Path) -> dict[str, Any]:
    right = "name the root of a SensorThings API 1.1"
    try:
        found = json.loads(fetch(source, link, folder))
    except (ValueError, RecursionError) as error:
        raise ReadError("url", source.url, f"not JSON: {error}"[:200], right) from error
    if not isinstance(found, dict) or not isinstance(found.get("value"), list):
        raise ReadError("url", source.url, "an answer without a list of observations", right)
    return found


def _next(source: SensorthingsSettings, link: str, following: object) -> str | None:
    if following is None:
        return None
    found = urljoin(link, str(following))
    if is_remote(link) != is_remote(found) or not same_host(link, found):
        right = "name the service by the address that its own links have"
        raise ReadError(
            "url", source.url, f"its next page is at another host: {found[:100]}", right
        )
    return found


def _row(source: SensorthingsSettings, one: Any) -> Row | None:  # noqa: ANN401 - JSON
    """An observation as a row; None if it is no number of a named place and time."""
    try:
        stream = one["Datastream"]
        place = (stream["Thing"] if source.place_of == "thing" else stream)["name"]
        column, text = stream["ObservedProperty"]["name"], str(one["phenomenonTime"])
        at = datetime.fromisoformat(text.partition("/")[0])  # of an interval, its start
        value = float(one["result"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    if not math.isfinite(value) or at.tzinfo is None:
        return None
    assert source.time is not None
    time_text = at.astimezone(UTC).replace(microsecond=0).isoformat()
    return {
        source.time.names[0]: time_text,
        source.place or "": str(place),
        str(column): repr(value),
    }


CONNECTOR = PolledConnector(
    "sensorthings",
    SensorthingsSettings,
    "let deepcity up run, which asks for observations",
    snapshot=snapshot,
)
