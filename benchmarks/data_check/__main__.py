"""How surely `deepcity data check` finds each fault, and how often it cries wolf.

    python -m benchmarks.data_check [--trials 40] [--seeds 3] [--dry]

Faults are put into clean synthetic cities and into real ones (those whose records are at
hand), at random places, times and sizes, in random stretches of 60 to 300 days. Detected: a
finding of the right kind that names the field, after the fault and not before. False alarm:
any finding of these kinds in the same stretch before the fault was put in, but for gaps and ends
of single places: these are facts.
"""

import argparse
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from benchmarks.data_check.cities import Dice, real, stretch, synthetic
from benchmarks.data_check.faults import FAULTS
from benchmarks.record import record
from deepcity.data.check.rules import View, run_rules

KINDS = {
    "wrong-unit", "header-unit", "sibling-unit", "unit-change", "shifted", "decimal",
    "placeholder", "clock", "sibling-clock", "running-total", "level-step", "place-gap",
    "late-place", "ended-place", "handover",
}  # fmt: skip
FACTS = {"place-gap", "late-place", "ended-place"}
"""Of clean stretches these are true: values are missing there."""


def warnings_of(view: View) -> set[tuple[str, str, str]]:
    """Findings of the kinds evaluated here: what, field, where."""
    return {
        (finding.what, finding.shows[0], finding.where)
        for finding in run_rules([view])[view.agency]
        if finding.what in KINDS
    }


@dataclass
class Tally:
    """What one fault's trials gave."""

    tried: int = 0
    found: int = 0
    warnings_of: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        return f"{self.found}/{self.tried}" if self.tried else "-"


def trials(
    views: Callable[[Dice], View], count: int, seed: int, only: Sequence[str] = tuple(FAULTS)
) -> tuple[dict[str, Tally], Tally]:
    """Detections by fault, and stretches with a false alarm."""
    dice = np.random.default_rng(seed)
    tallies: dict[str, Tally] = defaultdict(Tally)
    clean = Tally()
    for _ in range(count):
        view = stretch(views(dice), dice)
        before = warnings_of(view)
        clean.tried += 1
        clean.found += any(what not in FACTS for what, _, _ in before)
        clean.warnings_of.update(f"{view.agency}: {what} at {where}" for what, _, where in before)
        for name in only:
            fault = FAULTS[name](view, dice)
            if fault is None:
                continue
            spoilt = replace(view, panel=fault.panel, headers_F=fault.headers_F)
            after = warnings_of(spoilt) - before
            tallies[name].tried += 1
            tallies[name].found += any(
                what in fault.right and (field == fault.field or what in {"shifted", "clock"})
                for what, field, _ in after
            )
    return tallies, clean


def sources() -> Iterator[tuple[str, Callable[[Dice], View]]]:
    """Synthetic cities, and real ones where there are any."""
    yield "synthetic", synthetic
    found = real()
    if found:
        yield f"real ({len(found)} agencies)", lambda dice: found[int(dice.integers(len(found)))]


def main() -> None:
    """Run all trials and record the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=list(FAULTS), choices=list(FAULTS))
    parser.add_argument("--section", default="data-check", help="of RESULTS.md")
    parser.add_argument("--dry", action="store_true")
    chosen = parser.parse_args()
    columns: dict[str, list[tuple[dict[str, Tally], Tally]]] = {}
    for name, views in sources():
        runs = [trials(views, chosen.trials, seed, chosen.only) for seed in range(chosen.seeds)]
        columns[name] = runs
    lines = [
        "## Faults in records: found, and cried wolf",
        "",
        f"`python -m benchmarks.data_check --trials {chosen.trials} --seeds {chosen.seeds}`"
        f"{' (some kinds of fault)' if len(chosen.only) < len(FAULTS) else ''}: "
        "detected of tried over all seeds (lowest to highest seed); the last row counts "
        "stretches of 60-300 days in which anything but true gaps and ends of places was found "
        "before a fault was put in.",
        "",
        f"| fault | {' | '.join(columns)} |",
        f"| --- |{' --- |' * len(columns)}",
    ]
    for fault in chosen.only:
        cells = [_cell([tallies[fault] for tallies, _ in runs]) for runs in columns.values()]
        lines.append(f"| {fault} | {' | '.join(cells)} |")
    cells = [_cell([clean for _, clean in runs]) for runs in columns.values()]
    lines.append(f"| false alarms | {' | '.join(cells)} |")
    lines += ["", *_warning_lines(clean for runs in columns.values() for _, clean in runs)]
    text = "\n".join(lines)
    print(text)
    if not chosen.dry:
        record(chosen.section, text)


def _warning_lines(tallies: Iterable[Tally]) -> list[str]:
    """What was found in clean stretches: of real ones, some of it is true."""
    warnings_of: Counter[str] = Counter()
    for tally in tallies:
        warnings_of.update(tally.warnings_of)
    shown = "; ".join(f"{text} ({count} times)" for text, count in warnings_of.most_common())
    return [f"Found before a fault was put in: {shown}."] if warnings_of else []


def _cell(tallies: list[Tally]) -> str:
    tried, found = sum(t.tried for t in tallies), sum(t.found for t in tallies)
    shares = [t.found / t.tried for t in tallies if t.tried]
    if not shares:
        return "–"
    return f"{found / tried:.0%} of {tried} ({min(shares):.0%} to {max(shares):.0%})"


if __name__ == "__main__":
    main()
