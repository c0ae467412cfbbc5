"""Detours around jams: minutes that drivers would have saved, by what they are sought with."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.decisions.summary import Verdict
from benchmarks.traffic_causes.detours import FORECAST, Detours, detours
from benchmarks.traffic_causes.forecasts import forecasts
from benchmarks.traffic_causes.ways import DETOUR_HEAD, detour_row

CASE = "traffic detours, los-angeles"


@dataclass(frozen=True)
class Row:
    """The detours of two days by one way to decide, one seed."""

    seed: int
    found: Detours


def rows(seed: int) -> Iterator[Row]:
    """Every way to decide."""
    for found in detours(forecasts(seed)):
        yield Row(seed, found)


def text(found: Sequence[Row]) -> str:
    """The table as Markdown."""
    seeds = sorted({row.seed for row in found})
    decisions = len(found[0].found.origins)
    lines = [
        "## Detours: which way to send drivers around a jam",
        "",
        f"`python -m benchmarks.decisions --seeds {','.join(map(str, seeds))}`. The 207 freeway "
        f"loops of Los Angeles: {decisions} decisions of Tuesday and Wednesday, one every 15 "
        "minutes, by a network that learned from Thursday to Monday. Each detour and the usual "
        "way (that of free flow) are driven in the speeds measured later; minutes saved are of "
        "one driver each. All but the last row are sought alike (around where a jam began and its "
        "three slowest places, from half a minute on), as was chosen on Sunday and Monday by "
        "forecasts of networks that had learned from the days before; the last is the search of "
        "before (where a jam began alone, two minutes). Days are drawn by quarters, as two are too "
        "few to be drawn whole.",
        "",
        *DETOUR_HEAD,
    ]
    for by in dict.fromkeys(row.found.by for row in found):
        lines.append(detour_row(by, [row.found for row in found if row.found.by == by]))
    return "\n".join(lines)


def verdicts(found: Sequence[Row]) -> Iterator[Verdict]:
    """By minutes saved a decision, and by detours that turn out to be the longer way."""
    by_way: dict[str, list[Detours]] = {}
    for row in found:
        by_way.setdefault(row.found.by, []).append(row.found)
    saved = {by: [one.a_decision for one in own] for by, own in by_way.items()}
    yield Verdict.of(CASE, "minutes saved a decision", saved, (FORECAST, ""), more=True, digits=2)
    wrong = {by: [one.longer for one in own] for by, own in by_way.items()}
    yield Verdict.of(
        f"{CASE}: wrong ones", "share that takes longer", wrong, (FORECAST, ""), more=False
    )
