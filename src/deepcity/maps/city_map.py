"""The Inter-City Application Map: which party takes part in which service, how deep.

One TOML file names the city files and the services; it is validated together with every
city it names, and all problems of all files are reported at once.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from pydantic.main import IncEx

from deepcity.applications.application import Application, applications
from deepcity.city.agency import Agency
from deepcity.city.errors import ConfigError
from deepcity.city.field import Field
from deepcity.city.given_path import FOLDERS, PathKind, no_map, path_kind
from deepcity.city.localized_text import LocalizedText
from deepcity.city.problem import Problem
from deepcity.data.city_file import CityFile, Used, check_city
from deepcity.data.config.renamed_keys import with_new_keys
from deepcity.data.config.toml_file import Raw, did_you_mean, read_toml, salvage, validate
from deepcity.exchange.strategies import strategies_with, strategy
from deepcity.maps.aggregation_checks import aggregation_problems
from deepcity.maps.city_policy import policy_problems
from deepcity.maps.limit_checks import limit_problems
from deepcity.maps.map_settings import MapSettings, ServiceSettings
from deepcity.maps.privacy_checks import privacy_problems, shared_record_problems
from deepcity.maps.schedule_checks import schedule_problems
from deepcity.maps.vertical_checks import encoder_problems, vertical_problems

_GRANTED: Mapping[str, IncEx | bool] = {
    "truths": True,
    "purpose": True,
    "party": {"__all__": {"truths": True}},
}
_SHOWN: Mapping[str, IncEx | bool] = {"service": {"__all__": {"grant": _GRANTED}}}
"""Settings of what results show; they change nothing in the run itself."""
_POLICY_LINE = re.compile(rb"^policy[ \t]*=[^\n]*\n?", re.MULTILINE)
"""Of a city file: a policy may come to a run, and change while it lasts."""
_NO_MAP = {PathKind.NOTHING, PathKind.CITY, *FOLDERS}


@dataclass(frozen=True)
class Member:
    """A party of a service: one agency of one city, and one field of it.

    Attributes:
        names_field: whether the map names the field of this party, not only the service's.
    """

    city_file: CityFile
    agency: Agency
    field: str
    names_field: bool = False

    @property
    def name(self) -> str:
        """``city/agency``, or ``city/agency:field`` where the map names it so; unique in a map."""
        name = f"{self.city_file.city.name}/{self.agency.name}"
        return f"{name}:{self.field}" if self.names_field else name


@dataclass(frozen=True)
class Service:
    """A service with its application and members."""

    settings: ServiceSettings
    application: Application
    members: tuple[Member, ...]

    def title_of(self, member: Member) -> LocalizedText:
        """What a report calls a party: its agency, with the city or field that tells it apart."""
        title = member.agency.title
        namesakes = [one for one in self.members if one.agency.title == title]
        if len({one.city_file.city.name for one in namesakes}) > 1:
            city = member.city_file.city.title
            title = LocalizedText(f"{city.en}, {title.en}", f"{city.ko} {title.ko}")
        if sum(one.agency is member.agency for one in self.members) > 1:
            title = LocalizedText(f"{title.en}: {member.field}", f"{title.ko}: {member.field}")
        return title


@dataclass(frozen=True)
class CityMap:
    """A valid map."""

    path: Path
    settings: MapSettings
    services: tuple[Service, ...]
    cities: tuple[CityFile, ...]

    def fingerprint(self) -> str:
        """SHA-256 of everything a run depends on; a run resumes only under the same."""
        settings = self.settings.model_dump_json(exclude=_SHOWN)
        digest = hashlib.sha256(settings.encode())
        for city_file in self.cities:
            digest.update(_POLICY_LINE.sub(b"", city_file.path.read_bytes()))
        for service in self.services:
            if service.settings.reuse is not None:  # a package's name holds its content's hash
                digest.update(service.settings.reuse.package.encode())
        return digest.hexdigest()


def load_map(path: Path | str, *, only_used: bool = False, later: bool = False) -> CityMap:
    """Read a map file and the city files it names.

    Args:
        only_used: places of agencies that are no party are not looked for in their records.
        later: records may be elsewhere, or come later: that is no problem then.

    Keys under their names of 0.1 are read too, each with a `RenamedWarning`.

    Raises:
        ConfigError: with every problem of all these files.
    """
    path = Path(path)
    if path_kind(path) in _NO_MAP:
        raise ConfigError([Problem(path.name, "path", str(path), *no_map(path))])
    raw, problems = read_toml(path)
    settings = None
    if raw is not None:
        raw, doubled = with_new_keys(raw, path.name)
        settings, problems = validate(MapSettings, raw, path.name)
        problems = [*doubled, *problems]
    if settings is None or problems:
        raise ConfigError([*problems, *_more_problems(path, raw)])
    used = _used(settings) if only_used else None
    city_files, problems = _cities(path, settings.cities, used, later=later)
    if problems:  # parties of files that could not be read cannot be checked
        raise ConfigError([*problems, *_doubles(path.name, settings, city_files)])
    services = [_service(path.name, wanted, city_files, problems) for wanted in settings.service]
    problems += _doubles(path.name, settings, city_files)
    problems += shared_record_problems(
        path.name,
        [(one.settings, [member.name for member in one.members]) for one in services if one],
    )
    if problems:
        raise ConfigError(problems)
    found = tuple(service for service in services if service is not None)
    return CityMap(path, settings, found, tuple(city_files))


def _more_problems(path: Path, raw: Raw | None) -> list[Problem]:
    """Further problems of an invalid map: those of its cities and parties."""
    if raw is None:
        return []
    right = salvage(MapSettings, raw)
    if right is None:
        return _problems_of_cities(path, raw.get("cities", []))
    city_files, problems = _cities(path, right.cities)
    if problems:
        return problems
    for wanted in right.service:
        _service(path.name, wanted, city_files, problems)
    problems += _doubles(path.name, right, city_files)
    # an invalid list of fields was dropped, which means all fields: not reported again
    return [problem for problem in problems if not problem.key.endswith(".fields")]


def _problems_of_cities(path: Path, named: object) -> list[Problem]:
    """Problems of the city files that an unreadable map still names."""
    if not isinstance(named, list):
        return []
    return _cities(path, [name for name in named if isinstance(name, str)])[1]


def _used(settings: MapSettings) -> Used | None:
    """Which agencies are parties; None: a vertical service may need any."""
    if any(service.vertical is not None for service in settings.service):
        return None
    patterns = [one.partition(":")[0] for service in settings.service for one in service.parties]
    return lambda city, agency: any(fnmatchcase(f"{city}/{agency}", one) for one in patterns)


def _cities(
    path: Path, names: Sequence[str], used: Used | None = None, *, later: bool = False
) -> tuple[list[CityFile], list[Problem]]:
    found, problems = [], []
    for name in names:
        city_file, reasons = check_city(path.parent / name, used, later=later)
        problems += reasons
        if city_file is not None:
            found.append(city_file)
            problems += policy_problems(city_file)
    return found, problems


def _doubles(file: str, settings: MapSettings, city_files: Sequence[CityFile]) -> list[Problem]:
    services = Counter(service.name for service in settings.service)
    cities = Counter(city_file.city.name for city_file in city_files)
    return [
        Problem(file, f"service[{name}].name", name, "used twice", "give each service its own name")
        for name, count in services.items()
        if count > 1
    ] + [
        Problem(file, "cities", name, "two city files have this name", "name each city once")
        for name, count in cities.items()
        if count > 1
    ]


def _service(
    file: str, settings: ServiceSettings, city_files: list[CityFile], problems: list[Problem]
) -> Service | None:
    """The service with its members; adds what is wrong with it to `problems`."""
    key = f"service[{settings.name}]"
    application = applications().get(settings.application)
    if application is None:
        right = did_you_mean(settings.application, sorted(applications()))
        problems.append(
            Problem(file, f"{key}.application", settings.application, "unknown application", right)
        )
    problems += _strategy_problems(file, key, settings)
    members = _members(file, key, settings, city_files, problems)
    problems += aggregation_problems(file, key, settings, [member.name for member in members])
    problems += schedule_problems(file, key, settings, [member.name for member in members])
    policies = {one.name: one.city_file.settings.policy is not None for one in members}
    problems += limit_problems(file, key, settings, policies)
    problems += privacy_problems(file, key, settings)
    problems += _unknown_parties(file, key, settings, members)
    problems += _nobody_left(file, key, settings, members)
    if settings.vertical is not None:
        cities = list(dict.fromkeys(member.city_file.city.name for member in members))
        problems += encoder_problems(file, key, settings.vertical, cities)
    for member in members:
        problems += _field_problems(file, key, application, member)
        if settings.vertical is not None:
            city, party = member.city_file, member.name.partition(":")[0]
            problems += vertical_problems(file, key, settings.vertical, city, party, member.field)
    if application is None or not members:
        return None
    return Service(settings, application, tuple(members))


def _strategy_problems(file: str, key: str, settings: ServiceSettings) -> list[Problem]:
    """Settings that the strategy does not have, or that are out of range."""
    chosen = settings.strategy
    if chosen.name is None:
        reason = "it is a setting of a strategy, and the map names none"
        return [
            Problem(file, f"{key}.strategy.{setting}", value, reason, _naming(setting))
            for setting, value in chosen.values().items()
        ]
    try:
        strategy(chosen.name, **chosen.values())
    except ConfigError as error:
        return [
            Problem(file, f"{key}.strategy.{wrong.key}", wrong.value, wrong.reason, wrong.right)
            for wrong in error.problems
        ]
    return []


def _naming(setting: str) -> str:
    names = " or ".join(f'"{one}"' for one in strategies_with(setting))
    return f"write name = {names} too, or leave {setting} out"


def _members(
    file: str,
    key: str,
    settings: ServiceSettings,
    city_files: list[CityFile],
    problems: list[Problem],
) -> list[Member]:
    """Every agency that matches a pattern; with "*" only those that have the field."""
    chosen: dict[str, Member] = {}
    for pattern in settings.parties:
        wanted, _, field = pattern.partition(":")
        known = [
            Member(city, agency, field or settings.field, names_field=bool(field))
            for city in city_files
            for agency in city.city.agencies
        ]
        names = {member.name: member.name.partition(":")[0] for member in known}
        matches = [member for member in known if fnmatchcase(names[member.name], wanted)]
        if "*" in wanted:
            matches = [member for member in matches if _has(member.agency, member.field)]
        if not matches:
            right = did_you_mean(wanted, list(names.values()))
            problems.append(Problem(file, f"{key}.parties", pattern, "names no agency", right))
        chosen.update({member.name: member for member in matches})
    return list(chosen.values())


def _has(agency: Agency, field: str) -> bool:
    return any(known.name == field for known in agency.fields)


def _unknown_parties(
    file: str, key: str, settings: ServiceSettings, members: list[Member]
) -> list[Problem]:
    names = [member.name for member in members]
    mentioned: dict[str, Iterable[str]] = {
        "grant.party": settings.grant.party,
        "span.scarce": settings.span.scarce,
        "newcomers": settings.newcomers,
        "windows": settings.windows,
        "participation.joins": settings.participation.joins,
        "participation.leaves": settings.participation.leaves,
        "strategy.round_seconds": settings.strategy.round_seconds,
    }
    reason = "not a party of this service"
    return [
        Problem(file, f"{key}.{where}", name, reason, did_you_mean(name, names))
        for where, found in mentioned.items()
        for name in found
        if name not in names
    ]


def _nobody_left(
    file: str, key: str, settings: ServiceSettings, members: list[Member]
) -> list[Problem]:
    """A newcomer needs members to start from, and joins after their last round."""
    where, newcomers = f"{key}.newcomers", list(settings.newcomers)
    if newcomers and {member.name for member in members} <= set(newcomers):
        reason = "all parties are newcomers, so no layers are trained to start from"
        return [Problem(file, where, newcomers, reason, "leave out at least one party")]
    timed = {*settings.participation.joins, *settings.participation.leaves}
    reason = "a newcomer takes part in no round, so it cannot join or leave in one"
    right = "take it out of newcomers, or of participation"
    return [Problem(file, where, name, reason, right) for name in newcomers if name in timed]


def _field_problems(
    file: str, key: str, application: Application | None, member: Member
) -> list[Problem]:
    """A field that is missing, or whose kind or unit the application cannot forecast."""
    where = f"{key}.parties" if member.names_field else f"{key}.field"
    for field in member.agency.fields:
        if field.name == member.field:
            if application is None or application.target_of(field) is not None:
                return []
            reason, right = _misfit(application, field)
            return [Problem(file, where, member.field, f"{reason} ({member.name})", right)]
    right = did_you_mean(member.field, [field.name for field in member.agency.fields])
    return [Problem(file, where, member.field, f"{member.name} has no such field", right)]


def _misfit(application: Application, field: Field) -> tuple[str, str]:
    """Why an application cannot forecast a field, and what to do."""
    units = [target.unit for target in application.targets if target.kind is field.kind]
    if not units:
        reason = f"{application.name} cannot forecast a {field.kind}"
        return reason, f"choose a field of kind {', '.join(application.kinds)}"
    reason = f"{application.name} forecasts a {field.kind} in {' or '.join(units)}; "
    reason += f"{field.unit} is another quantity"
    return reason, "choose another field, or an application for this one"
