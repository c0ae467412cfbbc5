"""How a file is read by hand: as its city file says, as it is written, and as bare numbers."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.front_door.files import CITIES, Tried
from deepcity.city.errors import DataError
from deepcity.data.city_file import check_raw, load_panel
from deepcity.data.draft.rows_of_one_time import slug
from deepcity.data.panel import Panel

_DISPUTED = {"seoul": {"snow": {"kind": "level"}}}  # it falls from 4.3 to 0.4 cm: a depth
NO_END = "3650d"  # a blank means "as before" until the next value
Raw = dict[str, Any]


@dataclass(frozen=True)
class Reading:
    """An agency by hand; all panels have the same places and fields.

    Attributes:
        agency: its name.
        panel: what its city file makes of the records.
        written: the same without what is masked: `valid`, and rows that `where` leaves out.
        numbers: the numbers of the file, without unit, scale and offset.
        names: place -> its id and column, as slugs.
    """

    agency: str
    panel: Panel
    written: Panel
    numbers: Panel
    names: tuple[frozenset[str], ...]


def readings(tried: Tried) -> list[Reading]:
    """Every agency that is read from this file alone; empty where no city file reads it."""
    if tried.right is None:
        return [one for path in sorted(CITIES.glob("*.toml")) for one in _of_city(path, tried.path)]
    raw = _of_case(tried)
    return [_reading(raw, raw["agency"][0], tried.path.parent / "x.toml")]


def _of_city(path: Path, file: Path) -> Iterator[Reading]:
    raw = _toml(path)
    mine = {one["name"] for one in raw["source"] if _is_of(one, file)}
    for agency in raw["agency"]:
        fields = [one for one in agency["fields"] if not one.get("codes")]
        if fields and all(one["source"] in mine for one in fields):
            yield _reading(raw, {**agency, "fields": fields}, path)


@cache
def _toml(path: Path) -> Raw:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _is_of(source: Raw, file: Path) -> bool:
    path = source.get("path")
    return isinstance(path, str) and Path(path).parts[-2:] == file.parts[-2:]


def _reading(raw: Raw, agency: Raw, path: Path) -> Reading:
    stated = _DISPUTED.get(raw["name"], {})
    fields = [one | stated.get(one["name"], {}) for one in agency["fields"]]
    agency = {**agency, "fields": fields}
    events = {one["name"] for one in raw["source"] if one.get("layout") == "events"}
    masking = {"valid", "where"} if not {one["source"] for one in fields} & events else {"valid"}
    unmasked = [{k: v for k, v in one.items() if k not in masking} for one in fields]
    sources = [one | ({"stays": NO_END} if "stays" in one else {}) for one in raw["source"]]
    panel, unmasked_raw = _load(raw, agency, path), {**raw, "source": sources}
    named = agency["places"] if isinstance(agency.get("places"), list) else []
    columns = {one["id"]: one.get("column", "") for one in named if isinstance(one, dict)}
    return Reading(
        agency["name"],
        panel,
        _with_both_rows(unmasked_raw, {**agency, "fields": unmasked}, path),
        _with_both_rows(
            unmasked_raw, {**agency, "fields": [_number(one) for one in unmasked]}, path
        ),
        tuple(frozenset({_plain(one.id), _plain(columns.get(one.id, ""))}) for one in panel.places),
    )


def _plain(text: str) -> str:
    return slug(text) or text


def _number(field: Raw) -> Raw:
    kept = {k: v for k, v in field.items() if k not in ("unit_in", "scale", "offset")}
    bare = "count" if field.get("cumulative") or field["kind"] == "count" else "level"
    return kept | {"kind": bare, "unit": "count" if bare == "count" else "1"}


def _with_both_rows(raw: Raw, agency: Raw, path: Path) -> Panel:
    """With both rows of a time that clocks showed twice in their order, if all years have two."""
    infer = {"ambiguous": "infer"}
    sources = [
        one | {"time": one["time"] | infer}
        if one.get("time", {}).get("ambiguous") == "mask"
        else one
        for one in raw["source"]
    ]
    try:
        return _load({**raw, "source": sources}, agency, path)
    except DataError:
        return _load(raw, agency, path)


def _load(raw: Raw, agency: Raw, path: Path) -> Panel:
    city_file, problems = check_raw({**raw, "agency": [agency]}, path)
    if city_file is None:
        raise ValueError(problems)
    return load_panel(city_file, agency["name"])


def _of_case(tried: Tried) -> Raw:
    """A city file for a case, of counts unless it says otherwise."""
    right = tried.right
    form = {".csv": "csv", ".parquet": "parquet", ".xlsx": "excel", "": "csv"}[tried.path.suffix]
    source = {"name": "s", "format": form, "path": tried.path.name} | right["source"]
    usual = {"name": "x", "kind": "count", "unit": "count", "source": "s"}
    names = {"en": "x", "ko": "x"}
    daily = "daily" in tried.path.name or "firsttwelve" in tried.path.name
    agency = {
        "name": "x",
        "title": names,
        "domain": "life",
        "fields": [usual | one for one in right["fields"]],
        "places": right["places"],
    }
    clock = {"time_zone": tried.zone, "step": "1d" if daily else "1h"}
    return {"name": "x", "title": names, "clock": clock, "source": [source], "agency": [agency]}
