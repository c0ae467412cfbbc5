"""An agency's panel, updated as new records arrive at the sources of its city file.

A plain CSV file is followed line by line; any other file is read again when it has changed,
and a query is run at every poll. New rows pass the same checks as in a first load.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from glob import has_magic
from pathlib import Path

from deepcity.city.errors import DataError
from deepcity.city.problem import Cause, Problem
from deepcity.data.city_file import CityFile
from deepcity.data.config.source import SourceSettings
from deepcity.data.connectors.csv import CsvSettings
from deepcity.data.connectors.location import PACKAGE
from deepcity.data.connectors.many_files import FileSettings, expand
from deepcity.data.encodings.names import is_wide
from deepcity.data.errors import ReadError
from deepcity.data.feeds.settings import FeedSettings
from deepcity.data.file_state import file_state
from deepcity.data.findings import Finding
from deepcity.data.follow.tail import Tail
from deepcity.data.load import load_agency
from deepcity.data.panel import Panel

_PACKED = (".gz", ".zip", ".zst")


@dataclass
class SourceFollower:
    """Polls one agency's sources.

    Attributes:
        city_file: the city file with the sources.
        agency: the agency's name.
        folder: for copies that hold only the complete lines of files being written.
        steps_back: how many steps of the panel to keep at least; None: all.
        replacements: source -> a file of the same format to follow instead of the one it names.
        findings: what the newest reading noticed in the sources' rows.
    """

    city_file: CityFile
    agency: str
    folder: Path
    steps_back: int | None = None
    replacements: Mapping[str, Path] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    _tails: dict[str, Tail] = field(default_factory=dict)
    _states: dict[str, object] = field(default_factory=dict)

    def poll(self) -> Panel | None:
        """The panel with all records so far; None if nothing has changed.

        Raises:
            KeyError: if the city has no such agency.
            DataError: with every problem of the records; they are read again once they change.
        """
        agency = self.city_file.city.agency(self.agency)
        settings = next(one for one in self.city_file.settings.agency if one.name == self.agency)
        names = {one.source for one in settings.fields}
        changed = [self._poll(self.city_file.sources[name]) for name in sorted(names)]
        if not any(changed) or any(not tail.lines for tail in self._tails.values()):
            return None
        sources = dict(self.city_file.sources)
        for name, tail in self._tails.items():
            sources[name] = self._whole_lines_copy(sources[name], tail)
        folder, clock = self.city_file.path.parent, self.city_file.city.clock
        try:
            name = self.city_file.path.name
            loaded = load_agency(agency, settings, sources, folder, clock, name)
        except DataError as error:
            raise DataError([self._of_the_file(one) for one in error.problems]) from error
        self.findings = loaded.of_reading
        self._drop_old_rows(loaded.panel)
        return loaded.panel

    def close(self) -> None:
        """Close all files."""
        for tail in self._tails.values():
            tail.close()

    def _poll(self, source: SourceSettings) -> bool:
        """Whether a source may have new rows."""
        if (header_lines := _tail_header_lines(source)) is not None:
            if source.name not in self._tails:
                sign = getattr(source, "delimiter", ",")
                self._tails[source.name] = Tail(self._file(source), header_lines, sign)
            tail = self._tails[source.name]
            try:
                changed = tail.poll()
            except (OSError, ValueError) as error:
                right = "correct the file; it is read again when it changes"
                problem = Problem(self._shown(source), "path", None, str(error), right)
                raise DataError([problem]) from error
            if changed or tail.waits:
                self._check_quotes(source)
            return changed
        if not isinstance(source, FileSettings):
            return True  # only running the query shows it
        folder = self.city_file.path.parent
        try:
            paths = expand(source.path, folder)
            states = [file_state(one) for path in paths for one in source.files_at(path, folder)]
        except (ReadError, OSError):
            return False  # missing for the moment
        before, self._states[source.name] = self._states.get(source.name), states
        return before != states

    def _check_quotes(self, source: SourceSettings) -> None:
        """Report rows with a stray quote: a reader would take all rows after it for one cell."""
        file, right = self._shown(source), "remove the quote, or close it, in the file"
        reason = "a double quote that is never closed; the rows after it wait until it is"
        problems = [
            Problem(file, f"row {line}" if line else "row", text[:100], reason, right, cause=cause)
            for line, row in self._tails[source.name].stray_quotes()
            for text in [row.decode("utf-8", "replace").rstrip()]
            for cause in [Cause("stray-quote", 1, (line,) if line else ())]
        ]
        if problems:
            raise DataError(problems)

    def _file(self, source: SourceSettings) -> Path:
        folder = self.city_file.path.parent
        if isinstance(source, FeedSettings):
            return source.spool_path(folder)
        return self.replacements.get(source.name, folder / str(getattr(source, "path", "")))

    def _shown(self, source: SourceSettings) -> str:
        """A source's file in messages; one that is followed instead of it, with its folder."""
        path = self._file(source)
        replaced = source.name in self.replacements
        return f"{path.parent.name}/{path.name}" if replaced else path.name

    def _of_the_file(self, problem: Problem) -> Problem:
        """A problem of a copy is one of the file that it is a copy of."""
        for name in self._tails:
            shown, copy = self._shown(self.city_file.sources[name]), f"{name}.csv"
            if problem.file == copy:
                return replace(problem, file=shown)
            if problem.reason.endswith(f" in {copy}"):
                return replace(problem, reason=problem.reason.removesuffix(copy) + shown)
        return problem

    def _whole_lines_copy(self, source: SourceSettings, tail: Tail) -> SourceSettings:
        """The source, with the path of a copy that holds only complete lines."""
        spool = self.folder / f"{source.name}.csv"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            spool.write_bytes(tail.text())
        except OSError as error:
            right = "free some space there; the copy is tried again when new records arrive"
            problem = Problem(str(spool), "copy of complete lines", None, str(error), right)
            raise DataError([problem]) from error
        return source.model_copy(update={"path": str(spool.absolute())})

    def _drop_old_rows(self, panel: Panel) -> None:
        """Drop rows that are no longer needed; keeps twice `steps_back` as a reserve."""
        if self.steps_back is None or len(panel.time_T) < 4 * self.steps_back:
            return
        for tail in self._tails.values():
            kept_share = 2 * self.steps_back / len(panel.time_T)
            tail.keep_last(max(1, round(len(tail.lines) * kept_share)))


def follows_lines(source: SourceSettings) -> bool:
    """Whether a source is one plain file that is followed line by line."""
    return _tail_header_lines(source) is not None


def _tail_header_lines(source: SourceSettings) -> int | None:
    """How many header lines a followed file has; None: it is not followed line by line."""
    if isinstance(source, FeedSettings):
        return 1
    if not isinstance(source, CsvSettings) or source.transpose:
        return None
    if is_wide(source.encoding):
        return None  # its lines do not end with one byte
    rows_are_counted = source.time is not None and source.time.start is not None
    if rows_are_counted or source.path_pattern is not None or not isinstance(source.path, str):
        return None  # rows without a time must be counted from the first
    if source.path.startswith(PACKAGE) or source.path.endswith(_PACKED) or has_magic(source.path):
        return None
    return source.skip_rows + (1 if source.header else 0)
