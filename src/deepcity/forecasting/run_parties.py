"""The parties whose forecasters a folder holds, each with the records to forecast from.

The folder is that of a run, which knows its map; or a site's own, carried elsewhere, beside which
the map or the city file must be given.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from deepcity.city.errors import CheckpointError, ConfigError
from deepcity.city.given_path import no_run
from deepcity.city.problem import Problem
from deepcity.data.city_file import CityFile, load_city, load_panel
from deepcity.data.config.toml_file import did_you_mean
from deepcity.data.panel import Panel
from deepcity.forecasting.forecaster import Forecaster
from deepcity.maps.city_map import CityMap, Member, Service, load_map
from deepcity.parties.party import select_span
from deepcity.parties.weather import weather_of
from deepcity.runs.identity import map_of_run
from deepcity.runs.update.forecaster_bundle import FOLDER, BundleStore, saved_forecasters
from deepcity.store.run_folder import is_whole_run, recorded_map, site_folder


@dataclass(frozen=True)
class RunParty:
    """One party of one service.

    Attributes:
        folder: of the run, or of the site.
        service, party: as the map names them.
        city_file, agency: whose records it forecasts from.
        of_map: its service and itself there; None where only a city file was given.
    """

    folder: Path
    service: str
    party: str
    city_file: CityFile
    agency: str
    of_map: tuple[Service, Member] | None = None

    def open(self) -> Forecaster:
        """Its forecaster, without rows.

        Raises:
            CheckpointError: if there is none, or it is damaged.
        """
        return Forecaster.load(self.folder, self.service, self.party)

    def saved(self) -> int | None:
        """The number of its newest saved forecaster: another one once an update has saved it."""
        return BundleStore.of(self.site).newest(self.service, self.party)

    @property
    def site(self) -> Path:
        """The folder of its site."""
        return (
            self.folder if (self.folder / FOLDER).is_dir() else site_folder(self.folder, self.party)
        )

    def panel(self) -> Panel:
        """Its records as they are now.

        Raises:
            DataError: with every problem of them.
        """
        return self.of_service(load_panel(self.city_file, self.agency))

    def of_service(self, panel: Panel) -> Panel:
        """The part of its agency's records that the service uses."""
        if self.of_map is None:
            return panel
        span = self.of_map[0].settings.span.model_copy(update={"end": None})
        return select_span(panel, span)

    def attach(self, forecaster: Forecaster, panel: Panel) -> Forecaster:
        """The forecaster with these rows, and the weather of its city."""
        if self.of_map is None:
            return forecaster.attach(panel, None)
        return forecaster.attach(panel, partial(weather_of, *self.of_map))


def find_parties(
    folder: Path,
    *,
    map_file: Path | None = None,
    city_file: Path | None = None,
    later: bool = False,
) -> list[RunParty]:
    """The parties of a run, or of a site's folder.

    Args:
        map_file: where the run's folder does not know it any more.
        city_file: instead of a map, of a site's folder.
        later: records may be elsewhere, or come later: that is no problem then.

    Raises:
        CheckpointError: if the folder holds no forecaster, or its map is not found.
        ConfigError: with every problem of the map or city file.
    """
    saved = saved_forecasters(folder)
    if not saved:
        lacking = f"it holds no forecaster (no sites/*/{FOLDER}/*.checkpoint)"
        raise CheckpointError("{}: {}; {}".format(folder, *no_run(folder, lacking)))
    if city_file is not None:
        names = {party.partition(":")[0] for _, party in saved}
        city = load_city(city_file, lambda city, agency: f"{city}/{agency}" in names, later=later)
        found = _of_city(folder, city, saved)
    else:
        found = _of_map(folder, map_of(folder, map_file, later=later))
        found = [one for one in found if is_whole_run(folder) or (one.service, one.party) in saved]
        if not found:
            own = ", ".join(f"{party} in {name}" for name, party in saved)
            msg = f"{folder} holds {own}, which the map does not name; name its own with --map"
            raise CheckpointError(msg)
    return found


def map_of(folder: Path, map_file: Path | None, *, later: bool = False) -> CityMap:
    """The map of the run in a folder.

    Args:
        later: as of `find_parties`; always where the folder holds sites that were carried here.

    Raises:
        CheckpointError: if it is not found, or is another one.
        ConfigError: with every problem of it.
    """
    path = map_file or recorded_map(folder)
    if path is None:
        msg = (
            f"{folder} does not know where its map is, or the map is no longer there; name it "
            f"with --map MAP.toml, or, for the folder of a site, its city file with --city"
        )
        raise CheckpointError(msg)
    later = later or not is_whole_run(folder)
    city_map, name = load_map(path, only_used=True, later=later), map_of_run(folder)
    if name is not None and name != city_map.settings.name:
        msg = f"{folder} holds a run of {name!r}; {path} is {city_map.settings.name!r}"
        raise CheckpointError(f"{msg}. Name its own map with --map")
    return city_map


def check_asked(found: Sequence[RunParty], service: str | None, parties: Sequence[str]) -> None:
    """Check that a run has the service and parties asked for.

    Raises:
        ConfigError: with every name that is unknown.
    """
    services = list(dict.fromkeys(one.service for one in found))
    names = list(dict.fromkeys(one.party for one in found))
    problems = [
        Problem("command line", key, name, "not in this run", did_you_mean(name, known))
        for key, known, asked in (
            ("--service", services, [] if service is None else [service]),
            ("--party", names, parties),
        )
        for name in asked
        if name not in known
    ]
    if problems:
        raise ConfigError(problems)


def _of_map(folder: Path, city_map: CityMap) -> list[RunParty]:
    return [
        RunParty(
            folder,
            service.settings.name,
            member.name,
            member.city_file,
            member.agency.name,
            (service, member),
        )
        for service in city_map.services
        for member in service.members
    ]


def _of_city(folder: Path, city_file: CityFile, saved: Sequence[tuple[str, str]]) -> list[RunParty]:
    agencies = [agency.name for agency in city_file.city.agencies]
    found = []
    for service, party in saved:
        city, _, rest = party.partition("/")
        agency = rest.partition(":")[0]
        if city == city_file.city.name and agency in agencies:
            found.append(RunParty(folder, service, party, city_file, agency))
    if not found:
        own = ", ".join(sorted({party for _, party in saved}))
        reason = f"none of its agencies is a party of {folder}, which holds {own}"
        right = "name the city file that they were in"
        raise ConfigError([Problem(city_file.path.name, "--city", None, reason, right)])
    return found
