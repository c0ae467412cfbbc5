"""The round protocol: parties train, send the layers of their level, receive the aggregate.

Written against `Exchange` alone. The state between rounds is a value, so that a run can
be checkpointed after any round and resumed elsewhere. A party that fails is
left out of that round, with the reason recorded, and asked again in the next; one whose update
cannot be used, or lies far from all others (`deepcity.exchange.trust.far_updates`), comes back
after good rounds (`deepcity.exchange.trust.refusals`). Parties may join late and leave early
(`deepcity.exchange.participation`); one that has left is neither asked nor counted, and keeps its
layers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from deepcity.city.level import HEAD, STEM, Layers, layers_up_to
from deepcity.exchange.asynchronous.buffered_fusion import AsynchronousState, BufferedFusion
from deepcity.exchange.compression.sparse_moves import SparseMoves
from deepcity.exchange.compression.sparse_party import densified_updates
from deepcity.exchange.exchange import Exchange, Failure, answers, failures, refuse_failures
from deepcity.exchange.fusion import screen
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.participation import Participation
from deepcity.exchange.party import ERROR, EVALUATE, JOIN, ROWS, TRAIN
from deepcity.exchange.secure.drawn_groups import GroupDraw, check_enough
from deepcity.exchange.secure.fused_sums import OpenedSum, fuse_sums
from deepcity.exchange.secure.round_sums import agree_sums, open_sums
from deepcity.exchange.secure.sum_groups import sum_groups
from deepcity.exchange.shape_groups import Groups, aggregate_groups, layers_of_party
from deepcity.exchange.strategies import PeerValidation, Strategy, StrategyState
from deepcity.exchange.trust.far_updates import without_far_updates
from deepcity.exchange.trust.layer_distance import unused_layers
from deepcity.exchange.trust.peer_validation import left_out_by_peers
from deepcity.exchange.trust.refusals import RefusedUpdate, with_refusals
from deepcity.exchange.trust.robust import capped_weights
from deepcity.exchange.trust.row_claims import (
    CHALLENGE,
    ClaimTerms,
    SignedClaim,
    new_challenge,
)

_MOST = 1e38  # rows or error of a party; no more than single precision holds


@dataclass(frozen=True)
class FederationPlan:
    """Which parties train together, at which levels, by which strategy and for how long.

    Attributes:
        levels: party -> reuse level; the parties of the run.
        reference: the initial layers (h1..h5, head, and the stem if it is common); those that
            differ in shape are there once per group (`deepcity.exchange.shape_groups`).
        own_stem: parties whose stem is private where others share it.
        groups: parties that share a layer which differs in shape between parties.
        participation: which parties take part in which round.
        equal: whether all have the same weight in averages, whatever their rows.
        most_rows: party -> rows that its description allows; no more are believed.
        secure: name of the training for which members sign secure sums; None: the coordinator
            sees each update.
        draw: how secure sums are drawn into groups whose means the strategy compares; None: one sum
            of all members of a layer.
        unsent: layers that parties keep fixed and do not send.
        sparse: how parties sparsify the moves of their layers; None: they send layers whole.
        least_joined: so many parties must join at the start; others that cannot are named, and
            asked again in each round. None: all must.
        asynchronous: how updates are fused as they come; None: rounds wait for all
            (`deepcity.exchange.asynchronous`).
        farthest: usual distances from the others beyond which an update is left out; None: none
            is. Nor is any under secure sums, which show no single one.
        claims: what parties must sign to join; None: they sign nothing.
    """

    levels: Mapping[str, int]
    reference: Layers
    strategy: Strategy
    rounds: int
    own_stem: frozenset[str] = frozenset()
    groups: Groups = field(default_factory=dict)
    participation: Participation = field(default_factory=Participation)
    equal: bool = False
    most_rows: Mapping[str, float] = field(default_factory=dict)
    secure: str | None = None
    draw: GroupDraw | None = None
    unsent: frozenset[str] = frozenset()
    sparse: SparseMoves | None = None
    least_joined: int | None = None
    asynchronous: BufferedFusion | None = None
    farthest: float | None = None
    claims: ClaimTerms | None = None

    def common(self, party: str) -> tuple[str, ...]:
        """Names of the layers that a party shares."""
        stem = self.strategy.common_stem and party not in self.own_stem
        return layers_up_to(self.levels[party], common_stem=stem)

    def sent(self, party: str) -> list[str]:
        """Names of the layers that a party sends."""
        return [layer for layer in self.common(party) if layer not in self.unsent]

    def reference_of(self, party: str) -> Layers:
        """All initial layers of a party."""
        return layers_of_party(self.reference, self.groups, party)

    def allowed(self, party: str, layers: Layers) -> Layers:
        """Those of the layers that this party exchanges with others."""
        own = party in self.own_stem
        return {name: part for name, part in layers.items() if not (own and name == STEM)}


@dataclass(frozen=True)
class Progress:
    """The state of a run between two rounds.

    Attributes:
        outgoing: party -> layers it receives in the next round.
        weights: party -> training rows it claimed; those that joined so far. Capped, they are
            its weight in averages (`deepcity.exchange.trust.robust`).
        errors: one entry per round: party -> validation error before its training.
        failures: one entry per round: parties left out, and why.
        trained: party -> rounds done when it last returned an update.
        refusals: parties whose update was refused, with the evidence.
        asynchronous: updates under way and in the buffer; rounds are fusions there.
        claims: party -> the claim of its rows that it signed.
    """

    round: int
    state: StrategyState
    outgoing: Mapping[str, Layers]
    weights: Mapping[str, float]
    errors: tuple[Mapping[str, float], ...] = ()
    failures: tuple[tuple[Failure, ...], ...] = field(default=())
    trained: Mapping[str, int] = field(default_factory=dict)
    refusals: tuple[RefusedUpdate, ...] = ()
    asynchronous: AsynchronousState = field(default_factory=AsynchronousState)
    claims: Mapping[str, SignedClaim] = field(default_factory=dict)


def begin(exchange: Exchange, plan: FederationPlan) -> Progress:
    """Join every party available from the start, and prepare the initial layers.

    Raises:
        ExchangeError: if a party cannot join and too few have; names each and its reason. Or if
            groups are drawn, and there are too few parties.
    """
    if plan.draw is not None:
        check_enough(plan.draw, {party: plan.sent(party) for party in plan.levels})
    weights, claims, refused = join_parties(
        exchange, plan, plan.participation.available(plan.levels, 0)
    )
    right = "Fix them, or leave them out of the map"
    if plan.least_joined is None or len(weights) < plan.least_joined:
        refuse_failures(refused, "these parties could not join", right)
    outgoing: dict[str, Layers] = {}
    for party in plan.levels:
        reference = plan.reference_of(party)
        outgoing[party] = {
            name: reference[name]
            for name in plan.common(party)
            if name != HEAD  # starts as each party's own fit; the first aggregation averages them
        }
    return Progress(0, plan.strategy.start(plan.reference), outgoing, weights, claims=claims)


class Joined(NamedTuple):
    """Parties that joined: the rows they claim, what they signed; and those that could not."""

    weights: Mapping[str, float]
    claims: Mapping[str, SignedClaim]
    failed: Sequence[Failure]


def join_parties(exchange: Exchange, plan: FederationPlan, parties: Sequence[str]) -> Joined:
    """Ask parties to join."""
    if not parties:
        return Joined({}, {}, [])
    number, claims = new_challenge(), dict[str, SignedClaim]()
    message = Message(JOIN, {CHALLENGE: float(number)} if plan.claims else {})
    replies = exchange.call_group(dict.fromkeys(parties, message))
    if plan.claims is not None:
        replies, claims = plan.claims.accepted(replies, number)
    weights, failed = numbers_of(replies, ROWS)
    return Joined(weights, {one: claims[one] for one in weights if one in claims}, failed)


def one_round(exchange: Exchange, plan: FederationPlan, progress: Progress) -> Progress:
    """Join new parties, train every one once, then aggregate."""
    done = progress.round
    available = plan.participation.available(plan.levels, done)
    new, claims, absent = join_parties(
        exchange, plan, [party for party in available if party not in progress.weights]
    )
    weights = {p: w for p, w in {**progress.weights, **new}.items() if p in available}
    asked = plan.participation.sampled(
        tuple(party for party in available if party in weights), done
    )
    replies, errors, accepted, shares, left_out, refusals, sums = _trained(
        exchange, plan, progress, weights, asked
    )
    if sums is None:
        state, received = aggregate_groups(
            plan.strategy, progress.state, accepted, shares, plan.levels, plan.groups
        )
    else:
        state, received = fuse_sums(plan.strategy, progress.state, sums, plan.levels, plan.groups)
    return replace(
        progress,
        round=done + 1,
        state=state,
        outgoing=_outgoing(plan, progress, received, asked),
        weights=weights,
        errors=(*progress.errors, errors),
        failures=(*progress.failures, (*absent, *left_out)),
        trained={**progress.trained, **dict.fromkeys(answers(replies), done + 1)},
        refusals=refusals,
        claims={**progress.claims, **claims},
    )


class _Trained(NamedTuple):
    """What a round's training gave.

    Attributes:
        updates: party -> its layers; with secure sums, none.
        shares: party -> its weight in averages.
        sums: means of secure sums; None without.
    """

    replies: Mapping[str, Message | Failure]
    errors: Mapping[str, float]
    updates: Mapping[str, Layers]
    shares: Mapping[str, float]
    left_out: Sequence[Failure]
    refusals: tuple[RefusedUpdate, ...]
    sums: Sequence[OpenedSum] | None = None


def _trained(
    exchange: Exchange,
    plan: FederationPlan,
    progress: Progress,
    weights: Mapping[str, float],
    asked: Sequence[str],
) -> _Trained:
    """Let parties train once, and collect their updates, or means of them."""
    sums = None
    if plan.secure is not None:
        shares = averaging_weights(
            plan, {party: weights[party] for party in asked if weights[party] > 0}
        )
        sent = {party: plan.sent(party) for party in shares}
        groups = sum_groups(sent, plan.groups, plan.reference)
        sums = agree_sums(exchange, plan.secure, progress.round, groups, shares, plan.draw)
    numbers = {ROUND: float(progress.round), **plan.strategy.configure(progress.state)}
    replies = exchange.call_group(
        {
            party: Message(
                TRAIN,
                numbers,
                {**progress.outgoing[party], **(sums.shares_for(party) if sums else {})},
            )
            for party in asked
        }
    )
    errors, failed = numbers_of(replies, ERROR)
    failed += unused_layers(replies)
    if sums is not None:
        masked = {one: reply.layers for one, reply in answers(replies).items() if one in errors}
        means, lost = open_sums(exchange, sums, masked)
        left_out = [*failed, *lost]
        return _Trained(replies, errors, {}, sums.weights, left_out, progress.refusals, means)
    good, refused = usable_updates(plan, replies, errors, progress.outgoing)
    good, far = without_far_updates(good, progress.outgoing, plan.groups, plan.farthest)
    refused += far
    if isinstance(plan.strategy, PeerValidation):
        spoilt = _spoilt(exchange, plan, good, progress.round, plan.strategy.tolerated)
        good = {one: part for one, part in good.items() if one not in spoilt}
        refused += spoilt.values()
    counted, left_out, refusals = with_refusals(
        progress.refusals, good, refused, progress.round + 1
    )
    shares = averaging_weights(plan, {party: weights[party] for party in counted})
    return _Trained(replies, errors, counted, shares, [*failed, *left_out], refusals)


def _spoilt(
    exchange: Exchange,
    plan: FederationPlan,
    updates: Mapping[str, Layers],
    number: int,
    tolerated: float,
) -> dict[str, Failure]:
    """Parties whose updates spoil the forecasts of others, as these measure them."""
    own = {
        party: {name: plan.reference_of(party)[name] for name in plan.common(party)}
        for party in updates
    }
    found = left_out_by_peers(exchange, updates, own, number, tolerated)
    return {failure.party: failure for failure in found}


def averaging_weights(plan: FederationPlan, claimed: Mapping[str, float]) -> dict[str, float]:
    """Weights in this round's averages, from claims that nobody can check."""
    if plan.equal:
        return dict.fromkeys(claimed, 1.0)
    possible = {
        party: min(rows, plan.most_rows.get(party, rows)) for party, rows in claimed.items()
    }
    return capped_weights(possible)


def usable_updates(
    plan: FederationPlan,
    replies: Mapping[str, Message | Failure],
    errors: Mapping[str, float],
    outgoing: Mapping[str, Layers],
) -> tuple[dict[str, Layers], list[Failure]]:
    """Updates that can be aggregated, and parties left out."""
    accepted: dict[str, Layers] = {}
    refused: list[Failure] = []
    updates = {one: reply.layers for one, reply in answers(replies).items() if one in errors}
    if plan.sparse is not None:
        updates, refused = densified_updates(updates, outgoing, plan.sparse)
    for party, layers in updates.items():
        good, problems = screen({party: layers}, plan.reference_of(party))
        accepted |= {name: plan.allowed(name, update) for name, update in good.items()}
        refused += problems
    return accepted, refused


def _outgoing(
    plan: FederationPlan, progress: Progress, received: Mapping[str, Layers], asked: Sequence[str]
) -> dict[str, Layers]:
    """Layers each party receives next; one that was not asked also gets earlier ones."""
    outgoing: dict[str, Layers] = {}
    for party, layers in received.items():
        new = plan.allowed(party, layers)
        waiting = {} if party in asked else progress.outgoing[party]
        left = plan.participation.left(party, progress.round + 1)
        outgoing[party] = {} if left else {**waiting, **new}
    return outgoing


def numbers_of(
    replies: Mapping[str, Message | Failure], name: str
) -> tuple[dict[str, float], list[Failure]]:
    """One number of each reply, such as can be; a party without it has failed."""
    found: dict[str, float] = {}
    failed = list(failures(replies))
    for party, reply in answers(replies).items():
        number = reply.numbers.get(name)
        if number is None or not 0 <= number <= _MOST:  # NaN is not, either
            reason = f"it answered {reply.verb!r} with {name} = {number}, not within 0..{_MOST:.0e}"
            failed.append(Failure(party, reason))
        else:
            found[party] = number
    return found, failed


def learn_together(
    exchange: Exchange,
    plan: FederationPlan,
    progress: Progress | None = None,
    after_round: Callable[[Progress], None] = lambda _: None,
) -> Progress:
    """Run all rounds from `progress` on, then evaluate every party a last time.

    Raises:
        ExchangeError: if a party cannot join.
    """
    progress = progress or begin(exchange, plan)
    while progress.round < plan.rounds:
        progress = one_round(exchange, plan, progress)
        after_round(progress)
    return evaluate_last(exchange, plan, progress)


def evaluate_last(exchange: Exchange, plan: FederationPlan, progress: Progress) -> Progress:
    """Let every party evaluate what it receives after the last round."""
    last = plan.participation.available(plan.levels, plan.rounds - 1)
    messages = {
        party: Message(EVALUATE, {ROUND: float(plan.rounds)}, progress.outgoing[party])
        for party in last
        if party in progress.weights
    }
    replies = exchange.call_group(messages)
    errors, failed = numbers_of(replies, ERROR)
    return replace(
        progress,
        errors=(*progress.errors, errors),
        failures=(*progress.failures, (*failed, *unused_layers(replies))),
    )
