"""Run the meetings of a map: each party with the agencies of its own city.

FOLDER/meeting.json          what was found out
FOLDER/parties/*.json        each party's part of it, kept as soon as it is done
FOLDER/checkpoints/          where the method stands that a party is at: a run that was killed
                             goes on from its last round
FOLDER/packages/PARTY/       encoders and application for daily use (`deepcity agency`,
                             `deepcity serve`)
"""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from deepcity import __version__
from deepcity.city.errors import ConfigError
from deepcity.city.problem import Problem
from deepcity.intercity.city_map import CityMap, Member, Service
from deepcity.intercity.guests import Table, lay, teach
from deepcity.intercity.meeting_checkpoints import Keeping
from deepcity.intercity.meeting_checks import asked_in_vain
from deepcity.intercity.meeting_methods import AfterRound
from deepcity.intercity.meeting_packages import save_packages
from deepcity.intercity.meeting_party import Way, hold, methods_of, several
from deepcity.intercity.meeting_results import MeetingParty, MeetingResults, MeetingService
from deepcity.intercity.parties import parties_of
from deepcity.intercity.results import Words
from deepcity.intercity.run_folder import made, put, read
from deepcity.intercity.watch import Silent, Task, Watch
from deepcity.store.checkpoint import CheckpointStore

_RESULTS = "meeting.json"


@dataclass(frozen=True)
class _Work:
    """One service's meetings with one seed.

    Attributes:
        home: folder of the map file, to which its paths are relative.
        packed: whether packages are written; of the first seed alone.
        said: how the seed is told on the screen, if there are several.
    """

    service: Service
    seed: int
    folder: Path
    watch: Watch
    fingerprint: str
    home: Path
    packed: bool
    said: str = ""

    @property
    def name(self) -> str:
        """Of the service."""
        return self.service.settings.name

    def task(self, party: str, method: str) -> str:
        """How a piece of work is called on the screen."""
        return f"{party}: {method}{self.said}"

    def kept_as(self, table: Table) -> str:
        """How a party's files are named; another map, seed, version or record has another."""
        said = f"{self.fingerprint}/{self.seed}/{__version__}/{self.name}"
        whole = f"{said}/{table.party.name}/{table.records}"
        return f"{_plain(table.party.name)}-{hashlib.sha256(whole.encode()).hexdigest()[:12]}"


def run_meetings(
    city_map: CityMap,
    folder: Path,
    watch: Watch | None = None,
    *,
    threads: int = 1,
    seeds: int = 1,
) -> MeetingResults:
    """Run every service of a map that has a meeting; what an earlier run did is kept.

    Args:
        threads: of the processor.
        seeds: how many, counted from the map's own; packages are the first one's.

    Raises:
        ConfigError: if no service of the map has a meeting, or one asks for what a meeting
            cannot do; with every problem, before any record is read.
        CheckpointError: if the folder cannot be written.
        DataError: if records do not suffice.
        ExchangeError: if an agency cannot come.
        LayerPackageError: if an agency cannot begin with the encoder that is named.
    """
    begun = time.perf_counter()
    torch.set_num_threads(threads)
    services, watch = _meetings(city_map), watch or Silent()
    works = _works(city_map, services, folder, watch, seeds)
    watch.plan([task for work in works for task in _tasks(work)])
    found = [_service([work for work in works if work.service is service]) for service in services]
    settings = city_map.settings
    results = MeetingResults(
        map=settings.name,
        title=Words(en=settings.title.en, ko=settings.title.ko),
        version=__version__,
        seed=settings.seed,
        seeds=[settings.seed + number for number in range(seeds)],
        seconds=time.perf_counter() - begun,
        services=found,
    )
    put(folder / _RESULTS, results.model_dump_json(indent=1).encode())
    return results


def load_meetings(folder: Path) -> MeetingResults:
    """What finished meetings found out.

    Raises:
        CheckpointError: if the folder has no readable results of meetings.
    """
    return read(folder / _RESULTS, MeetingResults, "deepcity meet")


def has_meetings(folder: Path) -> bool:
    """Whether a folder holds what `deepcity meet` found out."""
    return (folder / _RESULTS).exists()


def _meetings(city_map: CityMap) -> list[Service]:
    """The services that have a meeting, if it can be held."""
    file = city_map.path.name
    services = [service for service in city_map.services if service.settings.meeting is not None]
    if not services:
        right = "add [service.meeting] with an [[service.meeting.agency]] to a service"
        raise ConfigError([Problem(file, "service", None, "no service has a meeting", right)])
    problems = [one for service in services for one in asked_in_vain(file, service.settings)]
    if problems:
        raise ConfigError(problems)
    return services


def _works(
    city_map: CityMap, services: Sequence[Service], folder: Path, watch: Watch, seeds: int
) -> list[_Work]:
    first, fingerprint = city_map.settings.seed, city_map.fingerprint()
    return [
        _Work(
            service,
            first + number,
            folder,
            watch,
            fingerprint,
            city_map.path.parent,
            packed=number == 0,
            said=f", seed {first + number}" if seeds > 1 else "",
        )
        for service in services
        for number in range(seeds)
    ]


def _tasks(work: _Work) -> list[Task]:
    training = work.service.settings.training
    return [
        Task(work.task(member.name, method), training.rounds, float(training.total_steps))
        for member in work.service.members
        for method in methods_of(work.service.settings)
    ]


def _service(works: Sequence[_Work]) -> MeetingService:
    """A service's parties, each with the errors of every seed."""
    service, settings = works[0].service, works[0].service.settings
    assert settings.meeting is not None
    task, members = f"{settings.name}: reading records", len(service.members)
    works[0].watch.begin(task, members)
    parties = parties_of(service, lambda done: works[0].watch.advance(task, done))
    by_seed = []
    for work in works:
        tables = [
            lay(service, member, party, work.seed, work.home)
            for member, party in zip(service.members, parties, strict=True)
        ]
        by_seed.append(_one_seed(work, tables))
    title, asked = settings.title or service.application.title, service.application
    return MeetingService(
        name=settings.name,
        title=Words(en=title.en, ko=title.ko),
        question=Words(en=asked.question.en, ko=asked.question.ko),
        decision=Words(en=asked.decision.en, ko=asked.decision.ko),
        mode=settings.meeting.mode,
        level=settings.meeting.level,
        labels_stay=settings.meeting.labels_stay,
        own_deep=settings.meeting.own_deep if settings.meeting.labels_stay else 0,
        parties=[several(found) for found in zip(*by_seed, strict=True)],
    )


def _one_seed(work: _Work, tables: Sequence[Table]) -> list[MeetingParty]:
    kept = [_kept(work, table) for table in tables]
    if any(found is None for found in kept):
        task = f"{work.name}: agencies teach themselves{work.said}"
        work.watch.begin(task, len(tables[0].guests))
        teach(tables, work.seed, lambda done: work.watch.advance(task, done))
    members = work.service.members
    return [
        found or _party(work, table, member)
        for found, table, member in zip(kept, tables, members, strict=True)
    ]


def _party(work: _Work, table: Table, member: Member) -> MeetingParty:
    """Every method for one party; kept when done."""
    name, store = work.kept_as(table), CheckpointStore(made(work.folder / "checkpoints"))
    way = Way(
        settings=work.service.settings,
        metric=work.service.application.metric,
        seed=work.seed,
        after=lambda method: _after(work, table.party.name, method),
        keeping=lambda method: Keeping(store, f"{name}.{_plain(method)}"),
    )
    met = hold(table, member.city_file, way)
    if work.packed and not table.meeting.labels_stay:
        folder = work.folder / "packages" / _plain(table.party.name)
        window = table.party.inputs.settings
        save_packages(met.table, met.together, met.alone, member.city_file, window, folder)
    put(_path(work, table), met.result.model_dump_json(indent=1).encode())
    for old in store.folder.glob(f"{name}.*"):
        old.unlink()  # the party is done: its rounds are not needed any more
    return met.result


def _after(work: _Work, party: str, method: str) -> AfterRound:
    task = work.task(party, method)
    work.watch.begin(task, work.service.settings.training.rounds)
    return lambda done: work.watch.advance(task, done)


def _plain(name: str) -> str:
    """A name as files may have it."""
    return name.replace("/", "-").replace(":", "-")


def _path(work: _Work, table: Table) -> Path:
    return work.folder / "parties" / f"{work.kept_as(table)}.json"


def _kept(work: _Work, table: Table) -> MeetingParty | None:
    try:
        return MeetingParty.model_validate_json(_path(work, table).read_bytes())
    except (OSError, ValueError):
        return None
