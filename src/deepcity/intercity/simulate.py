"""One service simulated: its sites and its coordinator in one process.

Every method the map asks for is run on the same sites and days. What the coordinator leads it
does by messages (`deepcity.intercity.methods`); what is a site's own, its site does and keeps
(`deepcity.intercity.site`). Only what a site grants comes back for the map-wide results.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from deepcity.city.level import ALONE, Layers
from deepcity.exchange.coordinator import Training
from deepcity.exchange.profile import SiteProfile
from deepcity.intercity import results as names
from deepcity.intercity.choices import (
    Chosen,
    Offer,
    fixed_method,
    offer_to,
    practice_start,
    together,
)
from deepcity.intercity.city_map import Service
from deepcity.intercity.map_settings import ServiceSettings
from deepcity.intercity.method import Method, alone
from deepcity.intercity.methods import Run, profiles_of, run_method
from deepcity.intercity.newcomer import common_layers
from deepcity.intercity.notes import party_notes
from deepcity.intercity.parties import can_pool, pooled_party
from deepcity.intercity.practice import COURSES, courses_of, practise, practising
from deepcity.intercity.results import Errors, PartyResult
from deepcity.intercity.run_folder import coordinator_folder
from deepcity.intercity.site import Site
from deepcity.intercity.summary import pooled_errors
from deepcity.intercity.watch import NEWCOMERS_ALONE, PRACTICE, Watch, task_name, trained_levels
from deepcity.store.checkpoint import CheckpointStore


@dataclass
class Simulation:
    """A service being run.

    Attributes:
        start: layers of a package that all but learning alone begins with.
        newcomers: site -> SHA-256 of its records and settings.
        trainings: those that are done, by method; `courses` those of practice.
        seconds: by method.
    """

    service: Service
    sites: list[Site]
    seed: int
    folder: Path
    watch: Watch
    start: Layers
    newcomers: Mapping[str, str]
    trainings: dict[str, Training] = field(default_factory=dict)
    courses: list[Training] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.settings: ServiceSettings = self.service.settings
        self.profiles: dict[str, SiteProfile] = profiles_of(self.sites)
        self.checkpoints = CheckpointStore(coordinator_folder(self.folder))

    @property
    def members(self) -> list[Site]:
        """Those who take part in the rounds."""
        return [site for site in self.sites if site.name not in self.settings.newcomers]

    @property
    def late(self) -> list[Site]:
        """Those who do not."""
        return [site for site in self.sites if site.name in self.settings.newcomers]

    @property
    def joined(self) -> Training | None:
        """The training at the deepest level granted, once it is done."""
        return self.trainings.get(names.fixed(self.settings.grant.level))

    def run(self) -> list[PartyResult]:
        """Every method, every site's choice, and what each site found out."""
        for level in trained_levels(self.settings):
            method = self._train(level)
            for site in self.sites if level == ALONE else self.members:
                site.try_out(method)
        chosen = self._choose()
        if self.settings.pooled and can_pool([site.party for site in self.sites]):
            for name, errors in self._pooled().items():
                next(site for site in self.sites if site.name == name).test[names.POOLED] = errors
        return [self._finish(site, chosen[site.name]) for site in self.sites]

    def _train(self, level: int) -> str:
        """A method among the members; alone, newcomers too."""
        members = together(self.settings, self.profiles)
        method = fixed_method(self.settings, self.profiles, level) if level else alone(members)
        training = self._led(self._run_of(self.members, self.late), method, self.members)
        if level == ALONE:
            training = self._with_newcomers(training)
        self.trainings[method.name] = training
        self.seconds[method.name] = training.seconds
        return method.name

    def _run_of(self, sites: list[Site], late: list[Site], made_of: str = "") -> Run:
        mine = {site.name: self.profiles[site.name] for site in sites}
        others = {site.name: self.profiles[site.name] for site in late}
        return Run(self.settings, mine, self.seed, others, self.start, made_of)

    def _led(self, run: Run, method: Method, sites: list[Site]) -> Training:
        """A method's rounds, told to whoever watches."""
        task = task_name(self.settings.name, method.name)
        self.watch.begin(task, self.settings.training.rounds)
        advance = _advancing(self.watch, task)
        return run_method(run, method, sites, checkpoints=self.checkpoints, after_round=advance)

    def _with_newcomers(self, training: Training) -> Training:
        """Newcomers learn alone too; one by one, so that more may come."""
        rounds = self.settings.training.rounds
        task = task_name(self.settings.name, NEWCOMERS_ALONE)
        if self.late:
            self.watch.begin(task, rounds * len(self.late))
        for number, site in enumerate(self.late):
            own = run_method(
                self._run_of([site], [], self.newcomers[site.name]),
                alone([site.name]),
                [site],
                checkpoints=self.checkpoints,
                after_round=_advancing(self.watch, task, number * rounds),
            )
            training = replace(
                training,
                seconds=training.seconds + own.seconds,
                earlier_seconds=training.earlier_seconds + own.earlier_seconds,
            )
        return training

    def _choose(self) -> dict[str, Chosen]:
        """Every site's choice, after the others practised for newcomers."""
        begun = time.perf_counter()
        joined = self.joined if self.settings.automatic else None
        practised = self._practised(joined)
        task = task_name(self.settings.name, names.AUTOMATIC)
        self.watch.begin(task, len(self.sites))
        chosen: dict[str, Chosen] = {}
        for done, site in enumerate(self.sites, 1):
            offer: Offer | None = None
            if joined is not None:
                offer = offer_to(self.settings, site.name, self.profiles, joined, practised)
            chosen[site.name] = site.choose(offer)
            self.watch.advance(task, done)
        earlier = sum(course.earlier_seconds for course in self.courses)
        deepest = self.joined.seconds if self.joined else 0.0  # choosing needs that training
        self.seconds[names.AUTOMATIC] = time.perf_counter() - begun + deepest + earlier
        return chosen

    def _practised(self, joined: Training | None) -> Layers | None:
        """What members have in common after courses of practice, where a newcomer may have all."""
        task = task_name(self.settings.name, PRACTICE)
        layers = joined and practice_start(self.settings, self.profiles, joined)
        if not layers:
            self.watch.skip(task)
            return None
        members = self.members
        mine = {site.name: self.profiles[site.name] for site in members}
        self.watch.begin(task, sum(rounds for rounds, _ in COURSES[: courses_of(mine)]))
        self.courses = practise(
            self.settings,
            lambda course: [practising(site, course) for site in members],
            layers,
            self.seed,
            checkpoints=self.checkpoints,
            after_round=_advancing(self.watch, task),
        )
        return common_layers(self.courses[-1].progress)

    def _pooled(self) -> dict[str, Errors]:
        """One network of all raw rows; of other newcomers' rows, another network."""
        parties = [site.party for site in self.sites]
        pool = Site(
            self.settings, pooled_party(self.service, parties), self.seed, self.folder / "pooled"
        )
        made_of = "".join(sorted(self.newcomers.values()))
        run = Run(self.settings, profiles_of([pool]), self.seed, made_of=made_of)
        method = Method(names.POOLED, {pool.name: ALONE})
        self.trainings[names.POOLED] = training = self._led(run, method, [pool])
        self.seconds[names.POOLED] = training.seconds
        return pooled_errors(pool.learners[names.POOLED], pool.party, parties)

    def _finish(self, site: Site, chosen: Chosen) -> PartyResult:
        """What a site found out; its measured values only where it grants them."""
        unit = site.party.unit if site.party.metric.in_unit else ""
        notes = party_notes(self.settings, site.name, self.profiles, unit, chosen, self.joined)
        levels = [level for level in trained_levels(self.settings) if level != ALONE]
        found = site.finish(chosen, levels, notes)
        shared = self.settings.grant.truths_of(site.name) == "shared"
        return found if shared else found.without_truths()


def _advancing(watch: Watch, task: str, before: int = 0) -> Callable[[int], None]:
    """Tells whoever watches; it knows nothing of a site."""
    return lambda done: watch.advance(task, before + done)
