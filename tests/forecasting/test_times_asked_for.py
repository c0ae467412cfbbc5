"""Times of which the clocks have none or two are refused with the choices."""

from datetime import UTC, datetime

import pytest

from deepcity.city.errors import DataError
from deepcity.forecasting.panel_check import second_of

ROME = "Europe/Rome"


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (datetime(2021, 3, 28, 2, 30), r"skip this time.*\+01:00 or .*\+02:00"),  # noqa: DTZ001
        (datetime(2021, 10, 31, 2, 30), r"repeat this time.*\+02:00 or .*\+01:00"),  # noqa: DTZ001
        (datetime(1, 1, 1), "out of the calendar"),  # noqa: DTZ001
    ],
)
def test_a_time_without_an_offset_is_not_guessed(at, reason):
    with pytest.raises(DataError, match=reason):
        second_of("a/b", "at", at, ROME)


def test_with_an_offset_it_is_what_it_is():
    there = datetime(2021, 10, 31, 2, 30, tzinfo=UTC)
    assert second_of("a/b", "at", there, ROME) == there.timestamp()
    plain = datetime(2021, 7, 1, 2)  # noqa: DTZ001
    assert second_of("a/b", "at", plain, ROME) == datetime(2021, 7, 1, tzinfo=UTC).timestamp()
