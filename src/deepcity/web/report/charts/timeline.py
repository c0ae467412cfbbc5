"""The course of a field at one place: means of short stretches, and their extremes."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from markupsafe import Markup

from deepcity.data.check.plots import Plot
from deepcity.web.report.charts.canvas import Frame, Ids, Line, Reading, figure, path, span
from deepcity.web.report.figures import decimals
from deepcity.web.report.text import Text, same, translate

_SIZE = (480.0, 190.0)
_MARGINS = (26, 14, 30, 52)
_MARKS = 4
_DAY_S = 86_400


def timeline(plot: Plot, ids: Ids) -> Markup:
    """The chart, or nothing where nothing was measured."""
    if len(plot.times) < 2 or all(value is None for value in plot.mean):
        return Markup("")
    values = [*plot.low, *plot.high]
    limits = (plot.times[0], plot.times[-1])
    frame = Frame.around(_SIZE, limits, span(values), _MARGINS)
    mean = Line(translate("records.mean"), "auto", plot.mean)
    edges = [
        Line(translate("records.low"), "edge", plot.low),
        Line(translate("records.high"), "edge", plot.high),
    ]
    body = [frame.grid(same(plot.unit), Text("", "")), _dates(frame, plot), _between(frame, plot)]
    body += [frame.line(plot.times, line) for line in (*edges, mean)]
    alt = translate("records.alt", field=plot.field, place=plot.place)
    step = float(plot.times[1] - plot.times[0])
    reading = Reading("time", step, decimals(plot.mean), plot.time_zone)
    return figure(frame, "plot", alt, body, ids=ids, reading=reading)


def _between(frame: Frame, plot: Plot) -> Markup:
    """Areas between lowest and highest, one for each stretch without a gap."""
    parts: list[list[int]] = [[]]
    for number, low in enumerate(plot.low):
        if low is None:
            parts.append([])
        else:
            parts[-1].append(number)
    shape = Markup('<path class="band" d="{}Z"/>')
    return Markup("").join(
        shape.format(
            path([*_edge(frame, plot, part, plot.high), *_edge(frame, plot, part[::-1], plot.low)])
        )
        for part in parts
        if len(part) > 1
    )


def _edge(
    frame: Frame, plot: Plot, part: list[int], values: tuple[float | None, ...]
) -> list[tuple[float, float | None]]:
    known = [(plot.times[n], values[n]) for n in part]
    return [(frame.x(time), None if v is None else frame.y(v)) for time, v in known]


def _dates(frame: Frame, plot: Plot) -> Markup:
    """Some dates along the bottom, as the city's clocks show them."""
    zone, first, last = ZoneInfo(plot.time_zone), plot.times[0], plot.times[-1]
    shape = "%Y-%m-%d" if last - first > 3 * _DAY_S else "%d. %H:%M"
    moments = [first + (last - first) * (n + 0.5) / _MARKS for n in range(_MARKS)]
    return frame.bottom(
        (moment, same(f"{datetime.fromtimestamp(moment, UTC).astimezone(zone):{shape}}"))
        for moment in moments
    )
