"""References within a city file: each name that is referred to must exist and be unique.

Works on the raw tables, so that a misspelt key elsewhere hides none of these problems.
"""

from collections.abc import Collection, Iterator, Mapping

from deepcity.city.problem import Problem
from deepcity.data.config.toml_file import Raw, did_you_mean, entry_name

_OF_FEEDS = {"layout": "long", "time": {}}


def reference_problems(raw: Raw, file: str, feeds: Collection[str] = ()) -> list[Problem]:
    """Duplicate names and dangling references of a whole city file.

    Args:
        feeds: formats whose sources are long and have a time unless they say otherwise.
    """
    sources = {
        str(name): {**_OF_FEEDS, **entry} if entry.get("format") in feeds else entry
        for name, entry in _named(raw, "source", "name")
    }
    problems = _twice(raw, "source", "name", "", file) + _twice(raw, "agency", "name", "", file)
    for index, agency in enumerate(_entries(raw, "agency")):
        prefix = f"agency[{entry_name(agency, index)}]"
        problems += _twice(agency, "fields", "name", f"{prefix}.", file)
        problems += _twice(agency, "places", "id", f"{prefix}.", file)
        problems += _field_problems(agency, prefix, sources, file)
        for table in ("places_from", "adjacency"):
            named = agency.get(table)
            if isinstance(named, Mapping):
                key = f"{prefix}.{table}.source"
                problems += _dangling(named.get("source"), list(sources), key, file)
    return problems


def _field_problems(
    agency: Mapping[str, object],
    prefix: str,
    sources: Mapping[str, Mapping[str, object]],
    file: str,
) -> list[Problem]:
    problems: list[Problem] = []
    for index, field in enumerate(_entries(agency, "fields")):
        key = f"{prefix}.fields[{entry_name(field, index)}]"
        problems += _dangling(field.get("source"), list(sources), f"{key}.source", file)
        source = sources.get(str(field.get("source")))
        if source is None:
            continue
        if "time" not in source:
            right = f"give the source {source.get('name')!r} a time = {{ column = ... }}"
            reason = "the source has no time setting"
            problems.append(Problem(file, f"{key}.source", source.get("name"), reason, right))
        problems += _column_problems(field, source, agency, key, file)
        problems += _grid_problems(field, source, agency, key, file)
    return problems


def _column_problems(
    field: Mapping[str, object],
    source: Mapping[str, object],
    agency: Mapping[str, object],
    key: str,
    file: str,
) -> list[Problem]:
    """A column of a wide table cannot hold the values of several places."""
    column, places = field.get("column"), agency.get("places")
    if source.get("layout", "wide") != "wide" or not isinstance(column, str):
        return []
    if "{place}" in column or (isinstance(places, list) and len(places) == 1):
        return []
    reason = "one column of a wide table for several places"
    right = "write {place} where the place's name occurs in it, or remove column"
    return [Problem(file, f"{key}.column", column, reason, right)]


def _grid_problems(
    field: Mapping[str, object],
    source: Mapping[str, object],
    agency: Mapping[str, object],
    key: str,
    file: str,
) -> list[Problem]:
    """A grid needs events with positions, and events with positions need a grid."""
    positioned = "lat" in source or "lon" in source
    if ("grid" in agency) == positioned:
        return []
    name = source.get("name")
    if positioned:
        reason, right = "events with positions need a grid", "give the agency a grid"
    else:
        reason = "a grid needs events with positions"
        right = f"give {name!r} lat and lon and layout = 'events', or list places"
    return [Problem(file, f"{key}.source", name, reason, right)]


def _dangling(name: object, known: list[str], key: str, file: str) -> list[Problem]:
    if not isinstance(name, str) or name in known:
        return []
    return [Problem(file, key, name, "there is no such source", did_you_mean(name, known))]


def _twice(
    table: Mapping[str, object], key: str, label: str, prefix: str, file: str
) -> list[Problem]:
    names = [name for name, _ in _named(table, key, label)]
    return [
        Problem(
            file,
            f"{prefix}{key}",
            name,
            f"{names.count(name)} entries have this {label}",
            "rename one",
        )
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]


def _named(
    table: Mapping[str, object], key: str, label: str
) -> Iterator[tuple[str, Mapping[str, object]]]:
    entries = table.get(key)
    for entry in entries if isinstance(entries, list) else []:
        name = entry.get(label) if isinstance(entry, Mapping) else entry
        if isinstance(name, str):
            yield name, entry if isinstance(entry, Mapping) else {}


def _entries(table: Mapping[str, object], key: str) -> list[Mapping[str, object]]:
    entries = table.get(key)
    return [e for e in entries if isinstance(e, Mapping)] if isinstance(entries, list) else []
