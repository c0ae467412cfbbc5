"""One service of a map led between machines: the same trainings as in one process, then choices.

Members train alone and at every level, newcomers alone, members on episodes where grants allow it,
all by the same `Coordinator`. Then every site chooses its level (`deepcity.runs.machines.choices`).
"""

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from deepcity.city.level import ALONE, STEM, Layers
from deepcity.exchange.coordinator import Coordinator, Training
from deepcity.exchange.exchange import failures, refuse_failures
from deepcity.exchange.flare.task import CallTask
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.message import Message
from deepcity.exchange.party import START
from deepcity.exchange.profile import SiteProfile
from deepcity.exchange.rounds import FederationPlan
from deepcity.exchange.trust.row_claims import ClaimTerms
from deepcity.intercity.method import Method, alone
from deepcity.intercity.newcomer import common_layers
from deepcity.intercity.party_choices import (
    Offer,
    episodic_start,
    fixed_method,
    joined_method,
    offer_to,
    round_members,
)
from deepcity.maps.city_map import Service
from deepcity.parties import method_errors as names
from deepcity.runs.episodic_training import STAGES, stage_count, stage_method, stage_run
from deepcity.runs.machines.choices import ChoiceLead
from deepcity.runs.machines.descriptions import LEAST_MEMBERS, Descriptions
from deepcity.runs.machines.lease_holder import LeaseHolder
from deepcity.runs.note import Note
from deepcity.runs.outcome.claim_review import claim_notes
from deepcity.runs.outcome.round_records import RoundsFile
from deepcity.runs.outcome.service_outcome import ServiceOutcome
from deepcity.runs.progress import trained_levels
from deepcity.runs.trainings import ServiceRun
from deepcity.store.checkpoint import CheckpointStore
from deepcity.store.packages.manifest import Manifest
from deepcity.store.run_folder import coordinator_folder

_log = logging.getLogger(__name__)
ANEW = "stop all parts, remove run/ of the federation and of every kit, and start them again"
"""How to start a federation's run anew."""
_NEWCOMERS = "newcomers"
_STAGES = frozenset(stage_method(number) for number in range(len(STAGES)))


@dataclass
class ServiceLead:
    """Leads one service.

    Attributes:
        folder: of the run.
        start: layers of a package that every training but alone starts from; sites have it, too.
        package: its manifest.
        trainings: finished ones, by method; `stages` those of episodic training.
        rounds: where every training is recorded, newcomers' among them.
        left_out: party -> why it takes no part.
    """

    service: Service
    seed: int
    folder: Path
    leases: LeaseHolder
    rounds: RoundsFile
    start: Layers = field(default_factory=dict)
    package: Manifest | None = None
    profiles: dict[str, SiteProfile] = field(default_factory=dict)
    trainings: dict[str, Training] = field(default_factory=dict)
    stages: list[Training] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    _chosen_from: list[tuple[ServiceRun, Method]] = field(default_factory=list)

    def run(self) -> ServiceOutcome:
        """Lead every training, and every site's choice.

        Raises:
            ExchangeError: if too few sites are there, leases are lost again and again, or no
                site chose.
            CheckpointError: if a checkpoint cannot be read or written.
        """
        settings = self.service.settings
        self.leases.left_out, self.leases.failed = {}, {}
        self.profiles, self.left_out = Descriptions(self.service, self.leases, self.folder).read()
        self.leases.left_out = self.left_out
        members = round_members(settings, self.profiles)
        newcomers = [name for name in self.profiles if name in settings.newcomers]
        run = self._run_of(members, newcomers)
        for level in trained_levels(settings, len(self.profiles)):
            joined = fixed_method(settings, self.profiles, level) if level else alone(members)
            self.trainings[joined.name] = self._train_chosen_from(run, joined)
            if level == ALONE and newcomers:
                own = self._run_of(newcomers, [], _NEWCOMERS)
                self._train_chosen_from(own, alone(newcomers))
        episodic = self._train_stages(members)
        begun = time.perf_counter()
        choices = ChoiceLead(
            self.service,
            self.profiles,
            self._joined,
            {name: self._offer(name, episodic) for name in self.profiles},
            self.leases,
            self._finish_again,
            self.folder,
        )
        parties = choices.run()
        seconds = {method: training.seconds for method, training in self.trainings.items()}
        spent = [one.seconds for one in (self._joined, *self.stages) if one is not None]
        seconds[names.AUTOMATIC] = time.perf_counter() - begun + sum(spent)
        jumps = claim_notes(self.rounds.records, settings.name)
        notes = [*choices.notes(), *self._left_out_notes(), *jumps]
        return ServiceOutcome(
            self.service,
            self.profiles,
            self.trainings,
            self.stages,
            seconds,
            parties,
            notes,
            self.package,
        )

    @property
    def _joined(self) -> Training | None:
        """The training at the deepest level granted, once it is done."""
        return self.trainings.get(joined_method(self.service.settings))

    def _run_of(self, mine: Iterable[str], late: Iterable[str], digest: str = "") -> ServiceRun:
        return ServiceRun(
            self.service.settings,
            {name: self.profiles[name] for name in mine},
            self.seed,
            {name: self.profiles[name] for name in late},
            self.start,
            digest,
        )

    def _train_chosen_from(self, run: ServiceRun, method: Method) -> Training:
        """A training whose networks sites choose from."""
        self._chosen_from.append((run, method))
        return self._train(run, method)

    def _train(self, run: ServiceRun, method: Method) -> Training:
        """A training to its end, over as many leases as it takes."""
        name, store = run.training(method), CheckpointStore(coordinator_folder(self.folder))
        return self.leases.insist(lambda: self._attempt(run, method), lambda: _done(store, name))

    def _attempt(self, run: ServiceRun, method: Method) -> Training:
        """A training from its newest checkpoint on, in the lease that is held or a new one.

        The first training begins with all sites; a later one without those that are away, while
        two members are left.
        """
        name, plan = run.training(method), run.plan(method)
        store = CheckpointStore(coordinator_folder(self.folder))
        newest = store.load_latest(name)
        ledger = Ledger()
        if newest is not None:
            ledger.restore(newest.values["ledger"])
        done = newest.round if newest is not None else 0
        begun = newest is not None
        if not begun and len(self.leases.connected(plan.levels)) < len(plan.levels):
            self.leases.give_back()  # who was away may be in the next one
        least = None
        if begun:
            least = int(done < plan.rounds)  # 0: all is trained
        elif self.trainings:
            least = max(1, self._least(plan))
        self.leases.take(
            name, list(plan.levels), ledger, done, least=least, also=list(self.profiles)
        )
        return self._lead(run, method, done)

    def _lead(self, run: ServiceRun, method: Method, done: int) -> Training:
        """A training from its newest checkpoint on, after `done` rounds, in the lease held."""
        name, plan, ledger = run.training(method), run.plan(method), Ledger()
        store = CheckpointStore(coordinator_folder(self.folder))
        self.leases.report(name, done, plan.rounds)
        tasks = {party: _task(run, method, plan, party) for party in plan.levels}
        failed = self._start(tasks, run.start) if method.name in _STAGES else []
        exchange = self.leases.exchange(tasks, ledger, run.settings.wire.precision)
        present = self.leases.with_absent(plan, failed)
        claims = ClaimTerms(self.leases.federation_id, name, self._keys(plan.levels))
        return Coordinator(exchange, ledger, store, self._note, ANEW).train(
            name,
            replace(present, least_joined=self._least(plan), claims=claims),
            self.leases.counted(
                name, plan.rounds, renew_for=list(plan.levels) if plan.asynchronous else ()
            ),
        )

    def _note(self, name: str, training: Training) -> None:
        """Record a training after a round, and name those that failed in it."""
        done = training.progress.round  # what failed after the last one is no round's
        self.leases.note_failed(training.progress.failures[done - 1] if done else ())
        self.rounds.note(name, training)

    def _keys(self, parties: Iterable[str]) -> dict[str, str]:
        """Party -> the key that signs its claims: as the operator noted it, or as it first was."""
        return {**self.rounds.keys(), **self.leases.noted_keys(parties)}

    def _least(self, plan: FederationPlan) -> int:
        """Parties that must join: two members, where there are so many; of newcomers none."""
        members = round_members(self.service.settings, plan.levels)
        return min(LEAST_MEMBERS, len(members))

    def _start(self, tasks: dict[str, CallTask], start: Layers) -> list[str]:
        """Send the layers that a training starts from, exactly; sites that are away get none.

        Returns:
            the parties that could not start; others go on without them.

        Raises:
            ExchangeError: if none could.
        """
        exchange = self.leases.exchange(tasks, Ledger(), "float32")
        replies = exchange.call_group({one: Message(START, {}, start) for one in exchange.parties})
        failed = failures(replies)
        if replies and len(failed) == len(replies):
            refuse_failures(failed, "these sites could not start", "See their engine.log")
        for one in failed:
            _log.warning("%s could not start, and is left out of this lease's rounds", one)
        return [one.party for one in failed]

    def _train_stages(self, members: list[str]) -> Layers | None:
        """The shared layers after episodic training; None without newcomers that may use them."""
        settings, joined = self.service.settings, self._joined
        if joined is None or not settings.automatic:
            return None
        layers = episodic_start(settings, self.profiles, joined)
        if not layers:
            return None
        profiles = {name: self.profiles[name] for name in members}
        for number in range(stage_count(profiles)):
            run, method = stage_run(settings, profiles, layers, self.seed, number)
            self.stages.append(self._train(run, method))
            layers = common_layers(self.stages[-1].progress)
        return layers

    def _offer(self, party: str, episodic: Layers | None) -> Offer | None:
        """What a party may choose from; None where it was in no round of the joint training."""
        settings, joined = self.service.settings, self._joined
        if joined is None or not settings.automatic:
            return None
        if party not in settings.newcomers and party not in joined.progress.trained:
            return None
        return offer_to(settings, party, self.profiles, joined, episodic)

    def _finish_again(self) -> None:
        """Bring every site's learners to their best states, in the lease that is held.

        A lease's workers know nothing of the lease before, but for the sites' checkpoints.
        """
        for run, method in self._chosen_from:
            if self.leases.connected(run.plan(method).levels):
                self._lead(run, method, run.settings.training.rounds)

    def _left_out_notes(self) -> list[Note]:
        """What `deepcity run` would have done beside, in one process; sites that took no part."""
        pooled = self.service.settings.pooled and len(self.profiles) > 1
        found = [Note(code="not_pooled_machines")] if pooled else []
        return found + [
            Note(code="site_left_out", names={"party": party, "reason": reason})
            for party, reason in self.left_out.items()
        ]


def _task(run: ServiceRun, method: Method, plan: FederationPlan, party: str) -> CallTask:
    return CallTask(
        party=party,
        service=run.settings.name,
        training=run.training(method),
        method=method.name,
        level=plan.levels[party],
        common_stem=plan.levels[party] > ALONE and STEM in plan.common(party),
        from_package=run.starts(method) and method.name not in _STAGES,
    )


def _done(store: CheckpointStore, name: str) -> int:
    newest = store.load_latest(name)
    return newest.round if newest is not None else -1
