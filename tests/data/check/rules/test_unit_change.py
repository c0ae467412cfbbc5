"""A unit that changes half-way is found, by weeks or by months; life is left in peace."""

from dataclasses import replace

import numpy as np
import pytest
from faults import LOADS, day, loads, of, spoilt, streets, view_of, weather
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

from deepcity.city.field import Field, Kind
from deepcity.data.check.conversions import unit_confusions

SEEDS = st.integers(0, 10_000)


@tries(max_examples=10, deadline=None)
@given(
    seed=SEEDS,
    place=st.integers(0, 4),
    at=st.integers(20, 125),
    unit=st.sampled_from(["kW", "GW", "W"]),
)
def test_a_unit_that_changes_half_way(seed, place, at, unit):
    view = loads(seed)
    (confusion,) = [m for m in unit_confusions(LOADS[0].kind, "MW", "MW") if m.unit == unit]
    step = at * 24
    bad = spoilt(
        view, lambda v: np.multiply(v[step:, place], confusion.factor, out=v[step:, place])
    )
    (reported,) = of(bad, "unit-change")
    assert reported.shows == ("load", (f"p{place}",))
    twin = {"kW": "GW", "GW": "kW"}.get(unit, "none")  # kW from a day on, or GW until then
    begin = day(view, step)
    assert (
        f"like {unit} from {begin}" in reported.text
        or f"like {twin} until {begin}" in reported.text
    )


@tries(max_examples=8, deadline=None)
@given(seed=SEEDS, at=st.integers(20, 125))
def test_celsius_becomes_fahrenheit(seed, at):
    view, step = weather(seed), at * 24
    bad = spoilt(
        view, lambda v: v.__setitem__((slice(step, None), 0, 0), v[step:, 0, 0] * 1.8 + 32)
    )
    (reported,) = of(bad, "unit-change")
    assert "like degF from" in reported.text


@tries(max_examples=8, deadline=None)
@given(seed=SEEDS, at=st.integers(45, 105), back=st.booleans())
def test_winds_in_metres_a_second_become_kilometres_an_hour(seed, at, back):
    view, step = weather(seed), at * 24
    odd = slice(None, step) if back else slice(step, None)
    bad = spoilt(view, lambda v: np.multiply(v[odd, 0, 2], 3.6, out=v[odd, 0, 2]))
    (reported,) = of(bad, "unit-change")
    assert reported.shows[0] == "wind"
    assert f"like {'km/h' if back else 'm/s'} before about" in reported.text
    assert f"like {'m/s' if back else 'km/h'} after" in reported.text


def test_rain_in_inches_from_a_day_on_and_a_wet_season_that_is_none():
    dice = np.random.default_rng(5)
    wet = (dice.random(3600) < 0.06) * dice.gamma(0.7, 1.5, 3600).round(1)
    view = view_of(wet[:, None, None], (Field("rain", Kind.RAIN, "mm"),))

    def inches(values):
        values[80 * 24 :] /= 25.4

    def monsoon(values):  # as large a factor as inches, but it goes as it came
        values[60 * 24 : 95 * 24] *= 25.4

    (reported,) = of(spoilt(view, inches), "unit-change")
    assert "like mm before about 2022-03" in reported.text
    assert "like inch after" in reported.text
    assert of(view, "unit-change") == of(spoilt(view, monsoon), "unit-change") == []


def test_winds_of_many_stations_that_change_together_are_one_finding():
    views = [weather(seed) for seed in range(6)]
    winds = np.concatenate([view.panel.values_TNF[:, :, 2] for view in views], axis=1)
    clean = view_of(winds[..., None].astype(float), (views[0].panel.fields[2],))
    assert of(clean, "unit-change") == []
    bad = spoilt(clean, lambda v: np.multiply(v[70 * 24 :, :4], 3.6, out=v[70 * 24 :, :4]))
    (reported,) = of(bad, "unit-change")
    name, places = reported.shows
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
    (reported,) = of(spoilt(view, lambda v: np.multiply(v[odd], 100, out=v[odd])), "unit-change")
    assert f"like % {'until' if back else 'from'}" in reported.text
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
    rest = np.repeat((dice.random(120) < 0.3) * 100.0, 24)  # mostly 0, so that no week has a level
    view = view_of(rest[:, None, None], (Field("rest", Kind.SHARE, "%"),))
    view = replace(view, units_F=("1",))
    assert of(view, "unit-change") == []
    odd = spoilt(view, lambda v: np.multiply(v[50 * 24 :], 100, out=v[50 * 24 :]))
    (reported,) = of(odd, "unit-change")
    assert "above 150%" in reported.text


def test_a_few_large_values_among_zeros_are_no_change_of_unit():
    zeros = np.zeros((120 * 24, 1, 1))
    view = view_of(zeros, (Field("rest", Kind.SHARE, "1"),))
    few = spoilt(view, lambda v: v.__setitem__(slice(50 * 24, 50 * 24 + 3), 100))
    assert of(few, "unit-change") == []


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
