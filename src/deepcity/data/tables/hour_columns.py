"""Fields that are read from one column of hours: a row a day is then no record of the day."""

from collections.abc import Sequence
from pathlib import Path

from deepcity.city.clock import Clock
from deepcity.data.config.settings import FieldSettings, PlaceSettings
from deepcity.data.config.source import SourceSettings
from deepcity.data.connectors import read_columns
from deepcity.data.findings import IssueLog
from deepcity.data.remedies import next_step, trials
from deepcity.data.remedies.hour_columns import HourAsField
from deepcity.data.tables.batches import value_column
from deepcity.data.timestamps.hour_headers import find_hours


def check_hour_columns(
    source: SourceSettings,
    folder: Path,
    clock: Clock,
    fields: Sequence[FieldSettings],
    places: Sequence[PlaceSettings],
    issues: IssueLog,
) -> None:
    """Report fields of records coarser than the clock that are columns of hours.

    To spread one hour's value over its day would be wrong, so that is not offered.

    Raises:
        ReadError: if the columns cannot be read.
    """
    hours = find_hours(read_columns(source, folder))
    if hours is None:
        return
    found = [field for field in fields if value_column(source, field) in hours.columns]
    for field in found:
        shown = value_column(source, field)
        reason = f"one of {len(hours.columns)} columns of a day's hours"
        evidence = HourAsField(source, folder, clock, (field,), tuple(places), None, hours)
        right = next_step(trials(evidence), "give records of the clock's step")
        issues.problem(f"{field.name}.column", shown, reason, right)
