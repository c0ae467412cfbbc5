"""The asynchronous protocol: each party trains on from the newest layers, whoever else is at work.

Whoever is free is sent the layers of now; once so many updates have come as the buffer holds, they
are fused, and the next version begins. A party trains each version once at most, so that an update
is known by its party and version, and is counted once. The last fusion waits for all that are at
work: nothing that was trained is thrown away.

The state is a value and is kept after each answer, so that a killed run goes on with the updates
that it had; those that were under way are collected from their parties.
"""

from collections.abc import Callable
from dataclasses import replace

from deepcity.city.level import Layers
from deepcity.exchange.asynchronous.buffered_fusion import (
    AwaitedUpdate,
    BufferedFusion,
    BufferedUpdate,
    rebased,
)
from deepcity.exchange.asynchronous.pending_calls import PendingCalls
from deepcity.exchange.exchange import Exchange, Failure, PausedError
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.party import COLLECT, ERROR, TRAIN
from deepcity.exchange.rounds import (
    FederationPlan,
    Progress,
    averaging_weights,
    begin,
    evaluate_last,
    join_parties,
    numbers_of,
    usable_updates,
)
from deepcity.exchange.shape_groups import aggregate_groups, layers_of_party
from deepcity.exchange.trust.far_updates import without_far_updates
from deepcity.exchange.trust.layer_distance import unused_layers
from deepcity.exchange.trust.refusals import with_refusals

Kept = Callable[[Progress], None]


def learn_asynchronously(
    exchange: Exchange,
    calls: PendingCalls,
    plan: FederationPlan,
    progress: Progress | None = None,
    after_fusion: Kept = lambda _: None,
    after_answer: Kept = lambda _: None,
) -> Progress:
    """Run all fusions from `progress` on, then evaluate every party a last time.

    Args:
        calls: over the same exchange.
        after_fusion: may raise `PausedError`: then updates that are under way are waited for, and
            kept by `after_answer`, before it is raised on.
        after_answer: also called when all have joined, before any is asked to train.

    Raises:
        ExchangeError: if a party cannot join, or the transport is gone.
    """
    if progress is None:
        progress = begin(exchange, plan)
        after_answer(progress)  # what parties train before the first answer is not trained again
    if progress.round < plan.rounds:
        _collect(exchange, calls, progress)
    while progress.round < plan.rounds:
        progress = _asked(exchange, calls, plan, progress)
        least = None if progress.round + 1 == plan.rounds else _settings(plan).buffer_size
        progress = _answered(calls, plan, progress, least, after_answer)
        progress = _fused(plan, progress, calls)
        try:
            after_fusion(progress)
        except PausedError:
            _answered(calls, plan, progress, None, after_answer)
            raise
    return evaluate_last(exchange, plan, progress)


def _collect(exchange: Exchange, calls: PendingCalls, progress: Progress) -> None:
    """Ask for updates that parties had trained when the training was interrupted."""
    for party, awaited in sorted(progress.asynchronous.awaited.items()):
        if party in exchange.parties:
            collect = Message(COLLECT, {ROUND: float(awaited.version)})
            calls.begin(party, collect, awaited.asked_s)


def _settings(plan: FederationPlan) -> BufferedFusion:
    assert plan.asynchronous is not None
    return plan.asynchronous


def _asked(
    exchange: Exchange, calls: PendingCalls, plan: FederationPlan, progress: Progress
) -> Progress:
    """Join new parties, and send the layers of now to all that are free."""
    done, state = progress.round, progress.asynchronous
    available = plan.participation.available(plan.levels, done)
    new, claims, absent = join_parties(
        exchange, plan, [one for one in available if one not in progress.weights]
    )
    weights = {p: w for p, w in {**progress.weights, **new}.items() if p in available}
    awaited, outgoing = dict(state.awaited), dict(progress.outgoing)
    numbers = {ROUND: float(done), **plan.strategy.configure(progress.state)}
    for party in available:
        if party in weights and party not in awaited and party not in state.buffer:
            calls.begin(party, Message(TRAIN, numbers, outgoing[party]), calls.now_s)
            awaited[party] = AwaitedUpdate(done, outgoing[party], calls.now_s)
            outgoing[party] = {}
    away = [
        Failure(party, f"it is away with the update that it began after {awaited[party].version}")
        for party in sorted(awaited.keys() - calls.parties)
    ]
    failed = (*state.failed, *absent, *away)
    state = replace(state, awaited=awaited, failed=failed)
    claims = {**progress.claims, **claims}
    return replace(progress, weights=weights, outgoing=outgoing, asynchronous=state, claims=claims)


def _answered(
    calls: PendingCalls,
    plan: FederationPlan,
    progress: Progress,
    least: int | None,
    after_answer: Kept,
) -> Progress:
    """Wait until the buffer holds so many updates (None: all) or nothing is under way.

    Answers that are there by then are taken too: they would be stale in the next fusion.
    """
    while calls.parties and (
        least is None or len(progress.asynchronous.buffer) < least or calls.ready
    ):
        party, reply = calls.next()
        progress = with_answer(plan, progress, party, reply, calls.now_s)
        after_answer(progress)
    return progress


def with_answer(
    plan: FederationPlan,
    progress: Progress,
    party: str,
    reply: Message | Failure,
    now_s: float = 0.0,
) -> Progress:
    """The state after an answer; one that nobody waits for changes nothing.

    Of a party that failed, the layers that it was sent are sent again.
    """
    state = replace(progress.asynchronous, clock_s=now_s)
    if party not in state.awaited:
        return progress
    awaited = state.awaited[party]
    state = replace(state, awaited={p: a for p, a in state.awaited.items() if p != party})
    errors, failed = numbers_of({party: reply}, ERROR)
    if failed:
        outgoing = {**progress.outgoing, party: {**awaited.base, **progress.outgoing[party]}}
        state = replace(state, failed=(*state.failed, *failed))
        return replace(progress, outgoing=outgoing, asynchronous=state)
    good, refused = usable_updates(plan, {party: reply}, errors, {party: awaited.base})
    buffer = {
        one: BufferedUpdate(awaited.version, awaited.base, layers) for one, layers in good.items()
    }
    state = replace(
        state,
        buffer={**state.buffer, **buffer},
        errors={**state.errors, **errors},
        failed=(*state.failed, *unused_layers({party: reply})),
        refused=(*state.refused, *refused),
    )
    trained = {**progress.trained, party: awaited.version + 1}
    return replace(progress, trained=trained, asynchronous=state)


def _fused(plan: FederationPlan, progress: Progress, calls: PendingCalls) -> Progress:
    """Fuse the buffer: the next version."""
    state, done = progress.asynchronous, progress.round
    here = sorted(state.buffer.keys() & progress.weights.keys())
    gone = sorted(state.buffer.keys() - progress.weights.keys())
    late = [Failure(one, "it left before its update could be fused") for one in gone]
    layers = {one: _rebased(plan, progress, one) for one in here}
    begun = {one: update.base for one, update in state.buffer.items()}
    ages = {one: done - update.version for one, update in state.buffer.items()}
    near, far = without_far_updates(layers, begun, plan.groups, plan.farthest, ages)
    refused = (*state.refused, *far)
    counted, left_out, refusals = with_refusals(progress.refusals, near, refused, done + 1)
    weights = averaging_weights(plan, progress.weights)
    strategy_state, received = aggregate_groups(
        plan.strategy, progress.state, counted, weights, plan.levels, plan.groups
    )
    outgoing = {
        party: {}
        if plan.participation.left(party, done + 1)
        else {**progress.outgoing[party], **plan.allowed(party, layers)}
        for party, layers in received.items()
    }
    return replace(
        progress,
        round=done + 1,
        state=strategy_state,
        outgoing=outgoing,
        errors=(*progress.errors, state.errors),
        failures=(*progress.failures, tuple(dict.fromkeys((*state.failed, *late, *left_out)))),
        refusals=refusals,
        asynchronous=replace(
            state,
            buffer={},
            errors={},
            failed=(),
            refused=(),
            clock_s=calls.now_s,
            fused_s=(*state.fused_s, calls.now_s),
        ),
    )


def _rebased(plan: FederationPlan, progress: Progress, party: str) -> Layers:
    """A buffered update, as it counts now; one of this version counts as it came."""
    update = progress.asynchronous.buffer[party]
    if update.version == progress.round:
        return update.layers
    last = layers_of_party(progress.state.layers, plan.groups, party)
    factor = _settings(plan).factor(progress.round - update.version)
    return rebased(update, last, factor)
