"""A table and how it is read, as evidence: what remedies read again in another way."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deepcity.city.clock import Clock
from deepcity.data.config.grid_settings import GridSettings
from deepcity.data.config.settings import FieldSettings, PlaceSettings
from deepcity.data.config.source import SourceSettings
from deepcity.data.findings import IssueLog
from deepcity.data.tables.records import Records

SAMPLE_ROWS = 100_000


@dataclass(frozen=True)
class TableRead:
    """What `read_records` was given.

    Attributes:
        source: where the rows are from; relative paths start at `folder`.
        clock: has the step to resample them to.
        fields: what is read.
        places: those of the agency.
        grid: cells used as places, if they are.
    """

    source: SourceSettings
    folder: Path
    clock: Clock
    fields: tuple[FieldSettings, ...]
    places: tuple[PlaceSettings, ...]
    grid: GridSettings | None

    def timed(self, **settings: object) -> SourceSettings:
        """The source with other settings of its times."""
        assert self.source.time is not None
        return self.source.model_copy(update={"time": self.source.time.model_copy(update=settings)})

    def read(
        self,
        source: SourceSettings,
        fields: Sequence[FieldSettings] | None = None,
        *,
        whole: bool = False,
    ) -> tuple[Records | None, IssueLog]:
        """The records of a changed source, and their issues.

        Args:
            whole: all rows, not the first ones alone.
        """
        from deepcity.data.tables.read import read_records  # imports what tries remedies

        issues = IssueLog("")
        records = read_records(
            source,
            self.folder,
            self.clock,
            fields=self.fields if fields is None else fields,
            places=self.places,
            issues=issues,
            grid=self.grid,
            max_rows=None if whole else SAMPLE_ROWS,
        )
        return records, issues
