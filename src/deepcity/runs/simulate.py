"""One service simulated: its sites and its coordinator in one process.

Every method of the map is run on the same sites and days. The coordinator works by messages
(`deepcity.runs.trainings`); private data and results stay with their site (`deepcity.runs.site`).
Only what a site grants is returned for the map-wide results.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from deepcity.city.level import ALONE, Layers
from deepcity.city.progress import ProgressListener, task_name
from deepcity.exchange.coordinator import Training
from deepcity.exchange.profile import SiteProfile
from deepcity.intercity.method import Method, alone
from deepcity.intercity.newcomer import common_layers
from deepcity.intercity.party_choices import (
    Offer,
    PartyChoice,
    episodic_start,
    fixed_method,
    joined_method,
    offer_to,
    round_members,
)
from deepcity.maps.city_map import Service
from deepcity.maps.map_settings import ServiceSettings
from deepcity.parties import method_errors as names
from deepcity.parties.method_errors import MethodErrors
from deepcity.parties.pooling import can_pool, pooled_party
from deepcity.runs.choosing_site import own_notes
from deepcity.runs.episodic_training import (
    STAGES,
    episodic_site,
    run_episodic_training,
    stage_count,
    stage_method,
)
from deepcity.runs.notes import participation_notes
from deepcity.runs.progress import EPISODIC_TRAINING, NEWCOMERS_ALONE, trained_levels
from deepcity.runs.results import PartyResult
from deepcity.runs.site import Site
from deepcity.runs.summary import pooled_errors
from deepcity.runs.trainings import ServiceRun, profiles_of, run_method
from deepcity.store.checkpoint import CheckpointStore
from deepcity.store.run_folder import coordinator_folder


@dataclass
class Simulation:
    """A service while it is run.

    Attributes:
        start: layers of a package that every method but learning alone starts from.
        newcomers: site -> SHA-256 of its records and settings.
        recorded: called with each training's name and the training, once it is done.
        keys: site -> the key with which it signed claims of rows, by the record; called before
            each training.
        trainings: finished ones, by method; `stages` those of episodic training.
        seconds: by method.
    """

    service: Service
    sites: list[Site]
    seed: int
    folder: Path
    listener: ProgressListener
    start: Layers
    newcomers: Mapping[str, str]
    recorded: Callable[[str, Training], None] = lambda _name, _training: None
    keys: Callable[[], Mapping[str, str]] = dict
    trainings: dict[str, Training] = field(default_factory=dict)
    stages: list[Training] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.settings: ServiceSettings = self.service.settings
        self.profiles: dict[str, SiteProfile] = profiles_of(self.sites)
        self.checkpoints = CheckpointStore(coordinator_folder(self.folder))

    @property
    def members(self) -> list[Site]:
        """The sites that take part in the rounds."""
        return [site for site in self.sites if site.name not in self.settings.newcomers]

    @property
    def newcomer_sites(self) -> list[Site]:
        """The sites that do not."""
        return [site for site in self.sites if site.name in self.settings.newcomers]

    @property
    def joined(self) -> Training | None:
        """The training at the deepest level granted, once it is done."""
        return self.trainings.get(joined_method(self.settings))

    def run(self) -> list[PartyResult]:
        """Run every method and every site's choice; returns each site's results."""
        for level in trained_levels(self.settings, len(self.sites)):
            method = self._train(level)
            for site in self.sites if level == ALONE else self.members:
                site.evaluate(method)
        chosen = self._choose()
        if self.settings.pooled and can_pool([site.party for site in self.sites]):
            for name, errors in self._pooled().items():
                next(site for site in self.sites if site.name == name).test[names.POOLED] = errors
        return [self._finish(site, chosen[site.name]) for site in self.sites]

    def _train(self, level: int) -> str:
        """Train a method among the members; alone, newcomers too. Returns its name."""
        members = round_members(self.settings, self.profiles)
        method = fixed_method(self.settings, self.profiles, level) if level else alone(members)
        training = self._run_rounds(
            self._run_of(self.members, self.newcomer_sites), method, self.members
        )
        if level == ALONE:
            training = self._with_newcomers(training)
        self.trainings[method.name] = training
        self.seconds[method.name] = training.seconds
        return method.name

    def _run_of(self, sites: list[Site], late: list[Site], source_digest: str = "") -> ServiceRun:
        mine = {site.name: self.profiles[site.name] for site in sites}
        others = {site.name: self.profiles[site.name] for site in late}
        return ServiceRun(self.settings, mine, self.seed, others, self.start, source_digest)

    def _run_rounds(self, run: ServiceRun, method: Method, sites: list[Site]) -> Training:
        """Run a method's rounds, with their progress."""
        task = task_name(self.settings.name, method.name)
        self.listener.begin(task, self.settings.training.rounds)
        advance = _advancing(self.listener, task)
        found = run_method(
            run,
            method,
            sites,
            checkpoints=self.checkpoints,
            after_round=advance,
            keys=self.keys(),
        )
        self.recorded(run.training(method), found)
        return found

    def _with_newcomers(self, training: Training) -> Training:
        """Train newcomers alone; one by one, so that more may be added later."""
        rounds = self.settings.training.rounds
        task = task_name(self.settings.name, NEWCOMERS_ALONE)
        if self.newcomer_sites:
            self.listener.begin(task, rounds * len(self.newcomer_sites))
        for number, site in enumerate(self.newcomer_sites):
            run, method = self._run_of([site], [], self.newcomers[site.name]), alone([site.name])
            own = run_method(
                run,
                method,
                [site],
                checkpoints=self.checkpoints,
                after_round=_advancing(self.listener, task, number * rounds),
                keys=self.keys(),
            )
            self.recorded(run.training(method), own)
            training = replace(
                training,
                seconds=training.seconds + own.seconds,
                earlier_seconds=training.earlier_seconds + own.earlier_seconds,
            )
        return training

    def _choose(self) -> dict[str, PartyChoice]:
        """Every site's choice, after episodic training."""
        begun = time.perf_counter()
        joined = self.joined if self.settings.automatic else None
        episodic_layers = self._train_episodes(joined)
        task = task_name(self.settings.name, names.AUTOMATIC)
        self.listener.begin(task, len(self.sites))
        chosen: dict[str, PartyChoice] = {}
        for done, site in enumerate(self.sites, 1):
            offer: Offer | None = None
            if joined is not None:
                offer = offer_to(self.settings, site.name, self.profiles, joined, episodic_layers)
            chosen[site.name] = site.choose(offer)
            self.listener.advance(task, done)
        earlier = sum(stage.earlier_seconds for stage in self.stages)
        deepest = self.joined.seconds if self.joined else 0.0  # needed for the choice
        self.seconds[names.AUTOMATIC] = time.perf_counter() - begun + deepest + earlier
        return chosen

    def _train_episodes(self, joined: Training | None) -> Layers | None:
        """The shared layers after episodic training; None without newcomers that may use them."""
        task = task_name(self.settings.name, EPISODIC_TRAINING)
        layers = joined and episodic_start(self.settings, self.profiles, joined)
        if not layers:
            self.listener.skip(task)
            return None
        members = self.members
        mine = {site.name: self.profiles[site.name] for site in members}
        self.listener.begin(task, sum(rounds for rounds, _ in STAGES[: stage_count(mine)]))
        self.stages = run_episodic_training(
            self.settings,
            lambda stage: [episodic_site(site, stage) for site in members],
            layers,
            self.seed,
            checkpoints=self.checkpoints,
            after_round=_advancing(self.listener, task),
            keys=self.keys(),
        )
        for number, stage in enumerate(self.stages):
            self.recorded(f"{self.settings.name}.{stage_method(number)}", stage)
        return common_layers(self.stages[-1].progress)

    def _pooled(self) -> dict[str, MethodErrors]:
        """Train one network on all raw rows; other newcomers give another network."""
        parties = [site.party for site in self.sites]
        pool = Site(
            self.settings,
            pooled_party(self.service, parties),
            self.seed,
            self.folder / "pooled",
            recorded=False,  # all of its rows are in one place, and none of its layers leaves
        )
        source_digest = "".join(sorted(self.newcomers.values()))
        run = ServiceRun(self.settings, profiles_of([pool]), self.seed, source_digest=source_digest)
        method = Method(names.POOLED, {pool.name: ALONE})
        self.trainings[names.POOLED] = training = self._run_rounds(run, method, [pool])
        self.seconds[names.POOLED] = training.seconds
        return pooled_errors(pool.learners[names.POOLED], pool.party, parties)

    def _finish(self, site: Site, chosen: PartyChoice) -> PartyResult:
        """A site's results; its measured values only where it grants them."""
        first, rest = own_notes(self.service, site, chosen)
        notes = participation_notes(self.settings, site.name, self.profiles, self.joined)
        levels = [one for one in trained_levels(self.settings, len(self.sites)) if one != ALONE]
        found = site.finish(chosen, levels, [*first, *notes, *rest])
        shared = self.settings.grant.truths_of(site.name) == "shared"
        return found if shared else found.without_truths()


def _advancing(listener: ProgressListener, task: str, before: int = 0) -> Callable[[int], None]:
    """Report progress from `before` on; holds no reference to a site."""
    return lambda done: listener.advance(task, before + done)
