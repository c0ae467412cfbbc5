"""Workbooks: all their sheets, what stands above and below a table, and what would burst memory."""

import subprocess
import sys
import zipfile
from datetime import datetime, timedelta

import pytest

from deepcity.data.check.draft import draft
from deepcity.data.check.file_report import check_file
from deepcity.data.connectors import part_names, read_batches, read_columns, read_table
from deepcity.data.connectors.excel import ExcelSettings
from deepcity.data.errors import ReadError
from deepcity.data.workbooks import workbook as workbook_files

openpyxl = pytest.importorskip("openpyxl")
HEAD = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'


def sheet(sheet, month, names, title=False, note=False, total=False):
    if title:
        sheet.append(["시간별 통행량"])
        sheet.append([])
    sheet.append(["시각", *names, *(["합계"] if total else [])])
    for i in range(72):
        values = [(i * 7 + k * 13 + i % 24 * k) % 97 for k in range(len(names))]
        time = datetime(2024, month, 1) + timedelta(hours=i)  # noqa: DTZ001 - Excel has no zones
        sheet.append([time, *values, *([sum(values)] if total else [])])
    if note:
        sheet.append(["※ 출처: 춘천시"])


@pytest.fixture
def book(tmp_path):
    def save(**how):
        workbook = openpyxl.Workbook()
        workbook.active.title = "1월"
        sheet(workbook.active, 1, ["a", "b"], **how)
        sheet(workbook.create_sheet("2월"), 2, ["b", "a"], **how)
        workbook.create_sheet("empty")
        workbook.save(tmp_path / "r.xlsx")
        return tmp_path

    return save


def settings(**more):
    return ExcelSettings(name="r", path="r.xlsx", **more)


def test_one_sheet_some_or_all(book):
    folder = book()
    assert read_table(settings(), folder).frame.height == 72
    assert read_table(settings(sheet="2월"), folder).frame.columns == ["시각", "b", "a"]
    for chosen in ("*", ("1월", "2월")):
        frame = read_table(settings(sheet=chosen), folder).frame
        assert frame.columns == ["시각", "a", "b"]
        assert frame.height == 144
    assert part_names(settings(sheet="*"), folder) == ("sheet 1월", "sheet 2월")
    with pytest.raises(ReadError, match="no such sheet"):
        read_columns(settings(sheet=("1월", "3월")), folder)


def test_all_sheets_are_read_at_once(book, monkeypatch):
    requests, asked = [], workbook_files._asked
    monkeypatch.setattr(
        workbook_files, "_asked", lambda *asks: (requests.append(asks), asked(*asks))[1]
    )
    folder = book()
    for chosen in ("*", ("1월", "2월")):
        source = settings(sheet=chosen, sheet_column="month")
        names = read_columns(source, folder)
        for _ in range(2):
            assert sum(one.frame.height for one in read_batches(source, folder, names)) == 144
    assert [request["sheets"] for _, request in requests] == [None, ["1월", "2월"]]


def test_a_sheet_s_name_as_a_column(book):
    frame = read_table(settings(sheet="*", sheet_column="month"), book()).frame
    assert frame["month"].unique(maintain_order=True).to_list() == ["1월", "2월"]


def test_titles_footnotes_and_totals_are_told_apart_in_a_draft(book, tmp_path):
    raw, problems = draft(book(title=True, note=True, total=True) / "r.xlsx")
    assert problems == []
    source, agency = raw["source"][0], raw["agency"][0]
    assert (source["sheet"], source["skip_rows"], source["skip_footer"]) == ("*", 2, 1)
    report = check_file(tmp_path / "r.xlsx")
    assert (report.problems, report.agencies[0].steps) == ((), 24 * 31 + 72)
    assert [field["column"] for field in agency["fields"]] == ["a", "b"]


def with_sheet(path, xml):
    """A small workbook whose first sheet is this XML."""
    workbook = openpyxl.Workbook()
    workbook.active.append(["time", "a"])
    workbook.save(path.with_suffix(".small"))
    with zipfile.ZipFile(path.with_suffix(".small")) as small:
        parts = {name: small.read(name) for name in small.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in parts.items():
            with out.open(name, "w", force_zip64=True) as file:
                for piece in xml if name == "xl/worksheets/sheet1.xml" else [content]:
                    file.write(piece)


TWO_CELLS = [
    HEAD,
    b'<row r="1"><c r="A1"><v>1</v></c></row>',
    b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>',
]
CELL = [
    HEAD,
    b'<row r="1"><c r="A1" t="inlineStr"><is><t>',
    *[b"y" * (1 << 20)] * 300,
    b"</t></is></c></row></sheetData></worksheet>",
]


@pytest.mark.parametrize(("xml", "limit_mb"), [(TWO_CELLS, 700), (CELL, 200)])
def test_a_workbook_that_would_burst_memory_is_refused(xml, limit_mb, tmp_path):
    """The reader's process is bounded, and so is ours: a quarter of a gigabyte more."""
    with_sheet(tmp_path / "r.xlsx", xml)
    code = (
        "import sys; from pathlib import Path; from deepcity.data.connectors import read_table;"
        "from deepcity.data.connectors.excel import ExcelSettings;"
        f"s = ExcelSettings(name='r', path='r.xlsx', max_memory_mb={limit_mb})\n"
        "try: read_table(s, Path(sys.argv[1]))\n"
        "except Exception as error: print(type(error).__name__, error)\n"
        "import re, resource\n"  # ru_maxrss of a process itself begins with that of its parent
        "own = int(re.search(r'VmHWM:\\s*(\\d+)', Path('/proc/self/status').read_text())[1])\n"
        "print(max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert "ReadError cannot be read in" in done.stdout
    assert int(done.stdout.split()[-1]) < 1_000_000, "kilobytes at the peak"


def test_a_workbook_cut_in_half(book):
    folder = book()
    whole = (folder / "r.xlsx").read_bytes()
    (folder / "r.xlsx").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ReadError, match="cannot be read"):
        read_table(settings(), folder)
