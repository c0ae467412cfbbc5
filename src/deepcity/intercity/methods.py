"""One method of one service: alone, a fixed reuse level, or pooled, all by the same rounds.

A method's run is checkpointed after every round and kept when done, so a killed run goes
on where it stood and ends with the same numbers.
"""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from deepcity.city.level import ALONE, HEAD, HIDDEN_LAYERS, STEM, Layers, Tensors
from deepcity.exchange.attendance import Attendance
from deepcity.exchange.exchange import Failure
from deepcity.exchange.granted import GrantedHandler
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.kin import Groups
from deepcity.exchange.kin import key as kin_key
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.party import LearningParty
from deepcity.exchange.rounds import Plan, Progress, learn_together
from deepcity.exchange.strategies import State, Strategy, strategy
from deepcity.intercity.alike import fellows, groups_of
from deepcity.intercity.map_settings import ServiceSettings
from deepcity.intercity.parties import Party
from deepcity.learning.learner import EVERY_LAYER, Learner
from deepcity.learning.reuse import export_layers
from deepcity.privacy.grants import Grant
from deepcity.store.checkpoint import Checkpoint, CheckpointStore

Floats = NDArray[np.float32]
_NAMED = 12  # hexadecimal digits of a hash that tell checkpoints apart


@dataclass(frozen=True)
class Method:
    """What is run: its name, and the level of each party."""

    name: str
    levels: Mapping[str, int]


@dataclass(frozen=True)
class Outcome:
    """What a method's run left: learners at their best states, and how it went.

    Attributes:
        seconds: that its rounds took, those of earlier, interrupted runs included.
        earlier_seconds: the part of them that earlier runs took.
    """

    method: Method
    learners: Mapping[str, Learner]
    progress: Progress
    ledger: Ledger
    seconds: float = 0.0
    earlier_seconds: float = 0.0


@dataclass(frozen=True)
class Run:
    """What all methods of one service share.

    Attributes:
        start: layers of a package, which every method begins with but learning alone.
        newcomers: those who will start from what these parties learn; they take no part.
        made_of: what else this run follows from; checkpoints of another are not touched.
    """

    settings: ServiceSettings
    parties: Sequence[Party]
    seed: int
    start: Layers = field(default_factory=dict)
    checkpoints: CheckpointStore | None = None
    newcomers: Sequence[Party] = ()
    made_of: str = ""
    after_round: Callable[[Method, int], None] = lambda _method, _round: None

    @property
    def groups(self) -> Groups:
        """Who shares stems and heads where these differ in shape."""
        return groups_of(self.parties)


def run_method(run: Run, method: Method) -> Outcome:
    """Run a method to its end, from its newest checkpoint if there is one.

    Raises:
        CheckpointError: if a checkpoint cannot be read or written.
        ExchangeError: if a party cannot join.
    """
    learners = {party.name: _learner(run, method, party) for party in run.parties}
    ledger = Ledger()
    handlers = {
        name: GrantedHandler(
            LearningParty(learner, method.levels[name], common_stem=_common_stem(run, name)),
            _grant(run, name, method.levels[name]),
            name,
            run.settings.name,
            like=learner.export(EVERY_LAYER),
        )
        for name, learner in learners.items()
    }
    exchange = InProcessExchange(handlers, ledger=ledger, precision=run.settings.wire.precision)
    plan = _plan(run, method, learners)
    progress, earlier = _resumed(run, method, learners, ledger, plan)
    begun = time.perf_counter()

    def seconds() -> float:
        return earlier + time.perf_counter() - begun

    def after_round(now: Progress) -> None:
        _keep(run, method, learners, ledger, now, seconds())
        run.after_round(method, now.round)

    progress = learn_together(exchange, plan, progress, after_round)
    for learner in learners.values():
        learner.keep_best()
    return Outcome(method, learners, progress, ledger, seconds(), earlier)


def _learner(run: Run, method: Method, party: Party) -> Learner:
    start = run.start if any(method.levels.values()) else {}  # alone: from nobody's layers
    reuse = run.settings.reuse
    frozen = tuple(start) if reuse is not None and reuse.frozen else ()
    return Learner(party.data, run.settings.training, run.seed, start=start, frozen=frozen)


def _common_stem(run: Run, party: str) -> bool:
    """Whether a party's stem takes part: where it is granted, and fits another's."""
    grant, everybody = run.settings.grant, [*run.parties, *run.newcomers]
    if grant.stem_of(party) != "common":
        return False
    sharing = [other.name for other in everybody if grant.stem_of(other.name) == "common"]
    return len(everybody) == 1 or bool(fellows(STEM, party, sharing, groups_of(everybody)))


def _grant(run: Run, party: str, level: int) -> Grant:
    """What the party lets out; the pooled upper bound has nobody to send to."""
    grant = run.settings.grant
    return Grant(
        party=party,
        service=run.settings.name,
        level=min(level, grant.level_of(party)),
        stem=grant.stem_of(party),
    )


def _plan(run: Run, method: Method, learners: Mapping[str, Learner]) -> Plan:
    own_stem = frozenset(name for name in learners if not _common_stem(run, name))
    return Plan(
        levels=method.levels,
        reference=_reference(learners, own_stem, run.groups),
        strategy=_strategy(run.settings),
        rounds=run.settings.training.rounds,
        own_stem=own_stem,
        groups=run.groups,
        attendance=_attendance(run, method),
        equal=run.settings.strategy.weighting == "equal",
    )


def _reference(
    learners: Mapping[str, Learner], own_stem: frozenset[str], groups: Groups
) -> dict[str, Tensors]:
    """What all begin with: hidden layers, a head a group, and stems of those who share them."""
    first = learners[min(learners)]
    reference = dict(export_layers(first.network, HIDDEN_LAYERS))
    for layer, names in ((HEAD, set(learners)), (STEM, set(learners) - own_stem)):
        for name in sorted(names, reverse=True):  # the first of a group by name stays
            own = groups.get(layer, {})
            key = kin_key(layer, own[name]) if name in own else layer
            reference[key] = export_layers(learners[name].network, [layer])[layer]
    for key, tensors in reference.items():
        fits = [name for name in ("recall", "share") if name in tensors]
        if fits:  # fits of a party's own: the others get their shapes, not them
            reference[key] = {**tensors, **{name: np.zeros_like(tensors[name]) for name in fits}}
    return reference


def _attendance(run: Run, method: Method) -> Attendance:
    """Whoever learns alone is always there."""
    if not any(method.levels.values()):
        return Attendance()
    said = run.settings.attendance
    return Attendance(said.joins, said.leaves, said.share, run.seed)


def _strategy(settings: ServiceSettings) -> Strategy:
    chosen = settings.strategy
    return strategy(chosen.name, common_stem=settings.grant.stem == "common", **chosen.values())


def _checkpoint_name(run: Run, method: Method) -> str:
    if not run.made_of:
        return f"{run.settings.name}.{method.name}"
    made_of = hashlib.sha256(run.made_of.encode()).hexdigest()[:_NAMED]
    return f"{run.settings.name}.{method.name}-{made_of}"


def _keep(
    run: Run,
    method: Method,
    learners: Mapping[str, Learner],
    ledger: Ledger,
    now: Progress,
    seconds: float,
) -> None:
    """Write everything the next round needs, in one file, and how long it took so far."""
    if run.checkpoints is None:
        return
    arrays: dict[str, Mapping[str, NDArray[np.float32]]] = {}
    for name, learner in learners.items():
        arrays[f"learner:{_group(name)}"] = learner.state()
        for layer, tensors in now.outgoing[name].items():
            arrays[f"outgoing:{_group(name)}:{layer}"] = tensors
    for layer, tensors in now.state.layers.items():
        arrays[f"state:{layer}"] = tensors
    values = {
        "shares": _shares(run, method),
        "state_numbers": dict(now.state.numbers),
        "weights": dict(now.weights),
        "errors": [dict(errors) for errors in now.errors],
        "failures": [[[f.party, f.reason] for f in failed] for failed in now.failures],
        "ledger": [list(row) for row in ledger.snapshot()],
        "seconds": seconds,
    }
    run.checkpoints.save(_checkpoint_name(run, method), now.round, arrays, values)


def _resumed(
    run: Run, method: Method, learners: Mapping[str, Learner], ledger: Ledger, plan: Plan
) -> tuple[Progress | None, float]:
    """Where the newest whole checkpoint left off, and the seconds until then.

    None and 0 to begin at the beginning; so too where parties share other layers than they did
    then, since a newcomer came whom theirs fit.
    """
    if run.checkpoints is None:
        return None, 0.0
    found = run.checkpoints.load_latest(_checkpoint_name(run, method))
    if found is None or found.values.get("shares") != _shares(run, method):
        return None, 0.0
    for name, learner in learners.items():
        learner.restore(found.arrays[f"learner:{_group(name)}"])
    ledger.restore(found.values["ledger"])
    return _progress(found, plan), float(found.values.get("seconds", 0.0))


def _shares(run: Run, method: Method) -> dict[str, list[object]]:
    """Each party's level, and whether it shares its stem with others."""
    levels = method.levels
    return {
        name: [level, level > ALONE and _common_stem(run, name)] for name, level in levels.items()
    }


def _progress(found: Checkpoint, plan: Plan) -> Progress:
    layers: dict[str, Tensors] = {}
    outgoing: dict[str, dict[str, Tensors]] = {_group(name): {} for name in plan.levels}
    for key, tensors in found.arrays.items():
        kind, _, rest = key.partition(":")
        if kind == "state":
            layers[rest] = tensors
        elif kind == "outgoing":
            name, _, layer = rest.rpartition(":")
            outgoing[name][layer] = tensors
    return Progress(
        round=found.round,
        state=State(layers, found.values["state_numbers"]),
        outgoing={name: outgoing[_group(name)] for name in plan.levels},
        weights=found.values["weights"],
        errors=tuple(found.values["errors"]),
        failures=tuple(
            tuple(Failure(party, reason) for party, reason in failed)
            for failed in found.values["failures"]
        ),
    )


def _group(party: str) -> str:
    """A party's name as checkpoints spell it: they keep "/" for themselves."""
    return party.replace("/", "|")


def beside(one: Outcome, other: Outcome) -> Outcome:
    """Two runs of one method without a word between their parties; the first tells the curve."""
    return replace(
        one,
        method=Method(one.method.name, {**one.method.levels, **other.method.levels}),
        learners={**one.learners, **other.learners},
        seconds=one.seconds + other.seconds,
        earlier_seconds=one.earlier_seconds + other.earlier_seconds,
    )


def alone(parties: Sequence[Party], name: str = "alone") -> Method:
    """Everyone for itself."""
    return Method(name, {party.name: ALONE for party in parties})
