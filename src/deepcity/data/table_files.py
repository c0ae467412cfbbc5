"""Tables of results as files: CSV, Parquet, JSON and Arrow, written whole or not at all."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from deepcity.city.arrays import Doubles, Floats, Ints
from deepcity.city.regular_file import read_regular
from deepcity.data.table_formats import TableFormat

_UTC_TEXT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Categories:
    """A column of texts with few different ones: positions (R,) in a list of names."""

    codes: Ints
    names: Sequence[str]


@dataclass(frozen=True)
class Moments:
    """A column of times, (R,) UTC seconds; a zone: as texts of its wall time with the offset."""

    seconds: Ints
    zone: str | None = None


Columns = Mapping[str, "Floats | Doubles | Categories | Moments"]


def table_of(columns: Columns) -> pl.DataFrame:
    """A table of columns of one length; NaN and empty texts are null."""
    return pl.DataFrame([_series(name, column) for name, column in columns.items()])


def joined(tables: Sequence[Any]) -> Any:  # noqa: ANN401 - of polars, which callers need not know
    """Tables of the same columns, one after another."""
    return pl.concat(tables, how="vertical_relaxed")


def table_bytes(table: Any, form: TableFormat, *, header: bool = True) -> bytes:  # noqa: ANN401
    """A table as the content of a file.

    Args:
        header: of a CSV, its first line.
    """
    buffer = io.BytesIO()
    if form is TableFormat.PARQUET:
        table.write_parquet(buffer)
    elif form is TableFormat.ARROW:
        table.write_ipc(buffer)
    else:
        moments = [name for name, kind in table.schema.items() if kind == pl.Datetime]
        table = table.with_columns(pl.col(name).dt.strftime(_UTC_TEXT) for name in moments)
        if form is TableFormat.CSV:
            table.write_csv(buffer, include_header=header)
        else:
            table.write_json(buffer)
            buffer.write(b"\n")
    return buffer.getvalue()


def read_table(path: Path, form: TableFormat) -> pl.DataFrame:
    """A table as `table_bytes` has written it.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if it is not such a table.
    """
    data = read_regular(path)
    try:
        if form is TableFormat.PARQUET:
            return pl.read_parquet(data)
        if form is TableFormat.ARROW:
            return pl.read_ipc(data)
        texts = (
            pl.read_csv(data, infer_schema_length=None)
            if form is TableFormat.CSV
            else pl.read_json(data, infer_schema_length=None)
        )
    except pl.exceptions.PolarsError as error:
        msg = f"{path} is not a table in {form.value}: {str(error).splitlines()[0]}"
        raise ValueError(msg) from error
    zoned = [name for name in texts.columns if name.endswith("_utc")]
    return texts.with_columns(
        pl.col(name).cast(pl.String).str.to_datetime(_UTC_TEXT, time_zone="UTC") for name in zoned
    )


def without(table: Any, newer: Any, keys: Sequence[str]) -> Any:  # noqa: ANN401
    """The rows of a table whose keys do not stand in a newer one, with its columns' kinds."""
    kinds = {name: kind for name, kind in newer.schema.items() if name in table.columns}
    return table.cast(kinds).join(newer.select(keys).unique(), on=list(keys), how="anti")


def _series(name: str, column: "Floats | Doubles | Categories | Moments") -> pl.Series:
    if isinstance(column, Categories):
        names = pl.Series(name, [text or None for text in column.names], dtype=pl.String)
        return names.gather(pl.Series(column.codes.astype(np.uint32)))
    if isinstance(column, Moments) and column.zone is not None:
        second_U, code_R = np.unique(column.seconds, return_inverse=True)
        zone = ZoneInfo(column.zone)
        texts = [datetime.fromtimestamp(int(one), zone).isoformat() for one in second_U]
        return _series(name, Categories(code_R, texts))
    if isinstance(column, Moments):
        moments = column.seconds.astype("datetime64[s]").astype("datetime64[us]")
        return pl.Series(name, moments).dt.replace_time_zone("UTC")
    return pl.Series(name, column, nan_to_null=True)
