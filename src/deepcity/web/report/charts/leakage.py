"""What each layer reveals: R² by layer, of one release and of a stream, with the forecast's."""

from markupsafe import Markup

from deepcity.audit.results import FORECAST, PartyAudit
from deepcity.web.report.charts.canvas import Frame, Ids, Line, figure
from deepcity.web.report.leakage.table import best, hidden, layer_name
from deepcity.web.report.text import Text, translate

_SIZE = (560.0, 300.0)
_STYLES = {True: "alone", False: "auto"}  # of one release, and of a stream


def leakage(audit: PartyAudit, ids: Ids) -> Markup:
    """The chart, or nothing where no layer was attacked."""
    layers = list(dict.fromkeys(leak.layer for leak in hidden(audit.windows)))
    streams = sorted({leak.stream for leak in audit.windows})
    if len(layers) < 2:
        return Markup("")
    lines = [_line(audit, layers, stream) for stream in streams]
    floors = [_floor(audit, len(layers), stream) for stream in streams]
    floors = [one for one in floors if one.values]
    frame = Frame.around(_SIZE, (0, len(layers) - 1), (0.0, 1.0), (30, 150, 42, 46))
    xs = list(range(len(layers)))
    body = [frame.grid(translate("leakage.y"), translate("leakage.x"))]
    body += [frame.bottom((at, layer_name(one)) for at, one in enumerate(layers))]
    body += [frame.line(xs, line) for line in (*floors, *lines)]
    body += [frame.end_labels([*lines, *floors])]
    return figure(frame, "plot", _alt(lines, layers), body, ids=ids)


def _line(audit: PartyAudit, layers: list[str], stream: int) -> Line:
    found = [best(audit, layer, stream, 0.0) for layer in layers]
    values = [None if leak is None else max(leak.r2, 0.0) for leak in found]
    return Line(_name("line", stream), _STYLES[stream == 1], values)


def _floor(audit: PartyAudit, width: int, stream: int) -> Line:
    leak = best(audit, FORECAST, stream, 0.0)
    values = [] if leak is None else [max(leak.r2, 0.0)] * width
    return Line(_name("floor", stream), f"{_STYLES[stream == 1]} pooled thin", values)


def _name(kind: str, stream: int) -> Text:
    key = f"leakage.{kind}_one" if stream == 1 else f"leakage.{kind}_stream"
    return translate(key, n=stream)


def _alt(lines: list[Line], layers: list[str]) -> Text:
    """The chart in words: every point of both lines."""
    points = "; ".join(
        " / ".join("–" if line.values[at] is None else f"{line.values[at]:.2f}" for line in lines)
        for at in range(len(layers))
    )
    return translate("leakage.alt", layers=", ".join(layers), points=points)
