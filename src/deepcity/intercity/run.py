"""Run a map: every service, every method, one folder that a killed run goes on from.

FOLDER/run.json        which map this is a run of
FOLDER/checkpoints/    state after each round
FOLDER/layers/         layer packages of the common layers
FOLDER/own/            what each party forecasts with, for `refine`; private to it
FOLDER/results.json    what was found out
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import torch

from deepcity import __version__
from deepcity.city.errors import LayerPackageError
from deepcity.city.level import ALONE, Layers, layers_up_to
from deepcity.intercity import results as names
from deepcity.intercity.choices import (
    Chosen,
    choices,
    fixed_method,
    level_errors,
    practice_of,
    practice_start,
    together,
)
from deepcity.intercity.city_map import CityMap, Service
from deepcity.intercity.claim import claim, claim_newcomers, claim_records, newcomers_of
from deepcity.intercity.keeping import keep
from deepcity.intercity.map_settings import ServiceSettings
from deepcity.intercity.methods import Method, Outcome, Run, beside, run_method
from deepcity.intercity.methods import alone as alone_method
from deepcity.intercity.parties import Party, can_pool, parties_of, pooled_party
from deepcity.intercity.practice import COURSES, courses_of, practise, with_practice
from deepcity.intercity.remarks import party_remarks, service_remarks
from deepcity.intercity.results import Errors, Results, ServiceResult, Traffic, Words
from deepcity.intercity.run_folder import made, put, read
from deepcity.intercity.summary import (
    added,
    curve,
    naive_errors,
    party_result,
    pooled_errors,
    test_errors,
    traffic,
)
from deepcity.intercity.watch import (
    NEWCOMERS_ALONE,
    PRACTICE,
    Silent,
    Watch,
    task_name,
    tasks_of,
    trained_levels,
)
from deepcity.learning.council import Aggregated
from deepcity.store.checkpoint import CheckpointStore
from deepcity.store.layer_package import load_package, save_package
from deepcity.store.manifest import Facts, Manifest


@dataclass(frozen=True)
class _Work:
    """One service being run."""

    service: Service
    parties: list[Party]
    run: Run
    watch: Watch
    newcomers: Mapping[str, str]  # name -> SHA-256 of its records and settings
    package: Manifest | None = None  # of the layers it starts from

    @property
    def together(self) -> list[Party]:
        """Those who take part in the rounds."""
        return together(self.service.settings, self.parties)

    @property
    def late(self) -> list[Party]:
        """Those who do not."""
        return [party for party in self.parties if party.name in self.newcomers]

    def method(self, method: Method) -> Outcome:
        """Run one method among those who take part in the rounds, and tell the watch."""
        name = task_name(self.service.settings.name, method.name)
        self.watch.begin(name, self.run.settings.training.rounds)
        return run_method(replace(self.run, parties=self.together, newcomers=self.late), method)

    def with_newcomers(self, alone: Outcome) -> Outcome:
        """What each learned alone, newcomers too; these one by one, so that more may come."""
        rounds = self.run.settings.training.rounds
        task = task_name(self.service.settings.name, NEWCOMERS_ALONE)
        if self.late:
            self.watch.begin(task, rounds * len(self.late))
        for number, party in enumerate(self.late):

            def after_round(_method: Method, done: int, before: int = number * rounds) -> None:
                self.watch.advance(task, before + done)

            own = replace(
                self.run,
                parties=[party],
                made_of=self.newcomers[party.name],
                after_round=after_round,
            )
            alone = beside(alone, run_method(own, alone_method([party])))
        return alone

    def practised(self, joined: Outcome | None) -> list[Outcome]:
        """The members' courses of practice, where newcomers start from all they have in common."""
        settings = self.service.settings
        layers = {} if joined is None else practice_start(settings, self.parties, joined)
        task = task_name(settings.name, PRACTICE)
        if not layers:
            self.watch.skip(task)
            return []
        courses = COURSES[: courses_of(self.together)]
        self.watch.begin(task, sum(rounds for rounds, _ in courses))
        return practise(
            settings,
            lambda course: [
                with_practice(party, settings, self.run.seed, course) for party in self.together
            ],
            layers,
            self.run.seed,
            checkpoints=self.run.checkpoints,
            after_round=lambda done: self.watch.advance(task, done),
        )

    def pooled(self, pool: Party) -> Outcome:
        """One network of all raw rows; of other newcomers' rows, another network."""
        method = Method(names.POOLED, {pool.name: ALONE})
        name = task_name(self.service.settings.name, method.name)
        self.watch.begin(name, self.run.settings.training.rounds)
        made_of = "".join(sorted(self.newcomers.values()))
        return run_method(replace(self.run, parties=[pool], start={}, made_of=made_of), method)


def run_map(
    city_map: CityMap, folder: Path, watch: Watch | None = None, *, threads: int = 1
) -> Results:
    """Run every service of a map, resuming what an earlier run of it left in the folder.

    Args:
        threads: of the processor; networks this small train fastest on one, and results
            repeat to the bit only with the same number.

    Raises:
        CheckpointError: if the folder holds a run of another map, or cannot be written.
        DataError: if a party's records do not suffice.
        LayerPackageError: if a package to start from cannot be trusted or does not fit.
    """
    begun = time.perf_counter()
    torch.set_num_threads(threads)
    watch = watch or Silent()
    claim(folder, city_map)
    watch.plan(tasks_of(city_map.services))
    done = [_run_service(city_map, service, folder, watch) for service in city_map.services]
    results = Results(
        map=city_map.settings.name,
        title=Words(en=city_map.settings.title.en, ko=city_map.settings.title.ko),
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
    claim_records(folder, service, parties)
    newcomers = newcomers_of(folder, service, parties)
    run = Run(
        settings=settings,
        parties=parties,
        seed=city_map.settings.seed,
        start=start,
        checkpoints=CheckpointStore(made(folder / "checkpoints")),
        after_round=lambda method, done: watch.advance(task_name(settings.name, method.name), done),
    )
    return _compare(_Work(service, parties, run, watch, newcomers, package), folder)


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


def _compare(work: _Work, folder: Path) -> tuple[ServiceResult, float]:
    """Every method the map asks for, on the same parties and days; see `_run_service`."""
    settings, parties = work.service.settings, work.parties
    seconds: dict[str, float] = {}
    outcomes: dict[str, Outcome] = {}
    test: dict[str, dict[str, Errors]] = {party.name: naive_errors(party) for party in parties}

    def add(name: str, errors: Mapping[str, Errors]) -> None:
        for party, found in errors.items():
            test[party][name] = found

    deepest = settings.grant.level
    for level in trained_levels(settings):
        method = fixed_method(settings, parties, level) if level else alone_method(work.together)
        outcomes[method.name] = work.method(method)
        if level == ALONE:
            outcomes[method.name] = work.with_newcomers(outcomes[method.name])
        seconds[method.name] = outcomes[method.name].seconds
        learned = [party for party in parties if party.name in outcomes[method.name].learners]
        add(method.name, test_errors(outcomes[method.name], learned))
    begun = time.perf_counter()
    chosen = _choices(work, outcomes)
    joined_seconds = seconds.get(names.fixed(deepest), 0.0)  # choosing needs that training
    practised = sum(course.earlier_seconds for course in practice_of(chosen))
    seconds[names.AUTOMATIC] = time.perf_counter() - begun + joined_seconds + practised
    for party in parties:
        if party.name in settings.newcomers:
            trained = [level for level in trained_levels(settings) if level != ALONE]
            test[party.name] |= level_errors(chosen[party.name], party, trained)
    if settings.pooled and can_pool(parties):
        add(names.POOLED, _pooled(work, outcomes))
        seconds[names.POOLED] = outcomes[names.POOLED].seconds
    joined = outcomes.get(names.fixed(deepest))
    if joined is not None and any(joined.method.levels.values()):
        _export(work, joined, folder)
    tested = {party.name: chosen[party.name].choice.forecast(party) for party in parties}
    picked = {name: one.choice for name, one in chosen.items()}
    claim_newcomers(folder, work.service, work.newcomers)
    keep(folder, work.service, parties, picked, tested)
    earlier = practised + sum(outcome.earlier_seconds for outcome in outcomes.values())
    return _result(work, outcomes, chosen, tested, test, seconds), earlier


def _choices(work: _Work, outcomes: Mapping[str, Outcome]) -> dict[str, Chosen]:
    settings = work.service.settings
    joined = outcomes.get(names.fixed(settings.grant.level)) if settings.automatic else None
    practice = work.practised(joined)
    task = task_name(settings.name, names.AUTOMATIC)
    work.watch.begin(task, len(work.parties))
    return choices(
        settings,
        work.parties,
        outcomes[names.ALONE].learners,
        joined,
        work.run.seed,
        lambda done: work.watch.advance(task, done),
        practice,
    )


def _pooled(work: _Work, outcomes: dict[str, Outcome]) -> dict[str, Errors]:
    pooled = pooled_party(work.service, work.parties)
    outcomes[names.POOLED] = work.pooled(pooled)
    return pooled_errors(outcomes[names.POOLED], pooled, work.parties)


def _export(work: _Work, joined: Outcome, folder: Path) -> None:
    """The common layers as fused last, as a package others may start from."""
    settings = work.service.settings
    parties = together(settings, work.parties)
    first = parties[0]
    field = first.panel.fields[first.panel.field_index(first.field)]
    starts = [int(party.panel.time_T[party.split.train.start]) for party in parties]
    ends = [int(party.panel.time_T[party.split.train.end]) for party in parties]
    facts = Facts(
        name=f"{settings.name}-common",
        city="+".join(sorted({party.city for party in parties})),
        service=settings.name,
        field_kinds=(field.kind,),
        step_seconds=first.panel.clock.step_s,
        history_steps=first.inputs.settings.history,
        horizon_steps=first.inputs.settings.horizon,
        trained_from=datetime.fromtimestamp(min(starts), UTC),
        trained_to=datetime.fromtimestamp(max(ends), UTC),
        metrics={"relative_validation_error": curve(joined).error_by_round[-1]},
        parents=_parents(work),
    )
    fused = layers_up_to(max(joined.method.levels.values()))  # what stayed private stays out
    state = joined.progress.state.layers  # a head that not all share stays out too
    layers = {name: state[name] for name in fused if name in state}
    folder = made(folder / "layers")
    for old in folder.glob(f"{settings.name}-common-*.layers"):
        old.unlink()
    save_package(folder, facts, layers)


def _traffic(
    settings: ServiceSettings, outcomes: Mapping[str, Outcome], chosen: Mapping[str, Chosen]
) -> list[Traffic]:
    """Bytes of every method; choosing a level costs those of the deepest training, and those of
    the rounds in which the others practised for newcomers.
    """
    found = [traffic(outcome) for outcome in outcomes.values()]
    deepest = names.fixed(settings.grant.level)
    if settings.automatic and deepest in outcomes:
        spent = [traffic(outcome) for outcome in (outcomes[deepest], *practice_of(chosen))]
        found.append(added(names.AUTOMATIC, spent))
    return found


def _parents(work: _Work) -> tuple[str, ...]:
    """Hashes of the packages that the service started from."""
    return (work.package.sha256,) if work.package else ()


def _result(
    work: _Work,
    outcomes: Mapping[str, Outcome],
    chosen: Mapping[str, Chosen],
    tested: Mapping[str, Aggregated],
    test: Mapping[str, Mapping[str, Errors]],
    seconds: dict[str, float],
) -> ServiceResult:
    settings, application = work.service.settings, work.service.application
    first = work.parties[0]
    deepest = outcomes.get(names.fixed(settings.grant.level))
    title = settings.title or application.title
    alone = outcomes[names.ALONE].learners
    return ServiceResult(
        name=settings.name,
        title=Words(en=title.en, ko=title.ko),
        question=Words(en=application.question.en, ko=application.question.ko),
        decision=Words(en=application.decision.en, ko=application.decision.ko),
        unit=first.unit,
        horizon_steps=first.inputs.settings.horizon,
        step_minutes=first.panel.clock.step_s / 60,
        parties=[
            party_result(
                work.service,
                party,
                chosen[party.name].choice,
                tested[party.name],
                alone[party.name],
                test[party.name],
                party_remarks(settings, party, work.parties, chosen[party.name], deepest),
            )
            for party in work.parties
        ],
        curves=[curve(outcome) for outcome in outcomes.values()],
        traffic=_traffic(settings, outcomes, chosen),
        seconds=seconds,
        remarks=service_remarks(settings, work.parties, work.package, deepest),
        who=Words(en=settings.who.en, ko=settings.who.ko) if settings.who else None,
    )
