"""What `deepcity up` is given, read and checked before long work: all problems at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from deepcity.city.errors import ConfigError
from deepcity.cli.account import load_people, load_provider
from deepcity.cli.progress_bars import errors
from deepcity.cli.running.doors import check_doors
from deepcity.cli.running.problems import Problems, check_runs, read_city
from deepcity.cli.running.receiving import read_access
from deepcity.cli.running.store_url import store_url

if TYPE_CHECKING:
    from deepcity.data.city_file import CityFile
    from deepcity.live.access import Access
    from deepcity.live.casework.other_cities import OtherCities
    from deepcity.web.control.accounts.accounts import Accounts
    from deepcity.web.control.oidc.settings import OidcSettings


@dataclass(frozen=True)
class GivenPaths:
    """Files and folders that the command line names, and the URL of a store."""

    city: Path
    runs: Sequence[Path]
    accounts: Path | None
    oidc: Path | None
    access: Path | None
    certificate: Path | None
    key: Path | None
    store: str | None = None
    store_password: Path | None = None
    cities: Path | None = None


@dataclass(frozen=True)
class CheckedCity:
    """A city that can be started, who may log in and send deep data, the store named, if any, with
    its password, and other cities that searches may ask.
    """

    city_file: "CityFile"
    people: "Accounts | None"
    provider: "OidcSettings | None"
    allowed: "Access | None"
    store: str | None
    cities: "OtherCities | None" = None


def check_given(
    given: GivenPaths, host: str, port: int, keep_days: int | None, *, replay: bool
) -> CheckedCity:
    """Read all that is named, the city file first; say whose records are still to come.

    Raises:
        ConfigError: with every problem of it all.
    """
    problems = Problems()
    later = not replay or given.access is not None  # whose records may come later is known below
    city_file = problems.of(partial(read_city, given.city, later=later))
    problems.of(partial(check_runs, given.runs))
    people = problems.of(partial(load_people, given.accounts))
    provider = problems.of(partial(load_provider, given.oidc))
    allowed = problems.of(partial(read_access, given.access, keep_days))
    if replay and city_file is not None and allowed is not None:
        problems.of(partial(_check_recorded, city_file, allowed))
    store = problems.of(partial(store_url, given.store, given.store_password))
    cities = None if given.cities is None else problems.of(partial(_read_cities, given.cities))
    known = given.accounts or given.oidc
    problems.of(partial(check_doors, host, port, known, given.certificate, given.key))
    problems.refuse()
    assert city_file is not None
    _print_awaited(city_file, allowed)
    access = None if allowed is None else allowed.for_city(city_file.city.name)
    return CheckedCity(city_file, people, provider, access, store, cities)


def _read_cities(path: Path) -> "OtherCities":
    from deepcity.live.casework.other_cities import read_other_cities

    return read_other_cities(path)


def _check_recorded(found: "CityFile", access: "Access") -> None:
    """See that a replay has the records of all agencies that do not send deep data.

    Raises:
        ConfigError: with every problem of those that are not there.
    """
    sending = {one.name for one in access.agency}
    lacking = [why for name, why in found.awaited.items() if name not in sending]
    if lacking:
        raise ConfigError([problem for one in lacking for problem in one])


def _print_awaited(found: "CityFile", access: "Access | None") -> None:
    """Name the records that have not come yet.

    Args:
        access: names agencies that send deep data, and may have no records here.
    """
    sending = set() if access is None else {one.name for one in access.agency}
    for agency, lacking in found.awaited.items():
        for problem in () if agency in sending else lacking:
            errors.print(f"{agency} waits for its records: {problem}", style="yellow", markup=False)
