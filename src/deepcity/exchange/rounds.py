"""The round protocol: parties train, send the layers of their level, receive what was fused.

Written against `Exchange` alone. The state between rounds is a value, so that a run can
be checkpointed after any round and go on elsewhere. A party that fails or sends nonsense
is left out of that round, with its reason kept; it is asked again in the next. Parties may
join late and leave early (`deepcity.exchange.attendance`); one that has left is neither
asked nor counted, and keeps what it had.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from deepcity.city.errors import ExchangeError
from deepcity.city.level import HEAD, STEM, Layers, layers_up_to
from deepcity.exchange.attendance import Attendance
from deepcity.exchange.exchange import Exchange, Failure, answers, failures
from deepcity.exchange.fusion import screen
from deepcity.exchange.kin import Groups, merge, of_party
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.party import ERROR, JOIN, LOOK, ROWS, TRAIN
from deepcity.exchange.strategies import State, Strategy


@dataclass(frozen=True)
class Plan:
    """Who learns together, how deep, by which strategy and for how long.

    Attributes:
        levels: party -> reuse level; the parties of the run.
        reference: the layers all begin with (h1..h5, head, and the stem if it is common);
            those that differ in shape stand there once a group (`deepcity.exchange.kin`).
        own_stem: parties that keep their stem to themselves where others hold it in common.
        groups: who shares a layer that differs in shape between parties.
        attendance: who is there in which round.
        equal: whether all weigh alike in averages, however many rows they learn from.
    """

    levels: Mapping[str, int]
    reference: Layers
    strategy: Strategy
    rounds: int
    own_stem: frozenset[str] = frozenset()
    groups: Groups = field(default_factory=dict)
    attendance: Attendance = field(default_factory=Attendance)
    equal: bool = False

    def common(self, party: str) -> tuple[str, ...]:
        """Names of the layers that a party holds in common."""
        stem = self.strategy.common_stem and party not in self.own_stem
        return layers_up_to(self.levels[party], common_stem=stem)

    def reference_of(self, party: str) -> Layers:
        """The layers a party begins with, all of them."""
        return of_party(self.reference, self.groups, party)

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
        weights: party -> its share in averages (training rows); those that joined so far.
        errors: one entry a round: party -> validation error as it stood before training.
        failures: one entry a round: who was left out, and why.
        trained: party -> rounds done when it last answered with a training.
    """

    round: int
    state: State
    outgoing: Mapping[str, Layers]
    weights: Mapping[str, float]
    errors: tuple[Mapping[str, float], ...] = ()
    failures: tuple[tuple[Failure, ...], ...] = field(default=())
    trained: Mapping[str, int] = field(default_factory=dict)


def begin(exchange: Exchange, plan: Plan) -> Progress:
    """Ask in every party that is there from the start, and hand out what all begin with.

    Raises:
        ExchangeError: if a party cannot join; names each and its reason.
    """
    weights, refused = _joined(exchange, plan.attendance.there(plan.levels, 0))
    if refused:
        reasons = "; ".join(f"{failure.party}: {failure.reason}" for failure in refused)
        msg = f"these parties could not join: {reasons}. Mend them, or leave them out of the map"
        raise ExchangeError(msg)
    outgoing: dict[str, Layers] = {}
    for party in plan.levels:
        reference = plan.reference_of(party)
        outgoing[party] = {
            name: reference[name]
            for name in plan.common(party)
            if name != HEAD  # begins as each party's own; the first fusion meets in the middle
        }
    return Progress(0, plan.strategy.start(plan.reference), outgoing, weights)


def _joined(
    exchange: Exchange, parties: Sequence[str]
) -> tuple[dict[str, float], Sequence[Failure]]:
    """Ask parties in: their weights, and who could not join."""
    if not parties:
        return {}, []
    return _numbers(exchange.call_group({party: Message(JOIN) for party in parties}), ROWS)


def one_round(exchange: Exchange, plan: Plan, progress: Progress) -> Progress:
    """Ask in who is new, train everywhere once, then fuse."""
    done = progress.round
    there = plan.attendance.there(plan.levels, done)
    new, absent = _joined(exchange, [party for party in there if party not in progress.weights])
    weights = {p: w for p, w in {**progress.weights, **new}.items() if p in there}
    asked = plan.attendance.drawn(tuple(party for party in there if party in weights), done)
    numbers = {ROUND: float(done), **plan.strategy.instructions(progress.state)}
    replies = exchange.call_group(
        {party: Message(TRAIN, numbers, progress.outgoing[party]) for party in asked}
    )
    errors, failed = _numbers(replies, ERROR)
    granted, refused = _usable(plan, replies, errors)
    shares = dict.fromkeys(weights, 1.0) if plan.equal else weights
    state, received = merge(
        plan.strategy, progress.state, granted, shares, plan.levels, plan.groups
    )
    return replace(
        progress,
        round=done + 1,
        state=state,
        outgoing=_outgoing(plan, progress, received, asked),
        weights=weights,
        errors=(*progress.errors, errors),
        failures=(*progress.failures, (*absent, *failed, *refused)),
        trained={**progress.trained, **dict.fromkeys(answers(replies), done + 1)},
    )


def _usable(
    plan: Plan, replies: Mapping[str, Message | Failure], errors: Mapping[str, float]
) -> tuple[dict[str, Layers], list[Failure]]:
    """Layers that can be fused, and who is set aside."""
    granted: dict[str, Layers] = {}
    refused: list[Failure] = []
    for party, reply in answers(replies).items():
        if party not in errors:
            continue
        good, problems = screen({party: reply.layers}, plan.reference_of(party))
        granted |= {name: plan.allowed(name, layers) for name, layers in good.items()}
        refused += problems
    return granted, refused


def _outgoing(
    plan: Plan, progress: Progress, received: Mapping[str, Layers], asked: Sequence[str]
) -> dict[str, Layers]:
    """What each party receives next: who was not asked has kept waiting for earlier layers."""
    outgoing: dict[str, Layers] = {}
    for party, layers in received.items():
        new = plan.allowed(party, layers)
        waiting = {} if party in asked else progress.outgoing[party]
        gone = plan.attendance.gone(party, progress.round + 1)
        outgoing[party] = {} if gone else {**waiting, **new}
    return outgoing


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
    last = plan.attendance.there(plan.levels, plan.rounds - 1)
    messages = {
        party: Message(LOOK, {ROUND: float(plan.rounds)}, progress.outgoing[party])
        for party in last
        if party in progress.weights
    }
    replies = exchange.call_group(messages)
    errors, failed = _numbers(replies, ERROR)
    return replace(
        progress,
        errors=(*progress.errors, errors),
        failures=(*progress.failures, tuple(failed)),
    )
