"""Property inference on real records: does what a party sends tell what its records are like?

    python -m benchmarks.property_inference [--seeds 0,1,2] [--sets bikes,air] [--only-tables]

Networks of the first party of a set begin with the same layers and learn for one round, or for
five, from records with and without a property: whether it measures at weekends, whether its
values grow by 30 %, whether it has all of its days or half; or nothing
differs, by which the attack itself is checked. Their moves are told apart by ridge
classifiers, each update by those trained on the others.

Each set and seed is kept in property_inference_cases.jsonl as soon as it is measured.
"""

import time
from dataclasses import asdict

import numpy as np
import torch

from benchmarks.audit.cases import SETS
from benchmarks.joining.cases import service_of
from benchmarks.kept_cases import BESIDE, asked_of, keep, load, load_some
from benchmarks.record import record
from deepcity.audit.properties.attack import audit_property
from deepcity.audit.properties.properties import RecordsProperty
from deepcity.forecasting.audit_shadows import property_updates
from deepcity.parties.own_experts import expert_data
from deepcity.parties.party import parties_of

KEPT = BESIDE / "property_inference_cases.jsonl"
SHADOWS, ROUNDS = 32, (1, 5)
LEVELS = {1: "h1", 5: "h1 to h5", 6: "all"}


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
    record("property-inference", found)


def _measure(name, seed):
    service, begun = service_of(name), time.process_time()
    party = parties_of(service)[0]
    data = expert_data(party, service.settings.training, seed)
    update_of = property_updates(data, party.field, ROUNDS)
    leaks = [
        asdict(leak)
        for which in RecordsProperty
        for leak in audit_property(which, update_of, SHADOWS, seed)
    ]
    seconds = time.process_time() - begun
    case = {"set": name, "seed": seed, "party": party.name, "leaks": leaks, "seconds": seconds}
    keep(KEPT, case)
    print(f"{name}, seed {seed}, {seconds:.0f} s", flush=True)


def text(cases):
    """Heading, what was measured, and a table."""
    seeds = sorted({case["seed"] for case in cases})
    lines = [
        "## Property inference, default training",
        "",
        f"`python -m benchmarks.property_inference`, seeds {', '.join(map(str, seeds))}, one "
        f"thread. {SHADOWS} updates a seed of the first party of a set, half of them of records "
        "with the property; area: chance that an update with it scores above one without "
        "(0.5 is guessing). *Nothing*: no difference, a check of the attack itself. Mean (± "
        "standard deviation) over seeds.",
        "",
        "| set | property | after | " + " | ".join(LEVELS.values()) + " |",
        "|---|---|---|" + "---:|" * len(LEVELS),
    ]
    for name in SETS:
        for which in RecordsProperty:
            for rounds in ROUNDS:
                cells = [_cell(cases, name, which, rounds, level) for level in LEVELS]
                if any(cells):
                    after = "one round" if rounds == 1 else f"{rounds} rounds"
                    lines.append(f"| {SETS[name]} | {which} | {after} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _cell(cases, name, which, rounds, level):
    areas = [
        leak["area"]
        for case in cases
        if case["set"] == name
        for leak in case["leaks"]
        if (leak["which"], leak["rounds"], leak["level"]) == (which, rounds, level)
    ]
    spread = f" ± {np.std(areas, ddof=1):.2f}" if len(areas) > 1 else ""
    return f"{np.mean(areas):.2f}{spread}" if areas else ""


if __name__ == "__main__":
    main()
