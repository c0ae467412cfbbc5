"""A map as machines train it: read without others' records, checked, and which sites it needs."""

from collections.abc import Sequence
from pathlib import Path

from deepcity.city.errors import CheckpointError, ConfigError, ExchangeError
from deepcity.data.config.toml_file import did_you_mean
from deepcity.exchange.flare.identities import known_sites
from deepcity.exchange.flare.kits import FederationFile
from deepcity.exchange.flare.task import VERTICAL_METHOD, sites_for
from deepcity.intercity.starting_package import starting_package
from deepcity.maps.city_map import CityMap, Member, Service, load_map
from deepcity.maps.map_settings import ServiceSettings
from deepcity.maps.vertical_checks import unsupported_settings


def map_on_machine(path: Path) -> CityMap:
    """A map as one machine of a federation reads it: records of others are elsewhere.

    Raises:
        ConfigError: with every problem of the map and its city files.
    """
    return load_map(path, only_used=True, later=True)


def map_of_federation(folder: Path, federation: FederationFile) -> CityMap:
    """The map of a federation's folder, which machines can train.

    Raises:
        CheckpointError: if the folder names none.
        ConfigError: with every problem of the map and its city files.
        ExchangeError: if a service asks for what is not there between machines.
        LayerPackageError: if a package to start from cannot be trusted, or lacks layers.
    """
    if not federation.map:
        raise CheckpointError(
            f"{folder} names no map; make it with: deepcity federation new {folder} --map FILE"
        )
    city_map = map_on_machine(folder / federation.map)
    check_services(city_map)
    for service in city_map.services:
        starting_package(city_map, service)
    _check_identities(folder, federation, city_map)
    return city_map


def check_services(city_map: CityMap) -> None:
    """Refuse a map with a service that machines cannot train.

    Raises:
        ConfigError: with the settings of a service that vertical training does not support.
        ExchangeError: what is missing and the next step.
    """
    for service in city_map.services:
        check_service(service)
    problems = [
        problem
        for service in city_map.services
        if service.settings.vertical is not None
        for problem in unsupported_settings(city_map.path.name, service.settings)
    ]
    if problems:
        raise ConfigError(problems)


def check_service(service: Service) -> None:
    """Refuse a service that asks for what is not there between machines.

    Raises:
        ExchangeError: what is missing and the next step.
    """
    settings, vertical = service.settings, service.settings.vertical
    if vertical is None:
        return
    if vertical.labels_stay:
        raise ExchangeError(
            f"{settings.name} asks for an application apart from its labels, which would lie at "
            f"the hub; between machines it lies at its party's site. Write labels_stay = false, or "
            f"train it in one process with `deepcity train-vertical`"
        )


def vertical_name(service: str) -> str:
    """Name of a service's vertical training, as its sites are asked for it."""
    return f"{service}.{VERTICAL_METHOD}"


def agencies_of(service: Service, member: Member) -> list[str]:
    """Names of the agencies that help a party, with their city's, in the order of the map."""
    vertical, city = service.settings.vertical, member.city_file.city.name
    return [f"{city}/{one.agency}" for one in vertical.agency] if vertical else []


def ledger_names(city_map: CityMap) -> tuple[str, ...]:
    """All who keep a release ledger in a federation: parties, and agencies that help them."""
    return tuple(
        sorted(
            {
                name
                for service in city_map.services
                for member in service.members
                for name in (member.name, *agencies_of(service, member))
            }
        )
    )


def _check_identities(folder: Path, federation: FederationFile, city_map: CityMap) -> None:
    """Refuse secure sums among sites that do not know each other's identities."""
    secure = [one.settings.name for one in city_map.services if is_secure(one.settings)]
    sites = {*federation.sites} - {*federation.revoked}
    if secure and (unknown := sorted(sites - known_sites(folder))):
        raise ExchangeError(
            f"{', '.join(secure)} asks for secure sums, and {', '.join(unknown)} have no identity: "
            f"their kits are of an earlier version. Make the federation anew, or write "
            f'strategy.aggregation = "plain" and let the coordinator see each party\'s layers'
        )


def is_secure(settings: ServiceSettings) -> bool:
    """Whether layers leave in secure sums only."""
    return settings.strategy.aggregation == "secure"


def check_site_names(names: Sequence[str], city_map: CityMap) -> None:
    """Refuse names of sites that would answer for nobody in a map.

    Raises:
        ExchangeError: naming each, and the sites that the map can have, cities first.
    """
    possible = [
        sites_for(name)
        for service in city_map.services
        for member in service.members
        for name in (member.name, *agencies_of(service, member))
    ]
    cities = sorted({city for _, _, city in possible})
    known = [*cities, *sorted({name for party in possible for name in party} - {*cities})]
    if unknown := [name for name in names if name not in known]:
        raise ExchangeError(
            f"{', '.join(map(repr, unknown))} would answer for no party of {city_map.path}: "
            f"{did_you_mean(unknown[0], known)}"
        )
