"""What a file of records or a city file holds, summed up for people and scripts."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepcity.city.errors import DataError
from deepcity.city.problem import Problem
from deepcity.data.city_file import CityFile, check_city, check_raw, load_with_findings
from deepcity.data.draft import draft
from deepcity.data.duration import duration_text
from deepcity.data.findings import Finding
from deepcity.data.load import Loaded
from deepcity.data.panel import Panel
from deepcity.data.settle import wall_text

Progress = Callable[[int, int], None]
"""Told how many agencies of how many are done."""


@dataclass(frozen=True)
class FieldSummary:
    """One field's values over all places and steps; None where nothing was measured."""

    name: str
    kind: str
    unit: str
    missing: float
    low: float | None
    median: float | None
    high: float | None


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
    """All there is to say of one file."""

    file: str
    drafted: bool
    agencies: tuple[AgencySummary, ...]
    problems: tuple[Problem, ...]


def check_file(path: Path, progress: Progress | None = None) -> FileReport:
    """Check a city file (``.toml``) with all its agencies, or a file of raw records."""
    drafted = path.suffix.lower() != ".toml"
    city_file, problems = _draft_city(path) if drafted else check_city(path)
    if city_file is None:
        return FileReport(str(path), drafted, (), tuple(problems))
    agencies: list[AgencySummary] = []
    found: dict[Problem, None] = {}
    names = [agency.name for agency in city_file.city.agencies]
    for done, name in enumerate(names):
        if progress is not None:
            progress(done, len(names))
        try:
            agencies.append(_summary(city_file, name, load_with_findings(city_file, name)))
        except DataError as error:
            found.update(dict.fromkeys(error.problems))  # agencies of one source share problems
    return FileReport(str(path), drafted, tuple(agencies), tuple(found))


def _draft_city(path: Path) -> tuple[CityFile | None, list[Problem]]:
    raw, problems = draft(path)
    return (None, problems) if raw is None else check_raw(raw, path)


def _summary(city_file: CityFile, name: str, loaded: Loaded) -> AgencySummary:
    panel = loaded.panel
    local = panel.clock.local_seconds(panel.time_T[[0, -1]])
    return AgencySummary(
        name=name,
        domain=city_file.city.agency(name).domain.value,
        start=wall_text(local[0]),
        end=wall_text(local[1]),
        step=duration_text(panel.clock.step_s),
        steps=len(panel.time_T),
        places=len(panel.places),
        fields=tuple(_field(panel, index) for index in range(len(panel.fields))),
        findings=loaded.findings,
    )


def _field(panel: Panel, index: int) -> FieldSummary:
    field = panel.fields[index]
    values = panel.values_TNF[:, :, index]
    known = values[np.isfinite(values)].astype(np.float64)
    missing = 1.0 - known.size / values.size
    if not known.size:
        return FieldSummary(field.name, field.kind.value, field.unit, missing, None, None, None)
    low, median, high = (float(x) for x in np.quantile(known, (0.0, 0.5, 1.0)))
    return FieldSummary(field.name, field.kind.value, field.unit, missing, low, median, high)
