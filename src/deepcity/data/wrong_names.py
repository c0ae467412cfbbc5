"""Names in a city file that its records do not have: the line of that file is what is wrong."""

from collections.abc import Sequence
from dataclasses import replace

from deepcity.city.problem import Problem
from deepcity.data.config.settings import AgencySettings, FieldSettings
from deepcity.data.config.source import SourceSettings
from deepcity.data.findings import NO_COLUMN, NO_ROWS

_OF_AGENCY = ("places", "adjacency")


def blame_setting(
    problem: Problem,
    city_file: str,
    agency: AgencySettings,
    source: SourceSettings,
    fields: Sequence[FieldSettings],
) -> Problem:
    """A problem of a source's records as one of the city file, if a name in that is what is wrong.

    Args:
        city_file: its name; empty: there is none.
        fields: those that are read from the source.
    """
    if not city_file or problem.cause not in (NO_COLUMN, NO_ROWS):
        return problem
    key = _setting(problem.key, str(problem.value), agency, source, fields)
    return replace(problem, file=city_file, key=key, reason=f"{problem.reason} in {problem.file}")


def _setting(
    key: str,
    name: str,
    agency: AgencySettings,
    source: SourceSettings,
    fields: Sequence[FieldSettings],
) -> str:
    """The key of the city file that gives a name."""
    own = f"agency[{agency.name}]"
    if key.startswith(_OF_AGENCY):
        return f"{own}.{key}"
    if key == "where":
        field = next((one for one in fields if name in one.where), None)
    elif key == "column":
        field = next((one for one in fields if _names(one, name, agency)), None)
        if field is None:  # of a wide table, whose columns are the places; or a field's own name
            field = next((one for one in fields if one.name == name), None)
            return f"{own}.places" if field is None else f"{own}.fields[{name}]"
    else:
        return f"source[{source.name}].{key}"
    return own if field is None else f"{own}.fields[{field.name}].{key}"


def _names(field: FieldSettings, name: str, agency: AgencySettings) -> bool:
    """Whether a field's `column` gives this name, itself or with a place in it."""
    if field.column is None:
        return False
    return name in {field.column.replace("{place}", place.key) for place in agency.places or ()} | {
        field.column
    }
