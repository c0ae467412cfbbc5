"""Run a map: every service and every method, in a folder from which a killed run resumes.

`deepcity.store.run_folder` describes the folder.
"""

import time
from pathlib import Path

import torch

from deepcity.city.progress import NoProgress, ProgressListener, task_name
from deepcity.intercity.party_choices import round_members
from deepcity.intercity.starting_package import starting_package
from deepcity.maps.city_map import CityMap, Service
from deepcity.parties import method_errors as names
from deepcity.parties.party import Party, parties_of
from deepcity.parties.pooling import NotPooled, can_pool, why_not_pooled
from deepcity.parties.releases.heads import cosign_heads
from deepcity.parties.releases.layer_release import layer_release
from deepcity.runs.identity import check_identity, check_site, record_site
from deepcity.runs.note import Note
from deepcity.runs.outcome.claim_review import claim_notes
from deepcity.runs.outcome.common_package import export_common_layers
from deepcity.runs.outcome.round_records import RoundsFile
from deepcity.runs.outcome.service_outcome import ServiceOutcome, run_results
from deepcity.runs.progress import tasks_of
from deepcity.runs.results import RunResults
from deepcity.runs.simulate import Simulation
from deepcity.runs.site import Site
from deepcity.store.run_folder import (
    forget,
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
        rounds = RoundsFile(folder)
        done = [
            _run_service(city_map, service, folder, listener, rounds)
            for service in city_map.services
        ]
        results = run_results(city_map, done, time.perf_counter() - begun)
        write_file(folder / "results.json", results.model_dump_json(indent=1).encode())
    return results


def load_results(folder: Path) -> RunResults:
    """Results of a finished run.

    Raises:
        CheckpointError: if the folder has no readable results.
    """
    return read_results(folder / "results.json", RunResults, "deepcity run")


def _run_service(
    city_map: CityMap,
    service: Service,
    folder: Path,
    listener: ProgressListener,
    rounds: RoundsFile,
) -> ServiceOutcome:
    """Run one service to its end."""
    settings = service.settings
    start, package = starting_package(city_map, service)
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
    sites = [_site(service, party, seed, folder) for party in parties]
    simulation = Simulation(
        service, sites, seed, folder, listener, start, newcomers, rounds.note, rounds.keys
    )
    found = simulation.run()
    cosign_heads({one.name: one.folder for one in sites if one.folder}, folder)
    for name, digest in newcomers.items():
        record_site(folder, city_map, service, name, digest)
    outcome = ServiceOutcome(
        service,
        simulation.profiles,
        simulation.trainings,
        simulation.stages,
        simulation.seconds,
        found,
        [*_pooled_notes(simulation), *claim_notes(rounds.records, settings.name)],
        package,
    )
    export_common_layers(outcome, folder)
    return outcome


def _site(service: Service, party: Party, seed: int, folder: Path) -> Site:
    own = site_folder(folder, party.name)
    member = next(one for one in service.members if one.name == party.name)
    release = layer_release(service, member, own)
    return Site(service.settings, party, seed, own, release=release)


def _pooled_notes(simulation: Simulation) -> list[Note]:
    """Why raw rows were not pooled, where the map asks for it."""
    reason = why_not_pooled([site.party for site in simulation.sites])
    found = _NOT_POOLED.get(reason) if reason is not None else None
    return [found] if found is not None and simulation.settings.pooled else []
