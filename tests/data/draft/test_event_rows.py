"""Rows of one time: events at positions of their own, distinguished from sensors that measure."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from deepcity.data.draft.answers import Answers, OpenQuestionsError
from deepcity.data.draft.city import start_city
from deepcity.data.draft.event_rows import are_events

BEGIN = datetime(2023, 10, 1)  # noqa: DTZ001 - a wall clock
HERE = {"time_zone": "America/New_York"}


def offences(rows=3000, seed=0):
    """A row an offence, at times of five minutes and any position; clocks go back in between."""
    dice = np.random.default_rng(seed)
    minutes = np.sort(dice.integers(0, 60 * 24 * 12, rows)) * 5
    return pl.DataFrame(
        {
            "when": [
                f"{BEGIN + timedelta(minutes=int(one)):%m/%d/%Y %I:%M:%S %p}" for one in minutes
            ],
            "offence": dice.choice(["theft", "robbery"], rows),
            "precinct": dice.integers(1, 30, rows),
            "lat": dice.uniform(40.5, 40.9, rows).round(6),
            "lon": dice.uniform(-74.2, -73.7, rows).round(6),
        }
    )


def started(folder, frame, **answers):
    frame.write_csv(folder / "rows.csv")
    return start_city([str(folder / "rows.csv")], Answers(**HERE, **answers), folder)


def asked(folder, frame, **answers):
    with pytest.raises(OpenQuestionsError) as found:
        started(folder, frame, **answers)
    return [one.key for one in found.value.asks]


def test_rows_at_positions_of_their_own_are_counted_once_their_place_is_named(tmp_path):
    frame = offences()
    assert asked(tmp_path, frame) == ["place"]
    start = started(tmp_path, frame, place="precinct")
    (panel,) = start.panels.values()
    assert panel.values_TNF.sum() == frame.height
    assert len(panel.places) == frame["precinct"].n_unique()
    assert any("event" in one for one in start.assumed)


def test_an_answer_goes_before_what_is_seen(tmp_path):
    frame = offences()
    assert "place" in asked(tmp_path, frame, rows="events")
    assert "duplicates" in asked(tmp_path, frame, rows="measurements", place="precinct")


def test_a_number_that_may_be_measured_is_asked_for(tmp_path):
    frame = offences().with_columns(loss=pl.Series(np.random.default_rng(1).uniform(0, 9, 3000)))
    assert {"rows", "place"} <= set(asked(tmp_path, frame))


def test_sensors_that_measure_at_the_same_positions_are_no_events(tmp_path):
    dice = np.random.default_rng(0)
    rows = [
        {"when": str(BEGIN + timedelta(hours=hour)), "lat": 40.5 + n / 100, "lon": -74.0 - n / 50}
        for hour in range(400)
        for n in range(5)
    ]
    frame = pl.DataFrame(rows).with_columns(state=pl.Series(dice.integers(0, 3, len(rows))))
    assert not are_events(frame, ["when"])
    assert "place" not in asked(tmp_path, frame) or "rows" in asked(tmp_path, frame)
