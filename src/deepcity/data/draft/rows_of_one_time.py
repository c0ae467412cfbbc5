"""Rows that share a time: which column tells their places, and what they are together."""

import re
from dataclasses import dataclass, field

import polars as pl

from deepcity.city.errors import ConfigError
from deepcity.city.problem import Problem
from deepcity.data.check.draft import CityDraft
from deepcity.data.config.toml_file import Raw
from deepcity.data.draft.answers import Answers, Ask
from deepcity.data.draft.columns import OPPOSITES
from deepcity.data.draft.event_rows import are_events, position_columns
from deepcity.data.timestamps.formats import NUMBERS

_FEW_REPEATED = 0.01  # share of rows of a time that another row has, which clocks put back explain


@dataclass
class Looked:
    """Questions and assumptions while a table is looked at.

    Attributes:
        states: whether values stay until they change, so that they are no amounts of a step.
    """

    answers: Answers
    file: str
    asks: list[Ask] = field(default_factory=list)
    assumed: list[str] = field(default_factory=list)
    states: bool = False

    def choice(self, ask: Ask) -> str | None:
        """What was stated; None where it is asked now."""
        stated: str | None = getattr(self.answers, ask.key)
        if stated is None:
            self.asks.append(ask)
        return stated


def slug(text: str) -> str:
    """A name for keys: lower-case letters, digits and hyphens; empty where nothing is left.

    >>> slug("PM 2.5"), slug("누리")
    ('pm-2-5', '')
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def rows_of_one_time(
    found: CityDraft, source: Raw, agency: Raw, frame: pl.DataFrame, open_: Looked
) -> tuple[Raw, Raw]:
    """Places of rows that share a time, where a column tells them apart or an answer does."""
    keys = time_columns(source)
    if not keys:
        return source, agency
    asked = {one.key: one for one in found.questions}
    place = open_.answers.place
    rows = open_.answers.rows
    if rows is None and "place" in asked and are_events(frame, keys):
        rows = "events"
        open_.assumed.append(
            "rows of one time have positions of their own and no measured numbers: each is an "
            "event, and they are counted (--rows measurements: no)"
        )
    if place is not None and rows != "events":
        return _at_places(source, agency, place, frame)
    if "place" in asked:
        repeated = float(frame.select(keys).is_duplicated().cast(pl.Float64).mean() or 0)  # type: ignore[arg-type]
        same = float(frame.is_duplicated().cast(pl.Float64).mean() or 0) == repeated  # type: ignore[arg-type]
        if repeated > _FEW_REPEATED and not same:
            return _events(source, agency, frame, rows, open_)
    kind = _telling(source, agency, frame)
    if kind is None:
        return source, agency
    texts = ", ".join(frame[kind].cast(pl.String).unique().drop_nulls().sort().head(6).to_list())
    ask = Ask(
        "together",
        f"{kind!r} tells rows of one time apart ({texts}): parts of a sum, or each its own?",
        "sum",
        ("sum", "each"),
    )
    stated = open_.choice(ask)
    return _summed(source, agency, kind, frame) if stated == "sum" else (source, agency)


def _events(
    source: Raw, agency: Raw, frame: pl.DataFrame, rows: str | None, open_: Looked
) -> tuple[Raw, Raw]:
    """Rows that share a time, of which no column tells the place."""
    values = {one["column"] for one in agency["fields"] if "column" in one}
    names = [
        name
        for name in frame.columns
        if name not in time_columns(source)
        and 1 < frame[name].n_unique() < frame.height / 4
        and (name not in values or len(values) > 1)
        and name not in (position_columns(frame) or ())
    ]
    if not names:
        return source, agency  # what reads them says what may be done
    text = "several rows have one time: are they events to count, or measurements?"
    stated = rows or open_.choice(Ask("rows", text, "events", ("events", "measurements")))
    text = f"which column names a row's place ({', '.join(names)})?"
    place = open_.choice(Ask("place", text, names[0], tuple(names), "COLUMN"))
    if place is None or stated != "events":
        return source, agency
    source = source | {"layout": "events", "place": place, "time": _of_day(source["time"])}
    field_of = {"name": "events", "kind": "count", "unit": "incidents", "source": "records"}
    return source, agency | {"fields": [field_of], "places": "all"}


def _of_day(time: Raw) -> Raw:
    """Times of rows that are counted by day: which of two equal hours it was, changes no count."""
    pattern = time.get("format")
    if pattern is None or "%#z" in pattern or pattern in NUMBERS:
        return time
    return time | {"ambiguous": "earlier", "nonexistent": "shift"}


def _telling(source: Raw, agency: Raw, frame: pl.DataFrame) -> str | None:
    """A column that tells apart rows of one time and place, such as a direction."""
    where = next((one["where"] for one in agency["fields"] if "where" in one), None)
    if where:
        return str(next(iter(where)))
    place = source.get("place")
    if place is None or frame[place].dtype != pl.String:
        return None
    texts = frame[place].str.strip_chars().drop_nulls().unique()
    return place if len(texts) and all(OPPOSITES.match(text) for text in texts) else None


def _summed(source: Raw, agency: Raw, kind: str, frame: pl.DataFrame) -> tuple[Raw, Raw]:
    source = source | {"time": source["time"] | {"duplicates": "sum"}}
    fields = {
        one["column"]: {k: v for k, v in one.items() if k != "where"} for one in agency["fields"]
    }
    named = [one | {"name": slug(column) or one["name"]} for column, one in fields.items()]
    agency = agency | {"fields": named}
    if source.get("place") != kind:
        return source, agency
    others = [
        name
        for name in frame.columns
        if frame[name].dtype == pl.String and name not in (kind, *time_columns(source), *fields)
    ]
    if others:
        return source | {"place": others[0]}, agency
    wide = {key: value for key, value in source.items() if key not in ("place", "layout")}
    return wide, agency | {"places": ["here"]}


def _at_places(source: Raw, agency: Raw, place: str, frame: pl.DataFrame) -> tuple[Raw, Raw]:
    if place not in frame.columns:
        right = f"name one of {', '.join(frame.columns)}"
        raise ConfigError(
            [Problem(str(source.get("path", "")), "--place", place, "no such column", right)]
        )
    fields = [one for one in agency["fields"] if one.get("column") != place]
    return source | {"layout": "long", "place": place}, agency | {"fields": fields, "places": "all"}


def time_columns(source: Raw) -> list[str]:
    """The columns that hold the times of a source."""
    time = source["time"]
    one = [time["column"]] if "column" in time else []
    return list(time.get("columns", one))
