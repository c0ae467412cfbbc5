"""What each level was worth to one party: a small chart, many side by side on one scale."""

from collections.abc import Iterable

from markupsafe import Markup

from deepcity.city.level import MAX_LEVEL
from deepcity.parties.method_errors import ALONE, POOLED, fixed_level_name
from deepcity.runs.results import PartyResult
from deepcity.web.report.charts.canvas import Frame, Ids, figure, label, path
from deepcity.web.report.figures import signed_percent
from deepcity.web.report.findings import gain_over
from deepcity.web.report.text import of, same, translate

LEAST, MOST = -0.5, 1.0  # gains beyond are drawn at the edge, so one outlier flattens nobody
_SIZE = (172.0, 104.0)


def by_level(party: PartyResult) -> list[float | None]:
    """Gain at levels 0..6 over alone; None where a level was not run."""
    known = [gain_over(party, fixed_level_name(level)) for level in range(1, MAX_LEVEL + 1)]
    return [gain_over(party, ALONE), *known]


def scale(parties: Iterable[PartyResult]) -> tuple[float, float]:
    """One range of gains for all small charts of a service."""
    gains = [g for p in parties for g in (*by_level(p), gain_over(p, POOLED)) if g is not None]
    low, high = min([0.0, *gains]), max([0.0, *gains])
    return max(LEAST, min(low * 1.1, -0.02)), min(MOST, max(high * 1.1, 0.02))


def gains(party: PartyResult, limits: tuple[float, float], ids: Ids) -> Markup:
    """The small chart of one party, on the scale of its service."""
    frame = Frame.around(_SIZE, (0, MAX_LEVEL), limits, (8, 8, 20, 8))
    found = by_level(party)
    shown = [None if g is None else frame.y(_inside(g, limits)) for g in found]
    at = [(frame.x(level), y) for level, y in enumerate(shown)]
    body = [_zero(frame), _pooled(frame, party, limits)]
    body.append(Markup('<path class="line auto thin" d="{}"/>').format(path(at)))
    body += [_dot(x, y, level == party.level) for level, (x, y) in enumerate(at) if y is not None]
    body += [_level_mark(frame, level, party.level) for level in range(MAX_LEVEL + 1)]
    points = ", ".join(f"{level}: {signed_percent(g)}" for level, g in enumerate(found))
    alt = translate("gains.alt", party=of(party.title), points=points)
    return figure(frame, "mini", alt, body, ids=ids)


def _inside(value: float, limits: tuple[float, float]) -> float:
    return min(max(value, limits[0]), limits[1])


def _zero(frame: Frame) -> Markup:
    line = Markup('<line class="zero" x1="{:g}" x2="{:g}" y1="{:.1f}" y2="{:.1f}"/>')
    y = frame.y(0.0)
    return line.format(frame.x.start, frame.x.end, y, y)


def _pooled(frame: Frame, party: PartyResult, limits: tuple[float, float]) -> Markup:
    gain = gain_over(party, POOLED)
    if gain is None:
        return Markup("")
    y = frame.y(_inside(gain, limits))
    line = Markup('<line class="line pooled thin" x1="{:g}" x2="{:g}" y1="{:.1f}" y2="{:.1f}"/>')
    return line.format(frame.x.start, frame.x.end, y, y)


def _dot(x: float, y: float, chosen: bool) -> Markup:
    dot = Markup('<circle class="dot {}" cx="{:.1f}" cy="{:.1f}" r="{}"/>')
    ring = dot.format("ring", x, y, 6.5) if chosen else Markup("")
    return ring + dot.format("", x, y, 2.8)


def _level_mark(frame: Frame, level: int, chosen: int) -> Markup:
    style = "tick strong" if level == chosen else "tick"
    return label(frame.x(level), frame.height - 4, same(str(level)), style, "middle")
