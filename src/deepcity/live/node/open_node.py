"""Bring a city to life: which runs know it, and where its records come from."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from deepcity.city.errors import DeepCityError
from deepcity.data.city_file import CityFile
from deepcity.data.follow.follow_source import SourceFollower
from deepcity.forecasting.forecast_run import PartyForecaster
from deepcity.live.feeds.fed_records import fed_records
from deepcity.live.forecasters import AnyForecaster, forecasters_of
from deepcity.live.node.received import ReceivedDeepData
from deepcity.live.node.records.record_sources import (
    AwaitedRecords,
    FollowedRecords,
    RecordSource,
    ReplayedRecords,
    awaited_text,
)
from deepcity.live.vertical_forecasts import VerticalForecaster
from deepcity.runs.outcome.round_records import ROUNDS
from deepcity.runs.update.forecaster_bundle import FOLDER
from deepcity.store.run_folder import recorded_map

_RECORDS = ("results.json", ROUNDS, "vertical.json")


@dataclass(frozen=True)
class FoundForecasters:
    """The parties of a city that runs have trained.

    Attributes:
        forecasters: each service and party once, of the newest run.
        folders: of the runs that they are from.
        left_out: folder -> why it could not be used.
    """

    forecasters: tuple[AnyForecaster, ...]
    folders: tuple[Path, ...]
    left_out: tuple[tuple[Path, str], ...]


def run_folders(folder: Path) -> list[Path]:
    """Folders below a folder, or itself, that hold trained forecasters, oldest first."""
    candidates = [folder, *sorted(path for path in folder.glob("*") if path.is_dir())]
    found = [
        path
        for path in candidates
        if any(path.glob(f"sites/*/{FOLDER}/*.checkpoint"))
        or any(path.glob("sites/*/packages/*/*.fused"))
    ]
    return sorted(found, key=lambda path: path.stat().st_mtime_ns)


@dataclass(frozen=True)
class MapFolders:
    """Folders whose records the Inter-City Application Map is made of, as they are now: beside
    the runs in use those without forecasters, as of a federation's coordinator, or of a run that
    wrote no packages. Oldest first, the runs in use last.

    Attributes:
        roots: folders to look into.
        used: runs in use; it may grow.
    """

    roots: Sequence[Path]
    used: Sequence[Path]

    def __iter__(self) -> Iterator[Path]:
        found = {path.resolve(): path for root in self.roots for path in _record_folders(root)}
        return iter([*sorted(found.values(), key=_age), *self.used])


def _record_folders(root: Path) -> list[Path]:
    """A folder, and those in it, that hold records of a map and no forecasters."""
    trained = set(run_folders(root))
    candidates = {root, root / "run", *root.glob("*")} - trained
    return [one for one in candidates if any((one / name).is_file() for name in _RECORDS)]


def _age(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except OSError:  # removed meanwhile
        return 0


def find_forecasters(folders: Sequence[Path], city_file: CityFile) -> FoundForecasters:
    """What runs have trained for a city; a run of other cities is left out, and so is a run or a
    forecaster that cannot be read, with the reason.
    """
    found: dict[tuple[str, str], AnyForecaster] = {}
    used, left_out = [], []
    for folder in folders:
        try:
            own = _of_city(folder, city_file)
        except DeepCityError as error:
            left_out.append((folder, " ".join(str(error).split())))
            continue
        reasons = [_unreadable(one) for one in own]
        left_out += [(folder, reason) for reason in reasons if reason]
        if usable := [one for one, reason in zip(own, reasons, strict=True) if not reason]:
            used.append(folder)
            found |= {(one.party.service, one.party.party): one for one in usable}
        elif not own:
            left_out.append((folder, f"none of its parties is of {city_file.city.name}"))
    return FoundForecasters(tuple(found.values()), tuple(used), tuple(left_out))


def _of_city(folder: Path, city_file: CityFile) -> list[AnyForecaster]:
    """The parties of a run that lie in a city, with the records of this city file."""
    map_file = recorded_map(folder)
    city_path = city_file.path if map_file is None else None
    found = forecasters_of(folder, map_file, city_path, None, (), later=True)
    return [
        _with_records(one, city_file)
        for one in found
        if one.party.city_file.city.name == city_file.city.name and _is_trained(one)
    ]


def _unreadable(forecaster: AnyForecaster) -> str:
    """Why a forecaster cannot be used, as where it is signed by nobody who is trusted here."""
    if isinstance(forecaster, VerticalForecaster):  # it holds its package already
        return ""
    try:
        forecaster.party.open()
    except DeepCityError as error:
        return " ".join(str(error).split())
    return ""


def _is_trained(forecaster: AnyForecaster) -> bool:
    """A map may name parties that a run could not train."""
    return isinstance(forecaster, VerticalForecaster) or forecaster.party.saved() is not None


def _with_records(forecaster: AnyForecaster, city_file: CityFile) -> AnyForecaster:
    """The same party with the records of a city file."""
    party, of_map = forecaster.party, forecaster.party.of_map
    if of_map is not None:
        of_map = (of_map[0], replace(of_map[1], city_file=city_file))
    party = replace(party, city_file=city_file, of_map=of_map)
    if isinstance(forecaster, VerticalForecaster):
        return replace(forecaster, party=party)
    return PartyForecaster(party)


def sources_of(
    forecasters: Sequence[AnyForecaster],
    city_file: CityFile,
    folder: Path,
    *,
    replay: bool,
    coming: Callable[[str], str] = lambda _agency: "",
    received: ReceivedDeepData | None = None,
) -> dict[str, RecordSource]:
    """Agency -> its records: of every agency of the city that has any, and whose rows are needed.

    Args:
        folder: for copies of growing files.
        replay: recorded days are played as if live.
        coming: what prevents rows from coming to an agency's sources; empty: nothing.
        received: takes deep data of agencies whose rows are needed no more; None: of none.
    """
    found: dict[str, RecordSource] = {}
    for agency in _agencies(forecasters, city_file, received):
        own = partial(coming, agency)
        follow = partial(_followed, agency, folder / agency, own)
        if replay:
            found[agency] = ReplayedRecords(city_file, agency)
        elif agency in city_file.awaited:
            reason = awaited_text(city_file.awaited[agency])
            found[agency] = AwaitedRecords(city_file.path, agency, follow, reason, own)
        else:
            found[agency] = follow(city_file)
    return found


def _followed(
    agency: str, folder: Path, coming: Callable[[], str], city_file: CityFile
) -> RecordSource:
    whole = FollowedRecords(SourceFollower(city_file, agency, folder), coming)
    return fed_records(city_file, agency, folder, whole) or whole


def _agencies(
    forecasters: Sequence[AnyForecaster],
    city_file: CityFile,
    received: ReceivedDeepData | None,
) -> list[str]:
    """Those of the parties, of the agencies that they are fused with, and of their weather."""
    names: set[str] = set()
    for one in forecasters:
        sending = set()
        if received is not None and isinstance(one, VerticalForecaster):
            sending = {agency.name for agency in received.senders(one.package)}
        own, *others = (source.agency for source in one.sources)
        names |= {own, *(name for name in others if name not in sending)}
        if one.party.of_map is not None and one.party.of_map[0].settings.weather is not None:
            names.add(one.party.of_map[0].settings.weather)
    if not forecasters:
        names = {agency.name for agency in city_file.city.agencies}
    return [agency.name for agency in city_file.city.agencies if agency.name in names]
