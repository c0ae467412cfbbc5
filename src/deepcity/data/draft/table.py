"""One table of records as a source and its agencies: what was seen in it, and what was not."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

from deepcity.city.arrays import Doubles
from deepcity.city.errors import ConfigError
from deepcity.city.field import Kind, Resample
from deepcity.city.problem import Problem
from deepcity.data.check.draft import CityDraft, draft_with_questions
from deepcity.data.check.draft_sample import read_sample, read_table_sample
from deepcity.data.config.duration import duration_text
from deepcity.data.config.number_style import NumberStyle
from deepcity.data.config.toml_file import Raw
from deepcity.data.connectors import connector_for, connectors
from deepcity.data.domains import domains
from deepcity.data.draft.answers import Answers, Ask, OpenQuestionsError
from deepcity.data.draft.change_log import ChangeLog, change_log, has_blanks
from deepcity.data.draft.columns import (
    Group,
    about_time,
    groups_of,
    one_family,
    shared_words,
)
from deepcity.data.draft.inputs import PLACE_OF_FILE, Table
from deepcity.data.draft.parts import parts_of
from deepcity.data.draft.quantities import (
    Quantity,
    by_kind_of_place,
    by_words,
    is_weather,
    kind_of,
    quantity_of,
)
from deepcity.data.draft.row_times import row_days, row_seconds
from deepcity.data.draft.rows_of_one_time import Looked, rows_of_one_time, slug, time_columns
from deepcity.data.draft.texts_beside_numbers import ask_of_texts
from deepcity.data.tables.numbers import GROUPED, read_numbers

_AGENCIES = {
    "people": "people", "vehicles": "traffic", "speed": "traffic", "passengers": "passengers",
    "bikes": "bikes", "concentration": "air", "load": "power", "energy": "power",
    "spaces": "parking", "incidents": "incidents",
}  # fmt: skip


@dataclass(frozen=True)
class Drafted:
    """A source, its agencies, and what is open.

    Attributes:
        frame: the first rows.
        step: of its rows.
    """

    source: Raw
    agencies: list[Raw]
    frame: pl.DataFrame
    step: str
    asks: tuple[Ask, ...] = ()
    assumed: tuple[str, ...] = ()

    def named(self, source: str, agencies: list[Raw]) -> "Drafted":
        """Under other names."""
        return replace(self, source=self.source | {"name": source}, agencies=agencies)


def draft_table(table: Table, answers: Answers, folder: Path) -> Drafted:
    """Look at a table.

    Raises:
        ConfigError: if it cannot be read, or has no times.
    """
    label = table.first if isinstance(table.first, str) else table.first.name
    found = draft_with_questions(table.first, answers.missing)
    open_ = Looked(answers, label)
    if found.raw is None:
        found = _without_times(table, found, open_)
    if found.raw is None:
        raise ConfigError(found.problems)
    frame = _sample(table.first)
    source = _source(found.raw["source"][0], table, folder, answers)
    style = connectors()[source["format"]].settings.model_validate(source).numbers
    source = _thousands(source, frame, open_)
    _refuse_no_header(frame, label)
    agency = found.raw["agency"][0]
    source, agency = rows_of_one_time(found, source, agency, frame, open_)
    open_.assumed += [
        f"{one.text} Taken: {one.assumed}" for one in found.questions if one.key.startswith("time.")
    ]
    if table.pattern is not None:
        source |= {"layout": "long", "place": PLACE_OF_FILE, "path_pattern": table.pattern}
        agency = agency | {"places": "all"}
        open_.assumed.append(f"files of the same times are places: {table.pattern}")
    ask_of_texts(source, agency, frame, style, open_)
    agencies, source = _agencies(source, agency, frame, style, open_)
    step = "1d" if source.get("layout") == "events" else found.raw["clock"]["step"]
    return Drafted(source, agencies, frame, step, tuple(open_.asks), tuple(open_.assumed))


def _thousands(source: Raw, frame: pl.DataFrame, open_: Looked) -> Raw:
    """Numbers such as 37.014 in a whole column are thousands, or have three decimals."""
    if "thousands" in source or "decimal" in source:
        return source
    stated = open_.answers.thousands
    if stated is None:
        texts = [
            name
            for name in frame.columns
            if frame[name].dtype == pl.String and name not in time_columns(source)
            for cells in [frame[name].str.strip_chars().drop_nulls()]
            if len(cells) and cells.str.contains(GROUPED["."]).all()
        ]
        if texts:
            shown = frame[texts[0]].drop_nulls()[0]
            text = f"is {shown} in {texts[0]!r} a number of thousands, or one with decimals?"
            ask = Ask("thousands", f"{text} Name the sign between thousands", "none", example=".")
            open_.asks.append(ask)
    return source if stated in (None, "none") else source | {"thousands": stated}


def _refuse_no_header(frame: pl.DataFrame, label: str) -> None:
    """A first line of numbers and times names nothing."""
    numbers = [name for name in frame.columns if re.fullmatch(r"-?\d+\.\d{3,}", name.strip())]
    times = [
        name for name in frame.columns if re.match(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}[ T]", name)
    ]
    if numbers or times:
        reason = f"its first line holds values ({(numbers or times)[0]}), no names of columns"
        right = "write the names above it, or a city file with header = false and names = [...]"
        raise ConfigError([Problem(label, "header", None, reason, right)])


def _without_times(table: Table, found: CityDraft, open_: Looked) -> CityDraft:
    """Records without a column of times: they are counted by row, once their start is stated."""
    if [one.key for one in found.problems] != ["time"] or not isinstance(table.first, Path):
        return found
    text = "no column of times was found: at which time is its first row?"
    start = open_.choice(Ask("start", text, "", example="2024-01-01T00:00"))
    step = open_.choice(Ask("step", "how far apart are its rows?", "1h", example="1h"))
    if start is None or step is None:
        raise OpenQuestionsError(open_.file, tuple(open_.asks))
    connector = connector_for(table.first)
    assert connector is not None  # the draft has read it
    source, frame = read_sample(table.first, connector)
    numeric = [name for name in frame.columns if frame[name].dtype.is_numeric()]
    texts = [name for name in frame.columns if name not in numeric]
    numeric += [name for name in texts if frame[name].cast(pl.Float64, strict=False).count()]
    fields = [{"name": "x", "source": "records", "column": name} for name in numeric]
    source["time"] = {"start": datetime.fromisoformat(start), "step": step}
    raw = {"clock": {"step": step}, "source": [source]}
    return CityDraft(raw | {"agency": [{"fields": fields, "places": ["here"]}]})


def _sample(first: Path | str) -> pl.DataFrame:
    if isinstance(first, str):
        return read_table_sample(first, Path())[1]
    connector = connector_for(first)
    assert connector is not None  # the draft has read it
    return read_sample(first, connector)[1]


def _source(drafted: Raw, table: Table, folder: Path, answers: Answers) -> Raw:
    source = dict(drafted)
    if table.files:
        source["path"] = table.path_from(folder)
    if table.rename:
        source["rename"] = table.rename
    if answers.times_in:
        source["time"] = source["time"] | {"zone": answers.times_in}
    if answers.duplicates:
        source["time"] = source["time"] | {"duplicates": answers.duplicates}
    return source


def _numbers(frame: pl.DataFrame, columns: Sequence[str], style: NumberStyle) -> dict[str, Doubles]:
    return {
        name: np.asarray(read_numbers(frame[name], style).values_R, dtype=float)
        for name in columns
        if name in frame.columns
    }


def _agencies(
    source: Raw, agency: Raw, frame: pl.DataFrame, style: NumberStyle, open_: Looked
) -> tuple[list[Raw], Raw]:
    fields = agency["fields"]
    plain = len(fields) == 1 and "column" not in fields[0]
    hours = "hour_columns" in source["time"]
    columns = list(agency["places"]) if plain and agency["places"] != "all" else []
    columns = columns or [one["column"] for one in fields if "column" in one]
    values = _numbers(frame, columns, style)
    units = tuple(style.units)
    source = _stays(source, {} if hours else values, frame, open_)
    if source.get("layout") == "events":
        return [_agency(Quantity(Kind.COUNT, "incidents", "incidents"), fields, "all")], source
    if hours or any("where" in one for one in fields):
        return [_plain_agency(agency, values, units, open_)], source
    wide = source.get("layout") != "long" and not plain
    dropped = about_time(values, row_days(frame, source)) if wide else []
    kept = {name: values_R for name, values_R in values.items() if name not in dropped}
    if dropped and kept:
        open_.assumed.append(f"no measurements, left out: {', '.join(dropped)}")
    kept = kept or values
    if source.get("layout") == "long":
        return _of_fields(kept, agency["places"], units, open_), source
    if plain:
        return [_of_group(Group("", {name: name for name in kept}), kept, units, open_)], source
    groups, rest = groups_of(list(kept))
    agencies = [_of_group(group, kept, units, open_) for group in groups]
    rest_values = {name: kept[name] for name in rest}
    if rest_values and not groups and _are_places(rest_values, open_):
        return [_of_group(Group("", {name: name for name in rest}), kept, units, open_)], source
    return [*agencies, *(_of_fields(rest_values, ["here"], units, open_) if rest else [])], source


def _stays(source: Raw, values: Mapping[str, Doubles], frame: pl.DataFrame, open_: Looked) -> Raw:
    """How long a blank means "as before": by an answer, else by what shows it, else asked."""
    stated = open_.answers.stays
    if stated is not None:
        open_.states = stated != "0"
        return source | {"stays": stated} if open_.states else source
    if source.get("layout") == "long":
        return source
    if not any(has_blanks(frame[name]) for name in values if name in frame.columns):
        return source
    log = change_log(values, row_seconds(frame, source))
    if log is None:
        return source
    if log.stays_s is None:
        text = (
            "blanks stand where a value repeats the one before it: how long may a value stay "
            f"before it counts as missing?{_shown_again(log)}"
        )
        usual = "2h" if log.again_s is None else duration_text(log.again_s)
        open_.asks.append(Ask("stays", text, usual, example=usual))
        return source
    stays, open_.states = duration_text(log.stays_s), True
    open_.assumed.append(
        f"a blank means 'as before': {log.steps_of_one:,} values differ from the one before them "
        f"by 1, and {log.repeats:,} do not differ. Every {stays} values are written again, "
        f"changed or not, so a value stays for {stays} at most (--stays 0: a blank is missing)"
    )
    return source | {"stays": stays}


def _shown_again(log: ChangeLog) -> str:
    if log.again_s is None or not log.others:
        return ""
    more = f" and {len(log.others) - 3} more" if len(log.others) > 3 else ""
    shown = ", ".join(log.others[:3])
    return (
        f" Every {duration_text(log.again_s)} most values are written again, changed or not, "
        f"but not those of {shown}{more}"
    )


def _are_places(values: Mapping[str, Doubles], open_: Looked) -> bool:
    stated = open_.answers.columns
    if stated is not None:
        return stated == "places"
    family = one_family(values)
    asked = any(one.key in ("rows", "place") for one in open_.asks)
    if family is None and not asked and not any(by_words(name) for name in values):
        shown = ", ".join(list(values)[:6])
        text = f"are the columns of numbers ({shown}) places of one field, or fields of one place?"
        open_.asks.append(Ask("columns", text, "places", ("places", "fields")))
    if family:
        open_.assumed.append("columns of numbers are places of one field (--columns fields: no)")
    return bool(family)


def _of_group(
    group: Group, values: Mapping[str, Doubles], units: tuple[str, ...], open_: Looked
) -> Raw:
    columns = list(group.places.values())
    together_R = np.concatenate([values[name] for name in columns])
    header, counts = group.name or columns[0], not open_.states
    seen = quantity_of(header, together_R, file=open_.file, units=units, counts=counts)
    if not seen.seen and open_.states:
        seen = by_kind_of_place(shared_words(columns)) or seen
    field_of = _field(open_.answers.field or seen.name, seen, open_)
    if group.pattern is not None:
        field_of["column"] = group.pattern
    return _agency(seen, [field_of], list(group.places))


def _of_fields(
    values: Mapping[str, Doubles], places: object, units: tuple[str, ...], open_: Looked
) -> list[Raw]:
    """An agency of fields; the weather's have one of their own beside others."""
    found: list[tuple[Quantity, Raw]] = []
    names: set[str] = set()
    alone = len(values) == 1
    for column, seen in _quantities(values, units, open_).items():
        bare = slug(re.sub(r"\(.*?\)|\[.*?\]", "", column))
        base = (open_.answers.field if alone else None) or (
            seen.name if len(bare) < 2 and alone else bare or seen.name
        )
        name, count = base, 2
        while name in names:
            name, count = f"{base}-{count}", count + 1
        names.add(name)
        found.append((seen, _field(name, seen, open_, column) | {"column": column}))
    groups: dict[bool, list[tuple[Quantity, Raw]]] = {}
    for seen, one in found:
        groups.setdefault(is_weather(seen.kind), []).append((seen, one))
    return [
        _agency(group[0][0], [one for _, one in group], places)
        for group in (groups[key] for key in sorted(groups))
    ]


def _quantities(
    values: Mapping[str, Doubles], units: tuple[str, ...], open_: Looked
) -> dict[str, Quantity]:
    """What each column measures; parts of a count are counts of the same."""
    file = open_.file if len(values) == 1 else ""
    counts = not open_.states and not any(by_words(name) for name in values)
    found = {
        column: quantity_of(column, values_R, file=file, units=units, counts=counts)
        for column, values_R in values.items()
    }
    totals = [name for name, one in found.items() if one.seen and one.kind is Kind.COUNT]
    unknown = [name for name, one in found.items() if not one.seen]
    for total, parts in parts_of(totals, unknown, values).items():
        found |= dict.fromkeys(parts, found[total])
        open_.assumed.append(f"{', '.join(parts)} add up to {total}, so they are of its kind")
    return found


def _field(name: str, seen: Quantity, open_: Looked, column: str = "") -> Raw:
    answers = open_.answers
    unit, kind = answers.of_field("unit", name), answers.of_field("kind", name)
    found = Kind(kind) if kind else seen.kind
    if unit is not None and kind is None:
        found = kind_of(unit, seen.kind) or seen.kind
    if open_.states and kind is None and found.resample is Resample.SUM:
        found = Kind.LEVEL  # what stays until it changes is no amount of a step
    if unit is None and not seen.seen:
        shown = f" ({column})" if column and column != name else ""
        text = f"in which unit are the numbers of {name!r}{shown}?"
        ask = Ask("unit", text, seen.unit, example=f"{name}=people", field=name, safe=True)
        open_.asks.append(ask)
        open_.assumed.append(
            f"{name!r}{shown} has the kind {found.value} and the unit {seen.unit} (--unit, --kind)"
        )
    return {"name": name, "kind": found.value, "unit": unit or seen.unit, "source": "records"}


def _plain_agency(
    agency: Raw, values: Mapping[str, Doubles], units: tuple[str, ...], open_: Looked
) -> Raw:
    """An agency of fields as they were drafted, with what they measure."""
    fields = []
    seen = Quantity(Kind.COUNT, "count", "count", seen=False)
    for one in agency["fields"]:
        values_R = values.get(one.get("column", ""), np.zeros(1))
        seen = quantity_of(one.get("column", ""), values_R, file=open_.file, units=units)
        fields.append(one | _field(one["name"], seen, open_))
    return agency | _agency(seen, fields, agency["places"])


def _agency(seen: Quantity, fields: list[Raw], places: object) -> Raw:
    name = "weather" if is_weather(seen.kind) else _AGENCIES.get(seen.name, "records")
    kinds = [Kind(one["kind"]) for one in fields]
    fit = {key: sum(kind in one.kinds for kind in kinds) for key, one in domains().items()}
    domain = max(fit, key=fit.__getitem__)
    title = {"en": name.capitalize(), "ko": name}
    return {"name": name, "title": title, "domain": domain, "fields": fields, "places": places}
