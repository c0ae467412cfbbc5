"""When a picture was taken, by its name."""

import math
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcity.vision.frames.name_times import time_in_name

SEOUL = ZoneInfo("Asia/Seoul")
AT_S = datetime(2026, 12, 1, 4, 15, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("stem", "after_s"),
    [
        ("20261201_041500", 0),
        ("20261201041500", 0),
        ("2026-12-01T04-15-00.250", 0.25),
        ("gate_2026-12-01 04.15.00", 0),
        ("CAM2_20261201041500123_TIMING", 0.123),
        ("20261201T041500Z", 0),
        ("2026-12-01T13:15:00+09:00", 0),
        ("2026-12-01T13:15:00+0900", 0),
        (f"{AT_S:.0f}", 0),
        (f"{AT_S:.0f}250", 0.25),
        (f"frame-{AT_S:.0f}.5", 0.5),
    ],
)
def test_names_of_cameras_and_recorders(stem, after_s):
    assert time_in_name(stem) == pytest.approx(AT_S + after_s, abs=1e-6)


def test_times_that_name_no_zone_are_of_the_one_given():
    assert time_in_name("20261201_131500", SEOUL) == AT_S
    assert time_in_name("20261201T041500Z", SEOUL) == AT_S


@pytest.mark.parametrize(
    "stem",
    [
        "img0001",
        "20261301_041500",
        "20261201_256000",
        "20261201",
        "2026-1-2 3:4:5",
        "",
        "20261201_041500_to_20261201_041600",
        "123456789",
        "20261201T041500+99:00",
    ],
)
def test_names_without_a_time_or_with_two_are_not_guessed(stem):
    assert time_in_name(stem) is None


@given(
    st.datetimes(*(datetime.fromisoformat(day) for day in ("1970-01-02", "2099-01-01"))),
    st.sampled_from(["%Y%m%d_%H%M%S", "%Y-%m-%dT%H-%M-%S", "%Y_%m_%d_%H_%M_%S", "%Y%m%d%H%M%S"]),
    st.integers(-14 * 60, 14 * 60),
    st.sampled_from(["", "gate_", "cam 7 - "]),
)
def test_what_is_written_is_read(moment, pattern, minutes, before):
    moment = moment.replace(microsecond=0)
    zone = timezone(timedelta(minutes=minutes))
    found = time_in_name(before + moment.strftime(pattern), zone)
    assert found == moment.replace(tzinfo=zone).timestamp()


@given(st.text(max_size=60))
def test_any_name_is_a_time_or_none(stem):
    found = time_in_name(stem)
    assert found is None or math.isfinite(found)
