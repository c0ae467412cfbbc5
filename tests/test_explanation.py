"""The way of a row names real code: every file is there and holds what the page says."""

import re
from pathlib import Path

import pytest

import deepcity

SOURCE = Path(deepcity.__file__).parent
PAGE = SOURCE.parents[1] / "docs" / "explanation" / "the-way-of-a-row.md"
TEXT = PAGE.read_text(encoding="utf-8")
IN_TABLE = re.findall(r"`([\w/]+\.py)`: `([\w.]+)`", TEXT)
IN_TEXT = re.findall(r"`([\w.]+)(?:\(\))?` (?:\(|in )`([\w/]+\.py)`", TEXT)
NAMED = sorted({*IN_TABLE, *((file, name) for name, file in IN_TEXT)})


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_what_a_station_names_is_there(file, name):
    text = (SOURCE / file).read_text(encoding="utf-8")
    for part in name.split("."):
        assert re.search(rf"^ *(?:def|class) {part}\b", text, re.MULTILINE), f"{part} in {file}"


def test_there_are_at_most_twelve_stations():
    stations = re.findall(r"^## (\d+)\. ", TEXT, re.MULTILINE)
    assert stations == [str(number) for number in range(1, len(stations) + 1)]
    assert 1 < len(stations) <= 12
    assert len(IN_TABLE) == len(stations)
