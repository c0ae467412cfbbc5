"""The section of benchmarks/RESULTS.md: R² by layer, of the best attacker, and who it was."""

from collections.abc import Iterable, Sequence

import numpy as np

from benchmarks.audit.cases import EFFORT, LAYERS, SETS, Case
from deepcity.audit.window.victim import KNOWN

_STREAMS = (1, 24)


def text(cases: Sequence[Case]) -> str:
    """Heading, what was measured, and two tables."""
    seeds = sorted({case.seed for case in cases})
    found = (
        "## Leakage by layer, without defence\n\n"
        f"`python -m benchmarks.audit`, seeds {', '.join(map(str, seeds))}, one thread. Parties "
        "of a set learn together at level 6 with a common stem; the first one's network is "
        "attacked: windows of days that it never learned from, as deviations from the usual at "
        "that time of day, are rebuilt from one release or from 24. R² over all steps of the "
        "window, mean (± standard deviation) over seeds, of the best attacker of each seed, "
        "trained on another period, other places or another city (party of the set), by ridge or a "
        "small network, "
        f"chosen without the attacked windows. At most {EFFORT.training_rows:,} windows to learn "
        f"from and {EFFORT.attacked_rows:,} kept aside: lower bounds. +10% and +50%: that share of "
        "the true pairs is known to the attacker.\n\n"
    )
    heads = [f"×{stream}{_share(known)}" for known in KNOWN for stream in _STREAMS]
    found += f"| set | layer | {' | '.join(heads)} | found ×1 | found ×24 | seeds |\n"
    found += f"|---|---|{'---:|' * (len(heads) + 3)}\n"
    rows = [(name, layer) for name in SETS for layer in LAYERS]
    found += "".join(_row(cases, name, layer) for name, layer in rows)
    found += "\nAttackers apart: no pair known, R² of one release / of 24.\n\n"
    found += (
        "| set | layer | another period | other places | another city |\n|---|---|---:|---:|---:|\n"
    )
    return found + "".join(_sources(cases, name, layer) for name, layer in rows)


def _row(cases: Sequence[Case], name: str, layer: str) -> str:
    own = [case for case in cases if (case.set, case.leak["layer"]) == (name, layer)]
    if not own:
        return ""
    cells = [_best(own, stream, known) for known in KNOWN for stream in _STREAMS]
    cells += [_found(own, stream) for stream in _STREAMS]
    seeds = len({case.seed for case in own})
    return f"| {SETS[name]} | {layer} | {' | '.join(cells)} | {seeds} |\n"


def _sources(cases: Sequence[Case], name: str, layer: str) -> str:
    own = [case for case in cases if (case.set, case.leak["layer"]) == (name, layer)]
    if not own:
        return ""
    cells = []
    for source in ("period", "place", "city"):
        theirs = [case for case in own if case.leak["learned_from"] == source]
        cells.append(" / ".join(_best(theirs, s, 0.0) for s in _STREAMS) if theirs else "–")
    return f"| {SETS[name]} | {layer} | {' | '.join(cells)} |\n"


def _best(cases: Iterable[Case], stream: int, known: float) -> str:
    by_seed: dict[int, list[float]] = {}
    for case in cases:
        if (case.leak["stream"], case.leak["known"]) == (stream, known):
            by_seed.setdefault(case.seed, []).append(float(str(case.leak["r2"])))
    return _mean([max(0.0, *found) for found in by_seed.values()])


def _found(cases: Iterable[Case], stream: int) -> str:
    """Share of windows found among the gallery, by the attacker that rebuilds most."""
    best: dict[int, tuple[float, float]] = {}
    for case in cases:
        if (case.leak["stream"], case.leak["known"]) == (stream, 0.0):
            one = float(str(case.leak["r2"])), float(str(case.leak["identified"]))
            best[case.seed] = max(best.get(case.seed, one), one)
    return f"{np.mean([share for _, share in best.values()]):.0%}" if best else "–"


def _mean(found: Sequence[float]) -> str:
    if not found:
        return "–"
    spread = f" ± {np.std(found, ddof=1):.2f}" if len(found) > 1 else ""
    return f"{np.mean(found):.2f}{spread}"


def _share(known: float) -> str:
    return f" +{known:.0%}" if known else ""
