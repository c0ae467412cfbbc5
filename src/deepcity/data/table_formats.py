"""The formats in which tables of results are written."""

from enum import StrEnum
from pathlib import Path


class TableFormat(StrEnum):
    """How a table is written."""

    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"  # one list of objects
    ARROW = "arrow"  # IPC file, also known as Feather


_SUFFIXES = {".feather": TableFormat.ARROW, ".ipc": TableFormat.ARROW, ".pq": TableFormat.PARQUET}


def format_of(path: Path | None) -> TableFormat:
    """The format that a file's name ends in; CSV where it says none.

    >>> format_of(Path("tomorrow.parquet")).value, format_of(None).value
    ('parquet', 'csv')
    """
    suffix = "" if path is None else path.suffix.lower()
    known = {f".{form.value}": form for form in TableFormat} | _SUFFIXES
    return known.get(suffix, TableFormat.CSV)
