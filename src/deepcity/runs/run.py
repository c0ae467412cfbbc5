"""Run a map: every service and every method, in a folder from which a killed run resumes.

`deepcity.store.run_folder` describes the folder.
"""

import time
from datetime import UTC, datetime
from pathlib import Path

import torch

from deepcity import __version__
from deepcity.city.errors import LayerPackageError
from deepcity.city.field import Kind
from deepcity.city.level import Layers, layers_up_to
from deepcity.city.progress import NoProgress, ProgressListener, task_name
from deepcity.exchange.coordinator import Training
from deepcity.intercity.party_choices import round_members
from deepcity.maps.city_map import CityMap, Member, Service
from deepcity.parties import method_errors as names
from deepcity.parties.party import parties_of
from deepcity.parties.pooling import NotPooled, can_pool, why_not_pooled
from deepcity.runs.application_notes import application_notes
from deepcity.runs.identity import check_identity, check_site, record_site
from deepcity.runs.notes import service_notes
from deepcity.runs.progress import is_lone, tasks_of
from deepcity.runs.results import MethodTraffic, Note, PartyResult, RunResults, ServiceResult
from deepcity.runs.simulate import Simulation
from deepcity.runs.site import Site
from deepcity.runs.summary import curve, sum_traffic, traffic
from deepcity.store.packages.layer_package import load_package, save_package
from deepcity.store.packages.manifest import Facts, Manifest
from deepcity.store.run_folder import (
    ensure_folder,
    forget,
    layers_folder,
    locked,
    read_results,
    record_map,
    site_folder,
    write_file,
)

_NOT_POOLED = {  # a single party has nobody to pool with
    NotPooled.FIELDS: Note(code="not_pooled_fields"),
    NotPooled.WINDOWS: Note(code="not_pooled_windows"),
    NotPooled.STEPS: Note(code="not_pooled_steps"),
    NotPooled.TIMES: Note(code="not_pooled_times"),
}


def run_map(
    city_map: CityMap,
    folder: Path,
    listener: ProgressListener | None = None,
    *,
    fresh: bool = False,
    threads: int = 1,
) -> RunResults:
    """Run every service of a map, resuming what an earlier run of it left in the folder.

    Args:
        fresh: delete what an earlier run left there, and start anew.
        threads: processor threads; networks this small train fastest with one, and results
            are reproduced exactly only with the same number.

    Raises:
        CheckpointError: if the folder holds a run of another map, another process runs there,
            or it cannot be written.
        DataError: if a party's records do not suffice.
        LayerPackageError: if a package to start from cannot be trusted or does not fit.
    """
    begun = time.perf_counter()
    torch.set_num_threads(threads)
    listener = listener or NoProgress()
    with locked(folder):
        if fresh:
            forget(folder)
        check_identity(folder, city_map)
        record_map(folder, city_map.path)
        listener.plan(tasks_of(city_map.services))
        done = [_run_service(city_map, service, folder, listener) for service in city_map.services]
        results = RunResults(
            map=city_map.settings.name,
            title=city_map.settings.title.value(),
            version=__version__,
            seed=city_map.settings.seed,
            seconds=time.perf_counter() - begun + sum(earlier for _, earlier in done),
            services=[service for service, _ in done],
        )
        write_file(folder / "results.json", results.model_dump_json(indent=1).encode())
    return results


def load_results(folder: Path) -> RunResults:
    """Results of a finished run.

    Raises:
        CheckpointError: if the folder has no readable results.
    """
    return read_results(folder / "results.json", RunResults, "deepcity run")


def _run_service(
    city_map: CityMap, service: Service, folder: Path, listener: ProgressListener
) -> tuple[ServiceResult, float]:
    """A service's results, and the seconds spent on its rounds before the run was resumed."""
    settings = service.settings
    start, package = _start(city_map, service)
    task = f"{settings.name}: reading records"
    listener.begin(task, len(service.members))
    parties = parties_of(service, lambda done: listener.advance(task, done))
    if settings.pooled and not can_pool(parties):
        listener.skip(task_name(settings.name, names.POOLED))
    digests = {party.name: check_site(folder, city_map, service, party) for party in parties}
    newcomers = {name: digests[name] for name in digests if name in settings.newcomers}
    for name in round_members(settings, digests):
        record_site(folder, city_map, service, name, digests[name])
    seed = city_map.settings.seed
    sites = [Site(settings, party, seed, site_folder(folder, party.name)) for party in parties]
    simulation = Simulation(service, sites, seed, folder, listener, start, newcomers)
    found = simulation.run()
    for name, digest in newcomers.items():
        record_site(folder, city_map, service, name, digest)
    if simulation.joined is not None and any(simulation.joined.levels.values()):
        _export(simulation, simulation.joined, folder, package)
    trainings = [*simulation.trainings.values(), *simulation.stages]
    return _result(simulation, found, package), sum(one.earlier_seconds for one in trainings)


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
            f"{service.settings.name} reuses level {reuse.level}, but {package.path} lacks "
            f"{', '.join(missing)}; it has {', '.join(package.layers)}. Lower reuse.level"
        )
        raise LayerPackageError(msg)
    return {name: package.layers[name] for name in wanted}, package.manifest


def _export(
    simulation: Simulation, joined: Training, folder: Path, package: Manifest | None
) -> None:
    """Write the shared layers of the last round as a package that others may start from."""
    settings = simulation.settings
    members = {member.name: member for member in simulation.service.members}
    sites = [members[name] for name in round_members(settings, members)]
    profiles = [simulation.profiles[site.name] for site in sites]
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
    fused = layers_up_to(max(joined.levels.values()))  # private layers stay out
    state = joined.progress.state.layers  # and a head that not all share
    layers = {name: state[name] for name in fused if name in state}
    target = ensure_folder(layers_folder(folder))
    for old in target.glob(f"{settings.name}-common-*.layers"):
        old.unlink()
    save_package(target, facts, layers)


def _kind(member: Member) -> Kind:
    """The kind of field a site forecasts."""
    return next(one.kind for one in member.agency.fields if one.name == member.field)


def _traffic(simulation: Simulation) -> list[MethodTraffic]:
    """Bytes of every method; the choice of a level costs those of the deepest training and of
    episodic training. A lone party has nobody to send to.
    """
    if is_lone(simulation.settings, len(simulation.sites)):
        return []
    found = [traffic(name, training) for name, training in simulation.trainings.items()]
    if simulation.settings.automatic and simulation.joined is not None:
        spent = [traffic("", one) for one in (simulation.joined, *simulation.stages)]
        found.append(sum_traffic(names.AUTOMATIC, spent))
    return found


def _pooled_notes(simulation: Simulation) -> list[Note]:
    """Why raw rows were not pooled, where the map asks for it."""
    reason = why_not_pooled([site.party for site in simulation.sites])
    found = _NOT_POOLED.get(reason) if reason is not None else None
    return [found] if found is not None and simulation.settings.pooled else []


def _result(
    simulation: Simulation, found: list[PartyResult], package: Manifest | None
) -> ServiceResult:
    settings, application = simulation.settings, simulation.service.application
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
        curves=[curve(name, training) for name, training in simulation.trainings.items()],
        traffic=_traffic(simulation),
        seconds=simulation.seconds,
        notes=[
            *service_notes(settings, simulation.profiles, package, simulation.joined),
            *application_notes(simulation.service, simulation.profiles),
            *_pooled_notes(simulation),
        ],
        who=settings.who.value() if settings.who else None,
        metric=application.metric.title,
        metric_in_unit=application.metric.in_unit,
        baselines=[baseline.value for baseline in application.baselines],
    )
