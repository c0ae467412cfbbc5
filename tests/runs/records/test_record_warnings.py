"""A run repeats what the data check warns of in the records that it learns from."""

import numpy as np
import pytest
from little_map import flows, service, three

from deepcity.cli.summary import warnings
from deepcity.maps.city_map import load_map
from deepcity.runs.note import Note
from deepcity.runs.run import load_results, run_map
from deepcity.web.report.notes import note, notes_of
from deepcity.web.report.page import render


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("warned")
    little = three(folder)
    little.party("east/north", np.cumsum(flows(seed=0, places=2), axis=0))
    office = flows(seed=2, places=3)
    office[:-60, 2] = np.nan  # in the test days only
    little.party("west/office", office)
    path = little.write(service(levels=(), rounds=1, settings="pooled = false\nautomatic = false"))
    run_map(load_map(path), folder / "run")
    return load_results(folder / "run")


def notes(results, name):
    (party,) = [one for one in results.services[0].parties if one.name == name]
    return {one.code: one for one in party.notes}, party


def test_a_running_total_is_told_by_the_run(results):
    found, party = notes(results, "east/north")
    assert found["records_running_total"].names["places"] == ["p0", "p1"]
    (text,) = [one for one in notes_of(party) if "running total" in one.en]
    assert text.en.startswith("Data check, flow at p0, p1: never falls")
    assert text.ko.startswith("자료 점검, p0, p1의 flow: ")
    page = render(results)
    assert "never falls but at resets" in page
    assert "초기화될 때 말고는 줄지 않습니다" in page


def test_the_terminal_says_it_with_the_party(results):
    (line,) = [one for one in warnings(results) if "running total" in one]
    assert line.startswith("warning (east/north) Data check, flow at p0, p1: ")


def test_places_of_the_test_days_alone_are_named(results):
    found, _ = notes(results, "west/office")
    assert found["records_unseen_places"].names["places"] == ["p2"]


def test_clean_records_give_no_note(results):
    found, _ = notes(results, "east/south")
    assert not any(code.startswith("records_") for code in found)


def test_a_warning_of_a_rule_without_a_sentence_keeps_its_text():
    names = {"field": "flow", "places": [], "text": "too bright"}
    own = Note(code="records_moonlight", names=names)
    assert note(own).en == "Data check, flow: too bright"
