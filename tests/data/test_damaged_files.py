"""Damaged files of every format, as the benchmark makes them: none ends in a traceback."""

import importlib.util

import pytest

from benchmarks import damaged_files
from benchmarks.damaged_files import FINE, MEMORY, TRACEBACK, WHOLE, check, run

FORMATS = [one for one in WHOLE if one != "xlsx" or importlib.util.find_spec("openpyxl")]


def test_thirty_damaged_files_end_in_a_report():
    found, highest_kb, wrong = run(30, seed=5, formats=FORMATS)
    assert wrong == []
    assert sum(found.values()) == 30
    assert 0 < highest_kb < 1_000_000


def test_files_without_damage_are_read(monkeypatch):
    monkeypatch.setattr(damaged_files, "damaged", lambda whole, _draw: ("none", whole))
    found, _, _ = run(2 * len(FORMATS), seed=1, formats=FORMATS)
    assert {ending for _, ending in found} == {FINE}


@pytest.mark.parametrize(
    ("fault", "ending"),
    [
        ("raise RuntimeError('x')", TRACEBACK),
        ("import os; os._exit(134)", TRACEBACK),
        ("_held = bytearray(1_200_000_000)", MEMORY),
    ],
)
def test_what_must_not_be_is_counted_as_such(fault, ending, monkeypatch, tmp_path):
    broken = damaged_files._CHECK.replace("            app(", f"            {fault}; app(")
    monkeypatch.setattr(damaged_files, "_CHECK", broken)
    path = tmp_path / "r.csv"
    path.write_bytes(WHOLE["csv"]())
    assert [end for end, _, _ in check([path, path])] == [ending, ending]
