"""Several rows for one time and place, as evidence, and `time.duplicates`.

One of them may be kept where they are the same in every column. Where another column tells them
apart, they are no repetitions: IN and OUT of one gate, or sensors whose place is not stated.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import polars as pl

from deepcity.city.problem import Change, Trial
from deepcity.data.config.time_settings import Duplicates
from deepcity.data.connectors import read_batches, read_columns
from deepcity.data.errors import ReadError
from deepcity.data.observations import RepeatedRows
from deepcity.data.remedies import Remedy
from deepcity.data.remedies.table_read import SAMPLE_ROWS, TableRead

MIN_FILLED = 0.5  # least share of all pairs of a time and a value of a column that have a row
_ROW = "row of the sample"


@dataclass(frozen=True)
class RepeatedTimes(TableRead):
    """Rows that share a time and a place, and how they are read.

    Attributes:
        seen: how many, and what their values add up to.
    """

    seen: RepeatedRows

    @cached_property
    def keys(self) -> list[str]:
        """The columns that should tell the rows apart."""
        time = self.source.time
        names = [*(time.of_rows.names if time else ())]
        names += [self.source.place] if self.source.place else []
        return list(dict.fromkeys(names))

    @cached_property
    def sample(self) -> pl.DataFrame:
        """Some rows with all columns of the source; empty if they cannot be read."""
        try:
            columns = read_columns(self.source, self.folder)
            for table in read_batches(self.source, self.folder, columns):
                return table.frame.head(SAMPLE_ROWS)
        except ReadError:
            pass
        return pl.DataFrame(schema=dict.fromkeys(self.keys, pl.String))

    @cached_property
    def repeated(self) -> pl.DataFrame:
        """The rows of the sample that share their keys."""
        if not self.keys or not self.sample.height:
            return self.sample.clear()
        return self.sample.filter(self.sample.select(self.keys).is_duplicated())

    @cached_property
    def telling(self) -> str | None:
        """Another column that tells such rows apart, as an id or a direction does."""
        frame = self.repeated
        if not frame.height:
            return None
        keys = self.sample.select(self.keys).n_unique()
        for name in [name for name in frame.columns if name not in self.keys]:
            pairs = keys * max(1, self.sample[name].n_unique())
            filled = self.sample.height >= MIN_FILLED * pairs
            if filled and not frame.select([*self.keys, name]).is_duplicated().any():
                return name
        return None

    @property
    def keeps_last(self) -> bool:
        """Whether the last row of a time is kept, else the first."""
        time = self.source.time
        return time is not None and time.duplicates is Duplicates.LAST

    @cached_property
    def lost(self) -> list[str]:
        """Values of the telling column, such as ids, of which no row is kept."""
        if self.telling is None:
            return []
        keep: Literal["first", "last"] = "last" if self.keeps_last else "first"
        kept = self.repeated.unique(self.keys, keep=keep, maintain_order=True)
        names = self.repeated[self.telling].cast(pl.String).drop_nulls()
        left = set(kept[self.telling].cast(pl.String).to_list())
        return [name for name in names.unique(maintain_order=True).to_list() if name not in left]

    @property
    def names(self) -> str:
        """What the telling column holds, the first few."""
        column = self.sample[self.telling or self.keys[0]].cast(pl.String).drop_nulls()
        found = column.unique(maintain_order=True)
        more = f" and {len(found) - 4:,} more" if len(found) > 4 else ""
        return f"{', '.join(found.head(4).to_list())}{more}"


def _attempt(evidence: RepeatedTimes) -> Trial | None:
    seen = evidence.seen
    if seen.agreeing == seen.times and evidence.telling is None:
        first = Change({"time.duplicates": ("first",)})
        return Trial(first, True, "rows of one time hold the same values")
    change = Change({"time.duplicates": ("mask", "first", "last")})
    dropped = f"{seen.rows - seen.times:,} of {seen.rows:,} rows would be dropped"
    totals = (
        f"of their total {seen.total:,.6g} 'first' keeps {seen.first:,.6g} and 'last' "
        f"{seen.last:,.6g}"
    )
    masked = f"'mask' drops the values of {seen.times - seen.agreeing:,} times"
    if evidence.telling is not None:
        what = f"those that {evidence.telling} tells apart ({evidence.names})"
        return Trial(change, False, f"{dropped}, {what}: {totals}; {masked}")
    return Trial(change, False, f"{dropped}: {totals}; {masked}")


REMEDIES = (Remedy("duplicates", RepeatedTimes, _attempt),)
