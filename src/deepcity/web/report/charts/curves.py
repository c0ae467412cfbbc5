"""Learning curves: validation error by round, one line a method."""

import re
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from deepcity.city.level import MAX_LEVEL
from deepcity.parties.example_forecast import LearningCurve
from deepcity.parties.method_errors import ALONE, AUTOMATIC, POOLED
from deepcity.web.report.charts.canvas import Frame, Ids, Line, Reading, figure, span, ticks
from deepcity.web.report.figures import tick
from deepcity.web.report.text import Text, same, translate

_SIZE = (480.0, 300.0)
_STYLES = {ALONE: "alone", AUTOMATIC: "auto", POOLED: "pooled"}
_LEVEL = re.compile(r"level_(\d+)$")
_ROUNDS = 300  # more cannot be distinguished at this width


def method_name(method: str) -> Text:
    """What a method is called on the page; an unknown one keeps its own name.

    >>> method_name("level_3").en, method_name("distilled").en
    ('level 3', 'distilled')
    """
    level = _LEVEL.match(method)
    if level and 1 <= int(level[1]) <= MAX_LEVEL:
        return translate("method.level", level=level[1])
    try:
        return translate(f"method.{method}")
    except KeyError:
        return same(method)


def curves(
    found: Sequence[LearningCurve],
    ids: Ids,
    main: str = AUTOMATIC,
    y_title: Text | None = None,
    first: int = 0,
) -> Markup:
    """The chart of all curves, or nothing where none has two rounds.

    Args:
        main: the method that stands out.
        first: the round of a curve's first error; 0 is before training.
    """
    styles = {**_STYLES, main: "auto"}
    kept = [curve for curve in found if len(curve.error_by_round) > 1]
    if not kept:
        return Markup("")
    kept = sorted(kept, key=lambda curve: curve.method in styles)  # named methods on top
    every = max(1, max(len(c.error_by_round) for c in kept) // _ROUNDS)
    lines = [_line(curve, every, styles) for curve in kept]
    rounds = [first + every * i for i in range(max(len(line.values) for line in lines))]
    frame = Frame.around(_SIZE, (first, rounds[-1]), span(v for line in lines for v in line.values))
    body = [frame.grid(y_title or translate("curves.y"), translate("curves.x"))]
    body += [frame.bottom((v, same(tick(v))) for v in ticks(first, rounds[-1]) if v == int(v))]
    body += [frame.line(rounds, line) for line in lines] + [frame.end_labels(lines)]
    reading = Reading("round", every, 3)
    return figure(frame, "plot", translate("curves.alt"), body, ids=ids, reading=reading)


def _line(curve: LearningCurve, every: int, styles: Mapping[str, str]) -> Line:
    style = styles.get(curve.method, "other")
    return Line(method_name(curve.method), style, curve.error_by_round[::every])
