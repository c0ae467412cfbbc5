"""Bytes that left, by method and layer, as stacked bars with their totals."""

from collections.abc import Sequence

from markupsafe import Markup

from deepcity.city.level import LADDER, STEM
from deepcity.parties.method_errors import AUTOMATIC, POOLED
from deepcity.runs.results import MethodTraffic
from deepcity.web.report.charts.canvas import Axis, Frame, Ids, figure, label
from deepcity.web.report.charts.curves import method_name
from deepcity.web.report.figures import size
from deepcity.web.report.text import Text, same, translate

_WIDTH, _ROW, _LEFT, _RIGHT = 480.0, 32.0, 92.0, 76.0
_KNOWN = (STEM, *LADDER)


def traffic(found: Sequence[MethodTraffic], raw: int | None, ids: Ids) -> Markup:
    """One bar a method that sent weights, and one for the raw records that stayed."""
    sent = [t for t in found if t.method != POOLED and sum(t.bytes_by_layer.values()) > 0]
    if not sent:
        return Markup("")
    most = max(*(sum(t.bytes_by_layer.values()) for t in sent), raw or 0, 1)
    rows = len(sent) + (raw is not None)
    frame = Frame(_WIDTH, rows * _ROW + 30, Axis(0, most, _LEFT, _WIDTH - _RIGHT), Axis(0, 1, 0, 1))
    body = _layer_names(frame, sent)
    for number, row in enumerate(sent):
        body += _bar(frame, 28 + number * _ROW, row)
    if raw is not None:
        body += _raw_bar(frame, 28 + len(sent) * _ROW, raw)
    points = Text(*("; ".join(texts) for texts in zip(*map(_bar_text, sent), strict=True)))
    return figure(frame, "plot bars", translate("traffic.alt", points=points), body, ids=ids)


def _bar_text(row: MethodTraffic) -> tuple[str, str]:
    name, total = method_name(row.method), size(sum(row.bytes_by_layer.values()))
    return f"{name.en} {total}", f"{name.ko} {total}"


def layers_in_order(row: MethodTraffic) -> list[tuple[str, int]]:
    """Layers with their bytes, from the stem to the head, unknown names last."""
    names = sorted(
        row.bytes_by_layer, key=lambda n: (_KNOWN.index(n) if n in _KNOWN else len(_KNOWN), n)
    )
    return [(name, row.bytes_by_layer[name]) for name in names]


def _layer_names(frame: Frame, sent: Sequence[MethodTraffic]) -> list[Markup]:
    """Layer names above the longest bar, where each has the width to be read."""
    longest = max(sent, key=lambda t: sum(t.bytes_by_layer.values()))
    parts, start, free = [], 0, 0.0
    for name, count in layers_in_order(longest):
        left, right = frame.x(start), frame.x(start + count)
        middle, half = (left + right) / 2, 4.0 * len(name)
        if count and middle - half >= free:
            parts.append(label(middle, 16, _layer_name(name), "tick", "middle"))
            free = middle + half + 2
        start += count
    return parts


def _bar(frame: Frame, y: float, row: MethodTraffic) -> list[Markup]:
    style = "row-name strong" if row.method == AUTOMATIC else "row-name"
    parts = [label(frame.x.start - 8, y + 15, method_name(row.method), style, "end")]
    start = 0
    for name, count in layers_in_order(row):
        parts.append(_piece(frame, y, name, start, count))
        start += count
    return [*parts, label(frame.x(start) + 7, y + 15, same(size(start)), style)]


def _piece(frame: Frame, y: float, name: str, start: int, count: int) -> Markup:
    shade = f"layer-{name}" if name in _KNOWN else "layer-other"
    left, right = frame.x(start), frame.x(start + count)
    piece = '<rect class="piece {}" x="{:.1f}" y="{:g}" width="{:.1f}" height="21" data-tip="{}"/>'
    tip = f"{name}: {size(count)}"
    return Markup(piece).format(shade, left, y, max(0.0, right - left - 1), tip)


def _raw_bar(frame: Frame, y: float, raw: int) -> list[Markup]:
    bar = '<rect class="piece raw" x="{:.1f}" y="{:g}" width="{:.1f}" height="21"/>'
    width = max(1.0, frame.x(raw) - frame.x.start)
    words = same(f"{size(raw)} · ") + translate("traffic.raw")
    room = width < (frame.x.end - frame.x.start) / 2
    at = frame.x(raw) + 7 if room else frame.x.start + 8
    return [Markup(bar).format(frame.x.start, y, width), label(at, y + 15, words, "row-name")]


def _layer_name(name: str) -> Text:
    return translate(f"idea.{name}") if name in {STEM, LADDER[-1]} else same(name)
