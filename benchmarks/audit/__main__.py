"""See the package. Each layer is kept in runs/audit/ as soon as it is attacked; a set and seed
that was cut short begins anew, and the tables are made of all that are there.
"""

import json
from pathlib import Path

import torch

from benchmarks.audit import __doc__ as about
from benchmarks.audit.cases import LAYERS, SETS, Case, measure
from benchmarks.audit.tables import text
from benchmarks.kept_cases import asked_of
from benchmarks.record import record

KEPT = Path(__file__).parents[2] / "runs" / "audit" / "cases.jsonl"


def main() -> None:
    """Measure what is missing, print as it goes, and record."""
    asked = asked_of(about, SETS)
    torch.set_num_threads(1)
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    if not asked.only_tables:
        for seed in asked.seeds:
            for name in asked.sets:
                _measure(name, seed)
    found = text(load(KEPT))
    print(found)
    record("audit", found)


def load(path: Path) -> list[Case]:
    """Cases of earlier runs; of one attack measured twice, the later."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    cases = [Case(**json.loads(line)) for line in lines]
    return list({_key(case): case for case in cases}.values())


def _measure(name: str, seed: int) -> None:
    done = {case.leak["layer"] for case in load(KEPT) if (case.set, case.seed) == (name, seed)}
    if done >= set(LAYERS):
        return
    for cases in measure(name, seed):
        with KEPT.open("a", encoding="utf-8") as file:  # at once: a layer is there whole or not
            file.write("".join(json.dumps(case.as_dict()) + "\n" for case in cases))
        best = max(cases, key=lambda case: float(str(case.leak["r2"])))
        print(f"{name}, seed {seed}, {best.leak['layer']}: {best.leak['r2']}", flush=True)


def _key(case: Case) -> tuple[object, ...]:
    keys = ("layer", "stream", "learned_from", "known")
    return case.set, case.seed, *(case.leak[key] for key in keys)


if __name__ == "__main__":
    main()
