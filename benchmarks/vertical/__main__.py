"""What meeting at a hidden layer is worth to agencies of one city, and what it costs.

    python -m benchmarks.vertical [--seeds 0,1,2] [--sets metro-15min,bikes,...] [--only-tables]

Cases are kept in runs/meeting/ as soon as they are done; a killed run goes on where it stood.
Rows of sets that have no cases there stay in benchmarks/RESULTS.md as they are.
About 25 minutes a seed on one busy core.
"""

import json
from pathlib import Path

import torch

from benchmarks.kept_cases import asked_of
from benchmarks.record import record, recorded
from benchmarks.rows import with_earlier_rows
from benchmarks.vertical.cases import SETS, Case, measure, reused
from benchmarks.vertical.tables import text

KEPT = Path(__file__).parents[2] / "runs" / "meeting"


def load() -> list[Case]:
    """Cases of earlier runs; of one measured twice, the later."""
    path = KEPT / "cases.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    cases = [Case(**json.loads(line)) for line in lines]
    return list({(case.set, case.party, case.seed): case for case in cases}.values())


def main() -> None:
    """Measure what is missing, print as it goes, and record."""
    asked = asked_of(__doc__, SETS)
    torch.set_num_threads(1)
    KEPT.mkdir(parents=True, exist_ok=True)
    if not asked.only_tables:
        for seed in asked.seeds:
            for name in asked.sets:
                _run(name, seed)
            if "bikes" in asked.sets:
                _reuse(seed)
    found = text(load(), [json.loads(p.read_text()) for p in sorted(KEPT.glob("reuse-*.json"))])
    found = with_earlier_rows(found, recorded("meeting"))
    print(found)
    record("meeting", found)


def _run(name: str, seed: int) -> None:
    """A set's cases; a set half done is measured anew."""
    done = [case for case in load() if (case.set, case.seed) == (name, seed)]
    if done:
        return
    cases = []
    for case in measure(name, seed):
        cases.append(case)
        shares = {m: round(e / case.mae["alone"], 3) for m, e in case.mae.items()}
        print(f"{name} {case.party}, seed {seed}: {shares}", flush=True)
    with (KEPT / "cases.jsonl").open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(case.as_dict()) + "\n" for case in cases)


def _reuse(seed: int) -> None:
    path = KEPT / f"reuse-{seed}.json"
    if not path.exists():
        found = reused(seed)
        print(f"encoders reused, seed {seed}: {found}", flush=True)
        path.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
