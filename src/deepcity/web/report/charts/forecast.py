"""A few test days of one place: measured values, forecast with band, learning alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from markupsafe import Markup

from deepcity.parties.example_forecast import ExampleForecast
from deepcity.runs.results import PartyResult
from deepcity.web.report.charts.canvas import Frame, Ids, Line, Reading, figure, label, path, span
from deepcity.web.report.figures import decimals, percent
from deepcity.web.report.text import Text, of, same, translate

_SIZE = (1000.0, 306.0)
_DAY_S = 86_400
_QUARTER_S = 900
_WEEKDAYS_KO = "월화수목금토일"
_FINE_HOURS = (1, 2, 3, 6, 12)


def forecast(party: PartyResult, unit: str, step_minutes: float, points: int, ids: Ids) -> Markup:
    """The chart of one party's first `points` steps, or nothing where no forecast was kept."""
    how = ForecastStyle(
        of(party.title), translate("method.automatic"), party.band_level, unit, step_minutes
    )
    return forecast_chart(party.forecast, how, points, ids)


@dataclass(frozen=True)
class ForecastStyle:
    """How a forecast is labelled: whose it is, how it is called, its band, unit and step."""

    party: Text
    name: Text
    band_level: float
    unit: str
    step_minutes: float


def forecast_chart(kept: ExampleForecast, how: ForecastStyle, points: int, ids: Ids) -> Markup:
    """The chart of a forecast's first `points` steps, or nothing where none was kept."""
    times = kept.times[:points]
    if len(times) < 2:
        return Markup("")
    lines = _lines(kept, how.name, len(times))
    low, high = kept.low[: len(times)], kept.high[: len(times)]
    values = [*low, *high, *(value for line in lines for value in line.values)]
    frame = Frame.around(_SIZE, (times[0], times[-1]), span(values), (30, 92, 24, 46))
    body = [frame.grid(translate("forecast.y", unit=how.unit), Text("", ""))]
    body += [_days(frame, times, kept.time_zone), _band(frame, times, low, high)]
    body += [frame.line(times, line) for line in lines]
    body += [_hidden(frame, times, low, "low"), _hidden(frame, times, high, "high")]
    body += [frame.end_labels(lines), _band_name(frame, how.band_level)]
    alt_key = "forecast.alt" if kept.truth is not None else "forecast.alt_kept"
    alt = translate(alt_key, place=kept.place, party=how.party)
    reading = Reading("time", how.step_minutes * 60, decimals(values), kept.time_zone)
    return figure(frame, "wide", alt, body, ids=ids, reading=reading)


def _lines(kept: ExampleForecast, name: Text, count: int) -> list[Line]:
    lines = [
        Line(translate("method.alone"), "alone", kept.alone[:count]),
        Line(name, "auto", kept.forecast[:count]),
    ]
    if kept.truth is None:
        return lines
    return [*lines, Line(translate("method.truth"), "truth", kept.truth[:count])]


def _band(frame: Frame, times: Sequence[int], low: list[float], high: list[float]) -> Markup:
    upper = [(frame.x(t), frame.y(v)) for t, v in zip(times, high, strict=False)]
    lower = [(frame.x(t), frame.y(v)) for t, v in zip(times, low, strict=False)]
    if not upper or not lower:
        return Markup("")
    return Markup('<path class="band" d="{}Z"/>').format(path([*upper, *reversed(lower)]))


def _band_name(frame: Frame, level: float) -> Markup:
    words = translate("forecast.band_name", level=percent(level, 0))
    swatch = Markup('<rect class="band" x="{:g}" y="2" width="18" height="11" rx="2"/>')
    x = frame.x.end - 84
    return swatch.format(x) + label(x + 24, 12, words, "axis-title")


def _hidden(frame: Frame, times: Sequence[int], values: list[float], edge: str) -> Markup:
    """An edge of the band, drawn only for the script to read."""
    return frame.line(times, Line(translate(f"forecast.{edge}"), "edge", values))


def _days(frame: Frame, times: Sequence[int], zone_name: str) -> Markup:
    """Midnights (or hours, on a short span) as rules with their date."""
    zone = zone_of(zone_name)
    rule = Markup('<line class="rule day" x1="{0:.1f}" x2="{0:.1f}" y1="{1:g}" y2="{2:g}"/>')
    parts = []
    for moment, words in _marks(times, zone):
        x = frame.x(moment)
        parts.append(rule.format(x, frame.y.end, frame.y.start))
        if x < frame.x.end - 30:
            parts.append(label(x + 4, frame.y.start + 17, words, "tick"))
    return Markup("").join(parts)


def _marks(times: Sequence[int], zone: ZoneInfo) -> list[tuple[int, Text]]:
    """Full hours on a span under a day and a half, else midnights; at most nine or ten."""
    span_s = times[-1] - times[0]
    moments = [(t, _local(t, zone)) for t in _quarters(times)]
    if span_s < 1.5 * _DAY_S:
        every = next(h for h in _FINE_HOURS if span_s <= 9 * h * 3600)
        hours = [(t, d) for t, d in moments if d.minute == 0 and d.hour % every == 0]
        return [(t, same(f"{d:%H:%M}")) for t, d in hours]
    midnights = [(t, d) for t, d in moments if d.hour == 0 and d.minute == 0]
    return [(t, _date(d)) for t, d in midnights[:: max(1, round(span_s / _DAY_S / 9))]]


def _quarters(times: Sequence[int]) -> range:
    """Quarter hours inside the span: every zone's midnight falls on one."""
    first = -(-times[0] // _QUARTER_S) * _QUARTER_S
    return range(first, times[-1] + 1, _QUARTER_S)


def _date(day: datetime) -> Text:
    korean = f"{day.month}월 {day.day}일({_WEEKDAYS_KO[day.weekday()]})"
    return Text(f"{day:%a} {day.day} {day:%b}", korean)


def _local(utc_s: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(utc_s, UTC).astimezone(zone)


def zone_of(name: str) -> ZoneInfo:
    """The zone of that name; UTC where this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
