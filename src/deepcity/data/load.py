"""Loads one agency's panel: reads its sources, resamples them to the clock's step, joins them.

Shapes: T steps, N places, F fields.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import numpy as np

from deepcity.city.agency import Agency
from deepcity.city.arrays import Doubles, Floats
from deepcity.city.clock import Clock
from deepcity.city.errors import DataError
from deepcity.city.field import Resample
from deepcity.city.problem import Problem
from deepcity.data.check.panel_rules import find_warnings
from deepcity.data.config.duration import duration_text
from deepcity.data.config.settings import AgencySettings, FieldSettings, PlaceSettings
from deepcity.data.config.source import Layout, SourceSettings
from deepcity.data.connectors.many_files import files_text
from deepcity.data.domains import domains
from deepcity.data.errors import ReadError
from deepcity.data.findings import Finding, IssueLog, Severity
from deepcity.data.panel import Panel
from deepcity.data.places.find_places import places_in
from deepcity.data.remedies import next_step, trials
from deepcity.data.remedies.clock_step import UnfitSteps
from deepcity.data.remedies.spread import CoarseRows
from deepcity.data.tables.adjacency import read_adjacency
from deepcity.data.tables.read import read_records
from deepcity.data.tables.records import Records, check_off_step, resample_rule
from deepcity.data.timestamps.resample import (
    MIN_MEASURED_SHARE,
    Grid,
    forward_fill,
    grid_over,
    onto_grid,
    steps_divide,
)
from deepcity.data.wrong_names import blame_setting

CELLS_PER_CHUNK = 2_000_000


@dataclass(frozen=True)
class LoadedPanel:
    """A panel, with everything noticed, masked or dropped while loading it.

    Attributes:
        findings: all.
        of_reading: those that only who reads the sources can find; the panel shows the others.
    """

    panel: Panel
    findings: tuple[Finding, ...]
    of_reading: tuple[Finding, ...]


@dataclass(frozen=True)
class _Part:
    """One source's records of some of the fields."""

    positions: tuple[int, ...]
    fields: tuple[FieldSettings, ...]
    source: SourceSettings
    records: Records


def load_agency(
    agency: Agency,
    settings: AgencySettings,
    sources: Mapping[str, SourceSettings],
    folder: Path,
    clock: Clock,
    city_file: str = "",
) -> LoadedPanel:
    """Read an agency's sources into one panel.

    Args:
        agency: its places and fields, in the panel's order.
        settings: where its values are read from.
        sources: the city file's sources by name.
        folder: where relative paths start.
        clock: the city's.
        city_file: its name, for problems with names that it gives; empty: there is none.

    Raises:
        DataError: with every problem of all its sources.
    """
    clock = clock if settings.step is None else replace(clock, step=settings.step)
    places = settings.places or tuple(PlaceSettings(id=place.id) for place in agency.places)
    parts: list[_Part] = []
    issue_logs: list[IssueLog] = []
    problems: list[Problem] = []
    blamed = partial(blame_setting, city_file=city_file, agency=settings)
    readings = [_reading(field, sources[field.source]) for field in settings.fields]
    for reading in dict.fromkeys(readings):
        source, issues = sources[reading[0]], IssueLog(source_file(sources[reading[0]]))
        chosen = [(f, one) for f, one in enumerate(settings.fields) if readings[f] == reading]
        fields = tuple(field for _, field in chosen)
        records = read_records(
            source, folder, clock, fields=fields, places=places, issues=issues, grid=settings.grid
        )
        if records is not None:
            _check_steps(records, source, fields, clock, issues)
            parts.append(_Part(tuple(f for f, _ in chosen), fields, source, records))
        issue_logs.append(issues)
        problems += [blamed(one, source=source, fields=fields) for one in issues.problems]
    adjacency_NN = None
    if settings.adjacency is not None:
        source = sources[settings.adjacency.source]
        issues = IssueLog(source_file(source))
        adjacency_NN = _adjacency(settings, places, sources, folder, issues)
        issue_logs.append(issues)
        problems += [blamed(one, source=source, fields=()) for one in issues.problems]
    if problems:
        raise DataError(problems)
    panel = replace(_join(parts, agency, clock), adjacency_NN=adjacency_NN)
    of_reading = tuple(finding for issues in issue_logs for finding in issues.findings)
    others = domains()[agency.domain].find_warnings(agency) + panel_warnings(panel, settings)
    return LoadedPanel(panel, (*of_reading, *others), of_reading)


def _reading(field: FieldSettings, source: SourceSettings) -> tuple[str, str]:
    """Fields of one key are read together: a source's, of a long table those of the same rows.

    Two rows of one time, IN and OUT, are thus one row each for the fields that want one of them.
    """
    return source.name, repr(sorted(field.where.items())) if source.layout is Layout.LONG else ""


def panel_warnings(panel: Panel, settings: AgencySettings) -> list[Finding]:
    """Findings on a panel's values; grid cells without any event give a note, not a warning."""
    found = find_warnings(panel)
    if settings.grid is None:
        return found
    quiet = int((np.nansum(panel.values_TNF, axis=(0, 2)) == 0).sum())
    text = f"no event ever in {quiet:,} of {len(panel.places):,} cells"
    notes = [Finding(Severity.NOTE, "quiet-cells", "grid", quiet, text)] if quiet else []
    return [finding for finding in found if finding.what != "constant"] + notes


def source_file(source: SourceSettings) -> str:
    """The name of a source's file in messages."""
    path = getattr(source, "path", None)
    if isinstance(path, tuple):
        return files_text([Path(one).name for one in path], 1)
    return Path(path).name if isinstance(path, str) else source.name


def _check_steps(
    records: Records,
    source: SourceSettings,
    fields: Sequence[FieldSettings],
    clock: Clock,
    issues: IssueLog,
) -> None:
    """Note how records are resampled to the clock's step, or report why they cannot be."""
    if source.stays is not None:
        _check_stays(source.stays, fields, issues)
        return
    row_step, step = duration_text(records.step_s), duration_text(clock.step_s)
    if records.values_step_s == records.step_s:  # else checked when rows were merged
        check_off_step(records.time_T, records.step_s, clock, issues)
    if not steps_divide(records.step_s, clock.step_s):
        unfit = UnfitSteps((records.step_s,), clock.step_s)
        right = next_step(trials(unfit), "state time.step if rows are further apart than they seem")
        issues.problem(
            "time.step", row_step, f"neither divides nor is divided by the clock's {step}", right
        )
    for field in fields:
        if records.step_s > clock.step_s:
            _check_coarse(CoarseRows(field, records.step_s, clock.step_s, records.times), issues)
        if records.step_s != clock.step_s and (field.spread or records.step_s < clock.step_s):
            text = _resample_text(field.kind.resample, records, clock)
            issues.note("resampled", field.name, records.times, text)


def _check_coarse(coarse: CoarseRows, issues: IssueLog) -> None:
    """Refuse rows coarser than the clock, unless the field spreads them."""
    if coarse.field.spread:
        return
    right = next_step(trials(coarse), "give records of the clock's step")
    reason = f"records are coarser than the clock's {duration_text(coarse.clock_step_s)}"
    issues.problem(coarse.field.name, duration_text(coarse.step_s), reason, right)


def _check_stays(stays: timedelta, fields: Sequence[FieldSettings], issues: IssueLog) -> None:
    longest = duration_text(int(stays.total_seconds()))
    for field in fields:
        if field.kind.resample is Resample.SUM:
            reason = "an additive amount cannot be carried forward"
            right = "remove stays (steps without rows are then missing), or choose another kind"
            issues.problem(f"{field.name}.kind", field.kind.value, reason, right)
        if field.cumulative:
            reason = "differences of a total cannot be carried forward"
            right = "remove stays: the difference over a gap is masked, or divided with spread"
            issues.problem(f"{field.name}.cumulative", True, reason, right)
        text = f"each value is carried forward until the next one, for at most {longest}"
        issues.note("stays", field.name, 1, text)


def _resample_text(rule: Resample, records: Records, clock: Clock) -> str:
    row_step, step = duration_text(records.step_s), duration_text(clock.step_s)
    if records.step_s > clock.step_s:
        done = "divided over" if rule is Resample.SUM else "held over"
        return f"values of {row_step} {done} steps of {step}"
    need = MIN_MEASURED_SHARE[rule]
    least = f"at least {need:.0%} of its rows" if need else "at least one row"
    return f"rows of {row_step} resampled to {step} by {rule.value}; a step needs {least} measured"


def _join(parts: Sequence[_Part], agency: Agency, clock: Clock) -> Panel:
    first_s = min(int(part.records.time_T[0]) for part in parts)
    end_s = max(_end_s(part, clock) for part in parts)
    grid = grid_over(clock, first_s, end_s)
    shape = (grid.steps, len(agency.places), len(agency.fields))
    values_TNF = np.full(shape, np.nan, dtype=np.float32)
    for part in parts:
        for column, (position, field) in enumerate(zip(part.positions, part.fields, strict=True)):
            for chunk in _place_slices(len(part.records.time_T), len(agency.places)):
                values_TNF[:, chunk, position] = _column(part, column, field, grid, chunk)
    return Panel(clock, grid.time_T, agency.places, agency.fields, values_TNF)


def _end_s(part: _Part, clock: Clock) -> int:
    """End of a source's last row; a row coarser than the clock covers several of its steps."""
    records = part.records
    coarser = part.source.stays is None and records.values_step_s > clock.step_s
    return int(records.time_T[-1]) + (records.values_step_s if coarser else 1)


def _place_slices(times: int, places: int) -> Iterator[slice]:
    """Slices of places, as resampling needs about ten times the memory of the result."""
    size = max(1, CELLS_PER_CHUNK // max(1, times))
    return (slice(n, n + size) for n in range(0, places, size))


def _column(part: _Part, column: int, field: FieldSettings, grid: Grid, chunk: slice) -> Doubles:
    records, stays = part.records, part.source.stays
    values_SN = records.values_TNF[:, chunk, column].astype(np.float64)
    rule = resample_rule(field, part.source)
    if stays is None:
        return onto_grid(records.time_T, values_SN, records.values_step_s, rule, grid)
    values_TN = onto_grid(records.time_T, values_SN, grid.step_s, rule, grid)
    return forward_fill(values_TN, int(stays.total_seconds()) // grid.step_s)


def _adjacency(
    settings: AgencySettings,
    places: Sequence[PlaceSettings],
    sources: Mapping[str, SourceSettings],
    folder: Path,
    issues: IssueLog,
) -> Floats | None:
    """The agency's graph, or None where problems were found."""
    assert settings.adjacency is not None
    field = settings.fields[0]
    try:
        return read_adjacency(
            settings.adjacency,
            sources[settings.adjacency.source],
            folder,
            places=[place.key for place in places],
            in_records=lambda: places_in(sources[field.source], field, folder),
            issues=issues,
        )
    except ReadError as error:
        issues.unreadable(error)
        return None
