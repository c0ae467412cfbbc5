"""Cases as Markdown: one summary, one table a set. Errors are shares of learning alone."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import numpy as np

from benchmarks.joining.cases import SETS, TUNED, TYPICAL, Case
from deepcity.city.level import MAX_LEVEL
from deepcity.parties import method_errors as names

NAIVE = (names.NAIVE_DAY, names.NAIVE_WEEK, TYPICAL)
Shares = Sequence[float]


def text(cases: Sequence[Case], stem: str) -> str:
    """All that was measured so far."""
    seeds = sorted({case.seed for case in cases})
    found = [name for name in SETS if any(case.set == name for case in cases)]
    lines = [
        f"## Joining on {len(found)} real sets, {stem} stem",
        "",
        f"`python -m benchmarks.joining --stem {stem} --seeds {','.join(map(str, seeds))}`. MAE on "
        "test days as shares of learning alone: mean over parties, ± standard deviation over "
        "seeds; under 1 is better than alone. With all days the parties learn together from the "
        "first round. With few days a party is a newcomer: it starts from what the others learned "
        "without it and then practised for newcomers, and sends nothing; every party in turn. "
        "'Best level' is the best of the six with hindsight. Naive: the best of same hour "
        "yesterday, last week and typical day. Pooled: one network of the others' raw rows (with "
        "all days, of all parties' rows); tuned on the party's own. The method was chosen on the "
        "days before the test days, one seed (docs/what-we-tried.md).",
        "",
        *_missing(cases),
        *_verdicts(cases),
        "",
        *_table(cases, ["set", "days"], lambda case: (case.set, _days(case))),
    ]
    for name in found:
        own = [case for case in cases if case.set == name]
        lines += ["", f"### {name}", ""]
        lines += _levels(own)
        lines += [""]
        lines += _table(own, ["party", "days"], lambda case: (case.party, _days(case)))
        lines += PUBLISHED_BASELINES.get(name, lambda _own: [])(own)
    return "\n".join(lines)


def _missing(cases: Sequence[Case]) -> list[str]:
    """Which newcomers have not been measured: nothing below speaks of them."""
    there = {(case.set, case.days) for case in cases}
    found = [
        f"{name} with {' and '.join(f'{days:g}' for days in lacking)} days"
        for name, all_days in SETS.items()
        if (lacking := [days for days in all_days if (name, days) not in there])
    ]
    return [f"- **Not measured in this run:** {'; '.join(found)}."] if found else []


def _days(case: Case) -> str:
    return "all" if case.days is None else f"{case.days:g}"


def share(case: Case, method: str) -> float:
    """A method's error as a share of alone."""
    return case.mae[method] / case.mae[names.ALONE]


def naive(case: Case) -> float:
    """The best naive error, as a share of alone."""
    return min(share(case, method) for method in NAIVE if np.isfinite(case.mae[method]))


def best_level(case: Case) -> float:
    """The best fixed level, with hindsight."""
    return min(share(case, names.fixed_level_name(level)) for level in range(1, MAX_LEVEL + 1))


COLUMNS: dict[str, Callable[[Case], float]] = {
    "naive": naive,
    "ridge": lambda case: share(case, names.RIDGE),
    "level 3": lambda case: share(case, names.fixed_level_name(3)),
    "level 6": lambda case: share(case, names.fixed_level_name(MAX_LEVEL)),
    "best level": best_level,
    "**automatic**": lambda case: share(case, names.AUTOMATIC),
    "pooled": lambda case: share(case, names.POOLED),
    "pooled, tuned": lambda case: share(case, TUNED),
}


def _verdicts(cases: Sequence[Case]) -> list[str]:
    """What the section is for, as sentences with figures."""
    scarce = [case for case in cases if case.days is not None]
    lines = []
    for what, some in (("newcomers", scarce), ("parties with all days", _full(cases))):
        if some:
            found = np.array([share(case, names.AUTOMATIC) for case in some])
            lines.append(
                f"- {len(some)} cases of {what}: automatic {found.mean():.3f} of alone on average "
                f"(from {found.min():.3f} to {found.max():.3f}); worse by over 1 %: "
                f"{(found > 1.01).sum()}, by over 3 %: {(found > 1.03).sum()}."
            )
    if scarce:
        tuned = np.array([share(case, TUNED) for case in scarce])
        found = np.array([share(case, names.AUTOMATIC) for case in scarce])
        lines += [
            f"- Newcomers gain at least what pooling all rows and tuning would gain in "
            f"{(found <= tuned).mean():.0%} of cases (pooled, tuned: {tuned.mean():.3f}).",
        ]
    week = [case for case in cases if case.days is None or case.days > 7]
    worse = [case for case in week if share(case, names.AUTOMATIC) > naive(case)]
    lines.append(
        f"- Worse than the best naive forecast, with more than a week of days: {len(worse)} of "
        f"{len(week)} cases{_listed(worse)}."
    )
    spent = [case.seconds for case in cases if case.seconds.get("joined")]
    cost = np.median([one["choosing"] / one["joined"] for one in spent])
    lines.append(
        f"- Choosing took {cost:.2f} of one party's share of the joined training (median)."
    )
    return lines + _waiting(scarce, _full(cases)) + _arrivals(scarce)


def _waiting(scarce: Sequence[Case], full: Sequence[Case]) -> list[str]:
    """What a newcomer would gain by waiting until it had all its days: how much there is to win."""
    later = {(case.set, case.party, case.seed): case.mae[names.ALONE] for case in full}
    found = np.array(
        [
            (later[key] / case.mae[names.ALONE], share(case, names.AUTOMATIC))
            for case in scarce
            if (key := (case.set, case.party, case.seed)) in later
        ]
    )
    if not len(found):
        return []
    waited, joined = found.mean(axis=0)
    return [
        f"- Had newcomers waited until they had all their days and then learned alone, they would "
        f"err {waited:.3f} of what they err alone with few: joining gives "
        f"{(1 - joined) / (1 - waited):.0%} of that gain at once, and at least all of it in "
        f"{(found[:, 1] <= found[:, 0]).mean():.0%} of cases."
    ]


def _listed(cases: Sequence[Case]) -> str:
    found = [f"{case.party}, {_days(case)} days" for case in cases]
    counted = [f"{name} ({found.count(name)}x)" for name in dict.fromkeys(found)]
    return f": {'; '.join(counted)}" if counted else ""


def _arrivals(cases: Sequence[Case]) -> list[str]:
    """How soon a newcomer forecasts as well as alone: before any training of its own."""
    there = [case for case in cases if "arriving" in case.seconds]
    if not there:
        return []
    as_good = [share(case, names.fixed_level_name(MAX_LEVEL)) <= 1 for case in there]
    time = np.median([case.seconds["arriving"] / case.seconds["alone"] for case in there])
    return [
        f"- The network as it came (level 6) errs no more than alone in {np.mean(as_good):.0%} of "
        f"newcomer cases; it is in place in {time:.3f} of the seconds that learning alone takes "
        "(median)."
    ]


LAST_WEEK = {"dresden": 24.0, "nuremberg": 26.0, "bielefeld": 25.7, "osnabrueck": 13.8}
"""Published MAE of the same time last week, free spaces, all of September and October 2020."""


def _compare_parking(cases: Sequence[Case]) -> list[str]:
    """Our error with all days beside the published one of last week's values."""
    rows = [
        "",
        "| party | last week, published | automatic, all days | ratio |",
        "|---|---|---|---|",
    ]
    for city, published in LAST_WEEK.items():
        own = [
            case.mae[names.AUTOMATIC]
            for case in _full(cases)
            if case.party.partition("/")[0] == city
        ]
        if own:
            error = float(np.mean(own))
            rows.append(f"| {city} | {published} | {error:.1f} | {error / published:.2f} |")
    line = (
        "Free spaces, mean absolute error. The published figures are of the whole two months on "
        "the same grid of 15 minutes, ours of the last 14 days, up to 2 hours ahead; the naive "
        "column above is measured on our days. Goal: a ratio of 0.70 or less."
    )
    return [*rows, "", line]


def _compare_crime(_cases: Sequence[Case]) -> list[str]:
    """Where the published figures stand."""
    line = (
        "The grid and the days are those of ST-HSL (ICDE 2022). Its published errors count days "
        "with an offence alone, ours here all cells and days; by its protocol, all eight kinds, "
        "they stand beside ours in the section on offences a day (`python -m benchmarks.crime`)."
    )
    return ["", line]


PUBLISHED_BASELINES: dict[str, Callable[[Sequence[Case]], list[str]]] = {
    "parking": _compare_parking,
    "crime": _compare_crime,
}


def _full(cases: Sequence[Case]) -> list[Case]:
    return [case for case in cases if case.days is None]


def _table(
    cases: Sequence[Case], head: list[str], key: Callable[[Case], tuple[str, str]]
) -> list[str]:
    rows = [
        f"| {' | '.join([*head, 'alone', *COLUMNS, 'level'])} |",
        "|" + "---|" * (len(head) + len(COLUMNS) + 2),
    ]
    for group in dict.fromkeys(map(key, _ordered(cases))):
        some = [case for case in cases if key(case) == group]
        cells = [_spread(some, column) for column in COLUMNS.values()]
        rows.append(f"| {' | '.join([*group, _alone(some), *cells, _chosen(some)])} |")
    return rows


def _ordered(cases: Sequence[Case]) -> Iterable[Case]:
    order = list(SETS)
    return sorted(cases, key=lambda c: (order.index(c.set), c.days is None, c.days or 0))


def _alone(cases: Sequence[Case]) -> str:
    if len({case.party for case in cases}) > 1:
        return f"{len({case.party for case in cases})} parties"
    return f"{np.mean([case.mae[names.ALONE] for case in cases]):.3g} {cases[0].unit}"


def _spread(cases: Sequence[Case], column: Callable[[Case], float]) -> str:
    """Mean over parties, and its standard deviation over seeds."""
    seeds = sorted({case.seed for case in cases})
    means = [np.mean([column(case) for case in cases if case.seed == seed]) for seed in seeds]
    if len(seeds) == 1:
        return f"{means[0]:.3f}"
    return f"{np.mean(means):.3f} ± {np.std(means):.3f}"


def _chosen(cases: Sequence[Case]) -> str:
    """How often each level was chosen."""
    levels = [case.level for case in cases]
    return ", ".join(f"{levels.count(level)}×{level}" for level in sorted(set(levels)))


def _levels(cases: Sequence[Case]) -> list[str]:
    """Every fixed level, by days."""
    levels = range(1, MAX_LEVEL + 1)
    rows = [
        "| days | " + " | ".join(f"level {level}" for level in levels) + " |",
        "|" + "---|" * (len(levels) + 1),
    ]
    for days in dict.fromkeys(_days(case) for case in _ordered(cases)):
        some = [case for case in cases if _days(case) == days]
        cells = [
            _spread(some, partial(share, method=names.fixed_level_name(level))) for level in levels
        ]
        rows.append(f"| {days} | {' | '.join(cells)} |")
    return rows
