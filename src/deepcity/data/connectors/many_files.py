"""A source of several files (or sheets): read one after another as one table.

Columns may stand in another order in each file. A row keeps its number within its file; the
number of the file is kept in front of it, so that messages can name both.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from glob import has_magic
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from pydantic import Field, model_validator

from deepcity.data.config.source import SourceSettings
from deepcity.data.config.toml_file import did_you_mean, wrong
from deepcity.data.connectors.location import PACKAGE, locate
from deepcity.data.errors import ReadError
from deepcity.data.findings import FILE_ROWS

if TYPE_CHECKING:  # they read through this module
    from deepcity.data.connectors import Connector, RawTable

_IN_NAME = re.compile(r"\{(\w+)\}")
_FILES_SHOWN = 3


class FileSettings(SourceSettings):
    """Keys of every format that is read from files.

    Attributes:
        path: a file, a pattern such as ``2024/*.csv`` (its files in the order of their names),
            or a list of both.
        path_pattern: what the files' names hold, e.g. ``{place}_{month}.csv``: a column for
            each name in braces.
        rename: column -> the name it is to have: for a column that has two names.
        fill_columns: a column that a file lacks counts as blank there; by default it is refused.
    """

    path: str | tuple[str, ...]
    path_pattern: str | None = None
    rename: dict[str, str] = Field(default_factory=dict)
    fill_columns: bool = False

    @model_validator(mode="after")
    def _pattern_holds_names(self) -> "FileSettings":
        if not self.path:
            raise wrong("empty", "name a file, or a pattern such as 2024/*.csv", "path")
        names = _IN_NAME.findall(self.path_pattern or "{x}")
        if not names or len(set(names)) < len(names):
            right = "write e.g. path_pattern = '{place}_{month}.csv', each name once"
            raise wrong("names no column in braces, or one twice", right, "path_pattern")
        return self

    def files_at(self, path: str, folder: Path) -> list[Path]:
        """The files that one of its paths stands for: whoever follows them sees them change.

        Raises:
            ReadError: if it is not there.
        """
        return [locate(path, folder)]


@dataclass(frozen=True)
class Part:
    """One file of a source, or one sheet of it.

    Attributes:
        label: what messages call it; empty where it is the only one.
        source: settings that name it alone.
        extra: columns that its name gives, each with the same value in all rows.
    """

    label: str
    source: SourceSettings
    extra: Mapping[str, str] = field(default_factory=dict)


def parts_of(connector: "Connector", source: SourceSettings, folder: Path) -> tuple[Part, ...]:
    """The files of a source, and their sheets where the format has sheets.

    Raises:
        ReadError: if no file fits a pattern, or a name does not fit `path_pattern`.
    """
    if not isinstance(source, FileSettings):
        return (Part("", source),)
    paths = expand(source.path, folder)
    files = [
        Part(
            "" if len(paths) == 1 else Path(path).name,
            source.model_copy(update={"path": path}),
            _from_name(source.path_pattern, Path(path).name),
        )
        for path in paths
    ]
    if len({part.label for part in files}) < len(files):  # of one name in several folders
        files = [replace(part, label=path) for part, path in zip(files, paths, strict=True)]
    sheets = getattr(connector, "sheets", None)
    if sheets is None:
        return tuple(files)
    return tuple(sheet for part in files for sheet in sheets(part, folder))


def expand(path: str | tuple[str, ...], folder: Path) -> list[str]:
    """The files that a path, or a list of paths, names, each once.

    Raises:
        ReadError: if no file fits a pattern.
    """
    found: dict[str, None] = {}
    for one in (path,) if isinstance(path, str) else path:
        if not has_magic(one) or one.startswith(PACKAGE) or (folder / one).is_file():
            found[one] = None
            continue
        base = Path(one).anchor
        below = Path(base or folder).glob(one.removeprefix(base))
        names = sorted(str(path) for path in below if _is_table(path))
        if not names:
            right = f"put files there, or correct the pattern (it starts at {folder.absolute()})"
            raise ReadError("path", one, "no file fits this pattern", right)
        relative = (name if base else str(Path(name).relative_to(folder)) for name in names)
        found.update(dict.fromkeys(relative))
    return list(found)


def _is_table(path: Path) -> bool:
    """A file, and none that a spreadsheet program keeps beside an open one."""
    return path.is_file() and not path.name.startswith(("~", "."))


def _from_name(pattern: str | None, name: str) -> dict[str, str]:
    if pattern is None:
        return {}
    pieces = _IN_NAME.split(pattern)
    text = "".join(
        f"(?P<{piece}>.+?)" if n % 2 else re.escape(piece) for n, piece in enumerate(pieces)
    )
    found = re.fullmatch(text, name)
    if found is None:
        right = "correct the pattern, or leave the file out of path"
        raise ReadError("path_pattern", pattern, f"the file {name} does not fit it", right)
    return found.groupdict()


def columns_by_part(
    connector: "Connector", source: SourceSettings, folder: Path
) -> list[tuple[Part, list[str]]]:
    """Each file, and its columns as `rename` and `path_pattern` have them.

    Raises:
        ReadError: if one cannot be read, or a renamed column is in no file.
    """
    found, known = [], set[str]()
    for part in parts_of(connector, source, folder):
        own = connector.columns(part.source, folder)
        known.update(own)
        found.append((part, [*_renamed(part, own).values(), *part.extra]))
    for name in getattr(source, "rename", {}):
        if name not in known:
            right = did_you_mean(name, sorted(known))
            raise ReadError("rename", name, "no file has this column", right)
    return found


def _renamed(part: Part, columns: Sequence[str]) -> dict[str, str]:
    """Column of the file -> its name in the table."""
    rename = getattr(part.source, "rename", {})
    names = {name: rename.get(name, name) for name in columns}
    repeated = (
        [new for new in names.values() if list(names.values()).count(new) > 1] if rename else []
    )
    both = [*repeated, *(name for name in part.extra if name in names.values())]
    if both:
        where = f" in {part.label}" if part.label else ""
        right = "give each column a name of its own"
        raise ReadError("rename", both[0], f"two columns have this name{where}", right)
    return names


def all_columns(connector: "Connector", source: SourceSettings, folder: Path) -> list[str]:
    """Columns of all files, in the order in which they first appear.

    Raises:
        ReadError: as `columns_by_part`.
    """
    parts = columns_by_part(connector, source, folder)
    return list(dict.fromkeys(name for _, names in parts for name in names))


def whole_table(connector: "Connector", source: SourceSettings, folder: Path) -> "RawTable":
    """All rows of all files.

    Raises:
        ReadError: if one cannot be read, or lacks a column of another.
    """
    if _is_plain(source, parts := parts_of(connector, source, folder)):
        return connector.read(parts[0].source, folder)
    names = all_columns(connector, source, folder)
    tables = list(all_batches(connector, source, folder, names))
    if not tables:
        table = connector.read(parts[0].source, folder)
        return replace(table, frame=pl.DataFrame(schema=dict.fromkeys(names, pl.String)))
    frame = pl.concat([table.frame for table in tables], how="vertical_relaxed")
    return replace(tables[0], frame=frame)


def all_batches(
    connector: "Connector", source: SourceSettings, folder: Path, columns: Sequence[str]
) -> Iterator["RawTable"]:
    """Some columns of all files, file by file, in batches of rows.

    Raises:
        ReadError: if one cannot be read, or lacks one of the columns.
    """
    parts = parts_of(connector, source, folder)
    if _is_plain(source, parts):
        yield from connector.batches(parts[0].source, folder, columns)
        return
    for number, part in enumerate(parts):
        for table in _batches(connector, part, folder, columns):
            yield replace(table, first_row=table.first_row + number * FILE_ROWS)


def _is_plain(source: SourceSettings, parts: Sequence[Part]) -> bool:
    """Whether a source is one file as it is."""
    changed = bool(getattr(source, "rename", {})) or bool(getattr(source, "skip_footer", 0))
    return len(parts) == 1 and not parts[0].extra and not changed


def _batches(
    connector: "Connector", part: Part, folder: Path, columns: Sequence[str]
) -> Iterator["RawTable"]:
    names = _renamed(part, connector.columns(part.source, folder))
    own = {new: old for old, new in names.items()}
    absent = [name for name in columns if name not in own and name not in part.extra]
    if absent and not getattr(part.source, "fill_columns", False):
        raise ReadError("column", absent[0], f"no such column in {part.label}", _hint(own))
    wanted = [own[name] for name in columns if name in own] or list(names)[:1]
    tables = connector.batches(part.source, folder, wanted)
    extra = [pl.lit(value).alias(name) for name, value in part.extra.items() if name in columns]
    blank = [pl.lit(None, pl.String).alias(name) for name in absent]
    for table in _without_footer(tables, getattr(part.source, "skip_footer", 0)):
        frame = table.frame.rename({old: names[old] for old in wanted})
        yield replace(table, frame=frame.with_columns(*extra, *blank).select(columns))


def _without_footer(tables: Iterator["RawTable"], rows: int) -> Iterator["RawTable"]:
    """All rows but the last ones, which are known only at the end."""
    held: list[RawTable] = []
    for table in tables:
        held.append(table)
        while rows <= sum(one.frame.height for one in held[1:]):
            yield held.pop(0)
            if not held:
                break
    left = sum(table.frame.height for table in held) - rows
    for table in held:
        if left > 0:
            yield replace(table, frame=table.frame.head(left))
        left -= table.frame.height


def _hint(columns: Mapping[str, str]) -> str:
    return f"its columns are {files_text(list(columns), 12)}"


def absent_columns(
    parts: Sequence[tuple[Part, Sequence[str]]], needed: Sequence[str]
) -> list[tuple[str, str, str]]:
    """Columns that some files have and others lack: name, reason and next step of each."""
    problems = []
    for name in needed:
        lacking = [(part, names) for part, names in parts if name not in names]
        if not lacking or len(lacking) == len(parts):
            continue
        part, names = lacking[0]
        others = {one for other, columns in parts if other is not part for one in columns}
        own = [one for one in names if one not in others]
        where = files_text([one.label for one, _ in lacking])
        other = own[0] if len(own) == 1 else "ITS NAME THERE"
        right = (
            f'if it has another name there, set rename = {{ "{other}" = "{name}" }} (columns only '
            f"there: {files_text(own, 12) or 'none'}); if it has no values there, set "
            "fill_columns = true"
        )
        problems.append((name, f"no such column in {where}", right))
    return problems


def files_text(names: Sequence[str], most: int = _FILES_SHOWN) -> str:
    """The first names, and how many more there are.

    >>> files_text(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
