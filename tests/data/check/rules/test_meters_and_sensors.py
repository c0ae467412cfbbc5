"""Meters, codes and moved sensors are told; what only looks like them is left in peace."""

import re

import numpy as np
import pytest
from faults import ROME, day, found, loads, of, roads, spoilt, streets, view_of, weather
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

from deepcity.city.field import Field, Kind
from deepcity.data.check.rules import placeholder
from deepcity.data.city_file import load_with_findings

pytest_plugins = ["towns"]

SEEDS = st.integers(0, 10_000)
DUST = (Field("dust", Kind.CONCENTRATION, "ug/m3"),)
METERS = (Field("used", Kind.ENERGY, "kWh"),)


def dust(seed, places=2):
    dice = np.random.default_rng(seed)
    values = 30 + 10 * np.sin(np.arange(1440) / 24) + dice.normal(0, 4, size=(places, 1440))
    return view_of(np.round(values.T[:, :, None], 1), DUST)


@tries(max_examples=20, deadline=None)
@given(
    seed=SEEDS,
    code=st.sampled_from([998.0, 999.9, 1999.9, 65535.0, 32767.0, -1.0, -9999.0, 9.96921e36]),
    scattered=st.booleans(),
)
def test_a_code_is_told_with_the_number_that_was_written(seed, code, scattered):
    dice, start = np.random.default_rng(seed), seed % 1300
    rows = dice.choice(1440, 40, replace=False) if scattered else slice(start, start + 40)
    (reported,) = of(spoilt(dust(seed), lambda v: v.__setitem__((rows, 0, 0), code)), "placeholder")
    assert reported.text.startswith(f"{np.float32(code)!s}".removesuffix(".0"))
    assert reported.shows == ("dust", ("p0",))


def test_two_codes_are_told_at_both_places():
    def put(values):
        values[500:540, 0, 0] = 999.9
        values[500:540, 1, 0] = 1999.9
        values[900:920, 1, 0] = 999.9

    reported = of(spoilt(dust(1), put), "placeholder")
    assert {(one.text.split()[0], one.shows[1]) for one in reported} == {
        ("999.9", ("p0", "p1")), ("1999.9", ("p1",)),
    }  # fmt: skip


def test_a_number_that_is_no_marker_is_told_where_it_comes_again_and_again():
    rows = np.arange(5, 1440, 90)
    (reported,) = of(spoilt(dust(2), lambda v: v.__setitem__((rows, 0, 0), 412.5)), "placeholder")
    assert reported.text.startswith("412.5 occurs 16 times")


def test_a_number_among_the_others_is_told_by_its_jumps():
    hour = np.arange(3600)
    clean = 20 + 8 * np.sin(hour / 300) + np.random.default_rng(3).normal(0, 0.3, size=3600)
    warm = view_of(np.round(clean, 1)[:, None, None], (Field("t", Kind.TEMPERATURE, "degC"),))
    rows = np.arange(40, 3600, 160)
    rows = rows[np.abs(clean[rows] - 15) > 4]
    (reported,) = of(spoilt(warm, lambda v: v.__setitem__((rows, 0, 0), 15)), "placeholder")
    assert reported.text.startswith("15 occurs")
    assert 'missing = ["15"]' in reported.text


@pytest.mark.parametrize("code", [999.9, -999.0, 65535.0])
def test_the_advice_masks_the_code_and_nothing_else(code, town):
    values = np.array(dust(4).panel.values_TNF[:, :, 0], dtype=np.float64)
    values[100:160, 0] = code
    hours = np.arange(1440)
    lines = [
        f"2024-01-{1 + hour // 24:02d} {hour % 24:02d}:00" if hour < 744
        else f"2024-02-{1 + (hour - 744) // 24:02d} {hour % 24:02d}:00"
        for hour in hours
    ]  # fmt: skip
    records = "time,a,b\n" + "\n".join(
        f"{time},{a:.1f},{b:.1f}" for time, (a, b) in zip(lines, values, strict=True)
    )
    field = '{ name = "dust", kind = "concentration", unit = "ug/m3", source = "records"%s }'
    panel = load_with_findings(town(records, fields=f"[{field % ''}]"), "office").panel
    spoken = of(view_of(panel.values_TNF, DUST), "placeholder")
    advice = re.search(r"valid = \[[^\]]*\]", spoken[0].text)[0]
    mended = load_with_findings(town(records, fields=f"[{field % f', {advice}'}]"), "office").panel
    np.testing.assert_array_equal(np.isnan(mended.values_TNF[:, :, 0]), values == code, strict=True)
    assert of(view_of(mended.values_TNF, DUST), "placeholder") == []


def test_directions_and_rare_counts_hold_no_codes():
    dice = np.random.default_rng(0)
    wind = dice.choice([-1.0, -0.7071, 0.0, 0.7071, 1.0], size=(2000, 1, 1))
    rare = dice.choice([0.0, 1.0, 2.0], p=[0.98, 0.015, 0.005], size=(2000, 1, 1))
    assert of(view_of(wind, (Field("from", Kind.LEVEL, "m"),)), "placeholder") == []
    assert of(view_of(rare, (Field("calls", Kind.COUNT, "calls"),)), "placeholder") == []


def test_is_marker_knows_what_people_write():
    assert all(map(placeholder.is_marker, (-99.0, 9999.0, 99.99, 998.0, 2.0**16 - 1)))
    assert not any(map(placeholder.is_marker, (98.0, 412.0, -0.5, 100.0)))


@tries(max_examples=10, deadline=None)
@given(seed=SEEDS, resets=st.integers(0, 2), first=st.sampled_from([0.0, 16_498.0, 1e7]))
def test_a_running_total_is_told(seed, resets, first):
    dice = np.random.default_rng(seed)
    total = first + np.cumsum(dice.exponential(2.0, size=(2000, 2)), axis=0)
    for at in dice.choice(2000, resets, replace=False):
        total[at:] -= total[at]
    (reported,) = of(view_of(total[:, :, None], METERS), "running-total")
    assert "cumulative = true" in reported.text
    assert reported.shows == ("used", ("p0", "p1"))


def test_the_advice_on_a_running_total_gives_amounts(town):
    total = 4000 + np.cumsum(np.random.default_rng(5).integers(1, 9, size=600))
    records = "time,a\n" + "".join(
        f"2024-01-{1 + hour // 24:02d} {hour % 24:02d}:00,{value}\n"
        for hour, value in enumerate(total)
    )
    field = '{ name = "used", kind = "energy", unit = "kWh", source = "records"%s }'

    def values(more=""):
        city = town(records, fields=f"[{field % more}]", places='["a"]')
        return load_with_findings(city, "office").panel.values_TNF

    (reported,) = of(view_of(values(), METERS), "running-total")
    advice = re.search(r"cumulative = true", reported.text)[0]
    amounts = values(f", {advice}")
    np.testing.assert_array_equal(amounts[:-1, 0, 0], np.diff(total))
    assert of(view_of(amounts, METERS), "running-total") == []


@pytest.mark.parametrize("make", [streets, loads])
def test_amounts_are_no_running_totals(make):
    assert of(make(1), "running-total") == []


@tries(max_examples=8, deadline=None)
@given(seed=SEEDS, at=st.integers(25, 120), factor=st.sampled_from([0.45, 0.6, 1.8]))
def test_one_place_that_changes_its_level_is_named_with_the_day(seed, at, factor):
    view, place, step = streets(seed), seed % 5, at * 24
    bad = spoilt(view, lambda v: v.__setitem__((slice(step, None), place, 0),
                                               np.round(v[step:, place, 0] * factor)))  # fmt: skip
    (reported,) = of(bad, "level-step")
    assert reported.shows == ("people", (f"p{place}",))
    assert abs(int(reported.day.replace("-", "")) - int(day(view, step).replace("-", ""))) < 100
    assert day(view, step) == reported.day or reported.day in {
        day(view, step + shift * 24) for shift in (-1, 1)
    }


def test_a_city_that_changes_as_a_whole_is_no_step_of_a_place():
    bad = spoilt(streets(7), lambda v: np.multiply(v[1500:], 0.4, out=v[1500:]))
    assert of(bad, "level-step") == []


def test_a_place_that_comes_back_has_not_changed_for_good():
    bad = spoilt(streets(8), lambda v: np.multiply(v[1500:1836, 0], 0.4, out=v[1500:1836, 0]))
    assert of(bad, "level-step") == []


def test_a_gap_of_one_place_is_told_and_one_of_all_is_not():
    alone = spoilt(streets(2), lambda v: v.__setitem__((slice(600, 900), 3), np.nan))
    (reported,) = of(alone, "place-gap")
    assert reported.shows == ("people", ("p3",))
    assert "12 days at p3" in reported.text
    every = spoilt(streets(2), lambda v: v.__setitem__(slice(600, 900), np.nan))
    assert of(every, "place-gap") == []


def test_a_place_that_begins_late_or_has_ended():
    late = spoilt(streets(3), lambda v: v.__setitem__((slice(None, 3200), 1), np.nan))
    assert [one.shows[1] for one in of(late, "late-place")] == [("p1",)]
    ended = spoilt(streets(3), lambda v: v.__setitem__((slice(3000, None), 1), np.nan))
    assert [one.shows[1] for one in of(ended, "ended-place")] == [("p1",)]


@pytest.mark.parametrize("overlap", [-24, 0, 24])
def test_a_sensor_that_goes_on_under_another_name(overlap):
    view, at = streets(4, places=6), 2000
    values = view.panel.values_TNF.astype(np.float64)
    new = values[:, 2].copy()
    new[: at - overlap] = np.nan
    values[at:, 2] = np.nan
    renamed = view_of(np.concatenate([values, new[:, None]], axis=1), view.panel.fields)
    (reported,) = of(renamed, "handover")
    assert set(reported.shows[1]) == {"p2", "p6"}
    assert "p2 ends and p6 begins" in reported.text


def test_a_new_street_elsewhere_takes_nothing_over():
    view = streets(4, places=6)
    values = view.panel.values_TNF.astype(np.float64)
    values[2000:, 2] = np.nan
    values[:2000, 4] = np.nan
    values[:, 4] *= 5
    assert of(view_of(values, view.panel.fields), "handover") == []


@pytest.mark.parametrize("gas", ["no2", "o3", "so2", "co"])
def test_a_gas_whose_unit_changes_from_mass_to_share(gas):
    level = loads(5).panel.values_TNF[:, :, 0].astype(np.float64)
    field = (Field(gas, Kind.CONCENTRATION, "ug/m3"),)
    mass = {"no2": 46.0055, "o3": 47.9982, "so2": 64.064, "co": 28.0101}[gas]
    level[2000:, 1] *= 24.465 / mass / 1000  # ppm
    (reported,) = of(view_of(level[:, :, None], field), "unit-change")
    assert reported.shows[1] == ("p1",)
    assert "look like ppm from" in reported.text


@pytest.mark.parametrize("make", [weather, roads])
def test_clean_records_give_no_such_warning(make):
    assert found(make(11)) == []
    assert ROME.step_s == 3600
