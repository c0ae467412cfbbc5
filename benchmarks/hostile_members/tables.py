"""Cases as Markdown. Errors are shares of learning alone: under 1 is better than alone."""

from collections.abc import Sequence

import numpy as np

from benchmarks.hostile_members.cases import Case
from benchmarks.hostile_members.turncoat import TURNCOATS

PROMISED = 1.05
HONEST = "none"
PARTIES = ("member", "newcomer, 1 d", "newcomer, 14 d")


def turncoats(cases: Sequence[Case]) -> str:
    """Turncoats, and nobody hostile beside them."""
    shown = [case for case in cases if case.attack in TURNCOATS]
    seeds = sorted({case.seed for case in shown})
    shown += [
        case
        for case in cases
        if (case.attack, case.members, case.rule, case.precision)
        == (HONEST, 4, "fedavg", "float32")
    ]
    lines = [
        "## Turncoats",
        "",
        f"`python -m benchmarks.hostile_members --turncoats --seeds {','.join(map(str, seeds))}`. "
        "The towns of the table above. A turncoat is no network but an expert that knows the "
        "truth, in place of every joined one: right through the validation days, then a liar. *Far "
        "steps*: right in the nearest step, which is the one that is watched. *Under twice*: errs "
        "1.9 times as much as the own network, and is set aside at 2. *Knowing*: reads the party's "
        "weights and allowance, and lies only where lies count. Forecasts of six hours, each hour "
        "for eight days: what the allowance permits is some 4 % of the own network's errors there.",
        "",
        over_the_promise(shown),
        "",
        _table(shown),
    ]
    return "\n".join(lines)


def over_the_promise(cases: Sequence[Case]) -> str:
    """How many outcomes are worse than promised, and in which attacks."""
    worse = [case for case in cases if case.share > PROMISED]
    names = sorted({f"{case.attack} ({case.rule})" for case in worse})
    return f"Of {len(cases)} outcomes {len(worse)} are over {PROMISED:g}" + (
        f": {', '.join(names)}." if names else "."
    )


def text(cases: Sequence[Case]) -> str:
    """All that was measured so far, but turncoats."""
    cases = [case for case in cases if case.attack not in TURNCOATS]
    seeds = sorted({case.seed for case in cases})
    lines = [
        "## Hostile members",
        "",
        f"`python -m benchmarks.hostile_members --seeds {','.join(map(str, seeds))}`. Synthetic "
        "towns of one place; members share every layer and the stem, hostile ones attack in every "
        "round, also of episodic training. MAE on eight test days as a share of learning alone on "
        "the same rows: mean over honest parties and seeds, and the worst of them. One of four "
        "members is hostile, of pairs two; of ten members three. `greatest` sends 60,000 for every "
        "weight, the most that no check refuses.",
        "",
        over_the_promise(cases),
        "",
        "The first 1,032 were measured before parties went on with their own layers where those "
        "sent to them lie over their own size away; attacks that lie far can only do less since.",
        "",
        _table(cases),
    ]
    return "\n".join(lines)


def _table(cases: Sequence[Case]) -> str:
    columns = " | ".join(f"{party} | worst" for party in PARTIES)
    lines = [
        f"| attack | members | rule | wire | seeds | {columns} |",
        "|---|---:|---|---|---:|" + "---:|" * 6,
    ]
    rows: dict[tuple[str, int, str, str], list[Case]] = {}
    for case in cases:
        key = case.attack, case.members, case.rule, case.precision
        rows.setdefault(key, []).append(case)
    for (attack, members, rule, precision), some in rows.items():
        cells = " | ".join(_cell([one.share for one in some if one.party == p]) for p in PARTIES)
        seeds = len({one.seed for one in some})
        lines.append(f"| {attack} | {members} | {rule} | {precision} | {seeds} | {cells} |")
    return "\n".join(lines)


def _cell(shares: list[float]) -> str:
    """Mean and worst."""
    if not shares:
        return "- | -"
    return f"{np.mean(shares):.3f} | {max(shares):.3f}"
