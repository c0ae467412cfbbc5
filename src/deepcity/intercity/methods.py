"""One method of one service: alone, a fixed reuse level, or pooled, all by the same rounds.

What the coordinator and its sites must agree on before a training follows from the map and from
what sites describe of themselves; no row of a site is needed for it. `run_method` then brings
coordinator and sites together in one process, each out of the other's reach.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from deepcity.city.level import STEM, Layers
from deepcity.exchange.attendance import Attendance
from deepcity.exchange.coordinator import Coordinator, Training
from deepcity.exchange.exchange import Handler
from deepcity.exchange.inprocess import InProcessExchange, lead_apart
from deepcity.exchange.kin import Groups
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.profile import SiteProfile
from deepcity.exchange.rounds import Plan
from deepcity.exchange.starting_layers import starting_layers
from deepcity.exchange.strategies import Strategy, strategy
from deepcity.intercity.alike import fellows, groups_of
from deepcity.intercity.map_settings import ServiceSettings
from deepcity.intercity.method import Method
from deepcity.intercity.parties import Party
from deepcity.intercity.site import Site, SiteTask
from deepcity.learning.learner import Learner
from deepcity.store.checkpoint import CheckpointStore

_NAMED = 12  # hexadecimal digits of a hash that tell checkpoints apart


@dataclass(frozen=True)
class Run:
    """What a training follows from: the map, and what sites describe of themselves.

    Attributes:
        profiles: of those who take part.
        newcomers: of those who will start from what these learn; they take no part.
        start: layers of a package, which every method begins with but learning alone.
        made_of: what else this run follows from; checkpoints of another are not touched.
    """

    settings: ServiceSettings
    profiles: Mapping[str, SiteProfile]
    seed: int
    newcomers: Mapping[str, SiteProfile] = field(default_factory=dict)
    start: Layers = field(default_factory=dict)
    made_of: str = ""

    @property
    def groups(self) -> Groups:
        """Who shares stems and heads where these differ in shape."""
        return groups_of(self.profiles)

    def common_stem(self, site: str) -> bool:
        """Whether a site's stem takes part: where it is granted, and fits another's."""
        grant, everybody = self.settings.grant, {**self.profiles, **self.newcomers}
        if grant.stem_of(site) != "common":
            return False
        sharing = [other for other in everybody if grant.stem_of(other) == "common"]
        return len(everybody) == 1 or bool(fellows(STEM, site, sharing, groups_of(everybody)))

    def training(self, method: Method) -> str:
        """What checkpoints of a method are called."""
        if not self.made_of:
            return f"{self.settings.name}.{method.name}"
        made_of = hashlib.sha256(self.made_of.encode()).hexdigest()[:_NAMED]
        return f"{self.settings.name}.{method.name}-{made_of}"

    def plan(self, method: Method) -> Plan:
        """What the coordinator goes by."""
        own_stem = frozenset(site for site in self.profiles if not self.common_stem(site))
        return Plan(
            levels=method.levels,
            reference=starting_layers(
                self.profiles,
                seed=self.seed,
                own_stem=own_stem,
                groups=self.groups,
                start=self._start(method),
            ),
            strategy=_strategy(self.settings),
            rounds=self.settings.training.rounds,
            own_stem=own_stem,
            groups=self.groups,
            attendance=self._attendance(method),
            equal=self.settings.strategy.weighting == "equal",
        )

    def task(self, method: Method, site: str) -> SiteTask:
        """What a site goes by."""
        return SiteTask(
            training=self.training(method),
            method=method.name,
            level=method.levels[site],
            common_stem=self.common_stem(site),
            settings=self.settings,
            seed=self.seed,
            start=self._start(method),
        )

    def _start(self, method: Method) -> Layers:
        return self.start if any(method.levels.values()) else {}  # alone: from nobody's layers

    def _attendance(self, method: Method) -> Attendance:
        """Whoever learns alone is always there."""
        if not any(method.levels.values()):
            return Attendance()
        wanted = self.settings.attendance
        return Attendance(wanted.joins, wanted.leaves, wanted.share, self.seed)


def run_method(
    run: Run,
    method: Method,
    sites: Sequence[Site],
    *,
    checkpoints: CheckpointStore | None = None,
    after_round: Callable[[int], None] = lambda _done: None,
) -> Training:
    """Run a method to its end in one process, from its newest checkpoint if there is one.

    Args:
        checkpoints: the coordinator's.
        after_round: told how many rounds are done.

    Raises:
        CheckpointError: if a checkpoint cannot be read or written.
        ExchangeError: if a site cannot join.
    """
    handlers = {site.name: site.join(run.task(method, site.name)) for site in sites}
    name, plan, precision = run.training(method), run.plan(method), run.settings.wire.precision

    def lead(lines: Mapping[str, Handler]) -> Training:
        ledger = Ledger()
        exchange = InProcessExchange(lines, ledger=ledger, precision=precision)
        return Coordinator(exchange, ledger, checkpoints).train(name, plan, after_round)

    return lead_apart(handlers, lead)


def profiles_of(sites: Sequence[Site]) -> dict[str, SiteProfile]:
    """What sites describe of themselves, asked by message."""

    def lead(lines: Mapping[str, Handler]) -> dict[str, SiteProfile]:
        ledger = Ledger()
        return Coordinator(InProcessExchange(lines, ledger=ledger), ledger).profiles()

    return lead_apart({site.name: site.describe() for site in sites}, lead)


def train_parties(
    settings: ServiceSettings,
    parties: Sequence[Party],
    seed: int,
    method: Method,
    *,
    start: Layers | None = None,
) -> tuple[Training, dict[str, Learner]]:
    """One method among parties at hand, nothing kept; and everyone's learner at its best state."""
    sites = [Site(settings, party, seed) for party in parties]
    run = Run(settings, profiles_of(sites), seed, start=start or {})
    training = run_method(run, method, sites)
    return training, {site.name: site.learners[method.name] for site in sites}


def _strategy(settings: ServiceSettings) -> Strategy:
    chosen = settings.strategy
    return strategy(chosen.name, common_stem=settings.grant.stem == "common", **chosen.values())
