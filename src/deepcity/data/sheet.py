"""A sheet: a batch of a source's rows, with the settings to parse them and a log of problems.

Shapes: R rows.
"""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from deepcity.city.arrays import Bools, Indices, Ints
from deepcity.city.problem import Cause
from deepcity.data.config.source import SourceSettings
from deepcity.data.config.time_settings import TimeSettings
from deepcity.data.findings import FILE_ROWS, ROWS_SHOWN, IssueLog, rows_text


@dataclass(frozen=True)
class Sheet:
    """Rows being turned into records.

    Attributes:
        frame: the table.
        rows_R: number of each row in the file.
        place_R: number of each row's place (0 throughout in a wide table).
        source: the source's settings.
        time: how the times of its rows are read.
        zone: the zone of times without an offset.
        issues: collects problems and findings.
        rows_before: how many rows of the source precede these, where times are counted by row.
        files: what its files are called, where it has several.
    """

    frame: pl.DataFrame
    rows_R: Ints
    place_R: Ints
    source: SourceSettings
    time: TimeSettings
    zone: str
    issues: IssueLog
    rows_before: int = 0
    files: tuple[str, ...] = ()

    def rows_text(self, positions: Indices) -> str:
        """Row numbers for messages, ascending."""
        return rows_text(np.sort(self.rows_R[positions]), self.source.row_noun, self.files)

    def cause(self, code: str, positions: Indices) -> Cause:
        """What a problem of these rows is about."""
        first = np.sort(self.rows_R[positions])[:ROWS_SHOWN] % FILE_ROWS
        return Cause(code, len(positions), tuple(first.tolist()))

    def keep(self, keep_R: Bools) -> "Sheet":
        """Only the rows where `keep_R` is True."""
        frame = self.frame.filter(pl.Series(keep_R, dtype=pl.Boolean))
        return replace(self, frame=frame, rows_R=self.rows_R[keep_R], place_R=self.place_R[keep_R])
