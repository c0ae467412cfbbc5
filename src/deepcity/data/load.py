"""One agency's panel: its sources read, brought to the clock's step, and laid side by side.

Shapes: T steps, N places, F fields.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepcity.city.agency import Agency
from deepcity.city.clock import Clock
from deepcity.city.errors import DataError
from deepcity.city.field import Resample
from deepcity.data.domains import domains
from deepcity.data.duration import duration_text
from deepcity.data.findings import Finding, Notebook
from deepcity.data.look import look_at
from deepcity.data.panel import Panel
from deepcity.data.records import Records, read_records
from deepcity.data.resample import NEEDED, Grid, fits, grid_over, onto_grid
from deepcity.data.settings import AgencySettings, FieldSettings, PlaceSettings
from deepcity.data.source import SourceSettings


@dataclass(frozen=True)
class Loaded:
    """A panel, and everything noticed, masked or dropped on the way to it."""

    panel: Panel
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class _Part:
    """What one source gave for some of the fields."""

    positions: tuple[int, ...]
    fields: tuple[FieldSettings, ...]
    records: Records


def load_agency(
    agency: Agency,
    settings: AgencySettings,
    sources: Mapping[str, SourceSettings],
    folder: Path,
    clock: Clock,
) -> Loaded:
    """Read an agency's sources into one panel.

    Args:
        agency: its places and fields, in the panel's order.
        settings: where its values stand.
        sources: the city file's sources by name.
        folder: where relative paths start.
        clock: the city's.

    Raises:
        DataError: with every problem of all its sources.
    """
    places = settings.places or tuple(PlaceSettings(id=place.id) for place in agency.places)
    parts: list[_Part] = []
    books: list[Notebook] = []
    for name in dict.fromkeys(field.source for field in settings.fields):
        source, book = sources[name], Notebook(source_file(sources[name]))
        chosen = [(f, field) for f, field in enumerate(settings.fields) if field.source == name]
        fields = tuple(field for _, field in chosen)
        records = read_records(
            source, folder, clock.time_zone, fields=fields, places=places, book=book
        )
        if records is not None:
            _see_steps(records, fields, clock, book)
            parts.append(_Part(tuple(f for f, _ in chosen), fields, records))
        books.append(book)
    problems = [problem for book in books for problem in book.problems]
    if problems:
        raise DataError(problems)
    panel = _join(parts, agency, clock)
    findings = [finding for book in books for finding in book.findings]
    findings += domains()[agency.domain].look_at(agency) + look_at(panel)
    return Loaded(panel, tuple(findings))


def source_file(source: SourceSettings) -> str:
    """What to call a source's file when telling of it."""
    path = getattr(source, "path", None)
    return Path(path).name if isinstance(path, str) else source.name


def _see_steps(
    records: Records, fields: Sequence[FieldSettings], clock: Clock, book: Notebook
) -> None:
    """Tell how records reach the clock's step, or why they cannot."""
    own, step = duration_text(records.step_s), duration_text(clock.step_s)
    off = int(((records.time_T - records.time_T[0]) % min(records.step_s, clock.step_s) != 0).sum())
    if off:
        text = f"{off:,} times stand between steps of {own}; each counts for the step it falls in"
        book.note("off-step", "time", off, text)
    if not fits(records.step_s, clock.step_s):
        right = "choose a clock.step that one divides the other, or state time.step"
        book.problem(
            "time.step", own, f"neither divides nor is divided by the clock's {step}", right
        )
    for field in fields:
        rule = field.kind.resample
        if records.step_s > clock.step_s and not field.spread:
            done = "divided over" if rule is Resample.SUM else "held over"
            right = (
                f"say spread = true (each value is then {done} its steps), or a longer clock.step"
            )
            book.problem(field.name, own, f"records are coarser than the clock's {step}", right)
        elif records.step_s != clock.step_s:
            book.note("resampled", field.name, len(records.time_T), _how(rule, records, clock))


def _how(rule: Resample, records: Records, clock: Clock) -> str:
    own, step = duration_text(records.step_s), duration_text(clock.step_s)
    if records.step_s > clock.step_s:
        done = "divided over" if rule is Resample.SUM else "held over"
        return f"values of {own} {done} steps of {step}"
    need = NEEDED[rule]
    least = f"at least {need:.0%} of its rows" if need else "at least one row"
    return f"rows of {own} brought to {step} by {rule.value}; a step needs {least} measured"


def _join(parts: Sequence[_Part], agency: Agency, clock: Clock) -> Panel:
    first_s = min(int(part.records.time_T[0]) for part in parts)
    end_s = max(int(part.records.time_T[-1]) + part.records.step_s for part in parts)
    grid = grid_over(clock, first_s, end_s)
    shape = (grid.steps, len(agency.places), len(agency.fields))
    values_TNF = np.full(shape, np.nan, dtype=np.float32)
    for part in parts:
        for column, (position, field) in enumerate(zip(part.positions, part.fields, strict=True)):
            values_TNF[:, :, position] = _column(part.records, column, field, grid)
    return Panel(clock, grid.time_T, agency.places, agency.fields, values_TNF)


def _column(records: Records, column: int, field: FieldSettings, grid: Grid) -> NDArray[np.float64]:
    values_SN = records.values_TNF[:, :, column]
    return onto_grid(records.time_T, values_SN, records.step_s, field.kind.resample, grid)
