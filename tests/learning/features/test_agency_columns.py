"""What an encoder sees of an agency's columns: nothing of the future, nothing of others' rows."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vertical_town import panel_of

from deepcity.city.place import Place
from deepcity.data.windows import Span
from deepcity.learning.features.agency_columns import (
    Cells,
    ColumnSettings,
    cell_number,
    fit_columns,
    view_columns,
)

PLACES = (Place("a"), Place("b", 52.52, 13.40), Place("c", 52.5201, 13.4001))
CASES = {
    "hourly": (60, ColumnSettings(history=3)),
    "an hour late": (60, ColumnSettings(history=3, lag=1)),
    "ahead": (60, ColumnSettings(history=2, ahead=4)),
    "ahead in means, and a rest": (60, ColumnSettings(history=2, ahead=7, ahead_every=3)),
    "late and ahead": (60, ColumnSettings(history=2, lag=3, ahead=2)),
    "half hours": (30, ColumnSettings(history=4)),
    "days": (1440, ColumnSettings(history=2, lag=1)),
}


def some_panel(days=12, step_minutes=60, *, seed=0, places=PLACES, fields=2, zone="UTC", **how):
    rng = np.random.default_rng(seed)
    steps = days * 1440 // step_minutes
    values = rng.normal(5, 2, (steps, len(places), fields))
    values[rng.random(values.shape) < 0.1] = np.nan
    return panel_of(values, places, step_minutes=step_minutes, zone=zone, **how)


def with_values(panel, values_TNF):
    return replace(panel, values_TNF=np.asarray(values_TNF, np.float32))


def otherwise_from(panel, step, seed=3):
    values = panel.values_TNF.copy()
    rng = np.random.default_rng(seed)
    values[step:] = rng.normal(60, 30, values[step:].shape)
    values[step:][rng.random(values[step:].shape) < 0.3] = np.nan
    return with_values(panel, values)


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=15)
@given(minute=st.integers(-2000, 13 * 1440), seed=st.integers(0, 5))
def test_rows_hold_nothing_that_had_not_ended_and_arrived(name, minute, seed):
    """Origins at any minute, whatever the agency's own step."""
    step_minutes, how = CASES[name]
    panel = some_panel(step_minutes=step_minutes)
    columns = fit_columns(panel, how, Span(0, 8 * 1440 // step_minutes), "s")
    time_B = panel.time_T[:1] + 60 * minute
    arrived = minute // step_minutes - how.lag  # steps that have ended, less those on their way
    known_ahead = how.ahead // how.ahead_every * how.ahead_every
    changed = otherwise_from(panel, max(0, arrived + known_ahead), seed)
    other = view_columns(changed, how, columns.stats, "s")
    np.testing.assert_array_equal(columns.rows(time_B), other.rows(time_B))
    gone = with_values(panel, np.full_like(panel.values_TNF, np.nan))
    gone.values_TNF[: max(0, arrived + known_ahead)] = panel.values_TNF[
        : max(0, arrived + known_ahead)
    ]
    np.testing.assert_array_equal(
        columns.known(time_B), view_columns(gone, how, columns.stats, "s").known(time_B)
    )


@pytest.mark.parametrize("name", CASES)
def test_rows_do_hold_the_newest_value_that_may_be_known(name):
    """So the test above would notice."""
    step_minutes, how = CASES[name]
    panel = some_panel(step_minutes=step_minutes)
    columns = fit_columns(panel, how, Span(0, 8 * 1440 // step_minutes), "s")
    time_B = panel.time_T[10:11]
    newest = 10 - how.lag + how.ahead // how.ahead_every * how.ahead_every - 1
    values = panel.values_TNF.copy()
    values[newest] = 7 - np.nan_to_num(values[newest])
    other = view_columns(with_values(panel, values), how, columns.stats, "s")
    assert not np.array_equal(columns.rows(time_B), other.rows(time_B))


def test_an_hourly_agency_says_the_same_through_the_hour():
    panel = some_panel()
    columns = fit_columns(panel, ColumnSettings(history=3), Span(0, 200), "s")
    quarters = panel.time_T[100] + 900 * np.arange(5)
    assert columns.step(quarters).tolist() == [100, 100, 100, 100, 101]
    rows = columns.rows(quarters)[..., :-2]  # but for the time of day
    for quarter in (1, 2, 3):
        np.testing.assert_array_equal(rows[0], rows[quarter])
    assert not np.array_equal(rows[0], rows[4])


def test_rows_are_the_standardised_values_one_by_one():
    panel = some_panel(places=PLACES[:1], fields=1)
    columns = fit_columns(panel, ColumnSettings(history=2, lag=1), Span(0, 200), "s")
    seen = panel.values_TNF[97:99, 0, 0]  # origin 100, one step late
    known = panel.values_TNF[:200, 0, 0].astype(float)
    standard = (seen - np.nanmean(known)) / np.nanstd(known)
    np.testing.assert_allclose(columns.rows(panel.time_T[100:101])[0, 0, :2], standard, rtol=1e-4)


def test_steps_ahead_are_given_as_means():
    panel = some_panel(places=PLACES[:1], fields=1)
    with_ahead = ColumnSettings(history=1, ahead=4, ahead_every=2)
    columns = fit_columns(panel, with_ahead, Span(0, 200), "s")
    known_ahead = columns.standard_TCF[100:104, 0, 0].reshape(2, 2).mean(axis=1)
    rows = columns.rows(panel.time_T[100:101])[0, 0]
    assert any(np.allclose(rows[i : i + 2], known_ahead, atol=1e-6) for i in range(len(rows) - 1))


def test_a_rest_of_steps_ahead_that_fills_no_mean_makes_nothing_known():
    panel = some_panel(places=PLACES[:1], fields=1)
    values = panel.values_TNF.copy()
    values[90:102] = np.nan  # the origin 100 would look at 98, 99 and, were it told, 100..103
    panel = with_values(panel, values)
    for every, known in ((2, True), (5, False)):
        how = ColumnSettings(history=2, ahead=4, ahead_every=every)
        columns = fit_columns(panel, how, Span(0, 80), "s")
        assert columns.known(panel.time_T[100:101]).item() is known


def test_missing_values_stand_at_zero_and_are_not_known():
    panel = some_panel()
    values = panel.values_TNF.copy()
    values[50:60, 0] = np.nan
    values[55] = np.nan
    columns = fit_columns(with_values(panel, values), ColumnSettings(history=2), Span(0, 200), "s")
    cell = columns.cells.cell_C.tolist().index(cell_number(PLACES[0], "s"))
    assert (columns.standard_TCF[50:60, cell] == 0).all()
    assert (columns.deviation_TCF[50:60, cell] == 0).all()
    assert not columns.known(panel.time_T[52:61])[:, cell].any()
    assert columns.known(panel.time_T[[51, 61]])[:, cell].all()
    assert np.isfinite(columns.rows(panel.time_T)).all()


@pytest.mark.parametrize("value", [0.0, 0.1, -40.0, 1013.25, 1e6])
def test_a_constant_field_says_nothing_and_breaks_nothing(value):
    values = np.full((24 * 2000, 1, 3), value)
    columns = fit_columns(panel_of(values, PLACES[:1]), ColumnSettings(), Span(0, 40_000), "s")
    rows = columns.rows(columns.time_T[30:60])[..., :-2]
    assert np.abs(rows).max() < 1e-2
    # sums of 32 bits would drift away from it
    np.testing.assert_allclose(columns.stats.mean_CF, np.float32(value), rtol=1e-6)


def test_a_field_that_training_never_saw_counts_as_missing_later():
    panel = some_panel(places=PLACES[:1])
    values = panel.values_TNF.copy()
    values[:200, :, 0] = np.nan
    values[:, :, 1][240:] = np.nan
    columns = fit_columns(with_values(panel, values), ColumnSettings(history=3), Span(0, 200), "s")
    assert (columns.standard_TCF[:, :, 0] == 0).all()
    assert np.isfinite(columns.rows(panel.time_T)).all()
    assert not columns.known(panel.time_T[260:280]).any()


@settings(max_examples=20)
@given(seed=st.integers(0, 99), end=st.integers(24, 150))
def test_statistics_come_from_training_rows_alone(seed, end):
    panel, how = some_panel(), ColumnSettings(history=2)
    before = fit_columns(panel, how, Span(0, end), "s").stats
    after = fit_columns(otherwise_from(panel, end, seed), how, Span(0, end), "s").stats
    for part in ("mean_CF", "spread_CF", "typical_SCF"):
        np.testing.assert_array_equal(getattr(before, part), getattr(after, part))
    sooner = fit_columns(otherwise_from(panel, end - 12, seed), how, Span(0, end), "s").stats
    assert not np.array_equal(before.mean_CF, sooner.mean_CF)


@settings(max_examples=10)
@given(cut=st.integers(30, 280))
def test_a_longer_panel_gives_equal_rows_for_equal_times(cut):
    panel, how = some_panel(), ColumnSettings(history=3, lag=1)
    short = replace(panel, time_T=panel.time_T[:cut], values_TNF=panel.values_TNF[:cut])
    fitted = fit_columns(short, how, Span(0, 25), "s")
    longer = view_columns(panel, how, fitted.stats, "s")
    np.testing.assert_array_equal(fitted.rows(short.time_T), longer.rows(short.time_T))
    np.testing.assert_array_equal(fitted.known(short.time_T), longer.known(short.time_T))


@pytest.mark.parametrize("other", ["places", "fields", "step"])
def test_statistics_of_other_places_fields_or_steps_are_refused(other):
    how = ColumnSettings(history=2)
    fitted = fit_columns(some_panel(places=PLACES[:1], fields=1), how, Span(0, 100), "s")
    panel = {
        "places": some_panel(places=PLACES, fields=1),
        "fields": some_panel(places=PLACES[:1], fields=2),
        "step": some_panel(places=PLACES[:1], fields=1, step_minutes=30),
    }[other]
    with pytest.raises(ValueError, match="fit columns and encoder again"):
        view_columns(panel, how, fitted.stats, "s")


@pytest.mark.parametrize(
    ("zone", "start", "step_minutes"),
    [
        ("Europe/Rome", "2021-03-15", 60),
        ("Europe/Rome", "2021-10-15", 60),
        ("Australia/Lord_Howe", "2021-03-20", 30),
    ],
)
def test_the_usual_of_a_slot_follows_the_clock_on_the_wall(zone, start, step_minutes):
    """Values that depend on the wall clock alone never deviate, before and after it is changed."""
    first = int(datetime.fromisoformat(start).replace(tzinfo=ZoneInfo(zone)).timestamp())
    steps = 30 * 1440 // step_minutes
    bare = panel_of(np.zeros((steps, 1, 1)), PLACES[:1], step_minutes=step_minutes, zone=zone,
                    first=first)  # fmt: skip
    hour_T = bare.clock.local_seconds(bare.time_T) % 86_400 / 3600
    assert len(np.unique(bare.clock.local_seconds(bare.time_T) - bare.time_T)) == 2
    panel = with_values(bare, np.abs(hour_T - 13)[:, None, None])
    columns = fit_columns(panel, ColumnSettings(), Span(0, steps // 3), "s")
    assert np.abs(columns.deviation_TCF).max() < 1e-4
    assert np.isfinite(columns.rows(panel.time_T)).all()


def test_a_cell_is_the_same_for_every_agency_that_shares_the_salt_and_for_no_other():
    named, placed = Place("Rathaus"), Place("x", 52.52, 13.40)
    theirs = Cells.of([Place("y", 52.52, 13.40), named], "one").cell_C.tolist()
    assert Cells.of([named, placed], "one").cell_C.tolist() == theirs
    assert cell_number(named, "one") != cell_number(named, "two")
    assert cell_number(placed, "one") == cell_number(placed, "two") == int(placed.cell, 16)
    numbers = [cell_number(Place(f"p{i}"), "one") for i in range(500)]
    assert len(set(numbers)) == 500
    assert 0 <= min(numbers) < max(numbers) < 2**63


def test_places_of_one_cell_are_one_mean_over_those_measured():
    panel = some_panel(days=3, fields=1)
    values = panel.values_TNF.copy()
    values[:, 1:, 0] = [2.0, 4.0]
    values[::2, 1:, 0] = [0.0, 10.0]
    values[5, 1], values[6, 1:] = np.nan, np.nan
    assert PLACES[1].cell == PLACES[2].cell
    columns = fit_columns(with_values(panel, values), ColumnSettings(), Span(0, 60), "s")
    cell = columns.cells.cell_C.tolist().index(int(PLACES[1].cell, 16))
    level, spread = columns.stats.mean_CF[cell, 0], columns.stats.spread_CF[cell, 0]
    found = columns.standard_TCF[:, cell, 0] * spread + level
    np.testing.assert_allclose(found[[4, 7, 5]], [5, 3, 4], rtol=1e-5)
    assert not columns.known_TC[6, cell]


def test_a_panel_that_ended_is_not_known_and_one_that_has_not_begun_neither():
    panel = some_panel()
    columns = fit_columns(panel, ColumnSettings(history=3), Span(0, 200), "s")
    last = panel.time_T[-1] + 3600 * np.arange(1, 6)
    assert columns.known(last).all(axis=1).tolist() == [True, True, True, False, False]
    assert not columns.known(panel.time_T[:1] - 3600 * np.arange(0, 400, 100)).any()


def test_what_it_foretells_is_the_mean_to_come_and_nan_where_unknown():
    panel = some_panel(places=PLACES[:1], fields=1)
    values = panel.values_TNF.copy()
    values[100:104, 0, 0] = [5, np.nan, 7, 9]
    values[110:113] = np.nan
    columns = fit_columns(with_values(panel, values), ColumnSettings(), Span(0, 200), "s")
    wanted = columns.pretext_targets(panel.time_T[[100, 108]], 12 * 3600)  # quarters of three hours
    assert wanted.shape == (2, 1, 4 * 2)
    known_ahead = columns.standard_TCF[[100, 102], 0, 0].mean()
    assert wanted[0, 0, 0] == pytest.approx(known_ahead, abs=1e-5)
    later = columns.standard_TCF[106:109, 0, 0].mean()
    assert wanted[0, 0, 4] == pytest.approx(later, abs=1e-5)
    assert np.isnan(columns.pretext_targets(panel.time_T[[110]], 3 * 3600)).all()
    assert columns.pretext_targets(panel.time_T[-1:] + 3600, 3600).shape == (1, 1, 2)
    assert np.isnan(columns.pretext_targets(panel.time_T[-1:] + 3600, 3600)).all()
