"""The round protocol: parties train, send the layers of their level, receive what was fused.

Written against `Exchange` alone. The state between rounds is a value, so that a run can
be checkpointed after any round and go on elsewhere. A party that fails or sends nonsense
is left out of that round, with its reason kept; it is asked again in the next.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from deepcity.city.errors import ExchangeError
from deepcity.city.level import HEAD, STEM, Layers, layers_up_to
from deepcity.exchange.exchange import Exchange, Failure, answers, failures
from deepcity.exchange.fusion import screen
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.party import ERROR, JOIN, LOOK, ROWS, TRAIN
from deepcity.exchange.strategies import State, Strategy


@dataclass(frozen=True)
class Plan:
    """Who learns together, how deep, by which strategy and for how long.

    Attributes:
        levels: party -> reuse level; the parties of the run.
        reference: the layers all begin with (h1..h5, head, and the stem if it is common).
        own_stem: parties that keep their stem to themselves where others hold it in common.
    """

    levels: Mapping[str, int]
    reference: Layers
    strategy: Strategy
    rounds: int
    own_stem: frozenset[str] = frozenset()

    def common(self, party: str) -> tuple[str, ...]:
        """Names of the layers that a party holds in common."""
        stem = self.strategy.common_stem and party not in self.own_stem
        return layers_up_to(self.levels[party], common_stem=stem)

    def allowed(self, party: str, layers: Layers) -> Layers:
        """Those of the layers that may pass between this party and the others."""
        own = party in self.own_stem
        return {name: part for name, part in layers.items() if not (own and name == STEM)}


@dataclass(frozen=True)
class Progress:
    """Where a run stands between two rounds.

    Attributes:
        round: rounds done.
        state: what the strategy remembers.
        outgoing: party -> layers it receives at the next meeting.
        weights: party -> its share in averages (training rows).
        errors: one entry a round: party -> validation error as it stood before training.
        failures: one entry a round: who was left out, and why.
    """

    round: int
    state: State
    outgoing: Mapping[str, Layers]
    weights: Mapping[str, float]
    errors: tuple[Mapping[str, float], ...] = ()
    failures: tuple[tuple[Failure, ...], ...] = field(default=())


def begin(exchange: Exchange, plan: Plan) -> Progress:
    """Ask every party in, and hand out the layers that all begin with.

    Raises:
        ExchangeError: if a party cannot join; names each and its reason.
    """
    replies = exchange.call_group({party: Message(JOIN) for party in sorted(plan.levels)})
    weights, refused = _numbers(replies, ROWS)
    if refused:
        reasons = "; ".join(f"{failure.party}: {failure.reason}" for failure in refused)
        msg = f"these parties could not join: {reasons}. Mend them, or leave them out of the map"
        raise ExchangeError(msg)
    outgoing = {
        party: {
            name: plan.reference[name]
            for name in plan.common(party)
            if name != HEAD  # begins as each party's own; the first fusion meets in the middle
        }
        for party in plan.levels
    }
    return Progress(0, plan.strategy.start(plan.reference), outgoing, weights)


def one_round(exchange: Exchange, plan: Plan, progress: Progress) -> Progress:
    """Train everywhere once, then fuse."""
    numbers = {ROUND: float(progress.round), **plan.strategy.instructions(progress.state)}
    replies = exchange.call_group(
        {party: Message(TRAIN, numbers, progress.outgoing[party]) for party in sorted(plan.levels)}
    )
    errors, failed = _numbers(replies, ERROR)
    said = {party: reply for party, reply in answers(replies).items() if party in errors}
    good, refused = screen({party: reply.layers for party, reply in said.items()}, plan.reference)
    granted = {party: plan.allowed(party, layers) for party, layers in good.items()}
    state, outgoing = plan.strategy.merge(progress.state, granted, progress.weights, plan.levels)
    return replace(
        progress,
        round=progress.round + 1,
        state=state,
        outgoing={party: plan.allowed(party, layers) for party, layers in outgoing.items()},
        errors=(*progress.errors, errors),
        failures=(*progress.failures, (*failed, *refused)),
    )


def _numbers(
    replies: Mapping[str, Message | Failure], name: str
) -> tuple[dict[str, float], list[Failure]]:
    """One number of each reply, finite and not negative; a party without it has failed."""
    found: dict[str, float] = {}
    failed = list(failures(replies))
    for party, reply in answers(replies).items():
        number = reply.numbers.get(name)
        if number is None or not math.isfinite(number) or number < 0:
            reason = f"it answered {reply.verb!r} with {name} = {number}, not a number >= 0"
            failed.append(Failure(party, reason))
        else:
            found[party] = number
    return found, failed


def learn_together(
    exchange: Exchange,
    plan: Plan,
    progress: Progress | None = None,
    after_round: Callable[[Progress], None] = lambda _: None,
) -> Progress:
    """Run all rounds from where `progress` stands, then let every party look a last time.

    Raises:
        ExchangeError: if a party cannot join.
    """
    progress = progress or begin(exchange, plan)
    while progress.round < plan.rounds:
        progress = one_round(exchange, plan, progress)
        after_round(progress)
    messages = {
        party: Message(LOOK, {ROUND: float(plan.rounds)}, progress.outgoing[party])
        for party in sorted(plan.levels)
    }
    replies = exchange.call_group(messages)
    errors, failed = _numbers(replies, ERROR)
    return replace(
        progress,
        errors=(*progress.errors, errors),
        failures=(*progress.failures, tuple(failed)),
    )
