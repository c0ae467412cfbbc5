"""Running totals: their differences are the amounts that were added, wherever these are known."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepcity.city.errors import ConfigError, DataError
from deepcity.data import connectors
from deepcity.data.city_file import load_panel, load_with_findings
from deepcity.data.tables import spool

pytest_plugins = ["towns"]

START = datetime(2024, 5, 1, tzinfo=UTC)
SOURCE = 'format = "csv"\npath = "records.csv"\ntime = { column = "time", zone = "UTC"%s }'
FIELD = (
    '[{ name = "used", kind = "energy", unit = "kWh", source = "records", cumulative = true%s }]'
)
HEAVY = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
AMOUNTS = st.lists(st.integers(0, 40), min_size=60, max_size=150)


def wide(totals, skip=()):
    """One meter, a reading an hour; None is a blank, hours in `skip` have no row."""
    lines = [
        f"{START + timedelta(hours=hour):%Y-%m-%d %H:%M},{'' if total is None else total}"
        for hour, total in enumerate(totals)
        if hour not in skip
    ]
    return "\n".join(["time,a", *lines]) + "\n"


def used(town, records, more="", stamp="", **settings_):
    fields = settings_.pop("fields", FIELD % more)
    city = town(records, source=SOURCE % stamp, fields=fields, places='["a"]', **settings_)
    return load_panel(city, "office").values_TNF[:, 0, 0]


def readings(amounts, first=0):
    return (first + np.concatenate(([0], np.cumsum(amounts)))).tolist()


@HEAVY
@given(amounts=AMOUNTS, first=st.sampled_from([0, 7, 16_498, 4_000_000_000, 10**12]))
def test_amounts_come_back_exactly_however_large_the_total(amounts, first, town):
    """Of 10^12 a float32 knows only every 65,536th."""
    found = used(town, wide(readings(amounts, first)))
    np.testing.assert_array_equal(found, [*amounts, np.nan])


@HEAVY
@given(
    amounts=AMOUNTS,
    modulus=st.sampled_from([10**4, 10**5, 2**16, 10**6, 2**32]),
    at=st.integers(30, 50),
)
def test_a_register_that_runs_over_loses_nothing(amounts, modulus, at, town):
    amounts = [amount + 1 for amount in amounts]
    first = modulus - sum(amounts[:at]) - 1  # it runs over in the step after `at`
    totals = [total % modulus for total in readings(amounts, first)]
    np.testing.assert_array_equal(used(town, wide(totals)), [*amounts, np.nan])


@HEAVY
@given(amounts=AMOUNTS, at=st.integers(10, 50))
def test_a_reset_costs_its_own_interval_alone(amounts, at, town):
    totals = readings(amounts, 3456)
    totals[at:] = [total - totals[at] for total in totals[at:]]
    expected = [float(amount) for amount in amounts]
    expected[at - 1] = np.nan
    np.testing.assert_array_equal(used(town, wide(totals)), [*expected, np.nan])


@HEAVY
@given(
    amounts=AMOUNTS,
    at=st.integers(10, 50),
    length=st.integers(1, 9),
    wrong=st.sampled_from([0, 1, 9_999_999, 65_535_000]),
)
def test_readings_that_leave_the_total_and_return_are_no_resets(amounts, at, length, wrong, town):
    amounts = [amount + 1 for amount in amounts]
    totals = readings(amounts, 123_456)
    totals[at : at + length] = [wrong] * length
    expected = np.array([*amounts, np.nan], dtype=np.float32)
    expected[at - 1 : at + length] = np.nan
    np.testing.assert_array_equal(used(town, wide(totals)), expected)


@pytest.mark.parametrize("blank", [True, False])
def test_a_gap_is_masked_or_spread_if_asked(blank, town):
    amounts = [2] * 60
    totals, gap = readings(amounts), range(20, 25)
    records = (
        wide([None if hour in gap else total for hour, total in enumerate(totals)])
        if blank
        else wide(totals, skip=gap)
    )
    masked = used(town, records)
    assert np.flatnonzero(np.isnan(masked)).tolist() == [*range(19, 25), 60]
    spread = used(town, records, ", spread = true")
    np.testing.assert_array_equal(spread, [*amounts, np.nan])


def test_a_row_stamped_with_its_end_holds_what_was_added_before_it(town):
    totals = readings([1, 2, 3] * 20)
    starts, ends = used(town, wide(totals)), used(town, wide(totals), stamp=', stamp = "end"')
    np.testing.assert_array_equal(starts, [*[1, 2, 3] * 20, np.nan])
    np.testing.assert_array_equal(ends, [np.nan, *[1, 2, 3] * 20])


def test_scale_and_units_count_for_amounts_and_rates(town):
    totals = readings([36] * 60, 5_000)
    scaled = used(town, wide(totals), ', unit_in = "Wh", scale = 10')
    np.testing.assert_allclose(scaled[:-1], 0.36, rtol=1e-6)
    flow = (
        '[{ name = "used", kind = "flow", unit = "L/s", unit_in = "m3", source = "records", '
        "cumulative = true }]"
    )
    np.testing.assert_allclose(used(town, wide(totals), fields=flow)[:-1], 10.0, rtol=1e-6)


def test_blocks_of_time_give_the_same_as_one_piece(town, monkeypatch):
    dice = np.random.default_rng(3)
    totals = readings(dice.integers(0, 9, size=24 * 90).tolist(), 99_000)
    totals = [total % 100_000 for total in totals]
    totals[900] = 0
    records = wide(totals, skip=set(dice.integers(0, len(totals), size=40).tolist()))
    whole = used(town, records, ", spread = true")
    monkeypatch.setattr(connectors, "BATCH_ROWS", 100)
    monkeypatch.setattr(spool, "MAX_ROWS_IN_MEMORY", 150)
    np.testing.assert_array_equal(used(town, records, ", spread = true"), whole)


def test_long_tables_have_a_meter_in_each_place(town):
    lines = ["time,place,used"]
    for hour in range(60):
        time = START + timedelta(hours=hour)
        lines += [f"{time:%Y-%m-%d %H:%M},{place},{hour * (n + 1)}" for n, place in enumerate("ab")]
    source = f'{SOURCE % ""}\nlayout = "long"\nplace = "place"'
    city = town("\n".join(lines), source=source, fields=FIELD % "")
    values = load_panel(city, "office").values_TNF[:-1, :, 0]
    np.testing.assert_array_equal(values, np.tile([1.0, 2.0], (59, 1)))


def test_what_was_met_is_noted(town):
    totals = readings([2] * 200, 5_000)
    totals[50] = 0
    totals[120:] = [total - totals[120] for total in totals[120:]]
    city = town(wide(totals), source=SOURCE % "", fields=FIELD % "", places='["a"]')
    (note,) = [one for one in load_with_findings(city, "office").findings if one.where == "used"]
    assert note.what == "cumulative"
    assert "began anew once" in note.text
    assert "1 of the readings" in note.text


def test_what_rises_and_falls_is_no_running_total(town):
    totals = np.random.default_rng(0).integers(0, 99, size=100).tolist()
    city = town(wide(totals), source=SOURCE % "", fields=FIELD % "", places='["a"]')
    found = load_with_findings(city, "office").findings
    assert "not-cumulative" in {one.what for one in found}


@pytest.mark.parametrize(
    ("field", "reported"),
    [
        ('kind = "temperature", unit = "degC"', "no running total"),
        ('kind = "flow", unit = "L/s"', "unit_in = 'm3'"),
        ('kind = "flow", unit = "L/s", unit_in = "m3/h"', "converted"),
    ],
)
def test_a_total_that_cannot_be_one_is_refused(field, reported, town):
    fields = f'[{{ name = "used", {field}, source = "records", cumulative = true }}]'
    with pytest.raises(ConfigError, match=reported):
        town(wide(range(60)), source=SOURCE % "", fields=fields, places='["a"]')


def test_a_total_is_not_carried_forward(town):
    source = f'{SOURCE % ""}\nstays = "1d"'
    with pytest.raises(DataError, match="carried forward"):
        load_panel(
            town(wide(range(60)), source=source, fields=FIELD % "", places='["a"]'), "office"
        )
