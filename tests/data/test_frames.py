"""Panels from and to frames: they come back as they were, and what is wrong is named."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from deepcity import Panel
from deepcity.city.clock import Clock
from deepcity.city.errors import DataError
from deepcity.city.field import Field, Kind
from deepcity.city.place import Place
from deepcity.data.timestamps.resample import grid_over

FLOW = {"flow": {"kind": "flow", "unit": "L/s"}}
TOWN = {"fields": FLOW, "time_zone": "Europe/Rome", "step": "1h"}
BACKENDS = ["polars", "pandas"]


def same(one: Panel, other: Panel) -> None:
    assert one.clock == other.clock
    assert one.places == other.places
    assert one.fields == other.fields
    np.testing.assert_array_equal(one.time_T, other.time_T)
    np.testing.assert_array_equal(one.values_TNF, other.values_TNF)


@st.composite
def panels(draw):
    """Panels whose days hold both changes of the clock, with values missing anywhere."""
    zone = draw(st.sampled_from(["Europe/Rome", "Asia/Seoul", "Australia/Lord_Howe", "UTC"]))
    step = draw(st.sampled_from([timedelta(minutes=15), timedelta(hours=1)]))
    day = draw(st.sampled_from([datetime(2023, 3, 25), datetime(2023, 10, 28)]))  # noqa: DTZ001
    steps, places = draw(st.integers(2, 60)), draw(st.integers(1, 3))
    cells = st.one_of(st.just(np.nan), st.floats(0, 1e6, width=32))
    values = draw(arrays(np.float32, (steps, places, 2), elements=cells))
    start = int(np.datetime64(day, "s").astype(np.int64)) + 3600 * draw(st.integers(0, 23))
    clock = Clock(zone, step, frozenset({date(2023, 3, 26)}))
    return Panel(
        clock,
        grid_over(clock, start, start + 1).start_s + np.arange(steps) * clock.step_s,
        tuple(Place(f"p{n}", 45.0 + n, 9.0) for n in range(places)),
        (Field("flow", Kind.FLOW, "L/s"), Field("inside", Kind.TEMPERATURE, "degC")),
        values,
    )


@pytest.mark.filterwarnings("ignore::UserWarning")  # doubts about drawn values
@settings(max_examples=25, deadline=None)
@given(panel=panels(), backend=st.sampled_from(BACKENDS))
def test_a_panel_comes_back_from_a_frame_as_it_was(panel, backend):
    if backend == "pandas":
        pytest.importorskip("pandas")
    back = Panel.from_frame(
        panel.to_frame(backend),
        time="time",
        place="place",
        fields=panel.fields,
        places=panel.places,
        time_zone=panel.clock.time_zone,
        step=panel.clock.step,
        holidays=panel.clock.holidays,
    )
    same(back, panel)


def hours(count, start=datetime(2023, 6, 1)):  # noqa: DTZ001 - wall time
    return [start + timedelta(hours=n) for n in range(count)]


def wide():
    return pl.DataFrame({"time": hours(4), "a": [1.0, None, 3.0, 4.0], "b": [5, 6, 7, 8]})


def test_a_wide_and_a_long_frame_give_the_same_panel():
    long = wide().unpivot(index="time", variable_name="station", value_name="flow")
    one = Panel.from_frame(wide(), time="time", **TOWN)
    same(one, Panel.from_frame(long, time="time", place="station", **TOWN))
    assert [place.id for place in one.places] == ["a", "b"]
    assert one.values_TNF[:, 0, 0].tolist() == pytest.approx([1, np.nan, 3, 4], nan_ok=True)
    assert one.time_T[0] == int(datetime.fromisoformat("2023-06-01T00:00+02:00").timestamp())


def test_a_pandas_frame_may_hold_times_as_its_index():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"a": [1.0, None, 3.0, 4.0], "b": [5, 6, 7, 8]}, index=pandas.DatetimeIndex(hours(4))
    )
    same(
        Panel.from_frame(frame, time="time", **TOWN), Panel.from_frame(wide(), time="time", **TOWN)
    )
    zoned = frame.tz_localize("Europe/Rome")
    same(
        Panel.from_frame(zoned, time="time", **TOWN), Panel.from_frame(wide(), time="time", **TOWN)
    )


def test_a_gap_stays_a_gap_and_finer_rows_are_resampled():
    frame = wide().filter(pl.col("a").is_not_null())
    panel = Panel.from_frame(frame, time="time", **TOWN)
    assert np.isnan(panel.values_TNF[1]).all()
    seoul = {**TOWN, "time_zone": "Asia/Seoul", "step": timedelta(hours=2)}
    coarse = Panel.from_frame(wide(), time="time", **seoul)
    assert coarse.values_TNF[:, 1, 0].tolist() == [5.5, 7.5]


def test_a_column_of_another_name_and_unit():
    fields = {"flow": {"kind": "flow", "unit": "L/s", "unit_in": "m3/h", "column": "Q"}}
    frame = pl.DataFrame({"time": hours(2), "of": ["x", "x"], "Q": [3.6, 7.2]})
    panel = Panel.from_frame(frame, time="time", place="of", **{**TOWN, "fields": fields})
    assert panel.values_TNF.ravel().tolist() == pytest.approx([1, 2])


def test_a_repeated_hour_and_doubled_rows_are_refused_with_a_remedy_that_works():
    autumn = datetime(2023, 10, 29)  # noqa: DTZ001
    frame = pl.DataFrame({"time": hours(5, autumn), "a": [1.0, 2, 3, 4, 5]})
    with pytest.raises(DataError, match=r"2023-10-29 02:00.*showed this time twice"):
        Panel.from_frame(frame, time="time", **TOWN)
    keys = {"column": "time", "ambiguous": "earlier"}
    assert len(Panel.from_frame(frame, time=keys, **TOWN).time_T) == 6
    twice = pl.concat([wide(), wide()[1:2].with_columns(b=pl.lit(9, pl.Int64))])
    with pytest.raises(DataError, match=r"[Ss]et time\.duplicates = 'mask'"):
        Panel.from_frame(twice, time="time", **TOWN)
    keys = {"column": "time", "duplicates": "mask"}
    with pytest.warns(UserWarning, match="not in order"):
        panel = Panel.from_frame(twice, time=keys, **TOWN)
    assert np.isnan(panel.values_TNF[1, 1, 0])


def test_every_wrong_argument_is_named_at_once():
    with pytest.raises(DataError) as error:
        Panel.from_frame(
            wide(),
            time={"column": "time", "duplicate": "mask"},
            fields={"flow": {"kind": "flow", "unit": "km/h"}, "other": {"kind": "flaw"}},
            time_zone="Europe/Roma",
            step="1 hr",
        )
    text = str(error.value)
    for wanted in ("duplicate", "km/h", "flaw", "Europe/Roma", "1 hr", "wide frame"):
        assert wanted in text


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (wide().rename({"time": "when"}), "no such column"),
        (wide().with_columns(a=pl.lit("x")), "not a number"),
        (wide()[:1], "fewer than two times"),
    ],
)
def test_wrong_records_are_named(frame, reason):
    with pytest.raises(DataError, match=reason):
        Panel.from_frame(frame, time="time", **TOWN)


def test_what_is_no_frame_or_backend_is_refused():
    with pytest.raises(TypeError, match="a polars or pandas DataFrame is needed, not list"):
        Panel.from_frame([1], time="time", **TOWN)
    panel = Panel.from_frame(wide(), time="time", **TOWN)
    with pytest.raises(ValueError, match="unknown backend 'arrow'"):
        panel.to_frame("arrow")
    assert replace(panel).to_frame().columns == ["time", "place", "flow"]
