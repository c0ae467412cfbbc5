"""See the package. Each case is kept in cases.jsonl beside this file as soon as it is done; a
killed run goes on where it stood, on another machine too, and tables are of all cases there.

About 12 s a case of four members on one free core; --quick takes under three minutes, and
--turncoats with three seeds about five.

Turncoats have a table of their own.
"""

import argparse
import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import torch

from benchmarks.hostile_members import __doc__ as about
from benchmarks.hostile_members.attacks import ATTACKS
from benchmarks.hostile_members.cases import Case, Setting, measure
from benchmarks.hostile_members.tables import HONEST, text, turncoats
from benchmarks.hostile_members.turncoat import TURNCOATS
from benchmarks.record import record
from deepcity.maps.fusion_rule import fusion_rule
from deepcity.maps.map_settings import StrategySettings

KEPT = Path(__file__).with_name("cases.jsonl")
QUICK_KEPT = Path(__file__).parents[2] / "runs" / "hostile_members" / "quick.jsonl"
RULES = (
    "fedavg", "norm_clipping", "median", "trimmed_mean", "multi_krum", "peer_validation",
)  # fmt: skip
STRONG = ("none", "x1000", "label flip", "pair x100")
QUICK = ("none", "NaN", "x1000", "greatest", "label flip")
MANY, MANY_STRONG = 10, ("none", "x1000", "label flip", "reversed x5", "backdoor x5")
DEFAULT_OF_MANY = fusion_rule(StrategySettings(), MANY)


def settings(seeds: list[int], *, quick: bool) -> Iterator[Setting]:
    """Every setting to measure: all attacks on the rule that a map has where it names none, with
    one liar of four and three of ten, and in float16; strong ones on every rule."""
    for seed in seeds:
        for attack in (*TURNCOATS, *(QUICK if quick else ATTACKS)):
            yield Setting(4, attack, "fedavg", "float32", seed)
    if quick:
        return
    for seed in seeds:
        for rule, attack in product(RULES[1:], STRONG):
            yield Setting(4, attack, rule, "float32", seed)
        for attack in ATTACKS:
            yield Setting(4, attack, "fedavg", "float16", seed)
    for seed, rule, attack in product(seeds, RULES, MANY_STRONG):
        yield Setting(MANY, attack, rule, "float32", seed)
    for seed, attack in product(seeds, ATTACKS):
        yield Setting(MANY, attack, DEFAULT_OF_MANY, "float32", seed)
    for seed, attack in product(seeds, MANY_STRONG):
        yield Setting(MANY, attack, DEFAULT_OF_MANY, "float16", seed)


def turncoat_settings(seeds: list[int]) -> Iterator[Setting]:
    """Turncoats, and nobody hostile beside them."""
    for seed, attack in product(seeds, (*TURNCOATS, HONEST)):
        yield Setting(4, attack, "fedavg", "float32", seed)


def load(path: Path) -> list[Case]:
    """Cases of earlier runs."""
    if not path.exists():
        return []
    return [Case(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    """Measure what is missing, print as it goes, and record."""
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", default="0,1")
    parser.add_argument("--quick", action="store_true", help="few attacks, one seed, no record")
    parser.add_argument(
        "--turncoats", action="store_true", help="turncoats alone, and nobody hostile beside them"
    )
    parser.add_argument("--only-tables", action="store_true", help="of the cases there are")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    seeds = [0] if asked.quick else [int(seed) for seed in asked.seeds.split(",")]
    path = QUICK_KEPT if asked.quick else KEPT
    path.parent.mkdir(parents=True, exist_ok=True)
    done = {_setting(case) for case in load(path)}
    wanted = turncoat_settings(seeds) if asked.turncoats else settings(seeds, quick=asked.quick)
    for setting in [] if asked.only_tables else wanted:
        if setting not in done:
            _keep(list(measure(setting)), path)
    found = {"hostile-members-turncoats": turncoats(load(path))}
    if not asked.turncoats:
        found["hostile-members"] = text(load(path))
    for section, lines in found.items():
        print(lines)
        if not asked.quick:
            record(section, lines)


def _keep(cases: list[Case], path: Path) -> None:
    with path.open("a", encoding="utf-8") as file:  # at once: a setting is there whole or not
        file.write("".join(json.dumps(case.as_dict()) + "\n" for case in cases))
    worst = max(cases, key=lambda case: case.share)
    print(f"{_setting(worst)}: worst {worst.share:.3f} ({worst.party})", flush=True)


def _setting(case: Case) -> Setting:
    return Setting(case.members, case.attack, case.rule, case.precision, case.seed)


if __name__ == "__main__":
    main()
