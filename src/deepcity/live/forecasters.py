"""The parties that a folder can forecast, of runs and of vertical runs alike."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Protocol

from deepcity.city.errors import DeepCityError
from deepcity.data.city_file import load_city, load_panel
from deepcity.data.panel import Panel
from deepcity.forecasting.forecast_run import PartyForecaster
from deepcity.forecasting.run_parties import RunParty, check_asked, find_parties, map_of
from deepcity.forecasting.table import PartyForecasts
from deepcity.runs.update.forecaster_bundle import saved_forecasters


class AnyForecaster(Protocol):
    """A party that is asked for forecasts again and again."""

    @property
    def party(self) -> RunParty:
        """What it is."""
        ...

    @property
    def sources(self) -> tuple[RunParty, ...]:
        """Whose records it forecasts from; its own are the first."""
        ...

    def forecast(self, at: datetime | None = None, panel: Panel | None = None) -> PartyForecasts:
        """Its forecast, or why there is none."""
        ...

    def backtest(
        self, start: datetime | None, end: datetime | None, stride: int | None
    ) -> PartyForecasts:
        """Its forecasts of past origins, or why there are none."""
        ...


def forecast_all(parties: Sequence[AnyForecaster], at: datetime | None) -> list[PartyForecasts]:
    """The forecast of each party; records of one agency that several of them share in turn are
    read once.
    """
    found: list[PartyForecasts] = []
    records: tuple[tuple[Path, str], Panel] | None = None
    for number, one in enumerate(parties):
        own, shared = _records_of(one), _records_of(*parties[number + 1 : number + 2])
        if records is not None and records[0] != own:
            records = None
        if records is None and own is not None and own == shared:
            with suppress(DeepCityError):  # the party says why itself
                records = own, load_panel(one.party.city_file, one.party.agency)
        found.append(one.forecast(at) if records is None else one.forecast(at, records[1]))
    return found


def _records_of(*party: AnyForecaster) -> tuple[Path, str] | None:
    """City file and agency whose records alone a party forecasts from."""
    if not party or not isinstance(party[0], PartyForecaster):
        return None
    return party[0].party.city_file.path, party[0].party.agency


def forecasters_of(
    folder: Path,
    map_file: Path | None,
    city_file: Path | None,
    service: str | None,
    parties: Sequence[str],
    *,
    later: bool = False,
) -> list[AnyForecaster]:
    """Every party that is asked for, of the run or vertical run in a folder.

    Args:
        later: records may be elsewhere, or come later: that is no problem then.

    Raises:
        CheckpointError: if the folder holds no forecaster, or its map is not found.
        ConfigError: with every problem of the map or city file, or a name that is unknown.
        LayerPackageError: if a package of a vertical run is damaged.
    """
    packages = [*folder.glob("**/packages/*/*.fused")]
    found: list[AnyForecaster] = []
    if saved_forecasters(folder) or not packages:
        own = find_parties(folder, map_file=map_file, city_file=city_file, later=later)
        found += [PartyForecaster(one) for one in own]
    if packages:
        from deepcity.live.vertical_forecasts import vertical_parties

        city_map = map_of(folder, map_file, later=later) if city_file is None else None
        city = None if city_file is None else load_city(city_file, later=later)
        found += vertical_parties(folder, city_map, city)
    check_asked([one.party for one in found], service, parties)
    return [
        one
        for one in found
        if service in (None, one.party.service) and (not parties or one.party.party in parties)
    ]
