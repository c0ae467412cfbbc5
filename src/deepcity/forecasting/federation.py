"""A federation: the parties of a map learn together, as `deepcity run` has them do."""

from pathlib import Path
from typing import Self

from deepcity.city.errors import ConfigError
from deepcity.city.problem import Problem
from deepcity.city.progress import ProgressListener
from deepcity.data.config.toml_file import did_you_mean
from deepcity.forecasting.forecaster import Forecaster
from deepcity.forecasting.run_parties import RunParty
from deepcity.maps.city_map import CityMap, load_map
from deepcity.runs.results import RunResults
from deepcity.runs.run import load_results, run_map


class Federation:
    """Runs a map in a folder, and gives each party's forecaster.

    The README's ten lines show it at work.

    Attributes:
        map: the cities, parties and services.
        folder: where the run lies.
    """

    def __init__(
        self,
        city_map: CityMap | Path | str,
        folder: Path | str | None = None,
        *,
        threads: int = 1,
        progress: ProgressListener | None = None,
    ) -> None:
        """A map, and where its run lies.

        Args:
            city_map: a map, or its file.
            folder: of the run; left out, runs/NAME, as the command line has it.
            threads: of the processor; results repeat to the bit only with the same number.
            progress: receives the progress of the run.

        Raises:
            ConfigError: with every problem of the map and its cities.
        """
        self.map = city_map if isinstance(city_map, CityMap) else load_map(city_map)
        self.folder = Path("runs") / self.map.settings.name if folder is None else Path(folder)
        self._threads, self._progress = threads, progress

    def fit(self, *, fresh: bool = False) -> Self:
        """Run every service; goes on where an earlier run of the map stopped. Returns itself.

        Args:
            fresh: forget what an earlier run left, and begin anew.

        Raises:
            CheckpointError: if the folder holds another run, or cannot be written.
            DataError: if a party's records do not suffice.
        """
        run_map(self.map, self.folder, self._progress, fresh=fresh, threads=self._threads)
        return self

    @property
    def results(self) -> RunResults:
        """What the run found out.

        Raises:
            CheckpointError: if it is not finished.
        """
        return load_results(self.folder)

    def forecaster(self, service: str, party: str) -> Forecaster:
        """A party's forecaster; where no panel is given, it forecasts from the party's records.

        Args:
            party: "city/agency", as the map names it.

        Raises:
            CheckpointError: if the run is not finished.
            ConfigError: if the map has no such service or party.
            DataError: with every problem of the party's records.
        """
        services = {one.settings.name: one for one in self.map.services}
        if service not in services:
            raise self._unknown("service", service, list(services))
        chosen = services[service]
        members = {member.name: member for member in chosen.members}
        if party not in members:
            raise self._unknown("party", party, list(members))
        member = members[party]
        one = RunParty(
            self.folder, service, party, member.city_file, member.agency.name, (chosen, member)
        )
        return one.attach(one.open(), one.panel())

    def _unknown(self, key: str, name: str, known: list[str]) -> ConfigError:
        right = did_you_mean(name, known)
        return ConfigError([Problem(self.map.path.name, key, name, f"no {key} of this map", right)])
