"""Error by how far ahead the forecast looks, for one party."""

from collections.abc import Callable, Mapping, Sequence

from markupsafe import Markup

from deepcity.parties.method_errors import (
    ALONE,
    AUTOMATIC,
    NAIVE_DAY,
    NAIVE_WEEK,
    POOLED,
    MethodErrors,
)
from deepcity.runs.results import PartyResult, ServiceResult
from deepcity.web.report.charts.canvas import Frame, Ids, Line, Reading, figure, span, ticks
from deepcity.web.report.charts.curves import method_name
from deepcity.web.report.figures import decimals, tick
from deepcity.web.report.text import Text, of, same, translate

_SIZE = (480.0, 300.0)
_STYLES = {NAIVE_DAY: "naive", NAIVE_WEEK: "naive week", ALONE: "alone", POOLED: "pooled"}


def horizon(service: ServiceResult, party: PartyResult, ids: Ids) -> Markup:
    """The chart of one party, or nothing where no error by horizon was kept."""
    lines = lines_by_horizon(party.test, AUTOMATIC, method_name)
    minutes = party.step_minutes or service.step_minutes
    reach = minutes * (party.horizon_steps or service.horizon_steps)
    return by_distance(lines, minutes, reach, party.unit or service.unit, of(party.title), ids)


def lines_by_horizon(
    test: Mapping[str, MethodErrors], main: str, name: Callable[[str], Text]
) -> list[Line]:
    """A line for each method whose errors by horizon were kept; `main` stands out."""
    return [
        Line(name(method), style, test[method].mae_by_horizon)
        for method, style in {**_STYLES, main: "auto"}.items()
        if method in test and test[method].mae_by_horizon
    ]


def by_distance(
    lines: Sequence[Line], minutes: float, reach: float, unit: str, party: Text, ids: Ids
) -> Markup:
    """Errors at each step ahead, of `minutes` each, as far as `reach` minutes."""
    if not lines:
        return Markup("")
    unit_minutes, title = _unit(reach)
    steps = max(len(line.values) for line in lines)
    ahead = [(step + 1) * minutes / unit_minutes for step in range(steps)]
    values = [value for line in lines for value in line.values]
    left = min(0.0, ahead[0]) if steps > 1 else 0.0
    frame = Frame.around(_SIZE, (left, ahead[-1]), span(values, zero=True))
    body = [frame.grid(translate("horizon.y", unit=unit), translate(title))]
    body += [frame.bottom((v, same(tick(v))) for v in _marks(ahead[-1], unit_minutes))]
    body += [frame.line(ahead, line) for line in lines] + [frame.end_labels(lines)]
    kind = "hours" if unit_minutes == 60 else "minutes"
    reading = Reading(kind, minutes / unit_minutes, decimals(values))
    alt = translate("horizon.alt", party=party)
    return figure(frame, "plot", alt, body, ids=ids, reading=reading)


def _unit(minutes: float) -> tuple[float, str]:
    """The unit of an axis that reaches so far ahead."""
    if minutes >= 180:
        return 60.0, "horizon.x_hours"
    return 1.0, "horizon.x_minutes"


def _marks(last: float, unit_minutes: float) -> list[float]:
    """Marks on round hours of a clock where they fit, else on round numbers."""
    if unit_minutes == 60 and 12 <= last <= 48:
        return [float(v) for v in range(0, int(last) + 1, 6)]
    return ticks(0.0, last)
