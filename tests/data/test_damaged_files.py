"""Damaged files of every format, as the benchmark makes them: none ends in a traceback."""

import importlib.util

import pytest

from benchmarks.damaged_files import FINE, NAMED, WHOLE, run


def test_thirty_damaged_files_end_in_a_report():
    formats = [one for one in WHOLE if one != "xlsx" or importlib.util.find_spec("openpyxl")]
    found, highest_kb, wrong = run(30, seed=5, formats=formats)
    assert wrong == []
    assert highest_kb < 1_000_000
    endings = {ending for _, ending in found}
    if endings != {NAMED, FINE}:
        pytest.fail(f"30 files that were damaged all ended in {endings}")
