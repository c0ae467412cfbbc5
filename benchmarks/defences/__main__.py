"""See the package. Each case is kept in cases.jsonl beside this file as soon as it is measured; the
table is made of all that are there.
"""

import argparse
import sys

import torch

from benchmarks import kept_cases
from benchmarks.defences import __doc__ as about
from benchmarks.defences.cases import SETS, Case, measure
from benchmarks.defences.strengths import BY_NAME, STRENGTHS, TOO_SHORT
from benchmarks.defences.tables import above, text
from benchmarks.record import record

KEPT = kept_cases.BESIDE / "defences" / "cases.jsonl"


def main() -> None:
    """Measure what is missing, print as it goes, and record."""
    parser = argparse.ArgumentParser(
        description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--defences", default="; ".join(BY_NAME), help="separated by semicolons")
    parser.add_argument("--only-tables", action="store_true", help="of the cases there are")
    asked = parser.parse_args()
    wanted = [one.strip() for one in asked.defences.split(";")]
    sets = asked.sets.split(",")
    unknown = [one for one in sets if one not in SETS] + [
        one for one in wanted if one not in BY_NAME
    ]
    if unknown:
        known = ", ".join([*SETS, *BY_NAME])
        sys.exit(f"no set or defence {', '.join(unknown)}; there are {known}")
    torch.set_num_threads(1)
    if not asked.only_tables:
        for seed in map(int, asked.seeds.split(",")):
            for name in sets:
                _measure(name, seed, wanted)
    kept_cases.load_some(KEPT)
    found = text(load())
    print(found)
    record("defences", found)


def load() -> list[Case]:
    """Cases of earlier runs; of one measured twice, the later."""
    cases = [Case(**one) for one in kept_cases.load(KEPT)]
    return list({(case.set, case.seed, case.defence): case for case in cases}.values())


def _measure(name: str, seed: int, wanted: list[str]) -> None:
    done = {case.defence for case in load() if (case.set, case.seed) == (name, seed)}
    skipped = {defence for set_name, defence in TOO_SHORT if set_name == name}
    missing = [one for one in STRENGTHS if one.name in wanted and one.name not in {*done, *skipped}]
    for case in measure(name, seed, missing) if missing else ():
        kept_cases.keep(KEPT, case.as_dict())
        figures = f"mae {case.mae:.4g} (alone {case.alone:.4g}), above {above(case):+.3f}"
        print(f"{name}, seed {seed}, {case.defence}: {figures}, {case.seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
