"""Faults put in at random are found and said; clean records are left in peace."""

from dataclasses import replace

import numpy as np
import pytest
from faults import LOADS, ROME, WEATHER, late, loads, roads, streets, view_of, weather
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

from deepcity.city.field import Field, Kind
from deepcity.data.conversions import mix_ups
from deepcity.data.quality import kinds, look_into

SEEDS = st.integers(0, 10_000)
MADE = {"loads": loads, "streets": streets, "roads": roads, "weather": weather}


def found(*views):
    return [f for fs in look_into(views).values() for f in fs]


def of(view, what):
    return [finding for finding in found(view) if finding.what == what]


def spoilt(view, change):
    """The view after `change` of its values (T, N, F), made in place on a copy."""
    values = view.panel.values_TNF.astype(np.float64)
    change(values)
    panel = replace(view.panel, values_TNF=values.astype(np.float32))
    return replace(view, panel=panel)


def day(view, step):
    return view.when(step)[:10]


@pytest.mark.parametrize("sort", sorted(MADE))
@tries(max_examples=8, deadline=None)
@given(seed=SEEDS)
def test_clean_records_are_left_in_peace(sort, seed):
    assert found(MADE[sort](seed)) == []


def test_every_kind_is_known_and_finds_only_what_it_says():
    assert set(kinds()) == {
        "clock", "decimal", "header_unit", "placeholder", "restless_unit", "shifted",
        "sibling_clock", "sibling_unit", "stuck", "unit", "unit_change",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("make", "f", "unit"),
    [
        (weather, 0, "degF"), (weather, 0, "K"), (weather, 1, "1"), (weather, 3, "kPa"),
        (weather, 3, "Pa"), (weather, 3, "inHg"), (weather, 2, "km/h"), (roads, 0, "km/h"),
    ],
)  # fmt: skip
@tries(max_examples=3, deadline=None)
@given(seed=SEEDS)
def test_a_wrong_unit_is_found_by_what_nature_and_roads_know(make, f, unit, seed):
    view = make(seed, days=330)
    if unit == "km/h" and make is weather:  # a breeze of 3 m/s would be a strong wind, no more
        view = spoilt(view, lambda values: np.multiply(values[:, :, 2], 1.4, out=values[:, :, 2]))
        assert found(view) == []
    field = view.panel.fields[f]
    (mix_up,) = [m for m in mix_ups(field.kind, field.unit, field.unit) if m.unit == unit]

    def change(values):
        values[:, :, f] = values[:, :, f] * mix_up.factor + mix_up.offset

    (told,) = of(spoilt(view, change), "wrong-unit")
    assert told.shows[0] == field.name
    assert f'unit_in = "{unit}"' in told.text


@tries(max_examples=8, deadline=None)
@given(seed=SEEDS, place=st.integers(0, 5), unit=st.sampled_from(["km/h", "m/s"]))
def test_one_place_in_another_unit_than_its_siblings(seed, place, unit):
    view = roads(seed)
    (mix_up,) = [m for m in mix_ups(view.panel.fields[0].kind, "mph", "mph") if m.unit == unit]
    bad = spoilt(view, lambda v: np.multiply(v[:, place], mix_up.factor, out=v[:, place]))
    (told,) = of(bad, "sibling-unit")
    assert told.shows == ("speed", (f"p{place}",))
    assert unit in told.text


@tries(max_examples=8, deadline=None)
@given(seed=SEEDS, place=st.integers(0, 4), factor=st.sampled_from([1000.0, 0.001]))
def test_kilowatts_among_megawatts(seed, place, factor):
    bad = spoilt(loads(seed), lambda v: np.multiply(v[:, place], factor, out=v[:, place]))
    assert [told.shows[1] for told in of(bad, "sibling-unit")] == [(f"p{place}",)]


@tries(max_examples=5, deadline=None)
@given(seed=SEEDS)
def test_two_agencies_of_a_city_compare_their_thermometers(seed):
    here = weather(seed)
    warm = here.panel.values_TNF[:, :, :1].astype(np.float64)
    dice = np.random.default_rng(seed)
    near = warm + dice.normal(0, 0.7, size=warm.shape)
    there = view_of(near * 1.8 + 32, (WEATHER[0],), agency="other")
    third = view_of(near, (WEATHER[0],), agency="third")
    told = look_into([replace(here, agency="here"), third, there])
    assert [f.what for f in told["other"]][:1] == ["sibling-unit"]
    assert "degF" in told["other"][0].text
    assert told["here"] == told["third"] == []


@tries(max_examples=10, deadline=None)
@given(
    seed=SEEDS,
    place=st.integers(0, 4),
    at=st.integers(20, 125),
    unit=st.sampled_from(["kW", "GW", "W"]),
)
def test_a_unit_that_changes_half_way(seed, place, at, unit):
    view = loads(seed)
    (mix_up,) = [m for m in mix_ups(LOADS[0].kind, "MW", "MW") if m.unit == unit]
    step = at * 24
    bad = spoilt(view, lambda v: np.multiply(v[step:, place], mix_up.factor, out=v[step:, place]))
    (told,) = of(bad, "unit-change")
    assert told.shows == ("load", (f"p{place}",))
    twin = {"kW": "GW", "GW": "kW"}.get(unit, "none")  # kW from a day on, or GW until then
    begin = day(view, step)
    assert f"like {unit} from {begin}" in told.text or f"like {twin} until {begin}" in told.text


@tries(max_examples=8, deadline=None)
@given(seed=SEEDS, at=st.integers(20, 125))
def test_celsius_becomes_fahrenheit(seed, at):
    view, step = weather(seed), at * 24
    bad = spoilt(
        view, lambda v: v.__setitem__((slice(step, None), 0, 0), v[step:, 0, 0] * 1.8 + 32)
    )
    (told,) = of(bad, "unit-change")
    assert "like degF from" in told.text


@tries(max_examples=8, deadline=None)
@given(seed=SEEDS, at=st.integers(45, 105), back=st.booleans())
def test_winds_in_metres_a_second_become_kilometres_an_hour(seed, at, back):
    view, step = weather(seed), at * 24
    odd = slice(None, step) if back else slice(step, None)
    bad = spoilt(view, lambda v: np.multiply(v[odd, 0, 2], 3.6, out=v[odd, 0, 2]))
    (told,) = of(bad, "unit-change")
    assert told.shows[0] == "wind"
    assert f"like {'km/h' if back else 'm/s'} before about" in told.text
    assert f"like {'m/s' if back else 'km/h'} after" in told.text


def test_rain_in_inches_from_a_day_on_and_a_wet_season_that_is_none():
    dice = np.random.default_rng(5)
    wet = (dice.random(3600) < 0.06) * dice.gamma(0.7, 1.5, 3600).round(1)
    view = view_of(wet[:, None, None], (Field("rain", Kind.RAIN, "mm"),))

    def inches(values):
        values[80 * 24 :] /= 25.4

    def monsoon(values):  # as large a factor as inches, but it goes as it came
        values[60 * 24 : 95 * 24] *= 25.4

    (told,) = of(spoilt(view, inches), "unit-change")
    assert "like mm before about 2022-03" in told.text
    assert "like inch after" in told.text
    assert of(view, "unit-change") == of(spoilt(view, monsoon), "unit-change") == []


def test_winds_of_many_stations_that_change_together_are_one_finding():
    views = [weather(seed) for seed in range(6)]
    winds = np.concatenate([view.panel.values_TNF[:, :, 2] for view in views], axis=1)
    clean = view_of(winds[..., None].astype(float), (views[0].panel.fields[2],))
    assert of(clean, "unit-change") == []
    bad = spoilt(clean, lambda v: np.multiply(v[70 * 24 :, :4], 3.6, out=v[70 * 24 :, :4]))
    (told,) = of(bad, "unit-change")
    name, places = told.shows
    assert name == "wind"
    assert len(places) >= 3  # one may pass for a windy month
    assert set(places) <= {"p0", "p1", "p2", "p3"}


@tries(max_examples=8, deadline=None)
@given(seed=SEEDS, at=st.integers(20, 125), back=st.booleans())
def test_shares_that_are_mostly_zero_become_per_cent(seed, at, back):
    dice = np.random.default_rng(seed)
    rest = np.repeat((dice.random(150) < 0.3) * 1.0, 24)
    view = view_of(rest[:, None, None], (Field("rest", Kind.SHARE, "1"),))
    odd = slice(None, at * 24) if back else slice(at * 24, None)
    (told,) = of(spoilt(view, lambda v: np.multiply(v[odd], 100, out=v[odd])), "unit-change")
    assert f"like % {'until' if back else 'from'}" in told.text
    assert of(view, "unit-change") == []
    full = spoilt(view, lambda v: np.multiply(v[odd], 1.9, out=v[odd]))  # fuller than full
    assert of(full, "unit-change") == []


@pytest.mark.parametrize("unknown", [slice(0, 10 * 24), slice(108 * 24, None)])
def test_shares_shown_in_per_cent_may_begin_late_and_end_early(unknown):
    """The panel is in %, the records are shares: 99 is no share above 1.5."""
    dice = np.random.default_rng(3)
    full = 50 + 40 * np.sin(np.arange(120 * 24) / 24 * 2 * np.pi) + dice.normal(0, 3, 120 * 24)
    view = view_of(full[:, None, None], (Field("full", Kind.SHARE, "%"),))
    view = replace(view, units_F=("1",))
    late_ = spoilt(view, lambda v: v.__setitem__(unknown, np.nan))
    assert of(late_, "unit-change") == []
    odd = spoilt(view, lambda v: np.multiply(v[50 * 24 :], 100, out=v[50 * 24 :]))
    assert len(of(odd, "unit-change")) == 1


def test_a_few_large_values_among_zeros_are_no_change_of_unit():
    zeros = np.zeros((120 * 24, 1, 1))
    view = view_of(zeros, (Field("rest", Kind.SHARE, "1"),))
    few = spoilt(view, lambda v: v.__setitem__(slice(50 * 24, 50 * 24 + 3), 100))
    assert of(few, "unit-change") == []


def test_a_header_that_names_another_unit_than_the_city_file():
    view = weather(3)
    headers = ("Temperature (°C)", "humidity [%] (roof)", "Windspeed (km/h)", "Pressure")
    view = replace(view, headers_F=tuple({0: header} for header in headers))
    (told,) = of(view, "header-unit")
    assert told.shows == ("wind", ("p0",))
    assert "column 'Windspeed (km/h)' says km/h, the city file m/s" in told.text
    assert 'unit_in = "km/h"' in told.text


def test_headers_of_places_are_told_together_and_names_are_no_units():
    flows = view_of(loads(3).panel.values_TNF, (Field("inflow", Kind.FLOW, "L/s"),))
    same = {n: f"DMA {n} ({unit})" for n, unit in enumerate(["l/s", "L/s", "2", "north", "in"])}
    assert of(replace(flows, headers_F=(same,)), "header-unit") == []
    other = same | {1: "DMA 1 (m3/h)", 4: "DMA 4 (m3/h)"}
    (told,) = of(replace(flows, headers_F=(other,)), "header-unit")
    assert told.shows == ("inflow", ("p1", "p4"))


@pytest.mark.parametrize(
    ("kind", "unit", "headers", "told"),
    [
        (Kind.SHARE, "%", ["Modal share (bike)"], 0),
        (Kind.LEVEL, "spaces", ["P1 (B)", "P2 (m)"], 0),
        (Kind.LEVEL, "spaces", ["P1 (m)", "P2 (m)"], 1),
        (Kind.TEMPERATURE, "degC", ["Room 1 (A)", "Room 2 (F)"], 0),
        (Kind.TEMPERATURE, "degC", ["Room 1 (F)", "Room 2 (F)"], 1),
        (Kind.TEMPERATURE, "K", ["Temp (C)"], 1),
        (Kind.SPEED, "km/h", ["Speed (max)"], 0),
        (Kind.CONCENTRATION, "ug/m3", ["PM10 (㎍/㎥)", "PM10 (daily)"], 0),
    ],
)
def test_words_and_letters_in_brackets(kind, unit, headers, told):
    ones = np.random.default_rng(1).random((48, len(headers), 1)) + 280
    view = view_of(ones, (Field("f", kind, unit),))
    view = replace(view, headers_F=(dict(enumerate(headers)),))
    assert len(of(view, "header-unit")) == told
    assert of(replace(view, guessed=True), "header-unit") == []


def test_a_header_that_no_conversion_helps_asks_for_another_unit():
    view = view_of(np.ones((48, 1, 1)), (Field("free", Kind.LEVEL, "spaces"),))
    (told,) = of(replace(view, headers_F=({0: "Level (m)"},)), "header-unit")
    assert "correct `unit`" in told.text
    assert "unit_in" not in told.text


def test_a_lockdown_is_no_change_of_unit():
    """Busy hours fall to a quarter, quiet ones hardly: life, not arithmetic."""
    view = streets(3)

    def locked(values):
        values[80 * 24 :] = 40 + values[80 * 24 :] * 0.2

    assert of(spoilt(view, locked), "unit-change") == []
    assert of(spoilt(loads(3), locked), "unit-change") == []

    def stretched(values):  # the middle times 3.6, as from L/s to m3/h; highs more, lows less
        late_ = values[80 * 24 :]
        middle = np.median(late_, axis=0)
        late_[:] = np.clip(3.6 * middle + 7 * (late_ - middle), 1, None)

    flows = view_of(loads(3).panel.values_TNF, (Field("inflow", Kind.FLOW, "L/s"),))
    assert of(spoilt(flows, stretched), "unit-change") == []
    times = spoilt(flows, lambda v: np.multiply(v[80 * 24 :], 3.6, out=v[80 * 24 :]))
    assert len(of(times, "unit-change")) == 1


@tries(max_examples=8, deadline=None)
@given(seed=SEEDS, at=st.integers(20, 125), shift=st.sampled_from([-1, 1]))
def test_columns_shifted_from_a_day_on(seed, at, shift):
    view, step = weather(seed), at * 24
    bad = spoilt(view, lambda v: v.__setitem__(slice(step, None), np.roll(v[step:], shift, -1)))
    (told,) = of(bad, "shifted")
    assert day(view, step)[:8] in told.text or day(view, step - 48)[:8] in told.text
    assert ("to the right" if shift > 0 else "to the left") in told.text


@tries(max_examples=8, deadline=None)
@given(seed=SEEDS, rows=st.sets(st.integers(0, 3599), min_size=1, max_size=9))
def test_single_rows_with_a_delimiter_too_many(seed, rows):
    view = weather(seed)
    bad = spoilt(view, lambda v: v.__setitem__(sorted(rows), np.roll(v[sorted(rows)], 1, -1)))
    (told,) = of(bad, "shifted")
    assert told.text.startswith("p0: in ")
    assert view.when(min(rows)) in told.text


@tries(max_examples=8, deadline=None)
@given(seed=SEEDS, place=st.integers(0, 4), factor=st.sampled_from([10, 100, 1000]))
def test_lost_decimal_signs(seed, place, factor):
    rows = np.random.default_rng(seed).choice(3600, 40, replace=False)
    bad = spoilt(loads(seed), lambda v: v.__setitem__((rows, place), v[rows, place] * factor))
    (told,) = of(bad, "decimal")
    assert told.shows == ("load", (f"p{place}",))
    assert 30 <= int(told.text.split()[0]) <= 40


@tries(max_examples=8, deadline=None)
@given(seed=SEEDS, number=st.sampled_from([-999.0, 99999.0, 999990.0, -9999.0]))
def test_numbers_that_stand_for_missing(seed, number):
    rows = np.random.default_rng(seed).choice(3600, 5, replace=False)
    bad = spoilt(weather(seed), lambda v: v.__setitem__((rows, 0, 1), number))
    assert [told.shows[0] for told in of(bad, "placeholder")] == ["humidity"]


@tries(max_examples=10, deadline=None)
@given(
    seed=SEEDS,
    at=st.integers(30, 90),
    weeks=st.integers(4, 20),
    hours=st.sampled_from([-2, -1, 1, 2]),
)
def test_a_clock_that_is_off_for_some_weeks(seed, at, weeks, hours):
    view, begin = streets(seed, days=200), at * 24
    end = begin + weeks * 7 * 24

    def change(values):
        values[begin:end] = late(values, hours)[begin:end]

    told = [one for one in of(spoilt(view, change), "clock") if one.where == "people"]
    assert len(told) == 1
    word = "later" if hours > 0 else "earlier"
    assert told[0].text.startswith(f"the daily pattern comes {word} by {abs(hours)} h from")


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

    told = [one for one in of(spoilt(view, change), "clock") if one.where == "people"]
    assert "earlier by 1 h from 2022-03-2" in told[0].text
    assert "state time.zone" in told[0].text


@tries(max_examples=6, deadline=None)
@given(seed=SEEDS, place=st.integers(0, 5), hours=st.sampled_from([-3, -1, 1, 2, 8]))
def test_one_place_whose_clock_is_off_throughout(seed, place, hours):
    view = loads(seed, days=300, places=6)
    bad = spoilt(view, lambda v: v.__setitem__((slice(None), place), late(v[:, place], hours)))
    (told,) = of(bad, "sibling-clock")
    assert told.shows == ("load", (f"p{place}",))
    assert f"{abs(hours)} h {'after' if hours > 0 else 'before'}" in told.text


def test_a_stuck_sensor_is_noted_and_an_empty_street_is_not():
    view = loads(1)
    (told,) = of(spoilt(view, lambda v: v.__setitem__((slice(480, 530), 2), 7.5)), "stuck")
    assert (told.severity.value, told.shows[1]) == ("note", ("p2",))
    assert "50 steps" in told.text
    assert of(spoilt(streets(1), lambda v: v.__setitem__(slice(480, 530), 0)), "stuck") == []


def test_a_dead_counter_is_told_and_a_quiet_week_is_not():
    view = streets(1)
    (told,) = of(spoilt(view, lambda v: v.__setitem__((slice(480, 1000), 2), 0)), "dead")
    assert (told.severity.value, told.shows[1]) == ("warning", ("p2",))
    assert "520 steps" in told.text
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
    assert of(replace(view, guessed=True), "wrong-unit") == []
