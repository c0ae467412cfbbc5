"""Doubts about records are those of the data check, bounded, with numbers instead of sentences."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from live_city import BEGIN, DAY, HOUR, write

from deepcity.data.check import rules
from deepcity.data.check.file_report import check_file
from deepcity.data.city_file import load_city, load_panel
from deepcity.data.findings import Severity
from deepcity.runs.records import record_doubts as module
from deepcity.runs.records.record_doubts import MOST_ALIKE, identity, newest_steps, record_doubts
from deepcity.web.report.text import words


@pytest.fixture
def town(tmp_path):
    write(tmp_path, 36)
    return load_city(tmp_path / "a.toml")


def doubts(town, change):
    """What is doubted of the first agency's records once they are changed."""
    panel = load_panel(town, "x")
    values_TNF = panel.values_TNF.copy()
    change(values_TNF[:, :, 0])
    return record_doubts(town, {"x": replace(panel, values_TNF=values_TNF)})["x"]


def test_the_same_is_doubted_as_by_the_data_check(tmp_path):
    def bad(name, values):
        changed = values.copy()
        changed[100:160, 1] = changed[100, 1]
        changed[300:330] = np.nan
        changed[400:405, 0] = -9999
        return changed

    write(tmp_path, 36, bad)
    city_file = load_city(tmp_path / "a.toml")
    found = record_doubts(city_file, {name: load_panel(city_file, name) for name in ("x", "y")})
    for agency in check_file(tmp_path / "a.toml").agencies:
        seen = {one.what for one in agency.findings if one.severity is Severity.WARNING}
        codes = {one.code.removeprefix("records_").replace("_", "-") for one in found[agency.name]}
        assert codes == {*seen, "stuck"}


def test_a_fault_that_goes_on_is_the_same_doubt_the_next_day(town):
    panel = load_panel(town, "x")

    def stuck(steps):
        values_TNF = panel.values_TNF[:steps].copy()
        values_TNF[30 * 24 :, 1] = 12.5
        part = replace(panel, time_T=panel.time_T[:steps], values_TNF=values_TNF)
        return record_doubts(town, {"x": part})["x"]

    (one,), (two,) = stuck(31 * 24), stuck(32 * 24)
    assert (one.numbers["from_s"], one.numbers["value"]) == (BEGIN + 30 * DAY, 12.5)
    assert "to_s" not in one.numbers
    assert one != two  # its sentence counts steps
    assert identity(one) == identity(two)
    ended = doubts(town, lambda v: v.__setitem__((slice(30 * 24, 32 * 24), 1), 12.5))
    assert ended[0].numbers["to_s"] == BEGIN + 32 * DAY
    assert identity(ended[0]) != identity(one)


def test_many_alike_become_one_with_a_place_as_example(town):
    panel = load_panel(town, "x")
    count = MOST_ALIKE + 3
    places = tuple(replace(panel.places[0], id=f"q{n}") for n in range(count))
    values_TNF = np.random.default_rng(0).normal(10, 1, (36 * 24, count, 1)).astype(np.float32)
    for place in range(count - 1):
        values_TNF[:, place] = place
    wide = replace(panel, places=places, values_TNF=values_TNF)
    found = module._notes(wide, module.panel_warnings(wide, town.settings.agency[0]))
    (constant,) = [one for one in found if one.code == "records_constant"]
    assert constant.numbers["count"] == count - 1
    assert constant.names["places"] == ["q0", "q1", "q2", "q3"]
    assert (constant.names["place"], constant.numbers["value"]) == ("q0", 0.0)


def test_the_newest_values_are_looked_at_and_no_more(town, monkeypatch):
    panel = load_panel(town, "x")
    monkeypatch.setattr(module, "MOST_VALUES", 2 * 24)
    newest = newest_steps(panel)
    assert len(newest.time_T) == 24
    assert newest.time_T[-1] == panel.time_T[-1]
    assert newest.time_T[0] == panel.time_T[-1] - 23 * HOUR


def test_every_kind_that_the_rules_name_has_a_sentence_in_both_languages():
    texts = [path.read_text("utf-8") for path in Path(rules.__path__[0]).glob("*.py")]
    kinds = {kind for text in texts for kind in re.findall(r'\.warn\(\s*"([a-z-]+)"', text)}
    assert len(kinds) > 15
    for language in ("en", "ko"):
        known = words(language)
        missing = [one for one in kinds if f"data_check.{one.replace('-', '_')}" not in known]
        assert missing == []
