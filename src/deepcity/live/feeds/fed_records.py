"""An agency's records from rows that come: as they come, without those before them.

Of new rows, the hours that they touch are read again with all rows there, a few hours around them
for steps that reach over, and nothing else. That is right where a step's value depends on the rows
of that step alone; other agencies' rows are read whole whenever some are new
(`deepcity.data.follow`).
"""

from dataclasses import dataclass, field
from pathlib import Path

from deepcity.city.clock import DAY_S
from deepcity.city.errors import DataError
from deepcity.data.city_file import CityFile
from deepcity.data.config.settings import AgencySettings
from deepcity.data.feeds.settings import FeedSettings
from deepcity.data.findings import Finding
from deepcity.data.load import load_agency
from deepcity.data.panel import Panel
from deepcity.live.feeds.row_reader import HOUR_S, RowReader, clusters
from deepcity.live.node.records.record_sources import FollowedRecords, part, steps_over


@dataclass
class FedRecords:
    """Rows of one feed; use `fed_records`.

    Attributes:
        city_file, agency: whose.
        folder: for copies of rows.
        source: the feed's settings.
        reader: of its rows.
        whole: the same records, read whole at each change: where rows cannot be read in parts.
        step_s: of the agency.
    """

    city_file: CityFile
    agency: str
    folder: Path
    source: FeedSettings
    reader: RowReader
    whole: FollowedRecords
    step_s: int
    _waiting: set[int] = field(default_factory=set)
    _ahead: set[int] = field(default_factory=set)
    _over: int = 0
    _begun: bool = False
    _only_whole: bool = False

    @property
    def trouble(self) -> str:
        """What prevents rows from coming."""
        return self.whole.trouble

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was noticed when all rows were read; of new ones, their door checks each."""
        return self.whole.findings

    @property
    def around(self) -> int:
        """Hours around a row's own that a step with it may touch."""
        return 1 + -(-self.step_s // HOUR_S)

    def poll(self, now_s: int) -> Panel | None:
        """Steps that are over with new rows, one span at a time; all at the first time.

        Raises:
            DataError: with every problem of the rows; from then on they are read whole, until
                that succeeds.
        """
        if self._only_whole:
            return self._read_whole(now_s)
        try:
            found = self.reader.poll()
            if found is None:
                return self._all(now_s)
            return self._new(found, now_s)
        except (DataError, ValueError):
            self._only_whole = True
            self.reader.close()
            return self._read_whole(now_s)

    def close(self) -> None:
        """Close all files."""
        self.reader.close()
        self.whole.close()

    def _read_whole(self, now_s: int) -> Panel | None:
        """All rows, if they have changed; the next look is for those that are new again."""
        panel = self.whole.poll(now_s)
        self._only_whole = panel is None
        return panel

    def _all(self, now_s: int) -> Panel | None:
        """All rows; of a spool that has dropped its older half, but for the steps it cut."""
        first, last, around = self.reader.first_hour, self.reader.last_hour, self.around
        self.reader.copy(self._path())
        panel = self._loaded()
        if panel is None:
            return None
        since_s = (first + around) * HOUR_S if self._begun else first * HOUR_S - self.step_s
        self._begun, self._over, self._waiting = True, now_s // self.step_s, set()
        self._ahead = set(range(max(first, now_s // HOUR_S - around), last + 1))
        return part(panel, since_s, steps_over(panel, now_s))

    def _new(self, hours: set[int], now_s: int) -> Panel | None:
        self._begun |= bool(hours)
        self._waiting |= hours
        if now_s // self.step_s > self._over:
            self._over = now_s // self.step_s
            self._waiting |= self._ahead
            self._ahead = set()
        around = self.around
        for cluster in clusters(self._waiting, 4 * around):
            self._waiting -= set(cluster)
            self._ahead |= {hour for hour in cluster if (hour + 1 + around) * HOUR_S > now_s}
            panel = self._of_hours(cluster[0] - 2 * around, cluster[-1] + 2 * around)
            if panel is None:
                continue
            begin_s = (cluster[0] - around) * HOUR_S
            end_s = min((cluster[-1] + 1 + around) * HOUR_S, steps_over(panel, now_s))
            found = part(panel, begin_s, end_s)
            if len(found.time_T):
                return found
        return None

    def _of_hours(self, first: int, last: int) -> Panel | None:
        rows = self.reader.rows(range(first, last + 1))
        with self._path().open("wb") as file:
            file.writelines([self.reader.header, *rows])
        return self._loaded()

    def _path(self) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / f"{self.source.name}.csv"

    def _loaded(self) -> Panel | None:
        """The panel of the rows in the copy; None if none is of this agency's places."""
        path = self._path().absolute()
        sources = dict(self.city_file.sources)
        sources[self.source.name] = self.source.model_copy(update={"path": str(path)})
        agency = self.city_file.city.agency(self.agency)
        settings = _settings(self.city_file, self.agency)
        folder, clock = self.city_file.path.parent, self.city_file.city.clock
        try:
            return load_agency(agency, settings, sources, folder, clock).panel
        except DataError as error:
            if all(one.key == "places" for one in error.problems):
                return None
            raise


def fed_records(
    city_file: CityFile, agency: str, folder: Path, whole: FollowedRecords
) -> FedRecords | None:
    """An agency's records as rows come; None where a step depends on other rows than its own.

    That is so of running totals, of values that stay until the next one, of rows coarser than the
    clock, and of agencies with several sources.
    """
    settings = _settings(city_file, agency)
    step = settings.step or city_file.city.clock.step
    sources = [city_file.sources[name] for name in {one.source for one in settings.fields}]
    if len(sources) != 1 or not isinstance(source := sources[0], FeedSettings):
        return None
    time = source.time_as_read
    assert time is not None
    coarse = time.step is not None and time.step > step
    totals = any(one.cumulative for one in settings.fields)
    if coarse or totals or source.stays is not None or settings.grid is not None:
        return None
    if step.total_seconds() > DAY_S:
        return None
    reader = RowReader(source.spool_path(city_file.path.parent), time.names[0])
    return FedRecords(city_file, agency, folder, source, reader, whole, int(step.total_seconds()))


def _settings(city_file: CityFile, agency: str) -> AgencySettings:
    return next(one for one in city_file.settings.agency if one.name == agency)
