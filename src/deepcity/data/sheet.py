"""A sheet: one source's rows with what is needed to place them and to tell what is wrong with them.

Shapes: R rows.
"""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from deepcity.data.findings import Notebook, rows_text
from deepcity.data.source import SourceSettings
from deepcity.data.time_settings import TimeSettings


@dataclass(frozen=True)
class Sheet:
    """Rows on their way to become records.

    Attributes:
        frame: the table.
        rows_R: what a reader calls each row.
        place_R: number of the place each row is of (0 throughout in a wide table).
        source: what the city file says of it.
        time: how its rows tell time.
        zone: the zone of times without an offset.
        book: takes problems and findings.
        above: how many rows of the source came before the first of these, where rows tell
            their time by their number.
    """

    frame: pl.DataFrame
    rows_R: NDArray[np.int64]
    place_R: NDArray[np.int64]
    source: SourceSettings
    time: TimeSettings
    zone: str
    book: Notebook
    above: int = 0

    def rows_text(self, positions: NDArray[np.intp]) -> str:
        """Row numbers for people, rising."""
        return rows_text(np.sort(self.rows_R[positions]), self.source.row_word)

    def keep(self, keep_R: NDArray[np.bool_]) -> "Sheet":
        """Only the rows where `keep_R` is True."""
        frame = self.frame.filter(pl.Series(keep_R, dtype=pl.Boolean))
        return replace(self, frame=frame, rows_R=self.rows_R[keep_R], place_R=self.place_R[keep_R])
