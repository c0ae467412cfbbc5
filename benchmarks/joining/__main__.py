"""What joining is worth on eight real sets of several cities, and whether it ever costs.

    python -m benchmarks.joining [--seeds 0,1,2] [--sets air,bikes,...] [--stem common|private]

Each case is kept in runs/joining/STEM.jsonl as soon as it is done; a killed run goes on where
it stood, and the table is made of all cases that are there. About 30 minutes a seed on one
free core.
"""

import argparse
import json
from pathlib import Path

import torch

from benchmarks.joining.cases import SETS, Case, measure
from benchmarks.joining.plot import svg
from benchmarks.joining.tables import text
from benchmarks.record import record

END = "end"
PLOTS = Path(__file__).parents[2] / "docs" / "images"
KEPT = Path(__file__).parents[2] / "runs" / "joining"


def load(path: Path) -> list[Case]:
    """Cases of earlier runs; of one measured twice, the later."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    cases = [Case(**json.loads(line)) for line in lines]
    return list({(c.set, c.party, c.days, c.seed): c for c in cases}.values())


def main() -> None:
    """Measure what is missing, print as it goes, and record."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--sets", default=",".join(SETS), help="which sets, with commas")
    parser.add_argument("--stem", choices=("common", "private"), default="common")
    parser.add_argument("--only-tables", action="store_true", help="of the cases there are")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    path = KEPT / f"{asked.stem}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    for seed in map(int, asked.seeds.split(",")):
        for name in asked.sets.split(","):
            done = {(case.set, case.seed) for case in load(path) if case.party == END}
            if not asked.only_tables and (name, seed) not in done:
                _run(name, seed, asked.stem, path)
    cases = [case for case in load(path) if case.party != END]
    found = text(cases, asked.stem)
    print(found)
    record(f"joining-{asked.stem}-stem", found)
    PLOTS.mkdir(parents=True, exist_ok=True)
    (PLOTS / f"joining-{asked.stem}-stem.svg").write_text(svg(cases), encoding="utf-8")


def _run(name: str, seed: int, stem: str, path: Path) -> None:
    """One set and seed; a last line says that all of it is there."""
    for case in measure(name, seed, stem):
        _keep(case, path)
        share = case.mae["automatic"] / case.mae["alone"]
        days = "all" if case.days is None else f"{case.days:g}"
        outcome = f"automatic {share:.3f} of alone, level {case.level}"
        print(f"{name} {case.party}, {days} days, seed {seed}: {outcome}", flush=True)
    _keep(Case(name, END, None, seed, "", {}, 0, 0.0, 0.0, {}), path)


def _keep(case: Case, path: Path) -> None:
    with path.open("a", encoding="utf-8") as file:  # one line at once: runs may share the file
        file.write(json.dumps(case.as_dict()) + "\n")


if __name__ == "__main__":
    main()
