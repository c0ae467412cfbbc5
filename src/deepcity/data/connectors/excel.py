"""Excel workbooks (.xlsx, .xlsb, .xls, .ods): one sheet, every cell read as text."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import fastexcel
import polars as pl
from pydantic import Field

from deepcity.data.config.source import SourceSettings
from deepcity.data.connectors import RawTable
from deepcity.data.connectors.location import locate
from deepcity.data.errors import ReadError


class ExcelSettings(SourceSettings):
    """Keys of an Excel source.

    Attributes:
        path: the workbook.
        sheet: the sheet's name; by default the first sheet.
        skip_rows: rows to skip before the header.
    """

    format: Literal["excel"] = "excel"
    path: str
    sheet: str | None = None
    skip_rows: int = Field(default=0, ge=0)


class ExcelConnector:
    """Reads workbooks through calamine."""

    name = "excel"
    suffixes = (".xlsx", ".xlsb", ".xls", ".ods")
    settings = ExcelSettings

    def check(self, source: ExcelSettings, folder: Path) -> None:
        """Check that the file exists."""
        locate(source.path, folder)

    def read(self, source: ExcelSettings, folder: Path) -> RawTable:
        """All rows of the sheet; the header is in row 1, or below `skip_rows`."""
        return RawTable(_read(source, folder, None), source.skip_rows + 2)

    def batches(
        self, source: ExcelSettings, folder: Path, columns: Sequence[str]
    ) -> Iterator[RawTable]:
        """All rows in one batch: a sheet holds at most a million."""
        table = self.read(source, folder)
        yield RawTable(table.frame.select(columns), table.first_row)

    def columns(self, source: ExcelSettings, folder: Path) -> list[str]:
        """Names of the columns."""
        return _read(source, folder, 1).columns


def _read(source: ExcelSettings, folder: Path, rows: int | None) -> pl.DataFrame:
    path = locate(source.path, folder)
    try:
        workbook = fastexcel.read_excel(path)
        if source.sheet is not None and source.sheet not in workbook.sheet_names:
            right = f"the workbook's sheets are {', '.join(workbook.sheet_names)}"
            raise ReadError("sheet", source.sheet, "no such sheet", right)
        options: dict[str, Any] = {"n_rows": rows, "dtypes": "string"}
        sheet = workbook.load_sheet(source.sheet or 0, header_row=source.skip_rows, **options)
        frame: pl.DataFrame = sheet.to_polars()
        return frame
    except (fastexcel.FastExcelError, OSError) as error:
        reason = f"cannot be read: {str(error).strip().splitlines()[0][:200]}"
        right = "check that the file is complete and that Excel opens it"
        raise ReadError("path", source.path, reason, right) from error


CONNECTOR = ExcelConnector()
