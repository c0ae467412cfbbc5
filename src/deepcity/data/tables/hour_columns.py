"""Fields that are read from one column of hours: a row a day is then no record of the day."""

from collections.abc import Sequence
from pathlib import Path

from deepcity.data.config.settings import FieldSettings
from deepcity.data.config.source import SourceSettings
from deepcity.data.connectors import read_columns
from deepcity.data.findings import IssueLog
from deepcity.data.tables.batches import value_column
from deepcity.data.timestamps.hour_headers import HourHeaders, find_hours


def check_hour_columns(
    source: SourceSettings, folder: Path, fields: Sequence[FieldSettings], issues: IssueLog
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
        right = f"remove column (and spread), and set time.hour_columns = {setting_text(hours)}"
        issues.problem(f"{field.name}.column", shown, reason, right)


def setting_text(hours: HourHeaders) -> str:
    """What a city file states of columns of hours."""
    starts = f', starts = "{hours.starts}"' if hours.starts_s else ""
    return f'{{ first = "{hours.columns[0]}", last = "{hours.columns[-1]}"{starts} }}'
