"""`duplicates = "sum"`: adds up rows of one time and place, such as IN and OUT of a gate.

Offered for amounts only, where a column of few texts tells the rows apart, and if reading the
table so gives their whole total at as many times.
"""

import math

import numpy as np
import polars as pl

from deepcity.city.field import Resample
from deepcity.city.problem import Change, Trial
from deepcity.data.config.settings import FieldSettings
from deepcity.data.config.source import Layout
from deepcity.data.config.time_settings import Duplicates
from deepcity.data.places.place_ids import place_ids, place_numbers
from deepcity.data.remedies import Remedy
from deepcity.data.remedies.repeated_times import RepeatedTimes
from deepcity.data.tables.numbers import read_numbers

MAX_NAMES = 12  # a column of more values holds ids, whose rows are not to be added up
DOUBTS = {"equal-summed", "uneven-sums"}  # warnings on rows that may be there twice
_CHANGE = Change({"time.duplicates": ("sum",)})


def _attempt(evidence: RepeatedTimes) -> Trial | None:
    if not _may_be_parts(evidence):
        return None
    assert evidence.telling is not None
    names = evidence.sample[evidence.telling].n_unique()
    if names > MAX_NAMES:
        return Trial(_CHANGE, False, f"{names:,} values of {evidence.telling} become one place")
    total, doubts = _summed(evidence)
    rows = sum(_sum_of(evidence, one) for one in evidence.fields)
    if doubts:
        return Trial(_CHANGE, False, f"some would count twice: {doubts[0]}")
    if not math.isclose(total, rows, rel_tol=1e-6):
        return Trial(_CHANGE, False, f"a total of {total:,.6g} instead of {rows:,.6g}")
    effect = f"rows that {evidence.telling} tells apart ({evidence.names}) are added up"
    return Trial(_CHANGE, True, f"{effect}, {total:,.6g} in all")


def _may_be_parts(evidence: RepeatedTimes) -> bool:
    """Whether rows are amounts that a column tells apart, and this column is not the place."""
    source = evidence.source
    placed = source.layout is Layout.LONG or len(evidence.places) > 1
    additive = all(one.kind.resample is Resample.SUM for one in evidence.fields)
    return (
        evidence.telling is not None
        and source.layout is not Layout.EVENTS
        and source.stays is None
        and placed
        and additive
        and not any(one.cumulative for one in evidence.fields)
    )


def _sum_of(evidence: RepeatedTimes, field: FieldSettings) -> float:
    """What the cells of the agency's places in the sample add up to, in the records' unit."""
    from deepcity.data.tables.wide import column_of  # imports what tries remedies

    sample, source, keys = evidence.sample, evidence.source, [one.key for one in evidence.places]
    columns = [column_of(field, place) for place in evidence.places]
    if source.layout is Layout.LONG:
        columns = [field.column or field.name]
        wanted = place_numbers(place_ids(sample[source.place or ""]), dict.fromkeys(keys, 0)) >= 0
        sample = sample.filter(pl.Series(wanted, dtype=pl.Boolean))
    values = [
        read_numbers(sample[name], source.numbers).values_R * field.scale + field.offset
        for name in dict.fromkeys(columns)
        if name in sample.columns
    ]
    return float(sum(np.nansum(values_R) for values_R in values))


def _summed(evidence: RepeatedTimes) -> tuple[float, list[str]]:
    """The total of the rows when they are added up, NaN if they cannot be; and what is doubtful."""
    fields = [one.model_copy(update={"unit_in": None}) for one in evidence.fields]
    records, issues = evidence.read(evidence.timed(duplicates=Duplicates.SUM), fields)
    doubts = [finding.text for finding in issues.findings if finding.what in DOUBTS]
    return (math.nan if records is None else float(np.nansum(records.values_TNF))), doubts


REMEDIES = (Remedy("sum", RepeatedTimes, _attempt),)
