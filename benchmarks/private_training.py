"""What differential privacy of shared layers costs in error, on real records.

    python -m benchmarks.private_training [--seeds 0,1,2] [--sets air,bikes/place] [--only-tables]

The parties of a set train h1 and h2 together, without noise and with epsilon 8, 4 and 2 at delta
1e-5, a sensor's day being the unit, or a place with all of its days (SET/place); and the first of
them by itself, as one whose layers leave in a package. Then each tunes every level and weighs it
against its own experts, as in a run.

Each case is kept in private_training_cases.jsonl as soon as it is measured.
"""

import time

import numpy as np
import torch

from benchmarks.joining.cases import alone_learner, mean_error, service_of
from benchmarks.kept_cases import BESIDE, asked_of, keep, load, load_some
from benchmarks.record import record
from deepcity.city.level import ALONE
from deepcity.intercity.level_choice import choose_level
from deepcity.intercity.method import Method
from deepcity.learning.private.settings import PrivacySettings, PrivacyUnit
from deepcity.parties.party import parties_of
from deepcity.parties.private_training import PrivateTraining, simulated_key
from deepcity.privacy.accounting.accountant import epsilon_of
from deepcity.runs.trainings import train_parties

KEPT = BESIDE / "private_training_cases.jsonl"
SETS = {"air": "fine dust", "metro": "metro", "bikes": "bikes", "people": "people"}
MEASURED = (*SETS, *(f"{name}/{PrivacyUnit.PLACE}" for name in SETS))
EPSILONS = (None, 8.0, 2.0, 4.0)  # what a measurement that is cut off should have comes first
LEVEL, DELTA = 2, 1e-5
TRAINING = {"local_steps": 10, "learning_rate": 4e-3}
"""Of trainings with noise: fewer and larger steps than without, so that each needs less of it."""
PRIVACY = {"sampling": 0.1, "windows": 4, "delta": DELTA}


def main():
    """Measure what is missing, print as it goes, and record."""
    asked = asked_of(__doc__, MEASURED)
    torch.set_num_threads(1)
    if not asked.only_tables:
        for name in asked.sets:
            for seed in asked.seeds:
                _measure(name, seed)
    found = text(load_some(KEPT))
    print(found)
    record("private-training", found)


def set_and_unit(name):
    """The set that a name is of, and whose influence is bounded.

    >>> set_and_unit("air"), set_and_unit("bikes/place")
    (('air', 'sensor-day'), ('bikes', 'place'))
    """
    of, _, unit = name.partition("/")
    return of, str(PrivacyUnit(unit or PrivacyUnit.SENSOR_DAY))


def settings_of(service, epsilon, unit):
    """The service's settings, with so much noise; None: without."""
    settings = service.settings
    change = {
        "levels": (),
        "grant": settings.grant.model_copy(update={"level": LEVEL, "stem": "private"}),
    }
    if epsilon is not None:
        change["training"] = settings.training.model_copy(update=TRAINING)
        change["privacy"] = PrivacySettings(unit=unit, epsilon=epsilon, **PRIVACY)
    return settings.model_copy(update=change)


def _measure(name, seed):
    """Every epsilon of one set and seed that is not kept yet."""
    done = {one["epsilon"] for one in load(KEPT) if (one["set"], one["seed"]) == (name, seed)}
    missing = [epsilon for epsilon in EPSILONS if epsilon not in done]
    if not missing:
        return
    of, unit = set_and_unit(name)
    service = service_of(of, "private")
    parties = parties_of(service)
    alone = {party.name: alone_learner(service, party, seed) for party in parties}
    for epsilon in missing:
        begun = time.process_time()
        case = case_of(service, parties, alone, epsilon, unit, seed)
        case |= {"set": name, "seed": seed, "seconds": time.process_time() - begun}
        keep(KEPT, case)
        print(f"{name}, seed {seed}, epsilon {epsilon}: {case}", flush=True)


def case_of(service, parties, alone, epsilon, unit, seed):
    """Errors of every party with so much noise; the noise and units, where there is any.

    Args:
        alone: party -> its own learner.
    """
    settings = settings_of(service, epsilon, unit)
    method = Method("joined", {party.name: LEVEL for party in parties})
    _, joined = train_parties(settings, parties, seed, method)
    first = parties[0]
    _, single = train_parties(settings, [first], seed, Method("single", {first.name: LEVEL}))
    found = {}
    for party in parties:
        choice = choose_level(party, alone[party.name], joined[party.name], LEVEL, seed)
        found[party.name] = {
            "alone": _error(choice.first(ALONE), party),
            "network": _error(choice.first(LEVEL), party),
            "forecast": mean_error(choice.forecast(party).forecast_BNH, party),
        }
    found[first.name]["single"] = mean_error(single[first.name].forecast(first.test), first)
    case = {"epsilon": epsilon, "mae": found}
    if epsilon is not None:
        plans = {one.name: _plan(settings, one, seed) for one in parties}
        case |= {"noise": plans[first.name].plan.round.noise_multiplier}
        case |= {"removed": epsilon_of(plans[first.name].plan.all, DELTA, replaced=False)}
        case |= {"units": {one.name: _units(one, unit) for one in parties}}
    return case


def _plan(settings, party, seed):
    return PrivateTraining.of(settings, party, None, simulated_key(seed, party.name))


def _units(party, unit):
    places = len(party.panel.places)
    return places if unit == PrivacyUnit.PLACE else round(party.train_days * places)


def _error(expert, party):
    return mean_error(expert.predict(party.test, party.test_origins), party)


def text(cases):
    """Heading, what was measured, and a table."""
    lines = [
        "## Differential privacy of shared layers: cost in error",
        "",
        "`python -m benchmarks.private_training`, one thread. h1 and h2 trained together by all "
        "parties of a set; the unit, whose records may be replaced by any others, is a sensor's "
        f"day or a place with all of its days, at delta {DELTA:g}. Mean absolute error against the "
        "same parties' without noise, "
        "mean over parties (± standard deviation over seeds). *Own training*: the first party's "
        "network where it trains by itself. *Together*: networks of the layers trained "
        "together. *Forecast*: of all levels and own experts weighed, as a run gives it. Less "
        "than nothing: better. *Joining*: the network together against the party's own, both "
        "without noise; where joining is worth little, noise can cost little. The last column is "
        "epsilon of the same noise where a unit is removed and not replaced, as most papers "
        "count. Steps: "
        f"{TRAINING['local_steps']} a round with noise, 30 without.",
        "",
        "| set | unit | units of a party | seeds | epsilon | noise | own training | together "
        "| forecast | joining | epsilon, removed |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name in MEASURED:
        for epsilon in (8.0, 4.0, 2.0):
            lines += [row] if (row := _row(cases, name, epsilon)) else []
    return "\n".join([*lines, ""])


def _row(cases, name, epsilon):
    own = {(one["seed"], one["epsilon"]): one for one in cases if one["set"] == name}
    seeds = sorted(seed for seed, one in own if one == epsilon and (seed, None) in own)
    if not seeds:
        return ""
    noisy = [own[seed, epsilon] for seed in seeds]
    costs = {
        kind: [_cost(own[seed, epsilon], own[seed, None], kind) for seed in seeds]
        for kind in ("single", "network", "forecast")
    }
    units = sorted(noisy[0]["units"].values())
    of, unit = set_and_unit(name)
    cells = [
        SETS[of],
        unit,
        f"{units[0]:,} to {units[-1]:,}" if units[0] != units[-1] else f"{units[0]:,}",
        ", ".join(map(str, seeds)),
        f"{epsilon:g}",
        f"{noisy[0]['noise']:.2f}",
        *(_mean(costs[kind]) for kind in ("single", "network", "forecast")),
        _mean([_joining(own[seed, None]) for seed in seeds]),
        f"{noisy[0]['removed']:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


def _cost(noisy, plain, kind):
    """Rise of the error, mean over the parties that have it."""
    pairs = [
        (found[kind], plain["mae"][party][kind])
        for party, found in noisy["mae"].items()
        if kind in found
    ]
    return float(np.mean([after / before - 1 for after, before in pairs]))


def _joining(plain):
    """Rise of the error by joining without noise, mean over parties."""
    return float(np.mean([one["network"] / one["alone"] - 1 for one in plain["mae"].values()]))


def _mean(found):
    spread = f" ± {np.std(found, ddof=1):.1%}" if len(found) > 1 else ""
    return f"{np.mean(found):+.1%}{spread}"


if __name__ == "__main__":
    main()
