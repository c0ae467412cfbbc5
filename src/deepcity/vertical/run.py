"""Vertical training of a map: each party with the agencies of its own city.

FOLDER/vertical.json                   results; a party's dated truths only if it grants them
FOLDER/sites/AGENCY/checkpoints/       its encoder, or the party's own application, after each
                                       round, from which a killed run resumes
FOLDER/sites/AGENCY/packages/PARTY/    its encoder, or the party's application, for
                                       `deepcity agent` and `deepcity serve`
FOLDER/sites/PARTY/results/            the party's own results, written when it is done
FOLDER/sites/AGENCY/releases.jsonl     its record of what left it; its head goes round the agencies
                                       at the end of each service, and they co-sign it
FOLDER/coordinator/checkpoints/        of an application that holds no labels
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
from deepcity.city.progress import NoProgress, ProgressListener, ProgressTask
from deepcity.exchange.exchange import Failure
from deepcity.maps.city_map import CityMap, Member, Service
from deepcity.maps.vertical_checks import unsupported_settings
from deepcity.parties.method_errors import ALONE, POOLED
from deepcity.parties.party import parties_of
from deepcity.parties.releases.heads import cosign_heads
from deepcity.store.checkpoint import CheckpointStore
from deepcity.store.run_folder import (
    coordinator_folder,
    ensure_folder,
    forget,
    locked,
    read_results,
    record_map,
    site_folder,
    write_file,
)
from deepcity.vertical.baselines import AfterRound
from deepcity.vertical.checkpoints import Checkpoints
from deepcity.vertical.compare import (
    RunContext,
    evaluate_party,
    merge_seeds,
    methods_of,
    shared,
    with_failures,
)
from deepcity.vertical.results import (
    TOGETHER,
    VerticalPartyResult,
    VerticalResults,
    VerticalServiceResult,
)
from deepcity.vertical.setup import Pretraining, VerticalSetup, build_setup, pretrain_encoders

_RESULTS = "vertical.json"
RUN_FILES = (
    "coordinator/checkpoints/*.checkpoint",
    "coordinator/checkpoints/.*.part",
    "pooled/checkpoints/*.checkpoint",
    "pooled/checkpoints/.*.part",
    "sites/*/checkpoints/*.checkpoint",
    "sites/*/checkpoints/.*.part",
    "sites/*/packages/*/*.encoder",
    "sites/*/packages/*/*.fused",
    "sites/*/results/*.json",
    "sites/*/audit.json",
    _RESULTS,
    "report.html",
    "map.json",
)
"""Everything a run writes."""


@dataclass(frozen=True)
class _SeedRun:
    """Vertical training of one service with one seed.

    Attributes:
        fingerprint: of the map and its cities.
        home: folder of the map file, to which its paths are relative.
        writes_packages: whether packages are written; only with the first seed.
        seed_label: shown with the progress, if there are several seeds.
    """

    service: Service
    seed: int
    folder: Path
    listener: ProgressListener
    fingerprint: str
    home: Path
    writes_packages: bool
    seed_label: str = ""

    @property
    def name(self) -> str:
        """The service's name."""
        return self.service.settings.name

    def task(self, party: str, method: str) -> str:
        """Name of a party's method in the progress display."""
        return f"{party}: {method}{self.seed_label}"

    def file_stem(self, setup: VerticalSetup) -> str:
        """Prefix of a party's files; unique to a map, seed, version and set of records."""
        run = f"{self.fingerprint}/{self.seed}/{__version__}/{self.name}"
        whole = f"{run}/{setup.party.name}/{setup.records}"
        return f"{_plain(setup.party.name)}-{hashlib.sha256(whole.encode()).hexdigest()[:12]}"


def run_vertical(
    city_map: CityMap,
    folder: Path,
    listener: ProgressListener | None = None,
    *,
    threads: int = 1,
    seeds: int = 1,
    fresh: bool = False,
) -> VerticalResults:
    """Train every service of a map with a [service.vertical] table, resuming an earlier run.

    Args:
        seeds: number of seeds, counted from the map's; packages are written for the first.
        fresh: whether to delete what an earlier run left in the folder.

    Raises:
        ConfigError: if no service of the map has vertical training, or one has settings that
            it does not support; with every problem, before any record is read.
        CheckpointError: if the folder cannot be written, or another process runs there.
        DataError: if records do not suffice.
        ExchangeError: if an agency cannot take part.
        LayerPackageError: if an agency cannot start from the encoder named in the map.
    """
    begun = time.perf_counter()
    torch.set_num_threads(threads)
    services, listener = _vertical_services(city_map), listener or NoProgress()
    seed_runs = _seed_runs(city_map, services, folder, listener, seeds)
    with locked(folder):
        if fresh:
            forget(folder, RUN_FILES)
        record_map(folder, city_map.path)
        listener.plan([task for seed_run in seed_runs for task in _tasks(seed_run)])
        by_service = [
            [seed_run for seed_run in seed_runs if seed_run.service is service]
            for service in services
        ]
        found = [_service(own) for own in by_service]
        return write_results(city_map, found, folder, time.perf_counter() - begun, seeds)


def write_results(
    city_map: CityMap,
    services: Sequence[VerticalServiceResult],
    folder: Path,
    seconds: float,
    seeds: int = 1,
) -> VerticalResults:
    """Write a run's results into its folder.

    Raises:
        CheckpointError: if they cannot be written.
    """
    settings = city_map.settings
    results = VerticalResults(
        map=settings.name,
        title=settings.title.value(),
        version=__version__,
        seed=settings.seed,
        seeds=[settings.seed + number for number in range(seeds)],
        services=list(services),
        seconds=seconds,
    )
    write_file(folder / _RESULTS, results.model_dump_json(indent=1).encode())
    return results


def load_vertical_results(folder: Path) -> VerticalResults:
    """Results of a finished vertical training.

    Raises:
        CheckpointError: if the folder has no readable results.
    """
    return read_results(folder / _RESULTS, VerticalResults, "deepcity train-vertical")


def has_vertical_results(folder: Path) -> bool:
    """Whether a folder holds results of `deepcity train-vertical`."""
    return (folder / _RESULTS).exists()


def _vertical_services(city_map: CityMap) -> list[Service]:
    """The services with vertical training, if their settings are supported."""
    file = city_map.path.name
    services = [service for service in city_map.services if service.settings.vertical is not None]
    if not services:
        right = "add [service.vertical] with an [[service.vertical.agency]] to a service"
        raise ConfigError(
            [Problem(file, "service", None, "no service has vertical training", right)]
        )
    problems = [one for service in services for one in unsupported_settings(file, service.settings)]
    if problems:
        raise ConfigError(problems)
    return services


def _seed_runs(
    city_map: CityMap,
    services: Sequence[Service],
    folder: Path,
    listener: ProgressListener,
    seeds: int,
) -> list[_SeedRun]:
    first, fingerprint = city_map.settings.seed, city_map.fingerprint()
    return [
        _SeedRun(
            service,
            first + number,
            folder,
            listener,
            fingerprint,
            city_map.path.parent,
            writes_packages=number == 0,
            seed_label=f", seed {first + number}" if seeds > 1 else "",
        )
        for service in services
        for number in range(seeds)
    ]


def _tasks(seed_run: _SeedRun) -> list[ProgressTask]:
    training = seed_run.service.settings.training
    return [
        ProgressTask(
            seed_run.task(member.name, method), training.rounds, float(training.total_steps)
        )
        for member in seed_run.service.members
        for method in methods_of(seed_run.service.settings)
    ]


def _service(seed_runs: Sequence[_SeedRun]) -> VerticalServiceResult:
    """A service's parties, each with the errors of every seed."""
    service, settings = seed_runs[0].service, seed_runs[0].service.settings
    task, members = f"{settings.name}: reading records", len(service.members)
    seed_runs[0].listener.begin(task, members)
    parties = parties_of(service, lambda done: seed_runs[0].listener.advance(task, done))
    by_seed = []
    for seed_run in seed_runs:
        setups = [
            build_setup(service, member, party, seed_run.seed, seed_run.home)
            for member, party in zip(service.members, parties, strict=True)
        ]
        by_seed.append(_one_seed(seed_run, setups))
        cosign_heads(_site_folders(seed_run, setups), seed_run.folder)
    merged = [shared(merge_seeds(found), settings) for found in zip(*by_seed, strict=True)]
    return service_result(service, merged)


def service_result(
    service: Service, parties: Sequence[VerticalPartyResult]
) -> VerticalServiceResult:
    """The results of a service's parties."""
    settings, application = service.settings, service.application
    vertical = settings.vertical
    assert vertical is not None
    return VerticalServiceResult(
        name=settings.name,
        title=settings.title.value() if settings.title else application.title,
        question=application.question,
        decision=application.decision,
        mode=vertical.mode,
        level=vertical.level,
        labels_stay=vertical.labels_stay,
        own_width=vertical.own_width if vertical.labels_stay else 0,
        parties=list(parties),
    )


def _one_seed(seed_run: _SeedRun, setups: Sequence[VerticalSetup]) -> list[VerticalPartyResult]:
    kept, pretraining = [_kept(seed_run, setup) for setup in setups], Pretraining()
    if any(found is None for found in kept):
        for setup in setups:
            _use_folders(seed_run, setup)
        task = f"{seed_run.name}: pretraining of encoders{seed_run.seed_label}"
        seed_run.listener.begin(task, len(setups[0].sites))
        pretraining = pretrain_encoders(
            setups, seed_run.seed, lambda done: seed_run.listener.advance(task, done)
        )
    members = seed_run.service.members
    return [
        found or _party(seed_run, setup, member, pretraining.failures.get(setup.party.name, ()))
        for found, setup, member in zip(kept, setups, members, strict=True)
    ]


def _site_folders(seed_run: _SeedRun, setups: Sequence[VerticalSetup]) -> dict[str, Path]:
    """The sites that have activations leave, and their folders."""
    names = [f"{one.party.city}/{agency}" for one in setups for agency in one.sites]
    names += [one.party.name for one in setups if one.own_site is not None]
    return {name: site_folder(seed_run.folder, name) for name in names}


def _use_folders(seed_run: _SeedRun, setup: VerticalSetup) -> None:
    """Have the agencies of a party keep what they keep in their own folders."""
    name, own = seed_run.file_stem(setup), site_folder(seed_run.folder, setup.party.name)
    packages = Path("packages") / own.name
    for agency, site in setup.sites.items():
        site.use_folder(
            site_folder(seed_run.folder, f"{setup.party.city}/{agency}"), name, packages
        )
    if setup.own_site is not None:
        setup.own_site.use_folder(own, name, packages)


def _party(
    seed_run: _SeedRun, setup: VerticalSetup, member: Member, failed: Sequence[Failure]
) -> VerticalPartyResult:
    """Run every method for one party, and write the results into its own folder.

    Args:
        failed: what its agencies were left out of while they were pretrained with others.
    """
    name, own = seed_run.file_stem(setup), site_folder(seed_run.folder, setup.party.name)
    packages = Path("packages") / own.name
    stores = _stores(seed_run.folder, own, setup)
    context = RunContext(
        settings=seed_run.service.settings,
        metric=setup.party.metric,
        seed=seed_run.seed,
        after_round=lambda method: _after(seed_run, setup.party.name, method),
        checkpoints=lambda method: Checkpoints(
            stores.get(method, stores[TOGETHER]), f"{name}.{_plain(method)}"
        ),
        packages=own / packages
        if seed_run.writes_packages and not setup.vertical.labels_stay
        else None,
    )
    found = with_failures(evaluate_party(setup, member.city_file, context), failed)
    write_file(_path(seed_run, setup), found.model_dump_json(indent=1).encode())
    _drop_checkpoints(setup, name, stores.values())
    return found


def _stores(folder: Path, own: Path, setup: VerticalSetup) -> dict[str, CheckpointStore]:
    """Method -> where its checkpoints go; other modes than the map's use that of `together`."""
    application = coordinator_folder(folder) if setup.vertical.labels_stay else own
    folders = {ALONE: own, TOGETHER: application, POOLED: folder / "pooled"}
    return {
        method: CheckpointStore(ensure_folder(folder / "checkpoints"))
        for method, folder in folders.items()
    }


def _drop_checkpoints(setup: VerticalSetup, name: str, stores: Iterable[CheckpointStore]) -> None:
    """Delete a finished party's checkpoints."""
    for site in setup.all_sites.values():
        site.drop_checkpoints()
    for store in stores:
        for old in store.folder.glob(f"{name}.*"):
            old.unlink()


def _after(seed_run: _SeedRun, party: str, method: str) -> AfterRound:
    task = seed_run.task(party, method)
    seed_run.listener.begin(task, seed_run.service.settings.training.rounds)
    return lambda done: seed_run.listener.advance(task, done)


def _plain(name: str) -> str:
    """A name without characters that file names may not have."""
    return name.replace("/", "-").replace(":", "-")


def _path(seed_run: _SeedRun, setup: VerticalSetup) -> Path:
    own = site_folder(seed_run.folder, setup.party.name)
    return own / "results" / f"{seed_run.file_stem(setup)}.json"


def _kept(seed_run: _SeedRun, setup: VerticalSetup) -> VerticalPartyResult | None:
    try:
        return VerticalPartyResult.model_validate_json(_path(seed_run, setup).read_bytes())
    except (OSError, ValueError):
        return None
