"""A run says whose forecast became worse over the test days, and since when."""

from datetime import UTC, datetime

import numpy as np
import pytest
from little_map import LittleMap, flows, service

from deepcity.maps.city_map import load_map
from deepcity.runs.run import load_results, run_map
from deepcity.web.report.notes import notes_of
from deepcity.web.report.page import render


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """Three parties; from the 16th of 30 test days on, one becomes three times as noisy."""
    folder = tmp_path_factory.mktemp("drift")
    little = LittleMap(folder)
    for seed, name in enumerate(("east/calm", "east/quiet", "east/odd")):
        values = flows(100, 1, seed=seed)
        if name == "east/odd":
            later = np.random.default_rng(9).normal(0, 0.9, (15 * 24, 1))
            values[-15 * 24 :] += later
        little.party(name, values)
    path = little.write(service(levels=(), rounds=2, settings="pooled = false"))
    text = path.read_text().replace("validation_days = 5", "validation_days = 30")
    path.write_text(text.replace("test_days = 5", "test_days = 30"))
    return run_map(load_map(path), folder / "run"), folder / "run"


def test_only_the_party_that_changed_is_reported(done):
    by_name = {party.name: party for party in done[0].services[0].parties}
    assert by_name["east/calm"].drift is None
    assert by_name["east/quiet"].drift is None
    drift = by_name["east/odd"].drift
    change = datetime(2021, 2, 1, tzinfo=UTC).timestamp() + 85 * 24 * 3600
    assert abs(drift.since - change) <= 4 * 24 * 3600
    assert drift.since < drift.noticed <= change + 14 * 24 * 3600
    assert drift.excess > 0.5
    assert drift.naive_excess > 0.3  # such days are harder for the simple rule too


def test_results_keep_it_and_the_report_says_it(done):
    results = load_results(done[1])
    odd = next(party for party in results.services[0].parties if party.drift)
    (words,) = [one for one in notes_of(odd) if "Drift: since" in one.en]
    assert "above its usual level (detected on" in words.en
    page = render(results)
    assert "Drift: since" in page
    assert "드리프트" in page
