"""Cases as Markdown: errors by mode, an agency silent, messages and bytes; metro's protocol."""

from collections.abc import Sequence

import numpy as np

from benchmarks.vertical.cases import Case

PUBLISHED = {
    "metro-10min": (28.37, 16.63),
    "metro-15min": (36.04, 20.88),
    "metro-30min": (56.96, 32.58),
}
"""ResLSTM with weather and air, RMSE and MAE (Zhang et al., 10.1109/TITS.2020.3000761)."""
SEEDS = 3
MODES = ("one-shot", "block-wise", "per-batch", "pooled")


def text(cases: Sequence[Case], reuse: Sequence[dict[str, dict[str, float]]]) -> str:
    """The whole section."""
    return "\n".join(
        [
            "## Meeting at a hidden layer: agencies of one city",
            "",
            "`python -m benchmarks.vertical`, seeds 0, 1, 2 unless a row says otherwise. Cut level "
            "3; every method learns for the same number of steps from the same first weights. "
            "'Together' is block-wise unless stated; pooled has all raw columns in one stem "
            "(forbidden in life); weather a day ahead is what was measured then, standing in for "
            "a forecast, in the meeting and in the pool alike. Mean ± standard deviation over "
            "seeds. Shares are of the mean absolute error alone; under 1 is better. The method was "
            "made while seed 0's test errors of Washington's bikes and of the metro at 30 minutes "
            "were seen, so those flatter; settings of the other sets were not tried on them.",
            "",
            *_metro(cases),
            "",
            *_gains(cases),
            "",
            *_silent(cases),
            "",
            *_cost(cases),
            "",
            *_reuse(reuse),
        ]
    )


def _by_party(cases: Sequence[Case]) -> dict[tuple[str, str], list[Case]]:
    found: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        found.setdefault((case.set, case.party), []).append(case)
    return found


def _named(name: str, cases: Sequence[Case]) -> str:
    """A row's name, and where seeds are missing."""
    seeds = len({case.seed for case in cases})
    return name if seeds >= SEEDS else f"{name} ({seeds} seed{'s' if seeds > 1 else ''})"


def _spread(values: Sequence[float], digits: int) -> str:
    spread = f" ± {np.std(values):.{digits}f}" if len(values) > 1 else ""
    return f"{np.mean(values):.{digits}f}{spread}"


def _share(cases: Sequence[Case], method: str) -> str:
    if method not in cases[0].mae:
        return ""
    return _spread([case.mae[method] / case.mae["alone"] for case in cases], 3)


def _metro(cases: Sequence[Case]) -> list[str]:
    lines = [
        "**Beijing metro, boardings one step ahead.** The published protocol: the last five "
        "weekdays test, from the sixth step on, whole numbers of 0 or more, all 276 stations "
        "(5 steps, and the same of yesterday and last week are what it sees; ours sees 8 steps, "
        "14 days in summary and the lines' graph). The three weekdays before the test validate; "
        "RMSE / MAE.",
        "",
        "| step | ResLSTM, with weather and air | alone | together | pooled |",
        "|---|---|---|---|---|",
    ]
    for (name, _), own in sorted(_by_party(cases).items()):
        if name in PUBLISHED:
            cells = [
                f"{_spread([c.rmse[m] for c in own], 2)} / {_spread([c.mae[m] for c in own], 2)}"
                for m in ("alone", "block-wise", "pooled")
            ]
            rmse, mae = PUBLISHED[name]
            lines.append(f"| {_named(name[6:], own)} | {rmse} / {mae} | {' | '.join(cells)} |")
    return lines


def _gains(cases: Sequence[Case]) -> list[str]:
    lines = [
        "**What fusing other agencies is worth.** 'Kept': the share of the pooled gain that the "
        "block-wise meeting keeps, where pooling gains 1 % or more.",
        "",
        "| set, party | alone | one-shot | block-wise | per-batch | pooled | kept | automatic |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for (name, party), own in sorted(_by_party(cases).items()):
        alone = f"{np.mean([case.mae['alone'] for case in own]):.4g} {own[0].unit}"
        cells = [_share(own, mode) for mode in MODES]
        cells += [_kept(own), _share(own, "automatic")]
        lines.append(f"| {_named(f'{name}, {party}', own)} | {alone} | {' | '.join(cells)} |")
    return lines


def _kept(cases: Sequence[Case]) -> str:
    gain = np.mean([1 - case.mae["pooled"] / case.mae["alone"] for case in cases])
    own = np.mean([1 - case.mae["block-wise"] / case.mae["alone"] for case in cases])
    return f"{own / gain:.0%}" if gain >= 0.01 else "–"


def _silent(cases: Sequence[Case]) -> list[str]:
    lines = [
        "**One agency silent at test time** (goal: at most 1.02 of alone). Where no agency "
        "is left, the party's own network makes the forecast; 'fused network' is the error of "
        "the other.",
        "",
        "| set, party | silent | as answered | worst seed | fused network |",
        "|---|---|---|---|---|",
    ]
    for (name, party), own in sorted(_by_party(cases).items()):
        methods = [method for method in own[0].mae if method.startswith("silent ")]
        for method in methods:
            answered = "alone" if len(methods) == 1 else method
            worst = max(case.mae[answered] / case.mae["alone"] for case in own)
            agency = method.removeprefix("silent ")
            cells = [_share(own, answered), f"{worst:.3f}", _share(own, method)]
            lines.append(f"| {_named(f'{name}, {party}', own)} | {agency} | {' | '.join(cells)} |")
    return lines


def _cost(cases: Sequence[Case]) -> list[str]:
    lines = [
        "**Messages and bytes of the training**, requests and answers, both ways (validation "
        "looks and the test days' deep data among them).",
        "",
        "| set, party | one-shot | block-wise | per-batch | fewer messages than per-batch |",
        "|---|---|---|---|---|",
    ]
    for (name, party), own in sorted(_by_party(cases).items()):
        case = own[0]
        cells = [
            f"{case.messages[mode]:,}, {case.sent[mode] / 1e6:.2f} MB" if mode in case.sent else ""
            for mode in MODES[:3]
        ]
        fewer = ""
        if "per-batch" in case.messages:
            ratios = [case.messages["per-batch"] / case.messages[mode] for mode in MODES[:2]]
            fewer = " / ".join(f"{ratio:.0f} times" for ratio in ratios)
        lines.append(f"| {_named(f'{name}, {party}', own)} | {' | '.join(cells)} | {fewer} |")
    return lines


def _reuse(reuse: Sequence[dict[str, dict[str, float]]]) -> list[str]:
    lines = [
        "**Encoders reused across cities**: a bike service with 14 days of its own; h1..h3 of "
        "its weather office's encoder begin as the other two cities' offices trained them "
        "(one-shot; then it pretrains as usual). Shares of alone.",
        "",
        "| city | own encoder | encoder of two other cities |",
        "|---|---|---|",
    ]
    for party in reuse[0] if reuse else ():
        cells = [
            _spread([found[party][name] / found[party]["alone"] for found in reuse], 3)
            for name in ("own encoder", "encoder of two other cities")
        ]
        lines.append(f"| {party} | {' | '.join(cells)} |")
    return lines
