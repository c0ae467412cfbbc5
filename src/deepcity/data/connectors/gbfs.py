"""Stations of shared vehicles by GBFS 2 and 3: how many are there, and how many docks are free."""

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from deepcity.data.errors import ReadError
from deepcity.data.feeds.polled import (
    PolledConnector,
    PolledSettings,
    Row,
    fetch,
    is_remote,
    same_host,
)

_STATUS, _INFORMATION = "station_status", "station_information"
_POSITIONS = ("lat", "lon", "capacity")
_OLD_NAMES = {
    "num_vehicles_available": "num_bikes_available",
    "num_vehicles_disabled": "num_bikes_disabled",
}


class GbfsSettings(PolledSettings):
    """Keys of a GBFS source, beside those of every feed that is asked for.

    `url` is ``gbfs.json``, or ``station_status`` itself. Every number of a station's status is a
    column (GBFS 3's under the names of 2 too); `lat`, `lon` and `capacity` come from
    ``station_information``. A row is of the time at which the feed was last updated, so one that
    is updated no more gives nothing new.
    """

    format: Literal["gbfs"] = "gbfs"


def snapshot(source: GbfsSettings, folder: Path, _since_s: float) -> list[Row]:
    """A row for each station.

    Raises:
        ReadError: if the feed is none of GBFS.
    """
    content = _json(source, source.url, folder)
    feeds = _feeds(content)
    known: dict[str, dict[str, Any]] = {}
    if feeds:
        for name in (_STATUS, _INFORMATION):
            _check_place(source, feeds.get(name), name)
        information = _json(source, feeds[_INFORMATION], folder)
        known = {str(one.get("station_id")): one for one in _stations(source, information)}
        content = _json(source, feeds[_STATUS], folder)
    stations = _stations(source, content)
    at = _time(source, content.get("last_updated"))
    assert source.time is not None
    rows = []
    for station in stations:
        name = str(station.get("station_id", ""))
        numbers = {key: value for key, value in station.items() if _is_number(value)}
        numbers |= {old: numbers[new] for new, old in _OLD_NAMES.items() if new in numbers}
        own = known.get(name, {})
        numbers |= {key: own[key] for key in _POSITIONS if _is_number(own.get(key))}
        cells = {key: str(value) for key, value in numbers.items()}
        rows.append({**cells, source.time.names[0]: at, source.place or "": name})
    return rows


def _json(source: GbfsSettings, url: str, folder: Path) -> dict[str, Any]:
    try:
        found = json.loads(fetch(source, url, folder))
    except (ValueError, RecursionError) as error:
        raise _none(source, f"not JSON: {error}"[:200]) from error
    if not isinstance(found, dict) or not isinstance(found.get("data"), dict):
        raise _none(source, "an object without data")
    return found


def _feeds(content: dict[str, Any]) -> dict[str, str]:
    """The feeds that a ``gbfs.json`` names; GBFS 2 has them by language."""
    data = content["data"]
    lists = [data, *(one for one in data.values() if isinstance(one, dict))]
    entries: list[Any] = next(
        (one["feeds"] for one in lists if isinstance(one.get("feeds"), list)), []
    )
    return {str(one.get("name")): str(one.get("url")) for one in entries if isinstance(one, dict)}


def _check_place(source: GbfsSettings, url: str | None, name: str) -> None:
    if url is None:
        raise _none(source, f"it names no {name}")
    if is_remote(source.url) != is_remote(url) or not same_host(source.url, url):
        right = f"if that is right, name its station_status as url: {url[:200]}"
        raise ReadError("url", source.url, f"its {name} is at another host", right)


def _stations(source: GbfsSettings, content: dict[str, Any]) -> list[dict[str, Any]]:
    found = content["data"].get("stations")
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise _none(source, "it holds no list of stations")
    return found


def _time(source: GbfsSettings, value: Any) -> str:  # noqa: ANN401 - JSON
    """Seconds since 1970 (GBFS 2) or RFC 3339 (3)."""
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value)
        else:
            found = datetime.fromtimestamp(int(value), UTC)
    except (TypeError, ValueError, OverflowError, OSError) as error:
        raise _none(source, f"last_updated is no time: {value}"[:200]) from error
    return found.astimezone(UTC).replace(microsecond=0).isoformat()


def _is_number(value: Any) -> bool:  # noqa: ANN401 - JSON
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _none(source: GbfsSettings, reason: str) -> ReadError:
    return ReadError("url", source.url, reason, "name a gbfs.json, or a station_status")


CONNECTOR = PolledConnector(
    "gbfs", GbfsSettings, "let deepcity up run, which asks for the feed", snapshot=snapshot
)
