"""Rows that come hourly, then every quarter of an hour: told, and never half missing."""

from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as tries
from hypothesis import strategies as st

from deepcity.city.errors import DataError
from deepcity.data.city_file import load_panel, load_with_findings

pytest_plugins = ["towns"]

COUNTS = '[{ name = "people", kind = "count", unit = "people", source = "records"%s }]'
START = datetime(2024, 5, 1)  # noqa: DTZ001


def moments(before, days_before, after, days_after):
    """Times of rows, and how many minutes each stands for."""
    change = START + timedelta(days=days_before)
    parts = ((START, before, days_before), (change, after, days_after))
    return [
        (start + timedelta(minutes=n * step), step)
        for start, step, days in parts
        for n in range(days * 1440 // step)
    ]


@tries(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.sampled_from([(60, 15), (15, 60), (30, 10), (60, 30), (10, 60)]),
    days=st.tuples(st.integers(3, 8), st.integers(3, 8)),
    long=st.booleans(),
    ends=st.booleans(),
)
def test_sums_are_whole_before_and_after_a_change(steps, days, long, ends, town):
    rows = moments(steps[0], days[0], steps[1], days[1])
    shift = {minutes: timedelta(minutes=minutes * ends) for minutes in steps}
    lines = [f"{time + shift[minutes]:%Y-%m-%d %H:%M}" for time, minutes in rows]
    counts = [minutes for _, minutes in rows]  # one a minute
    head = "time,a"
    cells = [f"{time},{count}" for time, count in zip(lines, counts, strict=True)]
    if long:
        head = "time,p,n"
        cells = [f"{t},{p},{c}" for p in "ab" for t, c in zip(lines, counts, strict=True)]
    stamp = ', stamp = "end"' if ends else ""
    source = f'format = "csv"\npath = "records.csv"\ntime = {{ column = "time"{stamp} }}'
    source += '\nlayout = "long"\nplace = "p"' if long else ""
    fields = COUNTS % (', column = "n"' if long else "")
    places = '"all"' if long else '["a"]'
    text = "\n".join([head, *cells]) + "\n"
    city = town(text, source=source, fields=fields, places=places)
    loaded = load_with_findings(city, "office")
    assert loaded.panel.values_TNF.shape[0] == 24 * sum(days)
    assert np.unique(loaded.panel.values_TNF).tolist() == [60]
    (finding,) = [one for one in loaded.findings if one.what == "step-change"]
    change = START + timedelta(days=days[0])
    assert f"at {change:%Y-%m-%d %H:%M}" in finding.text


def test_a_clock_finer_than_one_of_the_steps_is_refused_with_a_remedy_that_works(town):
    rows = moments(60, 5, 15, 20)
    text = "time,a\n" + "".join(f"{time:%Y-%m-%d %H:%M},{minutes}\n" for time, minutes in rows)
    with pytest.raises(DataError) as caught:
        load_panel(town(text, step="15min", fields=COUNTS % "", places='["a"]'), "office")
    (problem,) = caught.value.problems
    assert "from 1h to 15min at 2024-05-06 00:00" in f"{problem.reason}"
    assert "clock.step = '1h'" in problem.right
    panel = load_panel(town(text, step="1h", fields=COUNTS % "", places='["a"]'), "office")
    assert np.unique(panel.values_TNF).tolist() == [60]


@pytest.mark.parametrize("days", [(2, 10), (10, 2)])
def test_a_day_or_two_in_another_step_is_no_change(town, days):
    rows = moments(60, days[0], 15, days[1])
    text = "time,a\n" + "".join(f"{time:%Y-%m-%d %H:%M},{minutes}\n" for time, minutes in rows)
    city = town(text, fields=COUNTS % "", places='["a"]')
    found = load_with_findings(city, "office").findings
    assert [one for one in found if one.what == "step-change"] == []


def test_gaps_of_weekends_are_no_change(town):
    days = [START + timedelta(days=n) for n in range(60)]
    text = "time,a\n" + "".join(f"{day:%Y-%m-%d},1\n" for day in days if day.weekday() < 5)
    city = town(text, step="1d", fields=COUNTS % "", places='["a"]')
    found = load_with_findings(city, "office").findings
    assert [one for one in found if one.what == "step-change"] == []
