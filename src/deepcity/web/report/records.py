"""What `deepcity data check` found, as one page: findings on top, then each field drawn."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from deepcity.data.check.file_report import AgencySummary, FileReport
from deepcity.data.check.plots import Plot
from deepcity.data.findings import Finding, Severity
from deepcity.web.report.charts.canvas import Ids
from deepcity.web.report.charts.timeline import timeline
from deepcity.web.report.frame import rendered
from deepcity.web.report.text import translate
from deepcity.web.report.write import write_page


@dataclass(frozen=True)
class SharedFinding:
    """A finding and the agencies that share it."""

    finding: Finding
    agencies: tuple[str, ...]


@dataclass(frozen=True)
class PlotView:
    """A plot and its chart."""

    plot: Plot
    svg: Markup


@dataclass(frozen=True)
class FileView:
    """One file as the template shows it."""

    report: FileReport
    name: str
    warnings: list[SharedFinding]
    notes: list[SharedFinding]
    plot_views: dict[str, list[PlotView]]


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
        translate("records.title"),
        views=[_view(report, ids) for report in reports],
        number=number,
        share=share,
    )


def _view(report: FileReport, ids: Ids) -> FileView:
    findings = list(_shared_findings(report.agencies))
    plot_views: dict[str, list[PlotView]] = {}
    for plot in report.plots:
        plot_views.setdefault(plot.agency, []).append(PlotView(plot, timeline(plot, ids)))
    return FileView(
        report,
        Path(report.file).name,
        [one for one in findings if one.finding.severity is Severity.WARNING],
        [one for one in findings if one.finding.severity is Severity.NOTE],
        plot_views,
    )


def _shared_findings(agencies: Iterable[AgencySummary]) -> Iterable[SharedFinding]:
    """Findings with the agencies that share them; what all share is listed once."""
    groups: dict[tuple[Severity, str, str], list[tuple[str, Finding]]] = {}
    for agency in agencies:
        for finding in agency.findings:
            key = (finding.severity, finding.where, finding.text)
            groups.setdefault(key, []).append((agency.name, finding))
    for group in groups.values():
        yield SharedFinding(group[0][1], tuple(dict.fromkeys(name for name, _ in group)))


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
    """A share as a percentage; small ones as `<0.1%`.

    >>> share(0.0), share(0.0004), share(0.123)
    ('0%', '<0.1%', '12.3%')
    """
    if value is None:
        return "–"
    return "0%" if value == 0 else "<0.1%" if value < 0.001 else f"{value:.1%}"
