"""Drafts a city file for raw records; names, kinds, units and time zone are guesses to review."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
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
from deepcity.data.draft.nothing_measured import nothing_measured
from deepcity.data.draft.places import PlaceDraft, detect_places
from deepcity.data.draft.question import Question
from deepcity.data.draft.times import TimeDraft, detect_times
from deepcity.data.errors import ReadError
from deepcity.data.findings import IssueLog
from deepcity.data.tables.numbers import GROUPED, read_numbers
from deepcity.data.tables.read import read_records

MAX_FIELDS = 12  # more numeric columns than this are taken for places, not fields
_NAMED = 5
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


@dataclass(frozen=True)
class CityDraft:
    """A city file for one file of raw records.

    Attributes:
        raw: its content; None where problems prevent it.
        problems: what prevents it.
        questions: what cannot be seen in the records, with what was assumed.
        left_out: sentences on totals that are in no field or place.
        unmeasured: that no column is measured, unless its words are explained; None: some are.
    """

    raw: Raw | None
    problems: tuple[Problem, ...] = ()
    questions: tuple[Question, ...] = ()
    left_out: tuple[str, ...] = ()
    unmeasured: Problem | None = None


def draft(path: Path | str) -> tuple[Raw | None, list[Problem]]:
    """The content of a city file for raw records, or the problems that prevent it.

    Args:
        path: a file; or, as a text, a database's URL with a table's name behind a ``#``.
    """
    found = draft_with_questions(path)
    if found.unmeasured is not None:
        return None, [found.unmeasured]
    return found.raw, list(found.problems)


def draft_with_questions(path: Path | str, missing: Sequence[str] = ()) -> CityDraft:
    """As `draft`, with the questions that the records leave open; `missing` texts are stated."""
    if isinstance(path, str):
        return _drafted(Path(table_name(path)), missing, lambda: read_table_sample(path, Path()))
    connector = connector_for(path)
    if connector is None:
        endings = ", ".join(end for c in connectors().values() for end in c.suffixes)
        right = f"give a city file (.toml) or records ({endings})"
        reason = "unknown file extension"
        if path.is_dir():
            tables = [str(one) for one in sorted(path.iterdir()) if connector_for(one) is not None]
            reason = "this is a folder" if tables else "a folder without records"
            right = f"name its files: {' '.join(tables[:_NAMED])}" if tables else right
        problem = Problem(path.name, "path", str(path), reason, right)
        return CityDraft(None, (problem,))
    return _drafted(path, missing, lambda: read_sample(path, connector))


def _drafted(
    path: Path, missing: Sequence[str], sample: Callable[[], tuple[Raw, pl.DataFrame]]
) -> CityDraft:
    try:
        source, frame = sample()
    except ReadError as error:
        problem = Problem(path.name, error.key, error.value, error.reason, error.right)
        return CityDraft(None, (problem,))
    times = detect_times(frame)
    if not times.settings:
        return CityDraft(None, (times.as_problem(path.name, frame.columns),))
    source["time"], keys = times.settings, times.columns
    source |= {"missing": list(missing)} if missing else {}
    if source["format"] == "sql":
        source["query"] = ordered(source["query"], keys, source["url"], path.parent)
    settings = connectors()[source["format"]].settings
    source |= number_keys(frame, keys, settings.model_validate(source).numbers)
    style = settings.model_validate(source).numbers
    totals = total_columns(frame, style) if times.hours is None else []
    frame = frame.drop(totals)
    drafted, questions = _content(path, source, frame, times)
    unmeasured = None
    if not drafted["agency"][0]["fields"]:
        rest = [name for name in frame.columns if name not in times.columns]
        unmeasured = nothing_measured(path.name, frame, rest, style)
    raw, total_places = without_total_places(drafted, frame, style)
    raw |= {"clock": raw["clock"] | {"step": _row_step(raw, path)}}
    left_out = (*_left_out("column", totals), *_left_out("place", total_places))
    return CityDraft(raw, (), (*times.questions, *questions), left_out, unmeasured)


def _left_out(what: str, names: Sequence[str]) -> tuple[str, ...]:
    """A sentence on totals that are in no field or place of the draft."""
    shown = ", ".join(repr(name) for name in names)
    verb = "s equal" if len(names) > 1 else " equals"
    return (f"the {what}{verb} the sum of the others, as a total does: {shown}",) if names else ()


def _content(
    path: Path, source: Raw, frame: pl.DataFrame, times: TimeDraft
) -> tuple[Raw, tuple[Question, ...]]:
    hours = times.hours.columns if times.hours is not None else ()
    frame = frame.drop(hours)
    names = [name for name in frame.columns if name not in times.columns]
    style = connectors()[source["format"]].settings.model_validate(source).numbers
    numeric = [name for name in names if _is_numeric(frame[name], style)]
    found = detect_places(frame, times.columns, numeric, values_apart=bool(hours))
    if found.column is not None:
        source |= {"layout": "long", "place": found.column}
    numeric = [name for name in numeric if name not in (found.column, *found.about)]
    alike = sum(_guess(name) is not None for name in numeric) * 3 < len(numeric)
    plain = found.column is None and not hours and alike and len(numeric) > MAX_FIELDS
    fields = [_field("value", None)] if plain or hours else _fields(numeric)
    agency: Raw = {
        "name": "agency",
        "title": {"en": "Agency", "ko": "기관"},
        "domain": _domain(fields),
        "fields": _of_each_kind(fields, found),
        "places": "all" if found.column else (numeric if plain else ["here"]),
    }
    name = re.sub(r"[^a-z0-9]+", "-", path.name.split(".")[0].lower()).strip("-") or "city"
    raw = {"name": name, "title": {"en": name, "ko": name}}
    clock = {"clock": {"time_zone": "UTC", "step": "1h"}}
    return raw | clock | {"source": [source], "agency": [agency]}, found.questions


def _of_each_kind(fields: list[Raw], places: PlaceDraft) -> list[Raw]:
    """A field for each text of the column that tells apart rows of one time and place."""
    if places.kind is None:
        return fields
    return [
        field | {"name": f"{field['name']}-{n}", "where": {places.kind: [text]}}
        for field in fields
        for n, text in enumerate(places.kinds, start=1)
    ]


def _is_numeric(column: pl.Series, style: NumberStyle) -> bool:
    """Whether over 90 % of the cells are numbers; loading reports the others as problems."""
    numbers = read_numbers(column, style)
    known = int((column.is_not_null()).sum())
    unsure = column.cast(pl.String).str.strip_chars().str.contains(GROUPED[","]).sum()
    bad = len(numbers.bad) - (int(unsure) if style.decimal == "." and not style.thousands else 0)
    return bad * 10 < max(known, 1)


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


def draft_text(raw: Raw, questions: Sequence[Question] = (), left_out: Sequence[str] = ()) -> str:
    """The content as TOML text, with open questions and what is left out as comments atop."""
    head = [
        "# A draft: names, kinds, units and time zone are guesses. Correct them, run data check.",
        *(f"# To decide: {str(one).replace(chr(10), ' ')}" for one in questions),
        *(f"# Left out: {text.replace(chr(10), ' ')}" for text in left_out),
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
        pairs = (f"{_key(key)} = {_value(entry)}" for key, entry in value.items())
        return "{ " + ", ".join(pairs) + " }"
    if isinstance(value, list):
        entries = [_value(entry) for entry in value]
        if not any(isinstance(entry, dict) for entry in value) and len(entries) <= MAX_FIELDS:
            return f"[{', '.join(entries)}]"
        return "[\n" + "".join(f"  {entry},\n" for entry in entries) + "]"
    if isinstance(value, int):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat()
    text = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'


def _key(name: str) -> str:
    """A bare key, or a quoted one where TOML needs it."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _value(name)
