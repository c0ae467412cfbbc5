"""Run the meetings of a map: each party with the agencies of its own city.

FOLDER/meeting.json                    what was found out; a party's dated truths if it grants them
FOLDER/sites/AGENCY/checkpoints/       its encoder, or the party's own application, after each
                                       round: a run that was killed goes on from the last
FOLDER/sites/AGENCY/packages/PARTY/    its encoder, or the party's application, for daily use
                                       (`deepcity agency`, `deepcity serve`)
FOLDER/sites/PARTY/results/            the party's part of what was found out, kept when it is done
FOLDER/coordinator/checkpoints/        of an application apart from the labels
FOLDER/pooled/checkpoints/             of the simulation that pools raw columns
"""

import hashlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from deepcity import __version__
from deepcity.city.errors import ConfigError
from deepcity.city.problem import Problem
from deepcity.intercity.city_map import CityMap, Member, Service
from deepcity.intercity.guests import Table, lay, teach
from deepcity.intercity.meeting_checks import asked_in_vain
from deepcity.intercity.meeting_methods import AfterRound
from deepcity.intercity.meeting_party import Way, hold, methods_of, several, shared
from deepcity.intercity.meeting_results import (
    TOGETHER,
    MeetingParty,
    MeetingResults,
    MeetingService,
)
from deepcity.intercity.parties import parties_of
from deepcity.intercity.results import ALONE, POOLED
from deepcity.intercity.run_folder import (
    coordinator_folder,
    forget,
    locked,
    made,
    put,
    read,
    site_folder,
)
from deepcity.intercity.watch import Silent, Task, Watch
from deepcity.store.checkpoint import CheckpointStore
from deepcity.vertical.checkpoints import Checkpoints

_RESULTS = "meeting.json"
WRITTEN = (
    "coordinator/checkpoints/*.checkpoint",
    "coordinator/checkpoints/.*.part",
    "pooled/checkpoints/*.checkpoint",
    "pooled/checkpoints/.*.part",
    "sites/*/checkpoints/*.checkpoint",
    "sites/*/checkpoints/.*.part",
    "sites/*/packages/*/*.encoder",
    "sites/*/packages/*/*.fused",
    "sites/*/results/*.json",
    _RESULTS,
    "report.html",
    "checkpoints/*.checkpoint",  # these and what follows: of runs before sites had folders
    "packages/*/*.encoder",
    "packages/*/*.fused",
    "parties/*.json",
)
"""All that a run writes."""


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
    fresh: bool = False,
) -> MeetingResults:
    """Run every service of a map that has a meeting; what an earlier run did is kept.

    Args:
        threads: of the processor.
        seeds: how many, counted from the map's own; packages are the first one's.
        fresh: whether what the folder holds is forgotten first.

    Raises:
        ConfigError: if no service of the map has a meeting, or one asks for what a meeting
            cannot do; with every problem, before any record is read.
        CheckpointError: if the folder cannot be written, or another process runs there.
        DataError: if records do not suffice.
        ExchangeError: if an agency cannot come.
        LayerPackageError: if an agency cannot begin with the encoder that is named.
    """
    begun = time.perf_counter()
    torch.set_num_threads(threads)
    services, watch = _meetings(city_map), watch or Silent()
    works, settings = _works(city_map, services, folder, watch, seeds), city_map.settings
    with locked(folder):
        if fresh:
            forget(folder, WRITTEN)
        watch.plan([task for work in works for task in _tasks(work)])
        by_service = [[work for work in works if work.service is service] for service in services]
        results = MeetingResults(
            map=settings.name,
            title=settings.title.value(),
            version=__version__,
            seed=settings.seed,
            seeds=[settings.seed + number for number in range(seeds)],
            services=[_service(own) for own in by_service],
            seconds=time.perf_counter() - begun,
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
    title, asked = (
        settings.title.value() if settings.title else service.application.title,
        service.application,
    )
    return MeetingService(
        name=settings.name,
        title=title,
        question=asked.question,
        decision=asked.decision,
        mode=settings.meeting.mode,
        level=settings.meeting.level,
        labels_stay=settings.meeting.labels_stay,
        own_deep=settings.meeting.own_deep if settings.meeting.labels_stay else 0,
        parties=[shared(several(found), settings) for found in zip(*by_seed, strict=True)],
    )


def _one_seed(work: _Work, tables: Sequence[Table]) -> list[MeetingParty]:
    kept = [_kept(work, table) for table in tables]
    if any(found is None for found in kept):
        task = f"{work.name}: agencies teach themselves{work.said}"
        work.watch.begin(task, len(tables[0].sites))
        teach(tables, work.seed, lambda done: work.watch.advance(task, done))
    members = work.service.members
    return [
        found or _party(work, table, member)
        for found, table, member in zip(kept, tables, members, strict=True)
    ]


def _party(work: _Work, table: Table, member: Member) -> MeetingParty:
    """Every method for one party; kept in its own folder when done."""
    name, own = work.kept_as(table), site_folder(work.folder, table.party.name)
    packages = Path("packages") / own.name
    for agency, site in table.sites.items():
        site.keep_in(site_folder(work.folder, f"{table.party.city}/{agency}"), name, packages)
    if table.own_site is not None:
        table.own_site.keep_in(own, name, packages)
    stores = _stores(work.folder, own, table)
    way = Way(
        settings=work.service.settings,
        metric=table.party.metric,
        seed=work.seed,
        after=lambda method: _after(work, table.party.name, method),
        checkpoints=lambda method: Checkpoints(
            stores.get(method, stores[TOGETHER]), f"{name}.{_plain(method)}"
        ),
        packages=own / packages if work.packed and not table.meeting.labels_stay else None,
    )
    found = hold(table, member.city_file, way)
    put(_path(work, table), found.model_dump_json(indent=1).encode())
    _drop_checkpoints(table, name, stores.values())
    return found


def _stores(folder: Path, own: Path, table: Table) -> dict[str, CheckpointStore]:
    """Whose folder keeps a method's network; of other modes than the map's as of `together`."""
    application = coordinator_folder(folder) if table.meeting.labels_stay else own
    folders = {ALONE: own, TOGETHER: application, POOLED: folder / "pooled"}
    return {
        method: CheckpointStore(made(folder / "checkpoints")) for method, folder in folders.items()
    }


def _drop_checkpoints(table: Table, name: str, stores: Iterable[CheckpointStore]) -> None:
    """The party is done: its rounds are not needed any more."""
    for site in table.all_sites.values():
        site.drop_checkpoints()
    for store in stores:
        for old in store.folder.glob(f"{name}.*"):
            old.unlink()


def _after(work: _Work, party: str, method: str) -> AfterRound:
    task = work.task(party, method)
    work.watch.begin(task, work.service.settings.training.rounds)
    return lambda done: work.watch.advance(task, done)


def _plain(name: str) -> str:
    """A name as files may have it."""
    return name.replace("/", "-").replace(":", "-")


def _path(work: _Work, table: Table) -> Path:
    own = site_folder(work.folder, table.party.name)
    return own / "results" / f"{work.kept_as(table)}.json"


def _kept(work: _Work, table: Table) -> MeetingParty | None:
    try:
        return MeetingParty.model_validate_json(_path(work, table).read_bytes())
    except (OSError, ValueError):
        return None
