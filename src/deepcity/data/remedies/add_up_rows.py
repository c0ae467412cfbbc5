"""`layout = "events"`: adds up rows of one time and place, such as IN and OUT of a gate.

Offered for amounts only, where a column tells the rows apart, and if reading the table so gives
their whole total and no time that has no rows.
"""

import math

import numpy as np

from deepcity.city.field import Resample
from deepcity.data.config.settings import FieldSettings
from deepcity.data.config.source import Layout
from deepcity.data.findings import IssueLog
from deepcity.data.remedies import Remedy, Trial
from deepcity.data.remedies.repeated_times import SAMPLE_ROWS, RepeatedTimes
from deepcity.data.tables.numbers import read_numbers

MAX_NAMES = 12  # a column of more values holds ids, whose rows are not to be added up


def _attempt(evidence: RepeatedTimes) -> Trial | None:
    source = evidence.source
    if source.layout is not Layout.LONG or evidence.telling is None or source.stays is not None:
        return None
    change = "layout = 'events'"
    unnamed = [one.name for one in evidence.fields if one.column is None]
    change += f", with column = '{unnamed[0]}' in the field" if unnamed else ""
    if any(one.kind.resample is not Resample.SUM for one in evidence.fields):
        return None
    names = evidence.sample[evidence.telling].n_unique()
    if names > MAX_NAMES:
        return Trial(change, False, f"{names:,} values of {evidence.telling} become one place")
    total, times = _total_and_times(evidence)
    sample = evidence.sample
    rows = sum(_sum_of(evidence, one) for one in evidence.fields)
    known = sample.select(evidence.source.time.names if evidence.source.time else []).n_unique()
    if not math.isclose(total, rows, rel_tol=1e-6):
        return Trial(change, False, f"a total of {total:,.6g} instead of {rows:,.6g}")
    if times > known:
        return Trial(change, False, f"{times - known:,} times without rows would count 0")
    effect = f"rows that {evidence.telling} tells apart ({evidence.names}) are added up"
    return Trial(change, True, f"{effect}, {total:,.6g} in all")


def _sum_of(evidence: RepeatedTimes, field: FieldSettings) -> float:
    """What the rows of the agency's places in the sample add up to."""
    sample, style = evidence.sample, evidence.source.numbers
    wanted = [place.key for place in evidence.places]
    if evidence.source.place is not None and wanted:
        sample = sample.filter(sample[evidence.source.place].cast(str).is_in(wanted))
    values = read_numbers(sample[field.column or field.name], style).values_R
    return float(np.nansum(values * field.scale + field.offset))


def _total_and_times(evidence: RepeatedTimes) -> tuple[float, int]:
    """The total and the number of times when rows are added up; NaN if they cannot be."""
    from deepcity.data.tables.read import read_records  # imports what tries remedies

    fields = [
        one.model_copy(update={"column": one.column or one.name, "unit_in": None, "unit": one.unit})
        for one in evidence.fields
    ]
    records = read_records(
        evidence.source.model_copy(update={"layout": Layout.EVENTS}),
        evidence.folder,
        evidence.clock,
        fields=fields,
        places=evidence.places,
        issues=IssueLog(""),
        grid=evidence.grid,
        max_rows=SAMPLE_ROWS,
    )
    if records is None:
        return math.nan, 0
    return float(np.nansum(records.values_TNF)), len(records.time_T)


REMEDIES = (Remedy("add-up-rows", RepeatedTimes, _attempt),)
