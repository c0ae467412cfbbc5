"""The section of benchmarks/RESULTS.md: utility against leakage, by set and defence."""

from collections.abc import Sequence

import numpy as np

from benchmarks.defences.cases import EFFORT, SETS, Case
from benchmarks.defences.strengths import NONE, SLOWER, STRENGTHS, TOO_SHORT
from deepcity.audit.results import FORECAST
from deepcity.learning.networks.encoder import BOTTLENECK
from deepcity.privacy.policy.release import ABOVE_FORECAST

MOST_COST = 0.02
SEEDS = (0, 1, 2)


def text(cases: Sequence[Case]) -> str:
    """Heading, what was measured, the table, the promise by set, what is missing."""
    return (
        "## Defences of released activations: utility against leakage\n\n"
        "`python -m benchmarks.defences`, one thread. A party of each set trains with deep data of "
        "another agency (cut level 3, block-wise, as its map there says), anew with each defence. "
        "Then windows of the agency's records, of days that nothing was learned from, are rebuilt "
        "from its deep data as they leave, and from the forecast made from them, as `deepcity "
        "audit` does: R² of the best attacker (trained on another period or other places; ridge or "
        f"a small network), at most {EFFORT.training_rows:,} windows to learn from and "
        f"{EFFORT.attacked_rows:,} kept aside: lower bounds. ×1, ×24: releases seen; +50%: half of "
        "the true pairs known. Error: mean absolute, over the test days, against no defence "
        "(width 16) with the same seed; alone: that of the party without any deep data. Above: ×24 "
        f"less that of the forecast. Kept: above at most {ABOVE_FORECAST:g}, at a cost of at most "
        f"{MOST_COST:.0%}. Mean (± standard deviation) over seeds. *{SLOWER}* is not there for "
        "speeds: a week of them leaves 48 windows of 24 such releases, and an audit needs 50.\n\n"
        "| set | defence | error | alone | ×1 | ×24 | ×24 +50% | forecast ×24 | above | kept "
        "| seeds |\n|---|---|---:|---:|---:|---:|---:|---:|---:|---|---:|\n"
        + "".join(_row(cases, name, one.name) for name in SETS for one in STRENGTHS)
        + "\n"
        + _kept(cases)
        + _missing(cases)
    )


def cost(cases: Sequence[Case], name: str, defence: str) -> list[float]:
    """Error against no defence, by seed."""
    none = {case.seed: case.mae for case in _of(cases, name, NONE)}
    own = _of(cases, name, defence)
    return [case.mae / none[case.seed] - 1 for case in own if case.seed in none]


def best(case: Case, layer: str, stream: int, known: float) -> float:
    """R² of the best attack, 0 at least."""
    found = [
        float(str(leak["r2"]))
        for leak in case.leaks
        if (leak["layer"], leak["stream"], leak["known"]) == (layer, stream, known)
    ]
    return max(0.0, *found)


def above(case: Case) -> float:
    """R² of a stream of deep data, less that of the forecast."""
    return best(case, BOTTLENECK, 24, 0.0) - best(case, FORECAST, 24, 0.0)


def keeps(cases: Sequence[Case], name: str, defence: str) -> bool:
    """Whether, on average over seeds, a defence keeps the promise on a set."""
    own, costs = _of(cases, name, defence), cost(cases, name, defence)
    if not costs:
        return False
    return np.mean([above(case) for case in own]) <= ABOVE_FORECAST and np.mean(costs) <= MOST_COST


def _row(cases: Sequence[Case], name: str, defence: str) -> str:
    own, costs = _of(cases, name, defence), cost(cases, name, defence)
    if not own:
        return ""
    none = _of(cases, name, NONE)
    alone = [case.alone / case.mae - 1 for case in none]
    cells = [
        SETS[name],
        defence,
        _mean(costs, "{:+.1%}"),
        _mean(alone, "{:+.1%}"),
        _mean([best(case, BOTTLENECK, 1, 0.0) for case in own]),
        _mean([best(case, BOTTLENECK, 24, 0.0) for case in own]),
        _mean([best(case, BOTTLENECK, 24, 0.5) for case in own]),
        _mean([best(case, FORECAST, 24, 0.0) for case in own]),
        _mean([above(case) for case in own], "{:+.2f}"),
        "yes" if keeps(cases, name, defence) else "no",
        str(len(own)),
    ]
    return f"| {' | '.join(cells)} |\n"


def _kept(cases: Sequence[Case]) -> str:
    found = []
    for name, what in SETS.items():
        names = [one.name for one in STRENGTHS if keeps(cases, name, one.name)]
        if _of(cases, name, NONE):
            found.append(f"{what}: {' · '.join(names) or 'none of those measured'}")
    return f"Defences that keep the promise, by set: {'; '.join(found)}.\n"


def _missing(cases: Sequence[Case]) -> str:
    done = {(case.set, case.defence, case.seed) for case in cases}
    lacking = [
        f"{SETS[name]}, {one.name}, seed {seed}"
        for name in SETS
        for one in STRENGTHS
        for seed in SEEDS
        if (name, one.name, seed) not in done and (name, one.name) not in TOO_SHORT
    ]
    whole = (len(SETS) * len(STRENGTHS) - len(TOO_SHORT)) * len(SEEDS)
    if not lacking:
        return ""
    shown = "; ".join(lacking[:4])
    more = f" and {len(lacking) - 4} more" if len(lacking) > 4 else ""
    return f"\nNot measured yet: {len(lacking)} of {whole} cases ({shown}{more}).\n"


def _of(cases: Sequence[Case], name: str, defence: str) -> list[Case]:
    return [case for case in cases if (case.set, case.defence) == (name, defence)]


def _mean(found: Sequence[float], shape: str = "{:.2f}") -> str:
    if not found:
        return "–"
    spread = f" ± {shape.format(np.std(found, ddof=1)).lstrip('+')}" if len(found) > 1 else ""
    return f"{shape.format(np.mean(found))}{spread}"
