"""Cases as Markdown. Errors are shares of learning alone: under 1 is better than alone."""

from collections.abc import Sequence

import numpy as np

from benchmarks.hostile_members.cases import Case

PROMISED = 1.05
PARTIES = ("member", "newcomer, 1 d", "newcomer, 14 d")


def text(cases: Sequence[Case]) -> str:
    """All that was measured so far."""
    seeds = sorted({case.seed for case in cases})
    worse = [case for case in cases if case.share > PROMISED]
    names = sorted({f"{case.attack} ({case.rule})" for case in worse})
    lines = [
        "## Hostile members",
        "",
        f"`python -m benchmarks.hostile_members --seeds {','.join(map(str, seeds))}`. Synthetic "
        "towns of one place; members share every layer and the stem, hostile ones attack in every "
        "round, also of episodic training. MAE on eight test days as a share of learning alone on "
        "the same rows: mean over honest parties and seeds, and the worst of them. One of four "
        "members is hostile, of pairs two; of ten members three. `greatest` sends 60,000 for every "
        "weight, the most that no check refuses. A turncoat is no network but an expert that knows "
        "the truth, in place of every joined one.",
        "",
        f"Of {len(cases)} outcomes {len(worse)} are over {PROMISED:g}"
        + (f": {', '.join(names)}." if names else "."),
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
