"""Accuracy against messages: the table of all options, what validation chooses, the picture."""

from collections.abc import Callable, Sequence
from math import log10

import numpy as np

from benchmarks.legend import legend
from benchmarks.vertical.mode_case import ModeCase

FEWER = 50  # times fewer messages than per-batch: the goal
LOSS = 0.01  # of accuracy that this may cost
BATCH = "per-batch"
LEFT, WIDTH, TOP, PANEL = 70, 720, 56, 300
LEAST, MOST = 4, 20_000  # messages
NOTE = (
    "over messages of the training, lower is better; numbers are local steps a block; "
    "a thin mark is one seed"
)
COLOURS = {
    "alone": "#222222",
    "one-shot": "#8a8f98",
    "block-wise, reach 0.2": "#2457c5",
    "block-wise, reach 0.4": "#63a36c",
    "per-batch": "#c77d2e",
}


def text(cases: Sequence[ModeCase]) -> str:
    """The whole section."""
    return "\n".join(
        [
            "## Meeting at a hidden layer: how often",
            "",
            "`python -m benchmarks.vertical.modes`, seeds 0, 1, 2 unless a row says otherwise. All "
            "learn for the same number of local steps from the same first weights and the same "
            "encoders, pretrained first. A block is so many local steps between two gradients, and "
            "between two evaluations on the validation span; reach is how far an agency may move "
            "its activations by one gradient. 'Steps a look': with as few evaluations as long "
            "blocks have, as another round is kept then; 'alone' has as many as what stands beside "
            "it. Where evaluations change the error by more than modes do, it is the round that is "
            "kept, and not the mode, that makes the difference. Messages and bytes of the "
            "training, requests and answers, both ways. Loss: mean absolute error over the "
            "test span against per-batch (evaluated each 50 steps), seed by seed; mean ± standard "
            "deviation over seeds.",
            "",
            f"**Chosen by validation** among options with at least {FEWER} times fewer messages "
            f"than per-batch (goal: a loss under {LOSS:.0%}).",
            "",
            "| set, party | among | chosen | fewer messages | loss against per-batch | goal |",
            "|---|---|---|---|---|---|",
            *(_choice(own, blocks) for own in _sets(cases) for blocks in (True, False)),
            "",
            "**All options.** Validation: the error by which the best round is kept, per-batch = "
            "1.",
            "",
            "| set, party | option | messages | fewer | MB | error | share of alone | loss against "
            "per-batch | validation |",
            "|---|---|---|---|---|---|---|---|---|",
            *(line for own in _sets(cases) for line in _lines(own)),
            "",
            "| set | accuracy against messages |",
            "|---|---|",
            *(_picture(own[0].set) for own in _sets(cases)),
        ]
    )


def _sets(cases: Sequence[ModeCase]) -> list[list[ModeCase]]:
    names = sorted({case.set for case in cases})
    return [[case for case in cases if case.set == name] for name in names]


def _options(own: Sequence[ModeCase]) -> dict[str, list[ModeCase]]:
    """Option -> its cases by seed; fewest messages first."""
    found: dict[str, list[ModeCase]] = {}
    for case in sorted(own, key=lambda case: (case.messages, case.option, case.seed)):
        found.setdefault(case.option, []).append(case)
    return found


def _against(some: Sequence[ModeCase], batch: Sequence[ModeCase], what: str) -> np.ndarray:
    """Seed by seed, an error as a share of per-batch's."""
    reference = {case.seed: getattr(case, what) for case in batch}
    return np.array([getattr(case, what) / reference[case.seed] for case in some])


def _row_name(own: Sequence[ModeCase]) -> str:
    seeds = len({case.seed for case in own})
    name = f"{own[0].set}, {own[0].party}"
    return name if seeds >= 3 else f"{name} ({seeds} seed{'s' if seeds > 1 else ''})"


def chosen(own: Sequence[ModeCase], blocks: bool) -> str:
    """The option of least validation error among those with few enough messages.

    Args:
        blocks: among blocks alone, or among all.
    """
    options = _options(own)
    batch = options[BATCH]
    few = [
        name
        for name, some in options.items()
        if some[0].messages * FEWER <= batch[0].messages
        and (name.startswith("blocks") or not blocks)
    ]
    return min(few, key=lambda name: _against(options[name], batch, "validation").mean())


def _picture(name: str) -> str:
    path = f"../docs/images/meeting-modes-{name}.svg"
    return f"| {name} | ![{name}: error over messages]({path}) |"


def _choice(own: Sequence[ModeCase], blocks: bool) -> str:
    options, name = _options(own), chosen(own, blocks)
    times = options[BATCH][0].messages / options[name][0].messages
    loss = _against(options[name], options[BATCH], "mae") - 1
    among, goal = (
        ("blocks" if blocks else "all"),
        "reached" if loss.mean() < LOSS else "not reached",
    )
    cells = [among, name, f"{times:.0f} times", _percent(loss), goal]
    return f"| {_row_name(own)} | {' | '.join(cells)} |"


def _lines(own: Sequence[ModeCase]) -> list[str]:
    options = _options(own)
    batch = options[BATCH]
    lines = []
    for name, some in options.items():
        share = np.array([case.mae / case.alone for case in some])
        cells = [
            f"{some[0].messages:,}",
            f"{batch[0].messages / some[0].messages:.0f}",
            f"{some[0].sent / 1e6:.2f}",
            f"{np.mean([case.mae for case in some]):.4g} {some[0].unit}",
            f"{share.mean():.3f}{_spread(share, '.3f')}",
            _percent(_against(some, batch, "mae") - 1),
            f"{_against(some, batch, 'validation').mean():.3f}",
        ]
        lines.append(f"| {_row_name(own)} | {name} | {' | '.join(cells)} |")
    return lines


def _percent(loss: np.ndarray) -> str:
    return f"{loss.mean():+.1%}{_spread(loss, '.1%')}"


def _spread(values: np.ndarray, digits: str) -> str:
    """Over seeds; one seed has none."""
    return f" ± {values.std():{digits}}" if len(values) > 1 else ""


def svg(own: Sequence[ModeCase]) -> str:
    """One set: error over messages; thin marks are seeds."""
    height = TOP + PANEL
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="system-ui, sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        *legend(COLOURS, NOTE),
        *_panel(own, TOP),
    ]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _x(messages: float) -> float:
    part = log10(messages / LEAST) / log10(MOST / LEAST)
    return LEFT + part * (WIDTH - LEFT - 20)


def _panel(own: Sequence[ModeCase], top: float) -> list[str]:
    every = [error for case in own for error in (case.mae, case.alone)]
    low, high = min(every), max(every)
    low, high = low - 0.06 * (high - low), high + 0.06 * (high - low)
    bottom = top + PANEL - 40

    def y(error: float) -> float:
        return bottom - (error - low) / (high - low) * (bottom - top - 22)

    title = f"{own[0].set}, {own[0].party}: mean absolute error, {own[0].unit}"
    parts = [f'<text x="{LEFT}" y="{top + 8}" fill="#222">{title}</text>']
    parts += _axes(low, high, bottom, y)
    named: set[tuple[str, float]] = set()
    for name, some in _options(own).items():
        label, x = _label(name, some[0].block), _x(some[0].messages)
        label = "" if (label, x) in named else label  # another reach lies there
        named.add((label, x))
        parts += _marks([y(case.mae) for case in some], x, _colour(name), label)
        if name.startswith("one-shot"):
            parts += _marks([y(case.alone) for case in some], LEFT, COLOURS["alone"], label)
    return parts


def _marks(heights: Sequence[float], x: float, colour: str, label: str) -> list[str]:
    """A thin mark a seed, a disc for the mean."""
    middle = float(np.mean(heights))
    parts = [
        f'<line x1="{x - 6:.1f}" x2="{x + 6:.1f}" y1="{height:.1f}" y2="{height:.1f}" '
        f'stroke="{colour}" stroke-opacity="0.5"/>'
        for height in heights
    ]
    parts.append(f'<circle cx="{x:.1f}" cy="{middle:.1f}" r="4" fill="{colour}"/>')
    place = f'x="{x + 8:.1f}" y="{middle + 4:.1f}" fill="{colour}" font-size="10"'
    return [*parts, f"<text {place}>{label}</text>"]


def _label(option: str, block: int) -> str:
    """The block's length, or how often it looks where that is not usual."""
    kind, _, rest = option.partition(", ")
    return (rest if kind in COLOURS else str(block)).replace("steps a look", "a look")


def _axes(low: float, high: float, bottom: float, y: Callable[[float], float]) -> list[str]:
    parts = []
    for value in np.linspace(low, high, 7)[1:-1]:
        height = f"{y(value):.1f}"
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - 20}" y1="{height}" y2="{height}" stroke="#dddddd"/>'
        )
        place = f'x="{LEFT - 12}" y="{y(value) + 4:.1f}" text-anchor="end" fill="#555"'
        parts.append(f"<text {place}>{value:.3g}</text>")
    for messages in (10, 100, 1000, 10_000):
        place = f'x="{_x(messages):.1f}" y="{bottom + 16}" text-anchor="middle" fill="#555"'
        parts.append(f"<text {place}>{messages:,}</text>")
    return parts


def _colour(option: str) -> str:
    kind = option.partition(", ")[0]
    if kind in COLOURS:
        return COLOURS[kind]
    return COLOURS[f"block-wise, {option.partition(', ')[2]}"]
