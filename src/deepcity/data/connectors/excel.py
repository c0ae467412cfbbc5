"""Excel workbooks (.xlsx, .xlsb, .xls, .ods): one sheet or several, every cell read as text."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import Field, PrivateAttr, model_validator

from deepcity.data.config.toml_file import wrong
from deepcity.data.connectors import RawTable, batches_of
from deepcity.data.connectors.location import locate
from deepcity.data.connectors.many_files import FileSettings, Part
from deepcity.data.errors import ReadError
from deepcity.data.workbooks.workbook import MAX_MEMORY_MB, Workbook, open_workbook

ALL_SHEETS = "*"


class ExcelSettings(FileSettings):
    """Keys of an Excel source.

    Attributes:
        sheet: a sheet's name, a list of names, or ``*`` for all sheets that hold cells; by
            default the first sheet.
        sheet_column: the name of a column that is to hold the sheet's name.
        skip_rows: rows to skip before the header.
        skip_footer: rows to leave out at the end of each sheet.
        max_memory_mb: what reading the workbook may take.
    """

    format: Literal["excel"] = "excel"
    sheet: str | tuple[str, ...] | None = None
    sheet_column: str | None = None
    skip_rows: int = Field(default=0, ge=0)
    skip_footer: int = Field(default=0, ge=0)
    max_memory_mb: float = Field(default=MAX_MEMORY_MB, gt=0)
    _read_with: tuple[str, ...] | None = PrivateAttr(default=())

    @model_validator(mode="after")
    def _names_a_sheet(self) -> "ExcelSettings":
        if self.sheet is not None and not all(
            (self.sheet,) if isinstance(self.sheet, str) else self.sheet or ("",)
        ):
            raise wrong("empty", "name a sheet, list several, or write '*' for all", "sheet")
        return self

    @property
    def sheets(self) -> tuple[str, ...] | None:
        """The sheets to read at once; none: the first one; None: all."""
        if self.sheet == ALL_SHEETS or self._read_with is None:
            return None
        named = (self.sheet,) if isinstance(self.sheet, str) else self.sheet
        return self._read_with or named or ()

    def of_sheet(self, name: str) -> "ExcelSettings":
        """Settings of one of these sheets, which is read together with the others."""
        one = self.model_copy(update={"sheet": name, "sheet_column": None})
        one._read_with = self.sheets
        return one


class ExcelConnector:
    """Reads workbooks through calamine."""

    name = "excel"
    suffixes = (".xlsx", ".xlsb", ".xls", ".ods")
    settings = ExcelSettings

    def check(self, source: ExcelSettings, folder: Path) -> None:
        """Check that the file exists."""
        locate(source.path, folder)

    def sheets(self, part: Part, folder: Path) -> list[Part]:
        """A workbook's sheets, each as a table of its own.

        Raises:
            ReadError: if it cannot be read, or has no such sheet.
        """
        source = part.source
        assert isinstance(source, ExcelSettings)
        if (
            isinstance(source.sheet, str | None)
            and source.sheet != ALL_SHEETS
            and not source.sheet_column
        ):
            return [part]
        book = _workbook(source, folder)
        chosen = [name for name in book.files if _columns(book, name) or len(book.files) == 1]
        several = len(chosen) > 1
        return [
            replace(
                part,
                label=f"{part.label} sheet {name}".strip() if several else part.label,
                source=source.of_sheet(name),
                extra={
                    **part.extra,
                    **({source.sheet_column: name} if source.sheet_column else {}),
                },
            )
            for name in chosen
        ]

    def read(self, source: ExcelSettings, folder: Path) -> RawTable:
        """All rows of the sheet; the header is in row 1, or below `skip_rows`."""
        return RawTable(_scan(source, folder).collect(), source.skip_rows + 2)

    def batches(
        self, source: ExcelSettings, folder: Path, columns: Sequence[str]
    ) -> Iterator[RawTable]:
        """The given columns, in batches of rows."""
        yield from batches_of(_scan(source, folder).select(columns), source.skip_rows + 2)

    def columns(self, source: ExcelSettings, folder: Path) -> list[str]:
        """Names of the columns."""
        return _scan(source, folder).collect_schema().names()


def _workbook(source: ExcelSettings, folder: Path) -> Workbook:
    path = locate(source.path, folder)
    return open_workbook(path, source.sheets, source.skip_rows, None, source.max_memory_mb)


def _columns(book: Workbook, name: str) -> list[str]:
    return pl.scan_ipc(book.files[name]).collect_schema().names()


def _scan(source: ExcelSettings, folder: Path) -> pl.LazyFrame:
    book = _workbook(source, folder)
    name = next((one for one in book.files if one == source.sheet), next(iter(book.files), None))
    if name is None:
        raise ReadError("path", source.path, "it has no sheet", "check that Excel opens it")
    return pl.scan_ipc(book.files[name])


CONNECTOR = ExcelConnector()
