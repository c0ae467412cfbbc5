"""The section of benchmarks/RESULTS.md: shares of children found, by way."""

from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.time_to_find.case import REACHABLE, Case
from benchmarks.time_to_find.control_desk import LOOK_S, MISTAKES, NEAR_M, TELLS, WITHIN_S
from benchmarks.time_to_find.ways import HITS_A_CITY, WAYS
from deepcity.simulation.people.lost_children import KINDS

ALONE_ROW, POOLED_ROW, EXCHANGE_ROW = (way.name for way in WAYS[:3])
_INTRO = (
    "## How soon a lost child is found\n\n"
    "`python -m benchmarks.time_to_find`, one thread. A simulated world (`deepcity.simulation`): "
    "three cities, 200 cameras, 100,000 passers-by a day, 60 lost children a seed; every second "
    "tries to cross a city border before the report, 20 to 60 minutes later. Found: the operator "
    f"confirms a right hit while the child is within {NEAR_M:g} m of its camera, within "
    f"{WITHIN_S / 60:g} minutes of the report. Sighted: the first right hit is confirmed, "
    f"wherever the child is by then. One look takes {LOOK_S:g} s; a right hit is told as such "
    f"with probability {TELLS:g}, a wrong one taken for the child with {MISTAKES:g}. In %, mean (± "
    "standard deviation) over seeds. Shown: hits of passers-by that the operator looks at, a "
    "search. Reported: passers-by taken for the child, a search. Owners answer with "
    f"{HITS_A_CITY} hits (camera, time, score) a minute at most.\n\n"
    "The given network (0288) has probably seen these people in training: its rows are bounds from "
    "above. The others have it as a frozen stem, and layers and heads learned on 471 other "
    "people.\n"
)
_COLUMNS = (
    "| way | found | stayed in the city | crossed a border | sighted | median s to found | shown "
    "| reported | CPU s a search | seeds |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n"
)


def text(cases: Sequence[Case]) -> str:
    """Heading, table, goals, and the shares by how children got away."""
    rows = "".join(_row(_of(cases, name)) for name in (*(way.name for way in WAYS), REACHABLE))
    return f"{_INTRO}\n{_COLUMNS}{rows}\n{_goals(cases)}\n{_by_kind(cases)}"


def _of(cases: Sequence[Case], way: str) -> list[Case]:
    return [case for case in cases if case.way == way]


def _row(own: Sequence[Case]) -> str:
    if not own:
        return ""
    found = [one for case in own for one in case.found_s if one is not None]
    median = f"{np.median(found):.0f}" if found else "–"
    parts = [
        _spread([_share(case, case.found_s, lambda _: True) for case in own]),
        _spread([_share(case, case.found_s, lambda crossed: not crossed) for case in own]),
        _spread([_share(case, case.found_s, lambda crossed: crossed) for case in own]),
        _spread([_share(case, case.sighted_s, lambda _: True) for case in own]),
        median,
        f"{np.mean([case.shown for case in own]):.1f}",
        f"{np.mean([case.wrongly for case in own]):.2f}",
        f"{np.mean([case.seconds / len(case.kind) for case in own]):.2f}",
        str(len(own)),
    ]
    return f"| {own[0].way} | {' | '.join(parts)} |\n"


def _share(case: Case, times: Sequence[float | None], which: Callable[[bool], bool]) -> float:
    """Children of whom there is a time, in % of those meant; NaN if none is meant."""
    some = [time is not None for time, one in zip(times, case.crossed, strict=True) if which(one)]
    return 100 * float(np.mean(some)) if some else float("nan")


def _spread(values: Sequence[float]) -> str:
    if len(values) < 2:
        return f"{np.nanmean(values):.0f}"
    return f"{np.nanmean(values):.0f} (± {np.nanstd(values, ddof=1):.0f})"


def _goals(cases: Sequence[Case]) -> str:
    """Found by exchange against pooled, and against no exchange for cases that cross."""
    own = [_of(cases, name) for name in (ALONE_ROW, POOLED_ROW, EXCHANGE_ROW)]
    if not all(own):
        return "Goals: not all three ways were measured.\n"
    everyone = [_mean(some, lambda _: True) for some in own]
    crossed = [_mean(some, lambda one: one) for some in own]
    of_pooled = 100 * everyone[2] / everyone[1] if everyone[1] else float("nan")
    return (
        f"Goals (given network). At least 90 % of pooling: {of_pooled:.0f} %. At least twice no "
        f"exchange where a border was crossed: {crossed[2]:.0f} % found against {crossed[0]:.0f} "
        f"%.\n"
    )


def _mean(own: Sequence[Case], which: Callable[[bool], bool]) -> float:
    return float(np.nanmean([_share(case, case.found_s, which) for case in own]))


def _by_kind(cases: Sequence[Case]) -> str:
    """Shares found by foot, bus and car."""
    head = f"| way | {' | '.join(KINDS)} |\n|---|{'---:|' * len(KINDS)}\n"
    rows = []
    for name in (ALONE_ROW, POOLED_ROW, EXCHANGE_ROW, REACHABLE):
        some = [
            (kind, time is not None)
            for case in _of(cases, name)
            for kind, time in zip(case.kind, case.found_s, strict=True)
        ]
        if some:
            shares = [np.mean([found for kind, found in some if kind == one]) for one in KINDS]
            rows.append(f"| {name} | {' | '.join(f'{100 * share:.0f}' for share in shares)} |\n")
    return f"Found, in %, by how the child got away:\n\n{head}{''.join(rows)}"
