"""The profile of a file's fields as a terminal shows it: numbers, and a small chart of each."""

from itertools import pairwise
from typing import Literal

from rich.markup import escape
from rich.table import Table

from deepcity.city.printable import printable
from deepcity.data.check.file_report import AgencySummary, FileReport
from deepcity.data.check.profile import FieldSummary, sparkline

TEXTS = {"field", "unit", "timeline"}
NARROW = ("field", "unit", "missing", "min", "1/4", "median", "3/4", "max", "timeline")
WIDE = (
    *("field", "unit", "values", "missing", "min", "1/4", "median", "3/4", "max", "zeros"),
    *("outliers", "constant", "timeline"),
)
WIDTH = 132  # columns from which the wide table fits
WIDEST = {"field": (20, 26), "unit": (6, 12)}  # columns, narrow and wide
NARROW_TIMELINE = 9


def table(report: FileReport, width: int) -> Table:
    """One row a field under its agency's name; `constant` is the longest run in steps."""
    wide = width >= WIDTH
    names = WIDE if wide else NARROW
    found = Table(box=None, header_style="bold", pad_edge=False)
    for name in names:
        justify: Literal["left", "right"] = "left" if name in TEXTS else "right"
        most = WIDEST[name][wide] if name in WIDEST else None
        found.add_column(name, justify=justify, no_wrap=True, max_width=most, overflow="ellipsis")
    for agency in report.agencies:
        if len(report.agencies) > 1 or agency.places > 1:
            found.add_row(f"[bold]{escape(printable(_title(agency)))}")
        for field in agency.fields:
            cells = _cells(field, wide=wide)
            found.add_row(*(escape(printable(cells[name])) for name in names))
    return found


def _title(agency: AgencySummary) -> str:
    return agency.name if agency.places == 1 else f"{agency.name} ({agency.places:,})"


def _cells(field: FieldSummary, *, wide: bool) -> dict[str, str]:
    timeline = field.timeline if wide else _thinned(field.timeline, NARROW_TIMELINE)
    digits = 4 if wide else 3
    return {
        "field": field.name,
        "unit": field.unit,
        "values": f"{field.count:,}",
        "missing": f"{field.missing:.1%}",
        "min": number(field.low, digits),
        "1/4": number(field.lower, digits),
        "median": number(field.median, digits),
        "3/4": number(field.upper, digits),
        "max": number(field.high, digits),
        "zeros": "-" if field.zeros is None else f"{field.zeros:.1%}",
        "outliers": "-" if field.outliers is None else f"{field.outliers:.1%}",
        "constant": f"{field.longest_run:,}",
        "timeline": sparkline(timeline),
    }


def _thinned(timeline: tuple[float | None, ...], count: int) -> tuple[float | None, ...]:
    """Means of neighbours, `count` of them."""
    edges = [round(n * len(timeline) / count) for n in range(count + 1)]
    parts = [timeline[a:b] for a, b in pairwise(edges)]
    known = [[value for value in part if value is not None] for part in parts]
    return tuple(sum(part) / len(part) if part else None for part in known)


def number(value: float | None, digits: int = 4) -> str:
    """A few digits, with thousands marks.

    >>> number(1234.5), number(0.12345, 3), number(None)
    ('1,234', '0.123', '-')
    """
    if value is None:
        return "-"
    return f"{value:,.{digits}g}" if abs(value) < 1000 else f"{value:,.0f}"
