"""Membership inference on real records: can it be told which days a network learned from?

    python -m benchmarks.membership [--seeds 0,1,2] [--sets bikes,air] [--only-tables]

Networks are trained as the first party of a set learns alone, each on its records without a half of
the units asked about (days of single places; whole places, where there are eight or more). Each is
attacked in turn by LiRA and RMIA with the others as shadows, as `deepcity audit` does.

Each set and seed is kept in membership_cases.jsonl as soon as it is measured.
"""

import time
from dataclasses import replace

import numpy as np
import torch

from benchmarks.audit.cases import SETS
from benchmarks.joining.cases import service_of
from benchmarks.kept_cases import BESIDE, asked_of, keep, load, load_some
from benchmarks.record import record
from deepcity.audit.effort import FAST
from deepcity.audit.membership.audit_membership import audit_membership
from deepcity.audit.results import MembershipAttack, MembershipUnit
from deepcity.forecasting.audit_shadows import membership_victim
from deepcity.parties.own_experts import expert_data
from deepcity.parties.party import parties_of

KEPT = BESIDE / "membership_cases.jsonl"
EFFORT = replace(FAST, shadows=24, units=5_000)


def main():
    """Measure what is missing, print as it goes, and record."""
    asked = asked_of(__doc__, SETS)
    torch.set_num_threads(1)
    if not asked.only_tables:
        for seed in asked.seeds:
            for name in asked.sets:
                if not any((one["set"], one["seed"]) == (name, seed) for one in load(KEPT)):
                    _measure(name, seed)
    found = text(load_some(KEPT))
    print(found)
    record("membership", found)


def _measure(name, seed):
    service, begun = service_of(name), time.process_time()
    party = parties_of(service)[0]
    victim = membership_victim(expert_data(party, service.settings.training, seed), party.field)
    leaks = [one for kind in MembershipUnit for one in audit_membership(victim, kind, EFFORT, seed)]
    case = {
        "set": name,
        "seed": seed,
        "party": party.name,
        "places": len(party.panel.places),
        "days": party.train_days,
        "leaks": [leak.model_dump(mode="json") for leak in leaks],
        "seconds": time.process_time() - begun,
    }
    keep(KEPT, case)
    print(f"{name}, seed {seed}, {case['seconds']:.0f} s: {leaks}", flush=True)


def text(cases):
    """Heading, what was measured, and a table."""
    seeds = sorted({case["seed"] for case in cases})
    lines = [
        "## Membership inference, default training",
        "",
        f"`python -m benchmarks.membership`, seeds {', '.join(map(str, seeds))}, one thread. "
        f"{EFFORT.shadows} networks a seed, trained as the first party of a set learns alone, each "
        "on its records without a half of the units asked about; each in turn is attacked, with "
        "the others as shadows. Days: a fifth of all days of single places. Found at 1 % and "
        "0.1 %: share of members found at so many false alarms in a hundred others; guessing "
        "finds as many. Mean (± standard deviation) over seeds.",
        "",
        "| set | unit | units | others | attack | area | found at 1 % | at 0.1 % "
        "| CPU s a network |",
        "|---|---|---:|---:|---|---:|---:|---:|---:|",
    ]
    lines += [
        row
        for name in SETS
        for unit in MembershipUnit
        for attack in MembershipAttack
        if (row := _row(cases, name, unit, attack))
    ]
    return "\n".join([*lines, ""])


def _row(cases, name, unit, attack):
    own = [case for case in cases if case["set"] == name]
    leaks = [
        leak
        for case in own
        for leak in case["leaks"]
        if (leak["unit"], leak["attack"]) == (unit, attack)
    ]
    if not leaks:
        return ""
    networks = EFFORT.shadows * len({leak["unit"] for leak in own[0]["leaks"]})
    seconds = np.mean([case["seconds"] for case in own]) / networks
    cells = [
        SETS[name],
        {"day": "a day of a place", "place": "a place"}[unit],
        f"{leaks[0]['units']:,}",
        f"{leaks[0]['others']:,}",
        {"lira": "LiRA", "rmia": "RMIA"}[attack],
        _mean([leak["area"] for leak in leaks], "{:.3f}"),
        _mean([leak["found_at_hundredth"] for leak in leaks], "{:.1%}"),
        _mean([leak["found_at_thousandth"] for leak in leaks], "{:.2%}"),
        f"{seconds:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


def _mean(found, shape):
    if any(one is None for one in found):
        return "too few"
    spread = f" ± {shape.format(np.std(found, ddof=1))}" if len(found) > 1 else ""
    return f"{shape.format(np.mean(found))}{spread}"


if __name__ == "__main__":
    main()
