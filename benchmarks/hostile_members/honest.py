"""What rules of fusion cost honest members, on real sets of several parties.

    python -m benchmarks.hostile_members.honest [--seeds 0,1,2] [--sets people] [--only-tables]

All members share every layer for all rounds of the set's map, under each rule; then each party
weighs what was learned together beside its own network, as a run does. Each set, seed and rule is
kept in honest.jsonl beside this file as soon as it is measured.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
import torch

from benchmarks.joining.cases import (
    SETS,
    alone_learner,
    joined_learners,
    mean_error,
    service_of,
)
from benchmarks.kept_cases import asked_of, keep, load, load_some
from benchmarks.record import record
from deepcity.city.level import MAX_LEVEL
from deepcity.intercity.level_choice import choose_level
from deepcity.maps.city_map import Service
from deepcity.maps.map_settings import StrategySettings
from deepcity.parties.party import Party, parties_of

KEPT = Path(__file__).with_name("honest.jsonl")
RULES = ("fedavg", "norm_clipping", "median")
EXPERTS = ("network", "typical_day", "yesterday")
"""Those of a party's own; more of them leave less to what was learned together."""


@dataclass(frozen=True)
class Case:
    """One honest member under one rule.

    Attributes:
        alone: mean absolute error of its own network; `fused` of the common one by itself,
            `automatic` of what it forecasts.
    """

    set: str
    seed: int
    rule: str
    party: str
    alone: float
    fused: float
    automatic: float


def measure(name: str, seed: int) -> Iterator[list[Case]]:
    """Every rule in turn, at every party."""
    service = service_of(name)
    few = service.settings.model_copy(update={"experts": EXPERTS})
    service = replace(service, settings=few)
    parties = parties_of(service)
    alone = {party.name: alone_learner(service, party, seed) for party in parties}
    for rule in RULES:
        of = _with_rule(service, rule)
        _, joined = joined_learners(of, parties, seed)
        found = []
        for party in parties:
            choice = choose_level(
                party, alone[party.name], joined[party.name], MAX_LEVEL, seed, common_stem=True
            )
            found.append(
                Case(
                    name,
                    seed,
                    rule,
                    party.name,
                    alone=_error(choice.first(0).predict(party.test, party.test_origins), party),
                    fused=_error(
                        choice.first(MAX_LEVEL).predict(party.test, party.test_origins), party
                    ),
                    automatic=mean_error(choice.forecast(party).forecast_BNH, party),
                )
            )
        yield found


def _error(forecast_BNH: np.ndarray, party: Party) -> float:
    return mean_error(np.maximum(forecast_BNH, np.float32(party.floor)), party)


def _with_rule(service: Service, rule: str) -> Service:
    strategy = StrategySettings.model_validate({"name": rule})
    return replace(service, settings=service.settings.model_copy(update={"strategy": strategy}))


def text(cases: Sequence[Case]) -> str:
    """All cases as Markdown."""
    lines = [
        "## Rules of fusion where all members are honest",
        "",
        "`python -m benchmarks.hostile_members.honest`. Members of each real set share every layer "
        "and the stem under each rule. MAE over the test days as a share of that of learning alone "
        "with the same seed: mean over parties and seeds, the worst of them, and that of the "
        "common network by itself; against fedavg: mean over parties and seeds of the ratio to the "
        "same party's with `fedavg` (± standard deviation over seeds).",
        "",
        "| set | members | rule | seeds | error | worst | common network | against fedavg |",
        "|---|---:|---|---:|---:|---:|---:|---:|",
    ]
    lines += [row for name, rule in product(SETS, RULES) if (row := _row(cases, name, rule))]
    return "\n".join(lines)


def _row(cases: Sequence[Case], name: str, rule: str) -> str:
    own = [case for case in cases if (case.set, case.rule) == (name, rule)]
    if not own:
        return ""
    mean = {
        (case.seed, case.party): case.automatic
        for case in cases
        if (case.set, case.rule) == (name, "fedavg")
    }
    seeds = sorted({case.seed for case in own})
    against = [
        float(np.mean([c.automatic / mean[c.seed, c.party] for c in own if c.seed == seed])) - 1
        for seed in seeds
    ]
    spread = f" ± {np.std(against, ddof=1):.1%}" if len(against) > 1 else ""
    shares = [case.automatic / case.alone for case in own]
    cells = [
        name,
        str(len({case.party for case in own})),
        f"`{rule}`",
        str(len(seeds)),
        f"{np.mean(shares):.3f}",
        f"{max(shares):.3f}",
        f"{np.mean([case.fused / case.alone for case in own]):.3f}",
        f"{np.mean(against):+.1%}{spread}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Measure what is missing, print as it goes, and record."""
    torch.set_num_threads(1)
    asked = asked_of(__doc__, SETS)
    for seed, name in [] if asked.only_tables else product(asked.seeds, asked.sets):
        done = {(one["set"], one["seed"]) for one in load(KEPT)}
        if (name, seed) in done:
            continue
        begun = time.process_time()
        found = [case for some in measure(name, seed) for case in some]
        for case in found:
            keep(KEPT, asdict(case))
        print(f"{name}, seed {seed}: {time.process_time() - begun:.0f} s of the processor")
        for rule in RULES:
            print(_row(found, name, rule), flush=True)
    lines = text([Case(**one) for one in load_some(KEPT)])
    print(lines)
    record("hostile-members-honest", lines)


if __name__ == "__main__":
    main()
