"""Records as they really come: every problem of a file at once, with its rows."""

import numpy as np
import pytest

from deepcity.city.errors import DataError
from deepcity.data import connectors
from deepcity.data.city_file import load_panel, load_with_findings
from deepcity.data.findings import Severity
from deepcity.data.tables import batches

pytest_plugins = ["towns"]

COUNTS = '[{ name = "people", kind = "count", unit = "people", source = "records" }]'
CSV = 'format = "csv"\npath = "records.csv"\n'


def hours(count, *, skip=(), day=1):
    return [f"2024-05-{day + i // 24:02d} {i % 24:02d}:00" for i in range(count) if i not in skip]


def table(rows, head="time,a,b"):
    return "\n".join([head, *rows]) + "\n"


def refused(city):
    with pytest.raises(DataError) as caught:
        load_panel(city, "office")
    return caught.value.problems


def found(city):
    return {finding.what: finding for finding in load_with_findings(city, "office").findings}


def test_a_time_unlike_the_others_is_named_and_not_the_others(town):
    rows = [f"{time},{i},1" for i, time in enumerate(hours(30))]
    rows[11] = "about noon,11,1"
    (problem,) = refused(town(table(rows), fields=COUNTS))
    assert problem.value == "about noon"
    assert "not a time like %Y-%m-%d %H:%M (row 13)" in problem.reason


def test_times_of_no_known_pattern_ask_for_it(town):
    rows = [f"{i}h,{i},1" for i in range(30)]
    (problem,) = refused(town(table(rows), fields=COUNTS))
    assert "known patterns" in problem.reason
    assert "format" in problem.right


def test_all_problems_of_a_file_at_once(town):
    rows = [f"{time},{i},1" for i, time in enumerate(hours(30))]
    rows[4] = "2024-05-01 04:00,broken,1"
    rows[9] = "2024-05-01 09:00,,worse"
    rows[20] = rows[19]
    rows[25] = "2024-05-02 01:00,-3,1"
    problems = refused(town(table(rows), fields=COUNTS, places='["a", "b", "c"]'))
    texts = [str(problem) for problem in problems]
    assert len(texts) == 5
    for part in ("'broken': not a number (row 6)", "'worse': not a number (row 11)"):
        assert any(part in text for text in texts)
    assert any("places = 'c': no such column in " in text for text in texts)
    assert any("(rows 21, 22)" in text and "more than one row" in text for text in texts)
    assert any("cannot be negative (row 27)" in text for text in texts)
    assert sum(text.startswith("records.csv: ") for text in texts) == 4


def test_the_first_rows_stand_for_many(town):
    problems = refused(town(table([f"{time},x,1" for time in hours(30)])))
    assert "rows 2, 3, 4, 5, 6 and 25 more" in problems[0].reason


def test_missing_markers_and_believable_values(town):
    rows = [f"{time},{i},5" for i, time in enumerate(hours(48))]
    rows[3], rows[4], rows[5] = (
        rows[i].rsplit(",", 2)[0] + f",{v},5" for i, v in ((3, "NA"), (4, "x"), (5, "9999"))
    )
    fields = COUNTS.replace(" }", ", valid = [0, 100] }")
    city = town(
        table(rows),
        fields=fields,
        source=CSV + 'missing = ["NA", "x"]\ntime = { column = "time" }',
    )
    loaded = load_with_findings(city, "office")
    assert np.flatnonzero(~loaded.panel.mask_TNF[:, 0, 0]).tolist() == [3, 4, 5]
    outside = next(f for f in loaded.findings if f.what == "outside-valid")
    assert (outside.count, outside.severity) == (1, Severity.NOTE)
    assert "row 7" in outside.text


def test_infinite_values_are_masked_and_reported(town):
    rows = [f"{time},{'inf' if i == 2 else i},{-i}" for i, time in enumerate(hours(48))]
    loaded = load_with_findings(town(table(rows)), "office")
    assert np.isnan(loaded.panel.values_TNF[2, 0, 0])
    assert found(town(table(rows)))["infinite"].count == 1


def test_a_gap_of_a_month_is_masked_and_reported(town):
    rows = [
        f"2024-{month}-01 {hour:02d}:00,{hour},1" for month in ("05", "06") for hour in range(24)
    ]
    city = town(table(rows))
    panel = load_panel(city, "office")
    assert len(panel.time_T) == 32 * 24
    assert int(panel.mask_TNF[:, 0, 0].sum()) == 48
    assert "30 days (2024-05-02 00:00 .. 2024-05-31 23:00)" in found(city)["gap"].text
    assert found(city)["gap"].severity is Severity.WARNING


def test_silent_and_constant_places_and_few_rows(town):
    city = town(table([f"{time},,7" for time in hours(10)]))
    notes = found(city)
    assert notes["all-missing"].where == "a / flow"
    assert notes["constant"].where == "b / flow"
    assert "10 steps (10h)" in notes["short"].text
    assert {notes[k].severity for k in ("all-missing", "constant", "short")} == {Severity.WARNING}


def test_one_row_is_no_panel(town):
    assert refused(town(table(["2024-05-01 00:00,1,2"])))[0].reason == "fewer than two times"
    assert refused(town(table([])))


def test_rows_out_of_order_are_sorted_and_reported(town):
    rows = [f"{time},{i},{-i}" for i, time in enumerate(hours(48))]
    straight = load_panel(town(table(rows)), "office")
    rows[10], rows[30] = rows[30], rows[10]
    city = town(table(rows))
    np.testing.assert_array_equal(load_panel(city, "office").values_TNF, straight.values_TNF)
    assert "rows 13, 32" in found(city)["unsorted"].text


def test_empty_rows_are_left_out_and_reported(town):
    rows = [f"{time},{i},{-i}" for i, time in enumerate(hours(48))]
    rows.insert(5, ",,")
    assert "row 7" in found(town(table(rows)))["empty"].text


def test_a_mistyped_year_is_reported_before_memory_runs_out(town):
    rows = [f"{time},{i},1" for i, time in enumerate(hours(48))]
    rows[3] = rows[3].replace("2024", "1924")
    assert "mistyped year" in refused(town(table(rows)))[0].right


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("mask", [0, None, 5, 3]), ("first", [0, 1, 5, 3]), ("last", [0, 2, 5, 3])],
)
def test_two_rows_for_one_time_by_every_rule(rule, expected, town):
    day = "2024-05-01 0"
    rows = [
        f"{day}0:00,0,1",
        f"{day}1:00,1,1",
        f"{day}1:00,2,1",
        f"{day}2:00,5,1",
        f"{day}2:00,5,1",
    ]
    city = town(
        table([*rows, f"{day}3:00,3,1"]),
        source=CSV + f'time = {{ column = "time", duplicates = "{rule}" }}',
    )
    values = load_panel(city, "office").values_TNF[:, 0, 0].tolist()
    assert [None if np.isnan(v) else v for v in values] == expected
    assert found(city)["duplicate"].count == 2
    assert "rows 3, 4, 5, 6" in found(city)["duplicate"].text


def test_doubled_times_are_reported_as_the_city_s_clocks_show_them(town):
    """Both hours of an autumn night have their own offset; UTC would send people elsewhere."""
    utc = [f"2022-10-{30 if h > 1 else 29}T{(h + 22) % 24:02d}:00+00:00" for h in range(8)]
    rows = [f"{utc[i]},{i},1" for i in (0, 1, 2, 2, 3, 3, 4, 5)]
    rome = {"zone": "Europe/Rome"}
    both = "2022-10-30 02:00+02:00, 2022-10-30 02:00+01:00"
    (reported,) = refused(town(table(rows), **rome))
    assert reported.value == both
    source = CSV + 'time = { column = "time", duplicates = "first" }'
    assert both in found(town(table(rows), source=source, **rome))["duplicate"].text


def test_finer_rows_become_steps_by_the_kind_s_rule(town):
    rows = [f"2024-05-01 {i // 4:02d}:{i % 4 * 15:02d},{i},1" for i in range(48)]
    mean = load_panel(town(table(rows)), "office").values_TNF[:, 0, 0]
    total = load_panel(town(table(rows), fields=COUNTS), "office").values_TNF[:, 0, 0]
    np.testing.assert_allclose(total, 4 * mean)
    assert mean[:2].tolist() == [1.5, 5.5]
    assert (
        "sum; a step needs at least 100%"
        in found(town(table(rows), fields=COUNTS))["resampled"].text
    )


def test_coarser_rows_are_refused_unless_spread(town):
    rows = [f"{time},{i},1" for i, time in enumerate(hours(48))]
    assert "spread = true" in refused(town(table(rows), step="15min"))[0].right
    fields = COUNTS.replace(" }", ", spread = true }")
    city = town(table(rows), step="15min", fields=fields)
    panel = load_panel(city, "office")
    assert panel.values_TNF[4:8, 0, 0].tolist() == [0.25] * 4
    assert "divided over" in found(city)["resampled"].text


def test_steps_that_do_not_divide_each_other(town):
    rows = [f"{time},{i},1" for i, time in enumerate(hours(48))]
    assert "neither divides" in refused(town(table(rows), step="7min"))[0].reason


def test_rows_stamped_with_the_end_of_their_hour(town):
    rows = [f"{time},{i},1" for i, time in enumerate(hours(48))]
    city = town(table(rows), source=CSV + 'time = { column = "time", stamp = "end" }')
    assert load_panel(city, "office").time_T[0] == 1_714_521_600 - 3600


def test_units_are_converted(town):
    rows = [f"{time},{i},1" for i, time in enumerate(hours(48))]
    fields = '[{ name = "s", kind = "speed", unit = "m/s", unit_in = "km/h", source = "records" }]'
    panel = load_panel(town(table(rows), fields=fields), "office")
    assert panel.values_TNF[36, 0, 0] == pytest.approx(10.0)


def test_decimal_commas(town):
    rows = [f"{time};{i},5;1" for i, time in enumerate(hours(48))]
    source = CSV + 'delimiter = ";"\ndecimal = ","\ntime = { column = "time" }'
    panel = load_panel(town(table(rows, "time;a;b"), source=source), "office")
    assert panel.values_TNF[:2, 0, 0].tolist() == [0.5, 1.5]


def test_a_long_table_with_other_places_and_an_absent_one(town):
    rows = [f"{time},{place},{i}" for i, time in enumerate(hours(24)) for place in ("a", "other")]
    source = CSV + 'layout = "long"\nplace = "where"\ntime = { column = "time" }'
    records = table(rows, "time,where,flow")
    assert found(town(records, source=source, places='["a"]'))["other-places"].count == 24
    problems = refused(town(records, source=source))
    assert (problems[0].value, problems[0].reason) == ("b", "no rows for this place in records.csv")


def test_fields_and_places_in_one_wide_table(town):
    rows = [f"{time},{i},{2 * i},{3 * i},{4 * i}" for i, time in enumerate(hours(48))]
    fields = (
        '[{ name = "in", kind = "flow", unit = "L/s", source = "records", column = "{place} in" },'
        ' { name = "out", kind = "flow", unit = "L/s", source = "records", column = "{place} out"}]'
    )
    head = "time,a in,a out,b in,b out"
    panel = load_panel(town(table(rows, head), fields=fields, places='"all"'), "office")
    assert [place.id for place in panel.places] == ["a", "b"]
    assert panel.values_TNF[1].tolist() == [[1, 2], [3, 4]]


def test_a_kind_the_domain_does_not_expect(town):
    rows = [f"{time},{i},{-i}" for i, time in enumerate(hours(48))]
    fields = '[{ name = "no2", kind = "concentration", unit = "ug/m3", source = "records" }]'
    assert found(town(table(rows), fields=fields))["unexpected-kind"].where == "no2"


def test_a_pattern_of_a_half_day_needs_its_hour(town):
    rows = [f"{time},{i},1" for i, time in enumerate(hours(30))]
    source = CSV + 'time = { column = "time", format = "%Y-%m-%d %H:%M %p" }'
    (problem,) = refused(town(table(rows), fields=COUNTS, source=source))
    assert "'%Y-%m-%d %I:%M %p'" in problem.right


@pytest.mark.parametrize("format_", ["", ', format = "%Q"', ', format = "%Y-%m-%d"'])
def test_times_that_are_numbers_name_their_format(town, format_):
    rows = [f"{1_714_521_600_000 + i * 3_600_000},{i},1" for i in range(30)]
    source = CSV + f'time = {{ column = "time"{format_} }}'
    (problem,) = refused(town(table(rows), fields=COUNTS, source=source))
    assert "set time.format = 'epoch_ms'" in problem.right
    source = CSV + 'time = { column = "time", format = "epoch_ms" }'
    panel = load_panel(town(table(rows), fields=COUNTS, source=source), "office")
    assert panel.time_T[0] == 1_714_521_600


def test_a_day_that_may_be_a_month_is_refused_and_either_format_is_read(town):
    rows = [f"05/0{1 + i}/2024,{i},1" for i in range(3)]
    for format_, step in (("%d/%m/%Y", 31), ("%m/%d/%Y", 1)):
        source = CSV + f'time = {{ column = "time", format = "{format_}", step = "1d" }}'
        panel = load_panel(town(table(rows), fields=COUNTS, source=source, step="1d"), "office")
        assert panel.time_T[-1] - panel.time_T[0] >= 2 * step * 86_400 - 2 * 86_400
    (problem,) = refused(town(table(["05/07/2024,1,1", "05/08/2024,2,1"]), fields=COUNTS))
    assert "'05/07/2024' could be 5 July 2024 or 7 May 2024" in problem.reason
    assert "'%d/%m/%Y' if it is 5 July 2024 or '%m/%d/%Y' if it is 7 May 2024" in problem.right


@pytest.mark.parametrize("last", ["13/05/2024", "05/13/2024"])
def test_the_day_is_told_from_the_month_by_a_late_row_without_holding_all(town, last, monkeypatch):
    monkeypatch.setattr(batches, "MAX_TIMES", 20)
    monkeypatch.setattr(connectors, "BATCH_CELLS", 20)
    held = []
    pin = batches.pin_format
    monkeypatch.setattr(
        batches, "pin_format", lambda time, frame: (held.append(frame.height), pin(time, frame))[1]
    )
    rows = [f"05/05/2024 {i // 60:02d}:{i % 60:02d},{i},1" for i in range(900)]
    rows.append(f"{last} 00:00,1,1")
    panel = load_panel(town(table(rows), fields=COUNTS), "office")
    assert panel.time_T[-1] - panel.time_T[0] == 8 * 86_400
    assert max(held) < 100


@pytest.mark.parametrize("day_starts", ["", ', day_starts = "05:00"'])
def test_hours_from_24_on_are_of_the_next_day_and_of_no_other(town, day_starts):
    """Also where dates are of operating days: such an hour names the next day already."""
    rows = [f"2024-05-{day:02d} {hour:02d}:00,{hour},1" for day in (1, 2) for hour in range(5, 29)]
    source = CSV + f'time = {{ column = "time"{day_starts} }}'
    panel = load_panel(town(table(rows), fields=COUNTS, source=source), "office")
    assert panel.values_TNF[:, 0, 0].tolist() == [*range(5, 29)] * 2
