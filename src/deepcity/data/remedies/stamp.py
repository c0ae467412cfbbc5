"""`stamp`: hours numbered 1 to 24, which may mark the end of their interval."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from deepcity.city.clock import Clock
from deepcity.data.config.duration import duration_text
from deepcity.data.config.grid_settings import GridSettings
from deepcity.data.config.settings import FieldSettings, PlaceSettings
from deepcity.data.config.source import SourceSettings
from deepcity.data.config.time_settings import Stamp
from deepcity.data.findings import IssueLog
from deepcity.data.remedies import Remedy, Trial
from deepcity.data.remedies.repeated_times import SAMPLE_ROWS


@dataclass(frozen=True)
class HoursTo24:
    """Rows with an hour of 24 and none of 0, of a source that states no stamp.

    Attributes:
        source: where they are from; relative paths start at `folder`.
        clock, fields, places, grid: as of `read_records`.
        step_s: of the rows.
    """

    source: SourceSettings
    folder: Path
    clock: Clock
    fields: tuple[FieldSettings, ...]
    places: tuple[PlaceSettings, ...]
    grid: GridSettings | None
    step_s: int


def _wall_end(evidence: HoursTo24) -> Trial:
    from deepcity.data.tables.read import read_records  # imports what tries remedies

    step = duration_text(evidence.step_s)
    change = f"time.stamp = 'wall_end' and time.step = '{step}'"
    assert evidence.source.time is not None
    update = {"stamp": Stamp.WALL_END, "step": timedelta(seconds=evidence.step_s)}
    time = evidence.source.time.model_copy(update=update)
    issues = IssueLog("")
    records = read_records(
        evidence.source.model_copy(update={"time": time}),
        evidence.folder,
        evidence.clock,
        fields=evidence.fields,
        places=evidence.places,
        issues=issues,
        grid=evidence.grid,
        max_rows=SAMPLE_ROWS,
    )
    if records is None:
        return Trial(change, False, f"then {issues.problems[0].reason}")
    return Trial(change, True, f"if the row of 01:00 holds what was measured in the {step} before")


def _start(evidence: HoursTo24) -> Trial:
    return Trial("time.stamp = 'start'", True, "if it holds what was measured from 01:00 on")


REMEDIES = (
    Remedy("stamp-wall-end", HoursTo24, _wall_end),
    Remedy("stamp-start", HoursTo24, _start),
)
