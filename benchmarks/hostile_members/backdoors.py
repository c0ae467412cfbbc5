"""Backdoors of one member of four, and of three of ten: what they do at honest ones and newcomers.

    python -m benchmarks.hostile_members.backdoors [--seeds 0,1,2] [--only-tables]

Each case is kept in backdoors.jsonl beside this file as soon as it is done; a killed run goes on
where it stood. About ten seconds a case on one core.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
import torch

from benchmarks.hostile_members.__main__ import KEPT, MANY, RULES, load
from benchmarks.hostile_members.cases import MEMBER, Case, Setting, measure
from benchmarks.record import record
from deepcity.maps.fusion_rule import MANY as CLIPPED_FROM

FEW = 4
ATTACKS = ("none", "backdoor", "backdoor x5")
PROMISED = 0.05


def settings(seeds: Sequence[int]) -> Iterator[Setting]:
    """Every rule and attack; the default rule first."""
    for seed, members, rule, attack in product(seeds, (FEW, MANY), RULES, ATTACKS):
        yield Setting(members, attack, rule, "float32", seed)


def text(cases: Sequence[Case]) -> str:
    """All cases as Markdown."""
    seeds = ",".join(map(str, sorted({case.seed for case in cases})))
    lines = [
        "## Backdoors",
        "",
        f"`python -m benchmarks.hostile_members.backdoors --seeds {seeds}`. One of four "
        "synthetic towns is hostile, or three of ten: they train on as many rows again with a "
        "trigger of four recent values, whose truth is three scales over the typical day; `x5` "
        "multiplies their moves. Success: share of an honest party's test forecasts that move over "
        "half of the way to that once the trigger is in the window, by its whole forecast, and by "
        "the fused network alone; newcomers have 1 or 14 days. Where nobody is hostile it is what "
        "the trigger alone does. "
        "Error: of eight test days without a trigger, as a share of learning alone.",
        "",
        _over(cases),
        "",
        "| members | rule | attack | at | seeds | success | worst | fused network's | worst "
        "| error | worst |",
        "|---:|---|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for members, rule, attack in product((FEW, MANY), RULES, ATTACKS):
        key = (members, rule, attack)
        some = [case for case in cases if (case.members, case.rule, case.attack) == key]
        for title, own in (("members", True), ("newcomers", False)):
            if at := [case for case in some if (case.party == MEMBER) is own]:
                lines.append(_row(f"{members} | {rule} | {attack} | {title}", at))
    return "\n".join(lines)


def _over(cases: Sequence[Case]) -> str:
    over = [case for case in cases if (case.backdoor or 0) > PROMISED]
    where = sorted({f"{case.members} members with `{case.rule}`" for case in over})
    among = f": {', '.join(where)}" if over else ""
    return (
        f"Of {len(cases)} outcomes {len(over)} are over {PROMISED:.0%}{among}. A map that names no "
        f"rule has `norm_clipping` from {CLIPPED_FROM} members on, and `fedavg` of fewer."
    )


def _row(title: str, cases: Sequence[Case]) -> str:
    cells = []
    for values, form in (
        ([case.backdoor or 0.0 for case in cases], ".1%"),
        ([case.backdoor_fused or 0.0 for case in cases], ".1%"),
        ([case.share for case in cases], ".3f"),
    ):
        cells += [format(float(np.mean(values)), form), format(max(values), form)]
    seeds = len({case.seed for case in cases})
    return f"| {title} | {seeds} | {' | '.join(cells)} |"


def main() -> None:
    """Measure what is missing, print as it goes, and record."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--only-tables", action="store_true", help="of the cases there are")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    path = KEPT.with_name("backdoors.jsonl")
    path.parent.mkdir(parents=True, exist_ok=True)
    done = {(case.members, case.rule, case.attack, case.seed) for case in load(path)}
    seeds = [int(seed) for seed in asked.seeds.split(",")]
    for one in [] if asked.only_tables else settings(seeds):
        if (one.members, one.rule, one.attack, one.seed) in done:
            continue
        found = list(measure(one))
        with path.open("a", encoding="utf-8") as file:
            file.write("".join(json.dumps(case.as_dict()) + "\n" for case in found))
        print(_row(f"{one.members} | {one.rule} | {one.attack} | all", found), flush=True)
    lines = text(load(path))
    print(lines)
    record("hostile-members-backdoors", lines)


if __name__ == "__main__":
    main()
