"""What `deepcity counts` is asked for: checked, every problem at once, and the table counted."""

import secrets
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path

from pydantic_core import PydanticCustomError

from deepcity.city.errors import ConfigError, DataError
from deepcity.city.problem import Problem
from deepcity.data.city_file import CityFile, load_city
from deepcity.data.config.duration import parse_duration
from deepcity.data.config.toml_file import did_you_mean
from deepcity.data.counting.count_table import TableCounts, count_table
from deepcity.data.counting.public_areas import PublicAreas, read_areas
from deepcity.data.counting.time_bins import TimeBins
from deepcity.data.counting.unit_table import TableColumns
from deepcity.data.findings import IssueLog
from deepcity.maps.city_policy import PolicyOrigin, policy_origin, shared_policy
from deepcity.parties.releases.counts_release import CountsRelease
from deepcity.privacy.counts.bounded import bounded_counts
from deepcity.privacy.counts.terms import CountTerms
from deepcity.store.run_folder import site_folder

MOST_CELLS = 10_000_000
"""Areas x times: 80 MB, and some minutes of one core for their noise."""
_COMMAND = "deepcity counts"


@dataclass(frozen=True)
class CountsOptions:
    """The options of the command that say what is counted, and under which terms."""

    table: Path
    areas: Path
    by: tuple[str, ...]
    time: tuple[str, ...]
    time_format: str | None
    first: date
    last: date
    every: str
    epsilon: float
    k: int
    per_unit: int
    unit: str | None


@dataclass(frozen=True)
class CityRelease:
    """A release of a city's agency, and the city's time zone."""

    counts: CountsRelease
    time_zone: str


def release_of(
    city: Path,
    agency: str,
    whom: tuple[tuple[str, ...], str, str],
    asked: CountsOptions,
    site: Path | None,
) -> CityRelease:
    """The release that is asked for; nothing is read of the table yet.

    Args:
        whom: recipients, service and purpose.

    Raises:
        ConfigError: with every problem of the options and of the city file.
    """
    loaded = load_city(city, used=lambda _city, _agency: False, later=True)
    origin, problems = policy_origin(loaded), list[Problem]()
    zone = loaded.settings.clock.time_zone
    if origin is None:
        right = 'write policy = "policy.toml" above its first table, and a [[grant]] there'
        reason = "the city names none, and counts leave by a grant alone"
        problems.append(Problem(city.name, "policy", None, reason, right))
    known = [one.name for one in loaded.settings.agency]
    if agency not in known:
        reason = f"{loaded.city.name} has no such agency"
        problems.append(_wrong("--agency", agency, reason, did_you_mean(agency, known)))
    terms = _terms(asked, problems)
    _bins(asked, zone, problems)
    if terms is None or origin is None or problems:
        raise ConfigError(problems)
    return CityRelease(_release(loaded, origin, agency, whom, terms, site), zone)


def _release(
    loaded: CityFile,
    origin: PolicyOrigin,
    agency: str,
    whom: tuple[tuple[str, ...], str, str],
    terms: CountTerms,
    site: Path | None,
) -> CountsRelease:
    name = loaded.city.name
    own = site_folder(loaded.path.parent, f"{name}/{agency}")
    folder = own if site is None else site
    return CountsRelease(shared_policy(origin), name, agency, folder, *whom, terms)


def _terms(asked: CountsOptions, problems: list[Problem]) -> CountTerms | None:
    if asked.unit is None and asked.per_unit != 1:
        right = "name --unit, the column of who or what is counted, or leave --per-unit out"
        problems.append(_wrong("--per-unit", asked.per_unit, "a row counts once", right))
    try:
        return CountTerms(asked.epsilon, asked.k, asked.per_unit, asked.unit or "row")
    except ValueError as error:
        right = "correct --epsilon, --k, --per-unit or --unit"
        problems.append(_wrong("terms", None, str(error), right))
        return None


def time_bins(asked: CountsOptions, zone: str) -> TimeBins:
    """The bins that are asked for; `release_of` has checked them."""
    problems: list[Problem] = []
    found = _bins(asked, zone, problems)
    if found is None:
        raise ConfigError(problems)
    return found


def _bins(asked: CountsOptions, zone: str, problems: list[Problem]) -> TimeBins | None:
    try:
        every = parse_duration(asked.every)
    except PydanticCustomError:
        right = "write a whole number and s, min, h or d, e.g. 1h"
        problems.append(_wrong("--every", asked.every, "not a duration", right))
        return None
    try:
        return TimeBins.over(asked.first, asked.last, every, zone, MOST_CELLS)
    except ValueError as error:
        right = "correct --from, --until or --every"
        problems.append(_wrong("--every", asked.every, str(error), right))
        return None


def counted(asked: CountsOptions, bins: TimeBins) -> tuple[PublicAreas, TableCounts]:
    """The public areas, and the table's true counts in them.

    Raises:
        DataError: with every problem of the list and of the table.
    """
    issues = IssueLog(asked.areas.name)
    listed = read_areas(asked.areas, asked.by, MOST_CELLS // bins.count, issues)
    columns = TableColumns(asked.by, asked.time, asked.unit, asked.time_format)
    bound = partial(bounded_counts, most=asked.per_unit, secret=secrets.randbits(63))
    seeds = secrets.randbits(63), secrets.randbits(63)
    try:
        found = count_table(asked.table, columns, listed, bins, bound=bound, seeds=seeds)
    except DataError as error:
        found_wrong = [*issues.problems, *map(_by_option, error.problems)]
        raise DataError(found_wrong) from None
    if issues.problems:
        raise DataError(issues.problems)
    return listed, found


def _by_option(problem: Problem) -> Problem:
    """A problem of a table, whose settings are options here and not keys of a city file."""
    key, right = (
        one.replace("time.format", "--time-format") for one in (problem.key, problem.right)
    )
    return replace(problem, key=key, right=right)


def _wrong(key: str, value: object, reason: str, right: str) -> Problem:
    return Problem(_COMMAND, key, value, reason, right)
