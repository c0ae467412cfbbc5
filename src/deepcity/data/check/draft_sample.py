"""The first rows of raw records, and what in the file is no row: titles, footnotes and totals."""

import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

import polars as pl

from deepcity.city.arrays import Doubles
from deepcity.data.config.number_style import NumberStyle
from deepcity.data.config.toml_file import Raw
from deepcity.data.connectors import Connector, connectors
from deepcity.data.connectors.excel import ALL_SHEETS
from deepcity.data.connectors.sql_tables import table_source
from deepcity.data.remedies.footer import FEW, TOTAL, footnotes
from deepcity.data.tables.numbers import read_numbers
from deepcity.data.text_files.sniff import DELIMITERS, LINES, sniff
from deepcity.data.text_files.soundness import MAX_LINE, check_text, opened
from deepcity.data.workbooks.workbook import open_workbook

_TITLES = 20  # lines at most
_USUAL = 0.6  # share of lines that have as many cells as the table
_EQUAL = 0.95  # share of rows in which a total is one


def read_sample(path: Path, connector: Connector) -> tuple[Raw, pl.DataFrame]:
    """Settings of a source for a file of raw records, and its first rows.

    Raises:
        ReadError: if it is damaged or cannot be read.
    """
    source: Raw = {"name": "records", "format": connector.name, "path": path.name}
    if connector.name == "csv" and path.is_file():
        check_text(path, max_line=MAX_LINE, delimiter=",", quotes=False, columns=False)
        source |= _sniffed(path)
    if connector.name == "excel" and path.is_file():
        source |= _title_rows(_first_rows(path))
        source |= _all_sheets(path, source.get("skip_rows", 0))
    settings = connector.settings.model_validate(
        source | {"sheet": None} if "sheet" in source else source
    )
    names = connector.columns(settings, path.parent)
    tables = connector.batches(settings, path.parent, names)
    frame = next((table.frame for table in tables), None)
    if frame is None:
        return source, connector.read(settings, path.parent).frame
    whole = next(tables, None) is None
    notes = footnotes(frame) if whole and connector.name in {"csv", "excel"} else 0
    if notes:
        source |= {"skip_footer": notes}
        frame = frame.head(frame.height - notes)
    return source, frame


def read_table_sample(url: str, folder: Path) -> tuple[Raw, pl.DataFrame]:
    """Settings of a source for a table of a database, and its first rows.

    Raises:
        ReadError: if there is no such table, or the database cannot be asked.
    """
    source = table_source(url, folder)
    connector = connectors()["sql"]
    settings = connector.settings.model_validate(source)
    names = connector.columns(settings, folder)
    with closing(connector.batches(settings, folder, names)) as tables:  # type: ignore[type-var]
        return source, next(tables).frame


def _sniffed(path: Path) -> Raw:
    """What `sniff` finds, from the line on that names the columns."""
    with opened(path) as file:
        lines = list(islice(file, LINES + _TITLES))
    titles = _title_rows([_widest(line.decode("utf-8", "replace")) for line in lines])
    if not titles:
        return sniff(path)
    with tempfile.TemporaryDirectory(prefix="deepcity-") as folder:
        table = Path(folder) / "table.csv"
        table.write_bytes(b"".join(lines[titles["skip_rows"] :]))
        return sniff(table) | titles


def _widest(line: str) -> list[str]:
    """A line's cells by the delimiter that it has most of."""
    bare = re.sub(r'"[^"]*"', "x", line.strip("\r\n"))
    return max((bare.split(sign) for sign in DELIMITERS), key=len)


def _first_rows(path: Path) -> list[list[str]]:
    book = open_workbook(path, (), None, LINES)
    rows = pl.read_ipc(next(iter(book.files.values()))).rows()
    return [_cut([str(cell or "") for cell in row]) for row in rows]


def _all_sheets(path: Path, skip_rows: int) -> Raw:
    """``sheet = "*"`` where several sheets hold cells, all of them in the same columns."""
    book = open_workbook(path, None, skip_rows)
    columns = [set(pl.read_ipc_schema(file)) for file in book.files.values()]
    filled = [names for names in columns if names]
    alike = all(names == filled[0] for names in filled)
    return {"sheet": ALL_SHEETS} if len(filled) > 1 and alike else {}


def _cut(cells: list[str]) -> list[str]:
    """Cells up to the last that is not empty."""
    full = [n for n, cell in enumerate(cells, 1) if cell.strip()]
    return cells[: full[-1]] if full else []


def _title_rows(rows: Sequence[Sequence[str]]) -> Raw:
    """``skip_rows`` where lines with fewer cells stand above the one that names the columns."""
    widths = Counter(len(row) for row in rows if len(row) > 1)
    if not widths:
        return {}
    width, count = widths.most_common(1)[0]
    filled = sum(any(cell.strip() for cell in row) for row in rows)
    first = next(n for n, row in enumerate(rows) if len(row) == width)
    header = rows[first]
    named = sum(bool(re.search(r"[^\W\d_]", cell)) for cell in header) * 2 > len(header)
    if not 0 < first <= _TITLES or count < _USUAL * max(filled, 1) or not named:
        return {}
    fewer = all(len(row) < width for row in rows[:first])
    return {"skip_rows": first} if fewer else {}


def total_columns(frame: pl.DataFrame, style: NumberStyle) -> list[str]:
    """Columns named like a total that are the sum of the others (or of those before them)."""
    named = [name for name in frame.columns if TOTAL.fullmatch(name)]
    others = [name for name in frame.columns if name not in named]
    if not named or frame.height < FEW:
        return []
    values = {
        name: numbers.values_R
        for name in [*others, *named]
        for numbers in [read_numbers(frame[name], style)]
        if len(numbers.bad) * 10 < frame.height
    }
    parts = [values[name] for name in others if name in values]
    if len(parts) < 2:
        return []
    sums_R = sum(parts[1:], start=parts[0])
    return [
        name for name in named if name in values and _share_equal(values[name], sums_R) >= _EQUAL
    ]


def without_total_places(
    raw: Raw, frame: pl.DataFrame, style: NumberStyle
) -> tuple[Raw, list[str]]:
    """A draft without the places named like a total that are the sum of the others, and these."""
    source, agency = raw["source"][0], raw["agency"][0]
    place = source.get("place", "")
    value = next((field.get("column", "") for field in agency["fields"]), "")
    if agency["places"] != "all" or not {place, value} <= set(frame.columns):
        return raw, []
    time = source["time"]
    keys = [*time.get("columns", [time.get("column")])]
    table = frame.select(
        *keys,
        pl.col(place).cast(pl.String).str.strip_chars().alias("place"),
        pl.Series("value", read_numbers(frame[value], style).values_R),
    )
    names = [name for name in table["place"].unique(maintain_order=True).drop_nulls() if name]
    named = [name for name in names if TOTAL.fullmatch(name)]
    others = table.filter(~pl.col("place").is_in(named)).group_by(keys).agg(pl.col("value").sum())
    totals = [
        name
        for name in named
        for both in [
            table.filter(pl.col("place") == name).join(others, on=keys, suffix="_of_others")
        ]
        if len(names) - len(named) > 1
        and both.height >= FEW
        and _share_equal(both["value"].to_numpy(), both["value_of_others"].to_numpy()) >= _EQUAL
    ]
    if not totals:
        return raw, []
    kept = [name for name in names if name not in totals]
    return raw | {"agency": [agency | {"places": kept}]}, totals


def _share_equal(one_R: Doubles, other_R: Doubles) -> float:
    return float((abs(one_R - other_R) <= 1e-6 * abs(other_R) + 1e-6).mean())
