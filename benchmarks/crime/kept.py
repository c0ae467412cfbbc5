"""Forecasts as files: what was learned once need not be learned again for a table."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from benchmarks.crime.forecasts import Days
from benchmarks.crime.protocol import Forecasts

Lines = Mapping[str, Mapping[str, Forecasts]]
_TRUTH = "truth"


def write_lines(path: Path, lines: Lines) -> None:
    """Line -> party -> forecasts; whole or not at all."""
    arrays = {
        f"{line}|{party}|{span}": getattr(of_party, span)
        for line, of_line in lines.items()
        for party, of_party in of_line.items()
        for span in ("validation", "test")
    }
    fresh = path.with_suffix(".tmp.npz")
    np.savez_compressed(fresh, **arrays)
    fresh.replace(path)


def read_lines(path: Path) -> dict[str, dict[str, Forecasts]]:
    """What `write_lines` wrote."""
    found: dict[str, dict[str, Forecasts]] = {}
    with np.load(path, allow_pickle=False) as arrays:
        for key in arrays.files:
            line, party, span = key.split("|")
            if span == "validation":
                of_party = Forecasts(arrays[key], arrays[f"{line}|{party}|test"])
                found.setdefault(line, {})[party] = of_party
    return found


def write_days(path: Path, days: Days) -> None:
    """Truths and naive forecasts."""
    write_lines(path, {_TRUTH: days.truth, **days.naive})


def read_days(path: Path) -> Days:
    """What `write_days` wrote."""
    lines = read_lines(path)
    return Days(lines.pop(_TRUTH), lines)
