"""Faults put in at random are found and said; clean records are left in peace."""

from dataclasses import replace

import numpy as np
import pytest
from faults import (
    LOADS,
    ROME,
    WEATHER,
    day,
    found,
    late,
    loads,
    of,
    roads,
    spoilt,
    streets,
    view_of,
    weather,
)
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

from deepcity.data.check.conversions import unit_confusions
from deepcity.data.check.rules import rules, run_rules

SEEDS = st.integers(0, 10_000)


def assert_found(check, seeds, least=None):
    """All faults are found, or where a rule misses some today, no fewer than `least`."""
    outcomes = [check(seed) for seed in seeds]
    assert sum(outcomes) >= (len(outcomes) if least is None else least)


MADE = {"loads": loads, "streets": streets, "roads": roads, "weather": weather}


@pytest.mark.parametrize("sort", sorted(MADE))
@tries(max_examples=8, deadline=None)
@given(seed=SEEDS)
def test_clean_records_are_left_in_peace(sort, seed):
    assert found(MADE[sort](seed)) == []


def test_every_kind_is_known_and_finds_only_what_it_says():
    assert set(rules()) == {
        "clock", "decimal", "handover", "header_unit", "late_place", "level_step", "place_gap",
        "placeholder", "running_total", "weather_unit_change", "shifted", "sibling_clock",
        "sibling_unit", "stuck", "total", "unit", "unit_change",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("make", "f", "unit"),
    [
        (weather, 0, "degF"), (weather, 0, "K"), (weather, 1, "1"), (weather, 3, "kPa"),
        (weather, 3, "Pa"), (weather, 3, "inHg"), (weather, 2, "km/h"), (roads, 0, "km/h"),
    ],
)  # fmt: skip
def test_a_wrong_unit_is_found_by_what_nature_and_roads_know(make, f, unit):
    def check(seed):
        view = make(seed, days=330)
        if unit == "km/h" and make is weather:  # 3 m/s as km/h would be a strong wind, no more
            view = spoilt(view, lambda v: np.multiply(v[:, :, 2], 1.4, out=v[:, :, 2]))
            assert found(view) == []
        field = view.panel.fields[f]
        confusions = unit_confusions(field.kind, field.unit, field.unit)
        (confusion,) = [one for one in confusions if one.unit == unit]

        def change(values):
            values[:, :, f] = values[:, :, f] * confusion.factor + confusion.offset

        reported = of(spoilt(view, change), "wrong-unit")
        assert all(one.shows[0] == field.name for one in reported)
        assert all(f'unit_in = "{unit}"' in one.text for one in reported)
        return len(reported) == 1

    assert_found(check, range(5))


@pytest.mark.parametrize(("unit", "least"), [("km/h", 6), ("m/s", 7)])
def test_one_place_in_another_unit_than_its_siblings(unit, least):
    def check(seed):
        view, place = roads(seed), seed % 6
        confusions = unit_confusions(view.panel.fields[0].kind, "mph", "mph")
        (confusion,) = [one for one in confusions if one.unit == unit]
        bad = spoilt(view, lambda v: np.multiply(v[:, place], confusion.factor, out=v[:, place]))
        reported = of(bad, "sibling-unit")
        assert all(one.shows == ("speed", (f"p{place}",)) for one in reported)
        assert all(unit in one.text for one in reported)
        return len(reported) == 1

    assert_found(check, range(10), least)  # six places are few to compare with


@tries(max_examples=8, deadline=None)
@given(seed=SEEDS, place=st.integers(0, 4), factor=st.sampled_from([1000.0, 0.001]))
def test_kilowatts_among_megawatts(seed, place, factor):
    bad = spoilt(loads(seed), lambda v: np.multiply(v[:, place], factor, out=v[:, place]))
    assert [reported.shows[1] for reported in of(bad, "sibling-unit")] == [(f"p{place}",)]


@tries(max_examples=5, deadline=None)
@given(seed=SEEDS)
def test_two_agencies_of_a_city_compare_their_thermometers(seed):
    here = weather(seed)
    warm = here.panel.values_TNF[:, :, :1].astype(np.float64)
    dice = np.random.default_rng(seed)
    near = warm + dice.normal(0, 0.7, size=warm.shape)
    there = view_of(near * 1.8 + 32, (WEATHER[0],), agency="other")
    third = view_of(near, (WEATHER[0],), agency="third")
    reported = run_rules([replace(here, agency="here"), third, there])
    assert [f.what for f in reported["other"]][:1] == ["sibling-unit"]
    assert "degF" in reported["other"][0].text
    assert reported["here"] == reported["third"] == []


@tries(max_examples=8, deadline=None)
@given(seed=SEEDS, at=st.integers(20, 125), shift=st.sampled_from([-1, 1]))
def test_columns_shifted_from_a_day_on(seed, at, shift):
    view, step = weather(seed), at * 24
    bad = spoilt(view, lambda v: v.__setitem__(slice(step, None), np.roll(v[step:], shift, -1)))
    (reported,) = of(bad, "shifted")
    near = range(max(0, step - 6 * 24), min(step + 7 * 24, len(view.panel.time_T)), 24)
    assert any(f"from {day(view, one)} on" in reported.text for one in near)
    assert ("to the right" if shift > 0 else "to the left") in reported.text


@tries(max_examples=8, deadline=None)
@given(seed=SEEDS, rows=st.sets(st.integers(0, 3599), min_size=1, max_size=9))
def test_single_rows_with_a_delimiter_too_many(seed, rows):
    view = weather(seed)
    bad = spoilt(view, lambda v: v.__setitem__(sorted(rows), np.roll(v[sorted(rows)], 1, -1)))
    (reported,) = of(bad, "shifted")
    assert reported.text.startswith("p0: in ")
    assert view.when(min(rows)) in reported.text


@tries(max_examples=8, deadline=None)
@given(seed=SEEDS, place=st.integers(0, 4), factor=st.sampled_from([10, 100, 1000]))
def test_lost_decimal_signs(seed, place, factor):
    rows = np.random.default_rng(seed).choice(3600, 40, replace=False)
    bad = spoilt(loads(seed), lambda v: v.__setitem__((rows, place), v[rows, place] * factor))
    (reported,) = of(bad, "decimal")
    assert reported.shows == ("load", (f"p{place}",))
    assert 30 <= int(reported.text.split()[0]) <= 40


@tries(max_examples=8, deadline=None)
@given(seed=SEEDS, number=st.sampled_from([-999.0, 99999.0, 999990.0, -9999.0]))
def test_numbers_that_stand_for_missing(seed, number):
    rows = np.random.default_rng(seed).choice(3600, 5, replace=False)
    bad = spoilt(weather(seed), lambda v: v.__setitem__((rows, 0, 1), number))
    assert [reported.shows[0] for reported in of(bad, "placeholder")] == ["humidity"]


@pytest.mark.parametrize(("hours", "least"), [(-2, 7), (-1, 8), (1, 8), (2, 8)])
def test_a_clock_that_is_off_for_some_weeks(hours, least):
    def check(seed):
        view, begin = streets(seed, days=200), (30 + 7 * seed) * 24
        end = begin + (4 + 2 * seed) * 7 * 24

        def change(values):
            values[begin:end] = late(values, hours)[begin:end]

        reported = [one for one in of(spoilt(view, change), "clock") if one.where == "people"]
        word = "later" if hours > 0 else "earlier"
        right = f"the daily pattern is {word} by {abs(hours)} h from"
        return len(reported) == 1 and reported[0].text.startswith(right)

    assert_found(check, range(8), least)


def test_a_street_that_wakes_up_at_night_is_no_clock_that_is_off():
    """Bars open: evenings double and mornings fade, so that days run later without moving."""
    view = streets(5, days=160)
    hour_T = ROME.local_seconds(view.panel.time_T) // 3600 % 24

    def night(values):
        late_T = np.arange(len(values)) >= 80 * 24
        values[late_T & (hour_T >= 19)] *= 2
        values[late_T & (hour_T > 5) & (hour_T < 11)] *= 0.6

    assert of(spoilt(view, night), "clock") == []


@tries(max_examples=6, deadline=None)
@given(seed=SEEDS)
def test_summer_time_that_the_records_do_not_keep(seed):
    view = streets(seed, days=200)
    offset_T = ROME.local_seconds(view.panel.time_T) - view.panel.time_T

    def change(values):
        values[offset_T == 7200] = late(values, -1)[offset_T == 7200]

    reported = [one for one in of(spoilt(view, change), "clock") if one.where == "people"]
    assert "earlier by 1 h from 2022-03-2" in reported[0].text
    assert "state time.zone" in reported[0].text


@tries(max_examples=6, deadline=None)
@given(seed=SEEDS, place=st.integers(0, 5), hours=st.sampled_from([-3, -1, 1, 2, 8]))
def test_one_place_whose_clock_is_off_throughout(seed, place, hours):
    view = loads(seed, days=300, places=6)
    bad = spoilt(view, lambda v: v.__setitem__((slice(None), place), late(v[:, place], hours)))
    (reported,) = of(bad, "sibling-clock")
    assert reported.shows == ("load", (f"p{place}",))
    assert f"{abs(hours)} h {'after' if hours > 0 else 'before'}" in reported.text


def test_a_stuck_sensor_is_noted_and_an_empty_street_is_not():
    view = loads(1)
    (reported,) = of(spoilt(view, lambda v: v.__setitem__((slice(480, 530), 2), 7.5)), "stuck")
    assert (reported.severity.value, reported.shows[1]) == ("note", ("p2",))
    assert "50 steps" in reported.text
    assert of(spoilt(streets(1), lambda v: v.__setitem__(slice(480, 530), 0)), "stuck") == []


def test_a_dead_counter_is_reported_and_a_quiet_week_is_not():
    view = streets(1)
    (reported,) = of(spoilt(view, lambda v: v.__setitem__((slice(480, 1000), 2), 0)), "dead")
    assert (reported.severity.value, reported.shows[1]) == ("warning", ("p2",))
    assert "520 steps" in reported.text
    assert of(spoilt(view, lambda v: v.__setitem__((slice(480, 700), 2), 0)), "dead") == []
    rare = spoilt(view, lambda v: np.multiply(v, np.arange(len(v))[:, None, None] % 450 < 9, out=v))
    assert of(rare, "dead") == []


@pytest.mark.parametrize("steps", [1, 3, 25, 200])
@pytest.mark.parametrize("value", [np.nan, 0.0, 5.0])
def test_little_or_nothing_measured_is_no_fault(steps, value):
    for fields in (LOADS, WEATHER):
        blank = np.full((steps, 5, len(fields)), value)
        assert [f for f in found(view_of(blank, fields)) if f.what != "stuck"] == []


def test_a_drafted_file_is_not_blamed_for_guessed_units():
    view = spoilt(weather(2), lambda v: np.multiply(v, 9, out=v))
    assert of(view, "wrong-unit")
    assert of(replace(view, drafted=True), "wrong-unit") == []
