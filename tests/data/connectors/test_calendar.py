"""A calendar as an agency: a row a day, told without any record."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from deepcity.data.connectors.calendar import COLUMNS, CONNECTOR, CalendarSettings


def calendar(first, last, country="IT-FE"):
    source = CalendarSettings(name="c", country=country, first=first, last=last)
    frame = CONNECTOR.read(source, Path()).frame
    return {row["date"]: row for row in frame.to_dicts()}


def test_days_around_a_holiday():
    # Thursday 6 January 2022, Epiphany: Wednesday is its eve, Friday a bridge to the weekend.
    traits = calendar(date(2022, 1, 3), date(2022, 1, 9))
    assert traits["2022-01-05"]["eve"] == 1
    assert traits["2022-01-06"] | {"season": 0} == {
        "date": "2022-01-06",
        "rest": 1,
        "saturday": 0,
        "holiday": 1,
        "eve": 0,
        "after": 0,
        "bridge": 0,
        "season": 0,
    }
    assert (traits["2022-01-07"]["bridge"], traits["2022-01-07"]["after"]) == (1, 1)
    assert (traits["2022-01-08"]["saturday"], traits["2022-01-09"]["rest"]) == (1, 1)
    assert traits["2022-01-04"]["bridge"] == 0


@given(st.dates(date(2001, 1, 1), date(2039, 1, 1)), st.integers(0, 400))
def test_a_row_a_day_and_no_number_out_of_range(first, days):
    traits = calendar(first, first + timedelta(days=days), "KR")
    assert len(traits) == days + 1
    for row in traits.values():
        assert set(row) == set(COLUMNS)
        assert all(row[name] in (0.0, 1.0) for name in COLUMNS[1:-1])
        assert -1.2 <= row["season"] <= 1.0
        assert not (row["rest"] and (row["saturday"] or row["eve"] or row["bridge"]))


def test_days_in_the_wrong_order_are_refused():
    with pytest.raises(ValidationError, match="before the first"):
        CalendarSettings(name="c", country="IT", first=date(2022, 1, 2), last=date(2022, 1, 1))


def test_columns_are_known_without_reading():
    source = CalendarSettings(name="c", country="IT", first=date(2022, 1, 1), last=date(2022, 1, 2))
    assert CONNECTOR.columns(source, Path()) == list(COLUMNS)
    batch = next(iter(CONNECTOR.batches(source, Path(), ["rest"])))
    assert batch.frame.columns == ["rest"]
