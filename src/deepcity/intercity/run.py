"""Run a map: every service, every method, one folder that a killed run goes on from.

Where what lies is told by `deepcity.intercity.run_folder`.
"""

import time
from datetime import UTC, datetime
from pathlib import Path

import torch

from deepcity import __version__
from deepcity.city.errors import LayerPackageError
from deepcity.city.field import Kind
from deepcity.city.level import Layers, layers_up_to
from deepcity.city.localized_text import LocalizedText
from deepcity.exchange.coordinator import Training
from deepcity.intercity import results as names
from deepcity.intercity.application_notes import application_notes
from deepcity.intercity.choices import together
from deepcity.intercity.city_map import CityMap, Member, Service
from deepcity.intercity.claim import check_site, claim, claim_site
from deepcity.intercity.notes import service_notes
from deepcity.intercity.parties import can_pool, parties_of
from deepcity.intercity.results import PartyResult, Results, ServiceResult, Traffic
from deepcity.intercity.run_folder import (
    forget,
    layers_folder,
    locked,
    made,
    put,
    read,
    site_folder,
)
from deepcity.intercity.simulate import Simulation
from deepcity.intercity.site import Site
from deepcity.intercity.summary import added, curve, traffic
from deepcity.intercity.watch import Silent, Watch, task_name, tasks_of
from deepcity.store.layer_package import load_package, save_package
from deepcity.store.manifest import Facts, Manifest


def run_map(
    city_map: CityMap,
    folder: Path,
    watch: Watch | None = None,
    *,
    fresh: bool = False,
    threads: int = 1,
) -> Results:
    """Run every service of a map, resuming what an earlier run of it left in the folder.

    Args:
        fresh: forget what an earlier run left there, and begin anew.
        threads: of the processor; networks this small train fastest on one, and results
            repeat to the bit only with the same number.

    Raises:
        CheckpointError: if the folder holds a run of another map, another process runs there,
            or it cannot be written.
        DataError: if a party's records do not suffice.
        LayerPackageError: if a package to start from cannot be trusted or does not fit.
    """
    begun = time.perf_counter()
    torch.set_num_threads(threads)
    watch = watch or Silent()
    with locked(folder):
        if fresh:
            forget(folder)
        claim(folder, city_map)
        watch.plan(tasks_of(city_map.services))
        done = [_run_service(city_map, service, folder, watch) for service in city_map.services]
        results = Results(
            map=city_map.settings.name,
            title=city_map.settings.title.value(),
            version=__version__,
            seed=city_map.settings.seed,
            seconds=time.perf_counter() - begun + sum(earlier for _, earlier in done),
            services=[service for service, _ in done],
        )
        put(folder / "results.json", results.model_dump_json(indent=1).encode())
    return results


def load_results(folder: Path) -> Results:
    """What a finished run found out.

    Raises:
        CheckpointError: if the folder has no readable results.
    """
    return read(folder / "results.json", Results, "deepcity run")


def _run_service(
    city_map: CityMap, service: Service, folder: Path, watch: Watch
) -> tuple[ServiceResult, float]:
    """A service's results, and the seconds of its rounds that earlier runs of it took."""
    settings = service.settings
    start, package = _start(city_map, service)
    task = f"{settings.name}: reading records"
    watch.begin(task, len(service.members))
    parties = parties_of(service, lambda done: watch.advance(task, done))
    if settings.pooled and not can_pool(parties):
        watch.skip(task_name(settings.name, names.POOLED))
    digests = {party.name: check_site(folder, city_map, service, party) for party in parties}
    newcomers = {name: digests[name] for name in digests if name in settings.newcomers}
    for name in together(settings, digests):
        claim_site(folder, city_map, service, name, digests[name])
    seed = city_map.settings.seed
    sites = [Site(settings, party, seed, site_folder(folder, party.name)) for party in parties]
    work = Simulation(service, sites, seed, folder, watch, start, newcomers)
    found = work.run()
    for name, digest in newcomers.items():
        claim_site(folder, city_map, service, name, digest)
    if work.joined is not None and any(work.joined.levels.values()):
        _export(work, work.joined, folder, package)
    trainings = [*work.trainings.values(), *work.courses]
    return _result(work, found, package), sum(one.earlier_seconds for one in trainings)


def _start(city_map: CityMap, service: Service) -> tuple[Layers, Manifest | None]:
    """The layers a service starts from, where its map says so, and their package's manifest."""
    reuse = service.settings.reuse
    if reuse is None:
        return {}, None
    package = load_package(city_map.path.parent / reuse.package)
    wanted = layers_up_to(reuse.level)
    missing = [name for name in wanted if name not in package.layers]
    if missing:
        msg = (
            f"{service.settings.name} is to reuse level {reuse.level}, but {package.path} lacks "
            f"{', '.join(missing)}; it holds {', '.join(package.layers)}. Lower reuse.level"
        )
        raise LayerPackageError(msg)
    return {name: package.layers[name] for name in wanted}, package.manifest


def _export(work: Simulation, joined: Training, folder: Path, package: Manifest | None) -> None:
    """The common layers as fused last, as a package others may start from."""
    settings = work.settings
    members = {member.name: member for member in work.service.members}
    sites = [members[name] for name in together(settings, members)]
    profiles = [work.profiles[site.name] for site in sites]
    window = settings.window_of(sites[0].name)
    facts = Facts(
        name=f"{settings.name}-common",
        city="+".join(sorted({site.city_file.city.name for site in sites})),
        service=settings.name,
        field_kinds=(_kind(sites[0]),),
        step_seconds=profiles[0].step_s,
        history_steps=window.history,
        horizon_steps=window.horizon,
        trained_from=datetime.fromtimestamp(min(one.train_from for one in profiles), UTC),
        trained_to=datetime.fromtimestamp(max(one.train_to for one in profiles), UTC),
        metrics={"relative_validation_error": curve("", joined).error_by_round[-1]},
        parents=(package.sha256,) if package else (),
    )
    fused = layers_up_to(max(joined.levels.values()))  # what stayed private stays out
    state = joined.progress.state.layers  # a head that not all share stays out too
    layers = {name: state[name] for name in fused if name in state}
    target = made(layers_folder(folder))
    for old in target.glob(f"{settings.name}-common-*.layers"):
        old.unlink()
    save_package(target, facts, layers)


def _kind(member: Member) -> Kind:
    """What kind of field a site forecasts."""
    return next(one.kind for one in member.agency.fields if one.name == member.field)


def _traffic(work: Simulation) -> list[Traffic]:
    """Bytes of every method; choosing a level costs those of the deepest training, and those of
    the rounds in which the others practised for newcomers.
    """
    found = [traffic(name, training) for name, training in work.trainings.items()]
    if work.settings.automatic and work.joined is not None:
        spent = [traffic("", one) for one in (work.joined, *work.courses)]
        found.append(added(names.AUTOMATIC, spent))
    return found


def _result(work: Simulation, found: list[PartyResult], package: Manifest | None) -> ServiceResult:
    settings, application = work.settings, work.service.application
    title = settings.title.value() if settings.title else application.title
    first = found[0]
    return ServiceResult(
        name=settings.name,
        title=title,
        question=application.question,
        decision=application.decision,
        unit=first.unit or "",
        horizon_steps=first.horizon_steps or 0,
        step_minutes=first.step_minutes or 0.0,
        parties=found,
        curves=[curve(name, training) for name, training in work.trainings.items()],
        traffic=_traffic(work),
        seconds=work.seconds,
        notes=[
            *service_notes(settings, work.profiles, package, work.joined),
            *application_notes(work.service, work.profiles),
        ],
        who=settings.who.value() if settings.who else None,
        metric=LocalizedText(en=application.metric.name, ko=application.metric.name_ko),
        metric_in_unit=application.metric.in_unit,
        baselines=[baseline.value for baseline in application.baselines],
    )
