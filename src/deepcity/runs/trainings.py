"""One training: alone, at a fixed reuse level, or pooled, all by the same rounds.

The coordinator's plan and each site's task follow from the map and the sites' profiles; no rows
are needed. `run_method` then runs coordinator and sites in one process, without references to
each other.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from deepcity.city.level import STEM, Layers
from deepcity.exchange.asynchronous.buffered_fusion import BufferedFusion
from deepcity.exchange.asynchronous.pending_calls import SimulatedCalls
from deepcity.exchange.coordinator import Coordinator, Training
from deepcity.exchange.exchange import Exchange, Handler
from deepcity.exchange.inprocess import InProcessExchange, lead_apart
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.participation import Participation
from deepcity.exchange.profile import SiteProfile
from deepcity.exchange.rounds import FederationPlan
from deepcity.exchange.secure.drawn_groups import GroupDraw
from deepcity.exchange.secure.summing_party import secured
from deepcity.exchange.shape_groups import Groups
from deepcity.exchange.starting_layers import starting_layers
from deepcity.exchange.strategies import Strategy, strategy
from deepcity.exchange.trust.far_updates import FARTHEST
from deepcity.exchange.trust.row_claims import ClaimTerms
from deepcity.intercity.compatibility import peers, shape_groups_of
from deepcity.intercity.method import Method
from deepcity.learning.training.learner import Learner
from deepcity.maps.fusion_rule import fusion_rule
from deepcity.maps.group_checks import least_groups, least_members
from deepcity.maps.map_settings import ServiceSettings
from deepcity.maps.schedule_checks import buffer_size
from deepcity.parties.party import Party
from deepcity.runs.site import Site, SiteTask
from deepcity.store.checkpoint import CheckpointStore

IN_PROCESS = "in one process"
"""What stands for the federation in claims of rows where there is none."""
NAME_DIGITS = 12
"""Hexadecimal digits of a hash in a checkpoint's name."""


@dataclass(frozen=True)
class ServiceRun:
    """Everything a training depends on: the map, and the sites' profiles.

    Attributes:
        profiles: of the sites that take part.
        seed: of the run.
        newcomers: profiles of sites that start from the result; they take no part.
        start: layers of a package that every method but learning alone starts from.
        source_digest: of anything else it depends on; part of its checkpoints' names.
    """

    settings: ServiceSettings
    profiles: Mapping[str, SiteProfile]
    seed: int
    newcomers: Mapping[str, SiteProfile] = field(default_factory=dict)
    start: Layers = field(default_factory=dict)
    source_digest: str = ""

    @property
    def groups(self) -> Groups:
        """Groups that share stems and heads, where these differ in shape."""
        return shape_groups_of(self.profiles)

    @property
    def secure(self) -> bool:
        """Whether layers leave in secure sums only."""
        return self.settings.strategy.aggregation == "secure"

    def common_stem(self, site: str) -> bool:
        """Whether a site's stem is shared: it is granted, and compatible with another's."""
        grant, everybody = self.settings.grant, {**self.profiles, **self.newcomers}
        if grant.stem_of(site) != "common":
            return False
        sharing = [other for other in everybody if grant.stem_of(other) == "common"]
        return len(everybody) == 1 or bool(peers(STEM, site, sharing, shape_groups_of(everybody)))

    def training(self, method: Method) -> str:
        """Name of a method's checkpoints."""
        if not self.source_digest:
            return f"{self.settings.name}.{method.name}"
        source_digest = hashlib.sha256(self.source_digest.encode()).hexdigest()[:NAME_DIGITS]
        return f"{self.settings.name}.{method.name}-{source_digest}"

    def plan(self, method: Method) -> FederationPlan:
        """The coordinator's plan."""
        own_stem = frozenset(site for site in self.profiles if not self.common_stem(site))
        return FederationPlan(
            levels=method.levels,
            reference=starting_layers(
                self.profiles,
                seed=self.seed,
                own_stem=own_stem,
                groups=self.groups,
                start=self._start(method),
            ),
            strategy=_strategy(self.settings, len(method.levels)),
            rounds=self.settings.training.rounds,
            own_stem=own_stem,
            groups=self.groups,
            participation=self._participation(method),
            equal=self.settings.strategy.weighting == "equal",
            most_rows={site: profile.most_rows for site, profile in self.profiles.items()},
            secure=self.training(method) if self.secure else None,
            draw=self._draw(),
            unsent=self._frozen(method),
            sparse=self.settings.wire.moves,
            asynchronous=self._asynchronous(method),
            farthest=self.settings.strategy.farthest or FARTHEST,
        )

    def task(self, method: Method, site: str) -> SiteTask:
        """A site's task."""
        return SiteTask(
            training=self.training(method),
            method=method.name,
            level=method.levels[site],
            common_stem=self.common_stem(site),
            settings=self.settings,
            seed=self.seed,
            start=self._start(method),
        )

    def starts(self, method: Method) -> bool:
        """Whether a method starts from given layers; learning alone never does."""
        return bool(self._start(method))

    def _frozen(self, method: Method) -> frozenset[str]:
        """Layers that sites keep as they started, and do not send."""
        reuse = self.settings.reuse
        return frozenset(self._start(method) if reuse is not None and reuse.frozen else ())

    def _start(self, method: Method) -> Layers:
        return self.start if any(method.levels.values()) else {}  # alone: random weights

    def _asynchronous(self, method: Method) -> BufferedFusion | None:
        """How updates are fused as they come; learning alone fuses nothing, and all do all rounds.

        Where fewer than the map's members take part, the buffer is no larger than they are.
        """
        chosen, members = self.settings.strategy, len(method.levels)
        if chosen.schedule == "synchronous" or not any(method.levels.values()):
            return None
        size = min(buffer_size(self.settings, members), members)
        exponent = chosen.staleness_exponent
        settings = BufferedFusion(size, round_seconds=chosen.round_seconds)
        return settings if exponent is None else replace(settings, staleness_exponent=exponent)

    def _draw(self) -> GroupDraw | None:
        """How secure sums are drawn into groups."""
        chosen = self.settings.strategy
        if not self.secure or chosen.group_size is None:
            return None
        rule = fusion_rule(chosen, len(self.profiles))
        return GroupDraw(chosen.group_size, self.seed, least_groups(rule))

    def _participation(self, method: Method) -> Participation:
        """Participation by round; in learning alone, every site takes part in all rounds."""
        if not any(method.levels.values()):
            return Participation()
        settings = self.settings.participation
        return Participation(settings.joins, settings.leaves, settings.share, self.seed)


def run_method(
    run: ServiceRun,
    method: Method,
    sites: Sequence[Site],
    *,
    checkpoints: CheckpointStore | None = None,
    after_round: Callable[[int], None] = lambda _done: None,
    keys: Mapping[str, str] | None = None,
) -> Training:
    """Run a method in one process, from its newest checkpoint if there is one.

    Args:
        checkpoints: the coordinator's.
        after_round: called with the number of rounds done.
        keys: site -> the key with which it signed claims of rows before.

    Raises:
        CheckpointError: if a checkpoint cannot be read or written.
        ExchangeError: if a site cannot join.
    """
    name, plan, precision = run.training(method), run.plan(method), run.settings.wire.precision
    plan = replace(plan, claims=ClaimTerms(IN_PROCESS, name, keys or {}))
    handlers = {site.name: site.join(run.task(method, site.name)) for site in sites}
    if run.secure:
        handlers = secured(handlers, name, least_members(run.settings))
    handlers = {
        site.name: site.claiming(handlers[site.name], name, method.levels[site.name], IN_PROCESS)
        for site in sites
    }
    handlers = {
        site.name: site.recording(
            handlers[site.name],
            name,
            method.levels[site.name],
            secure=run.secure,
            precision=precision,
        )
        for site in sites
    }

    def lead(lines: Mapping[str, Handler]) -> Training:
        ledger = Ledger()
        exchange = InProcessExchange(lines, ledger=ledger, precision=precision)
        leader = Coordinator(exchange, ledger, checkpoints, calls=calls)
        return leader.train(name, plan, after_round)

    def calls(exchange: Exchange, now_s: float) -> SimulatedCalls:
        seconds = plan.asynchronous.round_seconds if plan.asynchronous else {}
        return SimulatedCalls(exchange, seconds, now_s)

    return lead_apart(handlers, lead)


def profiles_of(sites: Sequence[Site]) -> dict[str, SiteProfile]:
    """The sites' profiles, requested by message."""

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
    """Run a method among parties without writing files; returns each learner at its best state."""
    sites = [Site(settings, party, seed) for party in parties]
    run = ServiceRun(settings, profiles_of(sites), seed, start=start or {})
    training = run_method(run, method, sites)
    return training, {site.name: site.learners[method.name] for site in sites}


def _strategy(settings: ServiceSettings, members: int) -> Strategy:
    chosen = settings.strategy
    rule = fusion_rule(chosen, members)
    return strategy(rule, common_stem=settings.grant.stem == "common", **chosen.values())
