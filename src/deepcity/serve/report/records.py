"""What `deepcity data check` found, as one page: findings on top, then each field drawn."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from deepcity.data.check import AgencySummary, FileReport
from deepcity.data.findings import Finding, Severity
from deepcity.data.plots import Plot
from deepcity.serve.report.charts.canvas import Ids
from deepcity.serve.report.charts.course import course
from deepcity.serve.report.frame import rendered
from deepcity.serve.report.text import say
from deepcity.serve.report.write import write_page


@dataclass(frozen=True)
class Told:
    """A finding and the agencies that share it."""

    finding: Finding
    agencies: tuple[str, ...]


@dataclass(frozen=True)
class Drawn:
    """A plot and its chart."""

    plot: Plot
    svg: Markup


@dataclass(frozen=True)
class FileView:
    """One file as the template shows it."""

    report: FileReport
    name: str
    warnings: list[Told]
    notes: list[Told]
    drawn: dict[str, list[Drawn]]


def write_records(reports: Sequence[FileReport], path: Path) -> None:
    """Write one self-contained HTML page about these files.

    Raises:
        OSError: if it cannot be written; an older page stays.
    """
    write_page(render_records(reports), path)


def render_records(reports: Sequence[FileReport]) -> str:
    """The whole page."""
    ids = Ids()
    return rendered(
        "records.html",
        say("records.title"),
        views=[_view(report, ids) for report in reports],
        number=number,
        share=share,
    )


def _view(report: FileReport, ids: Ids) -> FileView:
    told = list(_told(report.agencies))
    drawn: dict[str, list[Drawn]] = {}
    for plot in report.plots:
        drawn.setdefault(plot.agency, []).append(Drawn(plot, course(plot, ids)))
    return FileView(
        report,
        Path(report.file).name,
        [one for one in told if one.finding.severity is Severity.WARNING],
        [one for one in told if one.finding.severity is Severity.NOTE],
        drawn,
    )


def _told(agencies: Iterable[AgencySummary]) -> Iterable[Told]:
    """Findings with the agencies that share them; what all share is told once."""
    groups: dict[tuple[Severity, str, str], list[tuple[str, Finding]]] = {}
    for agency in agencies:
        for finding in agency.findings:
            key = (finding.severity, finding.where, finding.text)
            groups.setdefault(key, []).append((agency.name, finding))
    for group in groups.values():
        yield Told(group[0][1], tuple(dict.fromkeys(name for name, _ in group)))


def number(value: float | None) -> str:
    """Four digits, with thousands marks; a dash where nothing was measured.

    >>> number(1234.5), number(0.12345), number(None)
    ('1,234', '0.1235', '–')
    """
    if value is None:
        return "–"
    shown = f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return shown.replace("-", "−")


def share(value: float | None) -> str:
    """A share as a percentage; small ones are told as small.

    >>> share(0.0), share(0.0004), share(0.123)
    ('0%', '<0.1%', '12.3%')
    """
    if value is None:
        return "–"
    return "0%" if value == 0 else "<0.1%" if value < 0.001 else f"{value:.1%}"
