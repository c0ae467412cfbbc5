"""A row a day and a column an hour: read as if each hour had a row."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as tries
from hypothesis import strategies as st

from deepcity.city.errors import DataError
from deepcity.data import connectors
from deepcity.data.city_file import load_panel, load_with_findings
from deepcity.data.timestamps.hour_headers import find_hours

pytest_plugins = ["towns"]

FLOW = '[{ name = "flow", kind = "flow", unit = "L/s", source = "records"%s }]'
SOURCE = 'format = "csv"\npath = "records.csv"\n'
HEADERS = {
    "ranges": [f"{n:02d}-{n + 1:02d}시" for n in range(24)],
    "ends": [f"{n:02d}시" for n in range(1, 25)],
    "starts": [f"{n}시" for n in range(24)],
    "numbers": [str(n) for n in range(24)],
    "numbers from 1": [str(n) for n in range(1, 25)],
    "clock": [f"{n:02d}:00" for n in range(24)],
    "HR": [f"HR{n:02d}" for n in range(1, 25)],
    "h": [f"h{n}" for n in range(24)],
    "HE": [f"HE{n:02d}" for n in range(1, 25)],
}


def time_of(headers, more=""):
    stated = f'first = "{headers[0]}", last = "{headers[-1]}"{more}'
    return f'time = {{ column = "date", hour_columns = {{ {stated} }} }}'


def daily(values_DH, headers, places=("",)):
    """A line a day and place; the value of a place is that of the day and hour plus its number."""
    lines = [",".join(["date", *(["place"] if places != ("",) else []), *headers, "total"])]
    for day, values in enumerate(values_DH):
        for n, place in enumerate(places):
            cells = [str(date(2024, 3, 1) + timedelta(days=day)), *([place] if place else [])]
            lines.append(",".join([*cells, *(str(value + n) for value in values), "9999"]))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("style", list(HEADERS))
def test_headers_of_hours_are_known(style):
    found = find_hours(["date", "합계", *HEADERS[style], "total"])
    assert found is not None
    assert found.columns == tuple(HEADERS[style])
    assert (found.starts, found.step_s) == ("00:00", 3600)
    assert found.bare == style.startswith("numbers")
    assert found.sure


def test_headers_that_begin_later_or_are_shorter_or_no_hours():
    found = find_hours([f"{n}시" for n in range(5, 24)])
    assert found is not None
    assert (found.starts, found.sure) == ("05:00", False)
    found = find_hours([f"{n:02d}-{n + 1:02d}시" for n in range(5, 26)])
    assert found is not None
    assert (found.starts, found.sure) == ("05:00", True)
    halves = [f"{n // 2:02d}:{n % 2 * 30:02d}" for n in range(48)]
    found = find_hours(halves)
    assert found is not None
    assert (len(found.columns), found.step_s) == (48, 1800)
    assert find_hours(["2019", "2020", "2021"]) is None
    assert find_hours([f"station {n}" for n in range(30)]) is None
    assert find_hours([str(n) for n in range(1, 9)]) is None


@tries(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    style=st.sampled_from(list(HEADERS)),
    days=st.integers(2, 5),
    places=st.sampled_from([("",), ("a", "b"), ("x", "y", "z")]),
    seed=st.integers(0, 99),
    batch=st.sampled_from([1, 30, 10_000]),
)
def test_every_hour_comes_back(style, days, places, seed, batch, town):
    values_DH = np.random.default_rng(seed).integers(0, 900, (days, 24))
    text = daily(values_DH, HEADERS[style], places)
    source = SOURCE + time_of(HEADERS[style])
    source += "" if places == ("",) else '\nlayout = "long"\nplace = "place"'
    listed = '["here"]' if places == ("",) else '"all"'
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(connectors, "BATCH_ROWS", batch)
        loaded = load_with_findings(
            town(text, fields=FLOW % "", places=listed, source=source), "office"
        )
    panel = loaded.panel
    expected = values_DH.reshape(-1, 1) + np.arange(len(places))
    np.testing.assert_array_equal(panel.values_TNF[:, :, 0], expected)
    assert panel.time_T[0] == 1_709_251_200  # 2024-03-01 00:00 UTC
    assert not [one for one in loaded.findings if one.what in {"gap", "duplicate", "unsorted"}]


def test_an_operating_day_reaches_into_the_next(town):
    headers = [f"{n}시" for n in range(5, 26)]
    source = SOURCE + time_of(headers, ', starts = "05:00"')
    values = np.arange(42).reshape(2, 21)
    city = town(daily(values, headers), fields=FLOW % "", places='["here"]', source=source)
    panel = load_panel(city, "office")
    assert panel.time_T[0] == 1_709_251_200 + 5 * 3600
    column = panel.values_TNF[:, 0, 0]
    assert column[19:21].tolist() == [19, 20]  # 00:00 and 01:00 of the next day
    assert np.isnan(column[21:24]).all()
    assert column[24] == 21


def refused(city):
    with pytest.raises(DataError) as caught:
        load_panel(city, "office")
    return caught.value.problems


def test_a_cell_that_is_no_number_is_named_by_its_row_of_the_file(town):
    headers = HEADERS["ranges"]
    text = daily(np.ones((5, 24), dtype=int), headers).replace("2024-03-03,1", "2024-03-03,x")
    source = SOURCE + time_of(headers)
    (problem,) = refused(town(text, fields=FLOW % "", places='["here"]', source=source))
    assert problem.value == "x"
    assert "(row 4)" in problem.reason


@pytest.mark.parametrize("spread", ["", ", spread = true"])
def test_one_column_of_the_hours_is_no_day(town, spread):
    headers = HEADERS["ranges"]
    text = daily(np.ones((20, 24), dtype=int), headers)
    fields = FLOW % f', column = "{headers[0]}"{spread}'
    source = SOURCE + 'time = { column = "date" }'
    (problem,) = refused(town(text, fields=fields, places='["here"]', source=source))
    assert "one of 24 columns of a day's hours" in problem.reason
    assert 'hour_columns = { first = "00-01시", last = "23-24시" }' in problem.right
    assert "spread = true" not in problem.right


def test_what_does_not_fit_columns_of_hours_is_told(town):
    headers = HEADERS["ends"]
    text = daily(np.ones((3, 24), dtype=int), headers)
    fields = FLOW % ', column = "01시"'
    source = SOURCE + time_of(headers)
    (problem,) = refused(town(text, fields=fields, places='["a"]', source=source))
    assert "the columns of hours hold the values" in problem.reason
    (problem,) = refused(town(text, fields=FLOW % "", places='["a", "b"]', source=source))
    assert "are of one place" in problem.reason
    wrong = SOURCE + time_of(["24시", "01시"])
    (problem,) = refused(town(text, fields=FLOW % "", places='["a"]', source=wrong))
    assert "stands before" in problem.reason
    wrong = SOURCE + time_of(["01시", "total"], ', starts = "06:00"')
    (problem,) = refused(town(text, fields=FLOW % "", places='["a"]', source=wrong))
    assert "25 columns" in problem.reason
