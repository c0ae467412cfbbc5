"""Drafts a city file for raw records; names, kinds, units and time zone are guesses to review."""

import re
from collections.abc import Callable
from pathlib import Path

import polars as pl

from deepcity.city.field import Kind
from deepcity.city.problem import Problem
from deepcity.city.units import EXAMPLES, UnitError, check_unit
from deepcity.data.check.draft_sample import (
    read_sample,
    read_table_sample,
    total_columns,
    without_total_places,
)
from deepcity.data.check.number_guess import number_keys
from deepcity.data.city_file import check_raw
from deepcity.data.config.duration import duration_text
from deepcity.data.config.number_style import NumberStyle
from deepcity.data.config.toml_file import Raw
from deepcity.data.connectors import connector_for, connectors
from deepcity.data.connectors.sql_tables import ordered, table_name
from deepcity.data.domains import domains
from deepcity.data.errors import ReadError
from deepcity.data.findings import IssueLog
from deepcity.data.tables.numbers import GROUPED, read_numbers
from deepcity.data.tables.read import read_records
from deepcity.data.timestamps.formats import find_pattern, parse_times

TIME_WORDS = r"(?i)time|date|stamp|hour|일시|시간|날짜|일자"
HOUR_WORDS = r"(?i)^(hour|hr|time|시간|시)$"
CALENDAR = ("year", "month", "day", "hour")
HOUR_PATTERNS = (" %H:%M", " %H:%M:%S", " %H:%M*", " %I.%M.%S %p", " %I:%M:%S %p", " %H")
MAX_FIELDS = 12  # more numeric columns than this are taken for places, not fields
_GUESSES = {
    r"(?i)temp|기온|온도": (Kind.TEMPERATURE, "degC"),
    r"(?i)rain|precip|강수|강우": (Kind.RAIN, "mm"),
    r"(?i)hum|습도": (Kind.HUMIDITY, "%"),
    r"(?i)wind|wnd|풍속": (Kind.WIND, "m/s"),
    r"(?i)press|기압": (Kind.PRESSURE, "hPa"),
    r"(?i)speed|velocity|속도": (Kind.SPEED, "km/h"),
    r"(?i)^pm|pm2|pm10|ozone|미세먼지": (Kind.CONCENTRATION, "ug/m3"),
    r"(?i)load|power|_mw$|부하|전력": (Kind.LOAD, "MW"),
    r"(?i)count|cnt|people|visitors|boardings|rented|인원|대수": (Kind.COUNT, "count"),
}


def draft(path: Path | str) -> tuple[Raw | None, list[Problem]]:
    """The content of a city file for raw records, or the problems that prevent it.

    Args:
        path: a file; or, as a text, a database's URL with a table's name behind a ``#``.
    """
    if isinstance(path, str):
        return _drafted(Path(table_name(path)), lambda: read_table_sample(path, Path()))
    connector = connector_for(path)
    if connector is None:
        endings = ", ".join(end for c in connectors().values() for end in c.suffixes)
        right = f"give a city file (.toml) or records ({endings})"
        return None, [Problem(path.name, "path", str(path), "unknown file extension", right)]
    return _drafted(path, lambda: read_sample(path, connector))


def _drafted(
    path: Path, sample: Callable[[], tuple[Raw, pl.DataFrame]]
) -> tuple[Raw | None, list[Problem]]:
    try:
        source, frame = sample()
    except ReadError as error:
        return None, [Problem(path.name, error.key, error.value, error.reason, error.right)]
    source["time"] = time = _guess_time(frame)
    if not time:
        right = f"name it in a city file: time = {{ column = ... }} (of {', '.join(frame.columns)})"
        return None, [Problem(path.name, "time", None, "no time column found", right)]
    keys = [*time.get("columns", [time.get("column")])]
    if source["format"] == "sql":
        source["query"] = ordered(source["query"], keys, source["url"], path.parent)
    settings = connectors()[source["format"]].settings
    source |= number_keys(frame, keys, settings.model_validate(source).numbers)
    style = settings.model_validate(source).numbers
    frame = frame.drop(total_columns(frame, style))
    raw = without_total_places(_content(path, source, frame), frame, style)
    return raw | {"clock": raw["clock"] | {"step": _row_step(raw, path)}}, []


def _content(path: Path, source: Raw, frame: pl.DataFrame) -> Raw:
    time = source["time"]
    names = [
        name for name in frame.columns if name not in time.get("columns", [time.get("column")])
    ]
    style = connectors()[source["format"]].settings.model_validate(source).numbers
    numeric = [name for name in names if _is_numeric(frame[name], style)]
    place = _guess_place(frame, time, [name for name in names if name not in numeric])
    if place is not None:
        source |= {"layout": "long", "place": place}
    alike = sum(_guess(name) is not None for name in numeric) * 3 < len(numeric)
    plain = place is None and alike and len(numeric) > MAX_FIELDS
    fields = [_field("value", None)] if plain else _fields(numeric)
    agency: Raw = {
        "name": "agency",
        "title": {"en": "Agency", "ko": "기관"},
        "domain": _domain(fields),
        "fields": fields,
        "places": "all" if place else (numeric if plain else ["here"]),
    }
    name = re.sub(r"[^a-z0-9]+", "-", path.name.split(".")[0].lower()).strip("-") or "city"
    clock = {"time_zone": "UTC", "step": "1h"}
    title = {"en": name, "ko": name}
    return {"name": name, "title": title, "clock": clock, "source": [source], "agency": [agency]}


def _guess_time(frame: pl.DataFrame) -> Raw:
    """Time settings that fit the table, or {}."""
    lower = {name.lower(): name for name in frame.columns}
    if set(CALENDAR) <= set(lower):
        return {"columns": [lower[part] for part in CALENDAR], "format": "%Y %m %d %H"}
    hinted = [name for name in frame.columns if re.search(TIME_WORDS, name)]
    for name in dict.fromkeys([*hinted, *frame.columns]):
        column = frame[name]
        if column.dtype in (pl.Date, pl.Datetime):
            return {"column": name}
        pattern = find_pattern(column.str.strip_chars()) if column.dtype == pl.String else None
        if pattern is not None:
            return _with_hour(frame, name, pattern) or {"column": name, "format": pattern}
    return {}


def _with_hour(frame: pl.DataFrame, name: str, pattern: str) -> Raw:
    """Time settings for a date whose hour is in a column of its own, or {}."""
    if "%H" in pattern or "%I" in pattern:
        return {}
    dates = frame[name].str.strip_chars()
    for hour in [other for other in frame.columns if re.search(HOUR_WORDS, other)]:
        texts = dates + " " + frame[hour].cast(pl.String).str.strip_chars()
        for ending in HOUR_PATTERNS:
            if parse_times(texts, pattern + ending).null_count() == 0:
                return {"columns": [name, hour], "format": pattern + ending}
    return {}


def _is_numeric(column: pl.Series, style: NumberStyle) -> bool:
    """Whether over 90 % of the cells are numbers; loading reports the others as problems."""
    numbers = read_numbers(column, style)
    known = int((column.is_not_null()).sum())
    unsure = column.cast(pl.String).str.strip_chars().str.contains(GROUPED[","]).sum()
    bad = len(numbers.bad) - (int(unsure) if style.decimal == "." and not style.thousands else 0)
    return bad * 10 < max(known, 1)


def _guess_place(frame: pl.DataFrame, time: Raw, texts: list[str]) -> str | None:
    """The text column that, together with the time, identifies each row."""
    keys = list(time.get("columns", [time.get("column")]))
    if frame.select(keys).is_duplicated().mean() in (None, 0.0):
        return None
    for name in texts:
        if not frame.select([*keys, name]).is_duplicated().any():
            return name
    return None


def _fields(columns: list[str]) -> list[Raw]:
    names: dict[str, str] = {}
    for column in columns:
        plain = re.sub(r"\(.*?\)|\[.*?\]", "", column).strip() or column
        name = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-") or f"field-{len(names) + 1}"
        names[name if name not in names else f"{name}-{len(names) + 1}"] = column
    return [_field(name, column) for name, column in names.items()]


def _field(name: str, column: str | None) -> Raw:
    """A field, its kind and unit guessed from a unit in the column's brackets, else its name."""
    kind, unit = Kind.LEVEL, "1"
    guess = _guess(column or "")
    if guess is not None:
        kind, unit = guess
    stated = re.search(r"[(\[](.+?)[)\]]", column or "")
    if stated:
        found = _kind_of(stated[1], kind)
        kind, unit = (found, stated[1]) if found else (kind, unit)
    field: Raw = {"name": name, "kind": kind.value, "unit": unit, "source": "records"}
    return field if column is None else field | {"column": column}


def _guess(column: str) -> tuple[Kind, str] | None:
    return next((guess for words, guess in _GUESSES.items() if re.search(words, column)), None)


def _domain(fields: list[Raw]) -> str:
    """The domain that expects most of the fields."""
    kinds = [Kind(field["kind"]) for field in fields]
    fit = {name: sum(k in domain.kinds for k in kinds) for name, domain in domains().items()}
    return max(fit, key=fit.__getitem__)


def _row_step(raw: Raw, path: Path) -> str:
    """The step of the rows; 1h if they cannot be read."""
    city_file, _ = check_raw(raw, path)
    if city_file is None:
        return "1h"
    source = next(iter(city_file.sources.values()))
    places = city_file.settings.agency[0].places
    issues = IssueLog(path.name)
    clock = city_file.city.clock
    records = read_records(
        source, path.parent, clock, fields=(), places=places or (), issues=issues
    )
    return "1h" if records is None else duration_text(records.step_s)


def _kind_of(unit: str, likely: Kind) -> Kind | None:
    for kind in (likely, *EXAMPLES):
        try:
            check_unit(unit, kind)
        except UnitError:
            continue
        return kind
    return None


def draft_text(raw: Raw) -> str:
    """The content as TOML text."""
    head = [
        "# A draft: names, kinds, units and time zone are guesses. Correct them, run data check.",
        *(f"{key} = {_value(raw[key])}" for key in ("name", "title")),
        "\n[clock]",
        *(f"{key} = {_value(value)}" for key, value in raw["clock"].items()),
    ]
    for key in ("source", "agency"):
        for entry in raw[key]:
            head.append(f"\n[[{key}]]")
            head += [f"{name} = {_value(value)}" for name, value in entry.items()]
    return "\n".join(head) + "\n"


def _value(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(entry)}" for key, entry in value.items()) + " }"
    if isinstance(value, list):
        entries = [_value(entry) for entry in value]
        if not any(isinstance(entry, dict) for entry in value) and len(entries) <= MAX_FIELDS:
            return f"[{', '.join(entries)}]"
        return "[\n" + "".join(f"  {entry},\n" for entry in entries) + "]"
    if isinstance(value, int):
        return str(value).lower()
    text = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'
