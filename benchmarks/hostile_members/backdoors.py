"""Backdoors of three members of ten, and what they do at the seven honest ones.

    python -m benchmarks.hostile_members.backdoors [--seeds 0] [--only-tables]

Each case is kept in backdoors.jsonl beside this file as soon as it is done; a killed run goes on
where it stood. Newcomers are not measured, so there is no episodic training: about a minute a case
on one busy core.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from itertools import islice, product

import numpy as np
import torch

from benchmarks.hostile_members.__main__ import KEPT, MANY, load
from benchmarks.hostile_members.cases import Case, Setting, liars_of, measure
from benchmarks.record import record

RULES = ("fedavg", "median", "multi_krum")
ATTACKS = ("none", "backdoor", "backdoor x5")
PROMISED = 0.05


def settings(seeds: Sequence[int]) -> Iterator[Setting]:
    """Every rule and attack; the default rule first."""
    for seed, rule, attack in product(seeds, RULES, ATTACKS):
        yield Setting(MANY, attack, rule, "float32", seed)


def members(setting: Setting) -> list[Case]:
    """The outcomes of honest members alone."""
    return list(islice(measure(setting), setting.members - liars_of(setting)))


def text(cases: Sequence[Case]) -> str:
    """All cases as Markdown."""
    seeds = ",".join(map(str, sorted({case.seed for case in cases})))
    lines = [
        "## Backdoors",
        "",
        f"`python -m benchmarks.hostile_members.backdoors --seeds {seeds}`. Ten synthetic towns, "
        "three of them hostile: they train on as many rows again with a trigger of four recent "
        "values, whose truth is three scales over the typical day; `x5` multiplies their moves. "
        "Success: share of an honest member's test forecasts that move over half of the way to "
        "that once the trigger is in the window, by its whole forecast, and by the fused "
        "network alone. Where nobody is hostile it is what the trigger alone does. "
        "Error: of eight test days without a trigger, as a share of learning alone.",
        "",
        "| rule | attack | seeds | success | worst | fused network's | worst | error | worst |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for rule, attack in product(RULES, ATTACKS):
        some = [case for case in cases if (case.rule, case.attack) == (rule, attack)]
        if some:
            lines.append(_row(rule, attack, some))
    return "\n".join(lines)


def _row(rule: str, attack: str, cases: Sequence[Case]) -> str:
    cells = []
    for values, form in (
        ([case.backdoor or 0.0 for case in cases], ".1%"),
        ([case.backdoor_fused or 0.0 for case in cases], ".1%"),
        ([case.share for case in cases], ".3f"),
    ):
        cells += [format(float(np.mean(values)), form), format(max(values), form)]
    seeds = len({case.seed for case in cases})
    return f"| {rule} | {attack} | {seeds} | {' | '.join(cells)} |"


def main() -> None:
    """Measure what is missing, print as it goes, and record."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--only-tables", action="store_true", help="of the cases there are")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    path = KEPT.with_name("backdoors.jsonl")
    path.parent.mkdir(parents=True, exist_ok=True)
    done = {(case.rule, case.attack, case.seed) for case in load(path)}
    seeds = [int(seed) for seed in asked.seeds.split(",")]
    for one in [] if asked.only_tables else settings(seeds):
        if (one.rule, one.attack, one.seed) in done:
            continue
        found = members(one)
        with path.open("a", encoding="utf-8") as file:
            file.write("".join(json.dumps(case.as_dict()) + "\n" for case in found))
        print(_row(one.rule, one.attack, found), flush=True)
    lines = text(load(path))
    print(lines)
    record("hostile-members-backdoors", lines)


if __name__ == "__main__":
    main()
