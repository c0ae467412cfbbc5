"""Asynchronous against synchronous fusion where one site of three is twenty times slower.

On a simulated clock: the fused layers are evaluated on every party's validation days after each
fusion, and every party's best state on its test days at the end. A synchronous round takes as long
as the slowest site's.
"""

from dataclasses import dataclass, replace

import numpy as np

from benchmarks.cost.precision import errors_of
from benchmarks.cost.setting import SEEDS
from benchmarks.joining.cases import service_of
from deepcity.city.level import MAX_LEVEL
from deepcity.exchange.asynchronous.fusions import learn_asynchronously
from deepcity.exchange.asynchronous.pending_calls import SimulatedCalls
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.rounds import learn_together
from deepcity.intercity.method import Method, alone
from deepcity.learning.training.learner import Learner
from deepcity.parties.party import parties_of
from deepcity.runs.site import Site
from deepcity.runs.trainings import ServiceRun, profiles_of, train_parties

SETS = ("air",)
SLOWER = 20.0
SITES = 3
SYNCHRONOUS = "synchronous"
WITHOUT = "synchronous, without the slow site"
LONGER = ", four times the rounds"
_LATE = {"schedule": "asynchronous"}
WAYS = {
    SYNCHRONOUS: {},
    WITHOUT: {},
    f"{WITHOUT}{LONGER}": {},
    "asynchronous": _LATE,
    "asynchronous, staleness ignored": {**_LATE, "staleness_exponent": 0.0},
    f"asynchronous{LONGER}": _LATE,
}
"""Settings of each way's strategy."""
MOST_OF_IT = 0.95
"""Of what the synchronous training gains on networks before any training."""


@dataclass(frozen=True)
class Course:
    """One training.

    Attributes:
        seconds, errors: at each fusion; of the fused layers, by party.
        before: errors of networks before any training, by party.
        test: error on test days by party, at its best state.
        updates: of the slow site.
    """

    seconds: list
    errors: list
    before: dict
    test: dict
    updates: int


def asynchronous():
    """Simulated seconds until the error of the synchronous training, and errors at the end."""
    rows = {way: [] for way in WAYS}
    for name in SETS:
        for seed in SEEDS:
            service = _short(service_of(name))
            parties = parties_of(service)
            slow = sorted(party.name for party in parties)[seed % SITES]
            _, learners = train_parties(
                service.settings, parties, seed, alone([one.name for one in parties])
            )
            own = errors_of(parties, learners)
            found = {way: _course(service, parties, seed, slow, way) for way in WAYS}
            for way, course in found.items():
                rows[way].append(_row(course, found[SYNCHRONOUS], own, slow))
                print(f"asynchronous: {name}, seed {seed}, {way}: {rows[way][-1]}", flush=True)
    return _report(rows)


def _short(service):
    """Three parties; as many rounds as the set has, fewer steps in each."""
    training = service.settings.training.model_copy(update={"local_steps": 10, "batch_size": 64})
    settings = service.settings.model_copy(update={"training": training, "newcomers": ()})
    return replace(service, settings=settings, members=service.members[:SITES])


def _course(service, parties, seed, slow, way):
    settings = _settings(service.settings, way, slow)
    here = [party for party in parties if not way.startswith(WITHOUT) or party.name != slow]
    sites = [Site(settings, party, seed) for party in here]
    run = ServiceRun(settings, profiles_of(sites), seed)
    method = Method("level_6", {party.name: MAX_LEVEL for party in here})
    plan = run.plan(method)
    handlers = {site.name: site.join(run.task(method, site.name)) for site in sites}
    exchange = InProcessExchange(handlers, precision=settings.wire.precision)
    probes = {one.name: Learner(one.data, settings.training, seed) for one in parties}
    assert not plan.groups  # one network fits all parties
    before = {name: one.evaluate() for name, one in probes.items()}
    errors = []

    def probe(progress):
        layers = progress.state.layers
        errors.append({name: one.receive(layers) for name, one in probes.items()})

    if plan.asynchronous is None:
        progress = learn_together(exchange, plan, after_round=probe)
        longest = 1.0 if way.startswith(WITHOUT) else SLOWER
        seconds = [longest * (1 + done) for done in range(progress.round)]
        updates = 0 if way.startswith(WITHOUT) else progress.round
    else:
        calls = SimulatedCalls(exchange, plan.asynchronous.round_seconds)
        progress = learn_asynchronously(exchange, calls, plan, after_fusion=probe)
        seconds = list(progress.asynchronous.fused_s)
        updates = sum(slow in one for one in progress.errors[: progress.round])
    learners = {}
    for site in sites:
        learners[site.name] = site.learners["level_6"]
        learners[site.name].keep_best()
    return Course(seconds, errors, before, errors_of(here, learners), updates)


def _settings(settings, way, slow):
    """A service's settings in one of the ways."""
    update = {**WAYS[way], "round_seconds": {slow: SLOWER}} if WAYS[way] else {}
    times = 4 if way.endswith(LONGER) else 1
    strategy = settings.strategy.model_copy(update=update)
    training = settings.training.model_copy(update={"rounds": times * settings.training.rounds})
    return settings.model_copy(update={"strategy": strategy, "training": training})


def _row(course, synchronous, own, slow):
    """Shares of the synchronous training's last error; seconds until it is reached."""
    last, before = synchronous.errors[-1], synchronous.before
    mean = [_share(one, last) for one in course.errors]
    most = 1.0 + (1 - MOST_OF_IT) * (_share(before, last) - 1.0)
    times = list(zip(course.seconds, mean, strict=True))
    reached = [at for at, error in times if error <= 1.0]
    near = [at for at, error in times if error <= most]
    fast = [name for name in own if name != slow]
    return {
        "before": _share(before, last),
        "near": near[0] if near else None,
        "reached": reached[0] if reached else None,
        "ended": course.seconds[-1],
        "final": mean[-1],
        "best": min(mean),
        "fast": float(np.mean([course.test[name] / own[name] for name in fast])),
        "slow": course.test[slow] / own[slow] if slow in course.test else None,
        "updates": course.updates,
    }


def _share(errors, base):
    return float(np.mean([errors[name] / base[name] for name in base]))


def _report(rows):
    lines = [
        "## Asynchronous fusion: one site of three is twenty times slower",
        "",
        f"{', '.join(SETS)}: three parties each, seeds {', '.join(map(str, SEEDS))}, the slow one "
        "another with each seed; level 6 with the stem, 10 steps a round and as many rounds as "
        "each set has. A round takes one second on the simulated clock, of the slow site "
        f"{SLOWER:g}. *Reached*: seconds until the fused layers err as those at the end of the "
        "synchronous training, on validation days, mean over all three parties; *near*: until "
        f"they have {100 * MOST_OF_IT:.0f} % of what it gains on networks before any training. "
        "Medians over the runs that got there, which are counted. *Final*: that error after the "
        "last fusion, 1 is the synchronous one; mean and worst. *Fast*, *slow*: error on test "
        "days at each party's best state over that of learning alone, fast sites' mean and the "
        "slow one's. *Updates*: the slow site's, in the mean.",
        "",
        "| fusion | near, s | runs | reached, s | runs | ended, s | final | worst | fast | slow "
        "| updates |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for way, found in rows.items():
        lines.append(f"| {way} | {' | '.join(_cells(found))} |")
    return "\n".join(lines)


def _cells(found):
    cells = []
    for key in ("near", "reached"):
        known = [one[key] for one in found if one[key] is not None]
        cells += [f"{np.median(known):.0f}" if known else "", f"{len(known)} of {len(found)}"]
    cells += [f"{np.median([one['ended'] for one in found]):.0f}", _mean(found, "final")]
    cells += [f"{max(one['final'] for one in found):.3f}"]
    cells += [_mean(found, "fast"), _mean(found, "slow")]
    return [*cells, f"{np.mean([one['updates'] for one in found]):.1f}"]


def _mean(found, key):
    known = [one[key] for one in found if one[key] is not None]
    return f"{np.mean(known):.3f}" if known else ""
