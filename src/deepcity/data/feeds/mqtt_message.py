"""An MQTT message -> a row: its place, its time and its values, or why it is none."""

import json
import math
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from deepcity.data.connectors.mqtt import WHOLE, MqttSettings
from deepcity.data.errors import ReadError

MOST_BYTES = 65_536
_MILLISECONDS = 1e11  # seconds since 1970 have fewer digits until the year 5138


def row_of(
    source: MqttSettings, topic: str, payload: bytes, came_s: float, zone: str
) -> dict[str, str]:
    """A message's row, by the columns of the source.

    Args:
        came_s: when it came, seconds since 1970.
        zone: of times without an offset.

    Raises:
        ReadError: if it is no row.
    """
    if len(payload) > MOST_BYTES:
        raise ReadError("topics", topic, f"a message of {len(payload):,} bytes", "send small ones")
    assert source.time is not None
    message = _message(source, topic, payload)
    at = came_s
    if source.time_path is not None:
        at = _seconds(_part(message, source.time_path, "time_path"), source.time.zone or zone)
    row = {source.time.names[0]: _iso(at), source.place or "": _place(source, topic, message)}
    for column, path in source.values.items():
        found = message if path == WHOLE else _part(message, path, f"values.{column}")
        row[column] = _number(found, column)
    return row


def _message(source: MqttSettings, topic: str, payload: bytes) -> Any:  # noqa: ANN401 - JSON
    try:
        text = payload.decode()
        return text.strip() if WHOLE in source.values.values() else json.loads(text)
    except (ValueError, RecursionError) as error:
        right = "send JSON in UTF-8, or a number alone and values = { COLUMN = '.' }"
        raise ReadError("values", topic, f"not JSON: {error}"[:200], right) from error


def _place(source: MqttSettings, topic: str, message: Any) -> str:  # noqa: ANN401 - JSON
    if source.topic_place is not None:
        levels = topic.split("/")
        if source.topic_place > len(levels) or not levels[source.topic_place - 1]:
            raise ReadError("topic_place", topic, "no such level", "correct topic_place or topics")
        return levels[source.topic_place - 1]
    found = _part(message, source.place_path or "", "place_path")
    if isinstance(found, bool) or not isinstance(found, str | int) or found == "":
        raise ReadError("place_path", str(found)[:100], "not a name", "correct place_path")
    return str(found)


def _part(message: Any, path: str, key: str) -> Any:  # noqa: ANN401 - JSON
    found = message
    for name in path.split("."):
        if isinstance(found, dict) and name in found:
            found = found[name]
        elif isinstance(found, list) and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        else:
            raise ReadError(key, path, "the message has no such part", f"correct {key}")
    return found


def _number(value: Any, column: str) -> str:  # noqa: ANN401 - JSON
    """A value as a text; blank where none was measured."""
    if value is None:
        return ""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise ReadError(f"values.{column}", str(value)[:100], "not a number", "send numbers")
    return (
        str(value) if isinstance(value, str | int) and not isinstance(value, bool) else repr(number)
    )


def _seconds(value: Any, zone: str) -> float:  # noqa: ANN401 - JSON
    right = "send ISO 8601 with an offset, or seconds or milliseconds since 1970"
    try:
        if isinstance(value, str) and not value.strip().lstrip("-").replace(".", "", 1).isdigit():
            found = datetime.fromisoformat(value)
            found = found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))
            return found.timestamp()
        number = float(value)
        seconds = number / 1000 if abs(number) >= _MILLISECONDS else number
        datetime.fromtimestamp(seconds, UTC)
    except (TypeError, ValueError, OverflowError, OSError) as error:
        raise ReadError("time_path", str(value)[:100], "not a time", right) from error
    return seconds


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).isoformat()
