"""Files, folders and tables of a database that make up a city's records, grouped by columns."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import polars as pl

from deepcity.city.errors import ConfigError
from deepcity.city.given_path import PathKind, did_you_mean_path, path_kind
from deepcity.city.problem import Problem
from deepcity.data.check.draft_sample import read_sample
from deepcity.data.connectors import connector_for, connectors
from deepcity.data.connectors.sql_tables import is_url
from deepcity.data.draft.columns import common_start
from deepcity.data.draft.times import detect_times
from deepcity.data.errors import ReadError
from deepcity.data.timestamps.formats import NUMBERS, parse_with_late

PLACE_OF_FILE = "place"


@dataclass(frozen=True)
class Table:
    """Records of the same columns: one file, several of them, or a table of a database.

    Attributes:
        first: the file, or URL, that is looked at.
        files: all of them, in the order of their names; empty for a table of a database.
        rename: headers of later files -> those of the first.
        pattern: how files are named after places, e.g. ``level_{place}.csv``; else None.
    """

    first: Path | str
    files: tuple[Path, ...] = ()
    rename: dict[str, str] = field(default_factory=dict)
    pattern: str | None = None

    def path_from(self, folder: Path) -> str | list[str]:
        """What a city file in a folder writes under `path`."""
        paths = [os.path.relpath(file, folder) for file in self.files]
        return paths[0] if len(paths) == 1 else paths


@dataclass(frozen=True)
class _Seen:
    file: Path
    frame: pl.DataFrame

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(sorted(plain(name) for name in self.frame.columns))


def plain(header: str) -> str:
    """A header without spaces and what stands in brackets.

    >>> plain("통행 량(대)")
    '통행량'
    """
    return re.sub(r"\s|\(.*?\)|\[.*?\]", "", header).lower() or header


def tables_of(names: Sequence[str]) -> tuple[list[Table], list[str]]:
    """Tables of the files, folders and URLs that were named, and notes on what was left out.

    Raises:
        ConfigError: with every file that is none, or cannot be read.
    """
    tables = [Table(name) for name in names if is_url(name)]
    files = _files([Path(name) for name in names if not is_url(name)])
    if not files:
        return tables, []
    if len(files) == 1:
        return [*tables, Table(files[0], tuple(files))], []
    seen, notes = _samples(files)
    groups: dict[tuple[str, ...], list[_Seen]] = {}
    for one in seen:
        groups.setdefault(one.key, []).append(one)
    return [*tables, *(_table(group) for group in groups.values())], notes


def _files(paths: Sequence[Path]) -> list[Path]:
    found: dict[Path, None] = {}
    problems = []
    for path in paths:
        inside = sorted(path.iterdir()) if path.is_dir() else [path]
        known = [one for one in inside if one.is_file() and connector_for(one) is not None]
        found.update(dict.fromkeys(known))
        if not known:
            problems.append(_no_table(path))
    if problems:
        raise ConfigError(problems)
    return list(found)


def _no_table(path: Path) -> Problem:
    endings = ", ".join(end for one in connectors().values() for end in one.suffixes)
    if path.is_dir():
        return Problem(
            path.name,
            "path",
            str(path),
            "no table lies in this folder",
            f"put files there ({endings})",
        )
    kind = path_kind(path)
    if kind in {PathKind.CITY, PathKind.MAP}:
        right = f"name the records that it is to be made of ({endings})"
        return Problem(path.name, "path", str(path), f"{kind}, not records", right)
    near = did_you_mean_path(path, lambda one: connector_for(one) is not None)
    reason = "unknown file extension" if path.exists() else "there is no such file"
    right = f"{near}{'Name' if near else 'name'} records ({endings})"
    return Problem(path.name, "path", str(path), reason, right)


def _samples(files: Sequence[Path]) -> tuple[list[_Seen], list[str]]:
    seen, notes, problems = [], [], []
    for file in files:
        connector = connector_for(file)
        if connector is None:
            continue
        try:
            frame = read_sample(file, connector)[1]
        except ReadError as error:
            problems.append(Problem(file.name, error.key, error.value, error.reason, error.right))
            continue
        if detect_times(frame).settings:
            seen.append(_Seen(file, frame))
        else:
            notes.append(f"{file.name} has no times and was left out")
    if problems:
        raise ConfigError(problems)
    if not seen:
        right = "name a table of records with a column of times"
        raise ConfigError([Problem(files[0].parent.name, "path", None, "no file has times", right)])
    return seen, notes


def _table(group: Sequence[_Seen]) -> Table:
    ordered = sorted(group, key=lambda one: one.file.name)
    first = ordered[0].frame.columns
    by_plain = {plain(name): name for name in first}
    rename = {
        name: by_plain[plain(name)]
        for one in ordered[1:]
        for name in one.frame.columns
        if name not in first
    }
    files = tuple(one.file for one in ordered)
    return Table(files[0], files, rename, _place_pattern(ordered))


def _place_pattern(group: Sequence[_Seen]) -> str | None:
    """Files of the same times, without a column of places: their names tell the places."""
    spans = [_span(one.frame) for one in group]
    if len(group) < 2 or not all(spans):
        return None
    known = sorted(span for span in spans if span is not None)
    overlap = all(later[0] < earlier[1] for earlier, later in pairwise(known))
    if not overlap:
        return None
    names = [one.file.name for one in group]
    start = re.sub(r"[^\W_]*$", "", common_start(names))
    end = common_start([name[::-1] for name in names])[::-1]
    end = end[end.index(".") :] if "." in end else ""
    return f"{start}{{{PLACE_OF_FILE}}}{end}" if end else None


def _span(frame: pl.DataFrame) -> tuple[float, float] | None:
    draft = detect_times(frame)
    if not draft.settings or len(draft.columns) != 1 or frame.height < 2:
        return None
    column, pattern = frame[draft.columns[0]], draft.settings.get("format")
    if pattern in NUMBERS:
        times = column.cast(pl.Float64, strict=False)
    elif pattern is None:
        times = column.cast(pl.Datetime("us")).cast(pl.Float64)
    else:
        times = parse_with_late(column.cast(pl.String).str.strip_chars(), pattern)[0].cast(
            pl.Float64
        )
    known = times.drop_nulls()
    if known.is_empty() or known.n_unique() < known.len():
        return None  # a column of places is in the table
    return float(known.min()), float(known.max())  # type: ignore[arg-type]
