"""The report of `data check` on a city file or a file of raw records."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepcity.city.arrays import Ints
from deepcity.city.errors import DataError
from deepcity.city.problem import Problem
from deepcity.data.check.draft import draft
from deepcity.data.check.plots import Plot, plots_of
from deepcity.data.check.profile import FieldSummary, summary_of
from deepcity.data.check.rules import View, run_rules
from deepcity.data.city_file import CityFile, check_city, check_raw, load_with_findings
from deepcity.data.config.duration import duration_text
from deepcity.data.config.settings import AgencySettings, FieldSettings, PlaceSettings
from deepcity.data.config.source import Layout
from deepcity.data.connectors import read_columns
from deepcity.data.connectors.sql_tables import table_name
from deepcity.data.feeds.kept_rows import NOTHING_YET
from deepcity.data.findings import Finding
from deepcity.data.load import LoadedPanel
from deepcity.data.panel import Panel
from deepcity.data.tables.wide import column_of
from deepcity.data.timestamps.dst import wall_text

Progress = Callable[[int, int], None]
"""Called with the number of agencies done and their total."""


@dataclass(frozen=True)
class AgencySummary:
    """One agency's panel; `start` and `end` are wall times of its first and last step."""

    name: str
    domain: str
    start: str
    end: str
    step: str
    steps: int
    places: int
    fields: tuple[FieldSummary, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class FileReport:
    """The report on one file.

    Attributes:
        plots: a plot of each field at some places, if requested.
        waiting: feeds of which no row has come yet, which is no problem.
    """

    file: str
    drafted: bool
    agencies: tuple[AgencySummary, ...]
    problems: tuple[Problem, ...]
    plots: tuple[Plot, ...] = ()
    waiting: tuple[Problem, ...] = ()


def check_file(
    path: Path | str, progress: Progress | None = None, *, with_plots: bool = False
) -> FileReport:
    """Check a city file (``.toml``) with all its agencies, or a file of raw records.

    Args:
        path: a file; or, as a text, a database's URL with a table's name behind a ``#``.
    """
    drafted = isinstance(path, str) or path.suffix.lower() != ".toml"
    city_file, problems = _draft_city(path) if drafted else check_city(path)
    if city_file is None and not isinstance(path, str) and all(map(_waits, problems)):
        city_file, problems = check_city(path, later=True)
    if city_file is None:
        return FileReport(str(path), drafted, (), tuple(problems))
    loaded, found = _load(city_file, progress or (lambda _done, _total: None))
    views = [view_of(city_file, name, one.panel, drafted) for name, one in loaded.items()]
    seen = run_rules(views)
    agencies = [_summary(city_file, name, one, seen[name]) for name, one in loaded.items()]
    plots = [
        plot
        for view, agency in zip(views, agencies, strict=True)
        for plot in (plots_of(view, agency.findings) if with_plots else ())
    ]
    waiting = tuple(one for one in found if _waits(one))
    problems = [one for one in found if not _waits(one)]
    return FileReport(str(path), drafted, tuple(agencies), tuple(problems), tuple(plots), waiting)


def _waits(problem: Problem) -> bool:
    """Whether a feed has brought no row yet, which is all that is wrong."""
    return problem.reason == NOTHING_YET


def _draft_city(path: Path | str) -> tuple[CityFile | None, list[Problem]]:
    raw, problems = draft(path)
    file = Path(table_name(path)) if isinstance(path, str) else path
    return (None, problems) if raw is None else check_raw(raw, file)


def _load(city_file: CityFile, progress: Progress) -> tuple[dict[str, LoadedPanel], list[Problem]]:
    """Every agency that loads, and every problem of the others."""
    loaded: dict[str, LoadedPanel] = {}
    found: dict[Problem, None] = {}
    names = [agency.name for agency in city_file.city.agencies]
    for done, name in enumerate(names):
        progress(done, len(names))
        try:
            loaded[name] = load_with_findings(city_file, name)
        except DataError as error:
            found.update(dict.fromkeys(error.problems))  # agencies of one source share problems
    return loaded, list(found)


def view_of(city_file: CityFile, name: str, panel: Panel, drafted: bool = False) -> View:
    """An agency's panel as input of the checks in `deepcity.data.check.rules`.

    Args:
        drafted: the city file was drafted automatically, so units and time zone are guesses.
    """
    settings = next(entry for entry in city_file.settings.agency if entry.name == name)
    units = tuple(
        field.unit if field.cumulative else field.unit_of_records for field in settings.fields
    )
    column_NF = _columns(city_file, settings, panel)
    headers_F = tuple(_headers(city_file, settings, f, panel) for f in settings.fields)
    return View(name, panel, units, drafted, column_NF, headers_F)


def _places(settings: AgencySettings, panel: Panel) -> tuple[PlaceSettings, ...]:
    return settings.places or tuple(PlaceSettings(id=place.id) for place in panel.places)


def _headers(
    city_file: CityFile, settings: AgencySettings, field: FieldSettings, panel: Panel
) -> dict[int, str]:
    """Place -> header of its column; empty where values are scaled, coded or counted."""
    layout = city_file.sources[field.source].layout
    if (
        field.scale != 1
        or field.offset
        or field.codes
        or field.cumulative
        or layout is Layout.EVENTS
    ):
        return {}
    if layout is Layout.WIDE:
        return {n: column_of(field, place) for n, place in enumerate(_places(settings, panel))}
    return dict.fromkeys(range(len(panel.places)), field.column or field.name)


def _columns(city_file: CityFile, settings: AgencySettings, panel: Panel) -> Ints | None:
    """Column number of each place's field in its file, (N, F); None unless all are wide tables."""
    sources = [city_file.sources[field.source] for field in settings.fields]
    if any(source.layout is not Layout.WIDE for source in sources):
        return None
    places = _places(settings, panel)
    columns: dict[str, int] = {}
    for source in {source.name: source for source in sources}.values():
        for name in read_columns(source, city_file.path.parent):
            columns.setdefault(f"{source.name}/{name}", len(columns))
    return np.array(
        [
            [
                columns.get(f"{f.source}/{column_of(f, place)}", len(columns))
                for f in settings.fields
            ]
            for place in places
        ]
    )


def _summary(
    city_file: CityFile, name: str, loaded: LoadedPanel, seen: Sequence[Finding]
) -> AgencySummary:
    panel = loaded.panel
    local = panel.clock.local_seconds(panel.time_T[[0, -1]])
    return AgencySummary(
        name=name,
        domain=city_file.city.agency(name).domain,
        start=wall_text(local[0]),
        end=wall_text(local[1]),
        step=duration_text(panel.clock.step_s),
        steps=len(panel.time_T),
        places=len(panel.places),
        fields=tuple(summary_of(panel, index) for index in range(len(panel.fields))),
        findings=(*loaded.findings, *seen),
    )
