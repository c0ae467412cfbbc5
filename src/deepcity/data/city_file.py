"""A city file: a TOML file that describes a city's agencies, their records and how to read them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from deepcity.city.agency import Agency, City
from deepcity.city.errors import ConfigError, DataError
from deepcity.city.given_path import FOLDERS, PathKind, no_city, path_kind
from deepcity.city.place import Place
from deepcity.city.problem import Problem
from deepcity.data.config.references import reference_problems
from deepcity.data.config.settings import AgencySettings, CitySettings
from deepcity.data.config.source import SourceSettings
from deepcity.data.config.toml_file import Raw, did_you_mean, entry_name, read_toml, validate
from deepcity.data.connectors import check_source, connectors, read_columns
from deepcity.data.domains import domains
from deepcity.data.errors import ReadError
from deepcity.data.feeds.settings import FeedSettings
from deepcity.data.load import LoadedPanel, load_agency
from deepcity.data.panel import Panel
from deepcity.data.places.find_places import find_places

Used = Callable[[str, str], bool]
"""Whether the agency of a city, both by name, is used."""

_NO_CITY = {PathKind.NOTHING, PathKind.MAP, *FOLDERS}


@dataclass(frozen=True)
class CityFile:
    """A valid city file.

    Attributes:
        path: the file.
        city: the city it describes.
        settings: its content.
        sources: its sources by name.
        awaited: agency -> why its records cannot be read yet, where that was allowed for.
    """

    path: Path
    city: City
    settings: CitySettings
    sources: Mapping[str, SourceSettings]
    awaited: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)


def load_city(path: Path | str, used: Used | None = None, *, later: bool = False) -> CityFile:
    """Read one city file.

    Args:
        used, later: as `check_city` takes them.

    Raises:
        ConfigError: with every problem of the file at once.
    """
    city_file, problems = check_city(path, used, later=later)
    if city_file is None:
        raise ConfigError(problems)
    return city_file


def check_city(
    path: Path | str, used: Used | None = None, *, later: bool = False
) -> tuple[CityFile | None, list[Problem]]:
    """Read one city file; problems are returned, so that those of several files can be joined.

    Args:
        used: where given, places of other agencies are not looked for in their records: they
            have none, until their panel is loaded.
        later: records that are not there may come later: this is no problem then, and
            `CityFile.awaited` says whose they are.
    """
    path = Path(path)
    if path_kind(path) in _NO_CITY:
        return None, [Problem(path.name, "path", str(path), *no_city(path))]
    raw, problems = read_toml(path)
    return (None, problems) if raw is None else check_raw(raw, path, used, later=later)


def check_raw(
    raw: Raw, path: Path, used: Used | None = None, *, later: bool = False
) -> tuple[CityFile | None, list[Problem]]:
    """Check the content of a city file; `path` itself need not exist."""
    file = path.name
    settings, problems = validate(CitySettings, raw, file)
    sources, source_problems, absent = _sources(raw, file, path.parent)
    problems += (
        source_problems + reference_problems(raw, file, _feeds()) + _domain_problems(raw, file)
    )
    if not later:
        problems += absent.values()
    if settings is None or problems:
        return None, problems
    absent |= _without_rows(sources, path) if later else {}
    city, problems, awaited = _city(settings, sources, file, path.parent, used, absent)
    return (None, problems) if problems else (CityFile(path, city, settings, sources, awaited), [])


def _without_rows(sources: Mapping[str, SourceSettings], path: Path) -> dict[str, Problem]:
    """Feeds of which no row has come yet."""
    found = {}
    for name, source in sources.items():
        if isinstance(source, FeedSettings):
            try:
                read_columns(source, path.parent)
            except ReadError as error:
                key = f"source[{name}]"
                found[name] = Problem(path.name, key, None, error.reason, error.right)
    return found


def _feeds() -> list[str]:
    """Formats whose rows come to a running city."""
    return [name for name, one in connectors().items() if issubclass(one.settings, FeedSettings)]


def load_panel(city_file: CityFile, agency_name: str) -> Panel:
    """One agency's panel.

    Raises:
        KeyError: if the city has no such agency.
        DataError: with every problem of its records at once.
    """
    return load_with_findings(city_file, agency_name).panel


def empty_panel(city_file: CityFile, agency_name: str) -> Panel:
    """A panel of an agency's places and fields, without any step.

    Raises:
        KeyError: if the city has no such agency.
    """
    agency = city_file.city.agency(agency_name)
    settings = next(entry for entry in city_file.settings.agency if entry.name == agency_name)
    clock = city_file.city.clock
    if settings.step is not None:
        clock = replace(clock, step=settings.step)
    shape = (0, len(agency.places), len(agency.fields))
    nothing_T, nothing_TNF = np.zeros(0, np.int64), np.zeros(shape, np.float32)
    return Panel(clock, nothing_T, agency.places, agency.fields, nothing_TNF)


def load_with_findings(city_file: CityFile, agency_name: str) -> LoadedPanel:
    """One agency's panel, with everything noticed, masked or dropped while loading it.

    Raises:
        KeyError: if the city has no such agency.
        DataError: with every problem of its records at once.
    """
    agency = city_file.city.agency(agency_name)
    settings = next(entry for entry in city_file.settings.agency if entry.name == agency_name)
    folder = city_file.path.parent
    if not agency.places:
        places, problems = find_places(settings, city_file.sources, city_file.path.name, folder)
        if problems:
            raise DataError(problems)
        agency = replace(agency, places=places)
    clock, name = city_file.city.clock, city_file.path.name
    return load_agency(agency, settings, city_file.sources, folder, clock, name)


def _domain_problems(raw: Raw, file: str) -> list[Problem]:
    """Each agency's domain must be a file of `deepcity.data.domains`."""
    problems: list[Problem] = []
    known = list(domains())
    entries = raw.get("agency")
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        name = entry.get("domain") if isinstance(entry, Mapping) else None
        if isinstance(name, str) and name not in known:
            key = f"agency[{entry_name(entry, index)}].domain"
            reason = "not one of the known values"
            problems.append(Problem(file, key, name, reason, did_you_mean(name, known)))
    return problems


def _sources(
    raw: Raw, file: str, folder: Path
) -> tuple[dict[str, SourceSettings], list[Problem], dict[str, Problem]]:
    """Each source, checked by the settings of its format, and those whose records are absent."""
    sources: dict[str, SourceSettings] = {}
    problems: list[Problem] = []
    absent: dict[str, Problem] = {}
    entries = raw.get("source", [])
    if not isinstance(entries, list):
        right = "write each source as a [[source]] table"
        return {}, [Problem(file, "source", None, "not a list of tables", right)], {}
    for index, entry in enumerate(entries):
        prefix = f"source[{entry_name(entry, index)}]"
        source, found = _source(entry, file, prefix)
        problems += found
        if source is not None:
            sources[source.name] = source
            missing = _absence(source, file, prefix, folder)
            absent |= {} if missing is None else {source.name: missing}
    return sources, problems, absent


def _source(entry: object, file: str, prefix: str) -> tuple[SourceSettings | None, list[Problem]]:
    form = entry.get("format") if isinstance(entry, Mapping) else None
    connector = connectors().get(form) if isinstance(form, str) else None
    if connector is None:
        reason = "missing" if form is None else "not a known format"
        right = did_you_mean(str(form), list(connectors()))
        return None, [Problem(file, f"{prefix}.format", form, reason, right)]
    return validate(connector.settings, entry, file, prefix)


def _absence(source: SourceSettings, file: str, prefix: str, folder: Path) -> Problem | None:
    """Why the file or database of a source cannot be read."""
    try:
        check_source(source, folder)
    except ReadError as error:
        return Problem(file, f"{prefix}.{error.key}", error.value, error.reason, error.right)
    return None


def _city(
    settings: CitySettings,
    sources: Mapping[str, SourceSettings],
    file: str,
    folder: Path,
    used: Used | None,
    absent: Mapping[str, Problem],
) -> tuple[City, list[Problem], dict[str, tuple[Problem, ...]]]:
    """The city, what is wrong with it, and agencies that wait for absent sources."""
    agencies: list[Agency] = []
    problems: list[Problem] = []
    awaited: dict[str, tuple[Problem, ...]] = {}
    for entry in settings.agency:
        known = used is None or used(settings.name, entry.name)
        agency, found = _agency(entry, sources, file, folder, find=known)
        agencies.append(agency)
        lacking = [absent[name] for name in _source_names(entry) if name in absent]
        if lacking:
            awaited[entry.name] = tuple(lacking)
        else:
            problems += found
    clock = settings.clock.value()
    city = City(settings.name, settings.title.value(), clock, tuple(agencies))
    return city, problems, awaited


def _source_names(settings: AgencySettings) -> list[str]:
    """Every source that an agency reads, each once."""
    tables = (settings.places_from, settings.adjacency)
    names = [one.source for one in settings.fields]
    return list(dict.fromkeys([*names, *(one.source for one in tables if one is not None)]))


def _agency(
    settings: AgencySettings,
    sources: Mapping[str, SourceSettings],
    file: str,
    folder: Path,
    *,
    find: bool,
) -> tuple[Agency, list[Problem]]:
    places: tuple[Place, ...] = ()
    problems: list[Problem] = []
    if find:
        places, problems = find_places(settings, sources, file, folder)
    default = domains()[settings.domain].sensitivity
    fields = tuple(field.value(default) for field in settings.fields)
    title = settings.title.value()
    return Agency(settings.name, title, settings.domain, places, fields), problems
