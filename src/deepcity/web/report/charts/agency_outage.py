"""The cost of a missing agency: change of error against alone, a row a case."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from deepcity.web.report.charts.canvas import Axis, Frame, Ids, figure, label, span, ticks
from deepcity.web.report.charts.fit import fit
from deepcity.web.report.figures import signed_percent
from deepcity.web.report.findings import Verdict, verdict
from deepcity.web.report.text import Text, same, translate

_STYLES = {Verdict.GAIN: "auto", Verdict.SAME: "other", Verdict.LOSS: "alone"}
_WIDTH, _ROW, _SIDE, _BOTTOM = 480.0, 42.0, 58.0, 40.0


@dataclass(frozen=True)
class OutageCase:
    """Which agency is missing, and the change of error against alone (negative is better)."""

    name: Text
    change: float
    strong: bool = False


def outage(cases: Sequence[OutageCase], ids: Ids) -> Markup:
    """The chart, or nothing where nothing is known."""
    if not cases:
        return Markup("")
    low, high = span([case.change for case in cases], zero=True)
    low, high = min(low, -0.01), max(high, 0.01)
    height = len(cases) * _ROW + _BOTTOM
    x, y = Axis(low, high, _SIDE, _WIDTH - _SIDE), Axis(0, 1, height - _BOTTOM, 0)
    frame = Frame(_WIDTH, height, x, y)
    body = [_grid(frame)]
    for number, case in enumerate(cases):
        body += _row(frame, number * _ROW, case)
    case_texts = [
        Text(*(f"{n} {signed_percent(c.change)}" for n in (c.name.en, c.name.ko))) for c in cases
    ]
    points = Text("; ".join(t.en for t in case_texts), "; ".join(t.ko for t in case_texts))
    return figure(frame, "plot", translate("vertical.outage_alt", points=points), body, ids=ids)


def _grid(frame: Frame) -> Markup:
    rule = Markup('<line class="{}" x1="{:.1f}" x2="{:.1f}" y1="0" y2="{:g}"/>')
    parts = []
    for value in ticks(frame.x.low, frame.x.high, 5):
        at = frame.x(value)
        parts.append(rule.format("zero" if abs(value) < 1e-9 else "rule", at, at, frame.y.start))
        parts.append(label(at, frame.y.start + 15, _tick(value), "tick", "middle"))
    title = translate("vertical.outage_x")
    middle = (frame.x.start + frame.x.end) / 2
    return Markup("").join([*parts, label(middle, frame.height - 4, title, "axis-title", "middle")])


def _tick(value: float) -> Text:
    return (
        translate("method.alone")
        if abs(value) < 1e-9
        else same(f"{value * 100:+.3g}%".replace("-", "−"))
    )


def _row(frame: Frame, top: float, case: OutageCase) -> list[Markup]:
    zero, at, y = frame.x(0.0), frame.x(case.change), top + 27
    style = _STYLES[verdict(-case.change)]
    stem = Markup('<line class="line {}" x1="{:.1f}" x2="{:.1f}" y1="{:g}" y2="{:g}"/>')
    dot = Markup('<circle class="point {}" cx="{:.1f}" cy="{:g}" r="5"/>')
    left = case.change < 0
    shown = same(signed_percent(case.change))
    name = label(
        2,
        top + 13,
        fit(case.name, _WIDTH - 6),
        "row-name strong halo" if case.strong else "row-name halo",
    )
    value = label(at + (-9 if left else 9), y + 4, shown, "strong", "end" if left else "start")
    return [stem.format(style, zero, at, y, y), dot.format(style, at, y), name, value]
