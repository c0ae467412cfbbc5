"""Fields as records really hold them: scaled, coded, under a condition, dates in any shape."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepcity.city.errors import ConfigError, DataError
from deepcity.data.city_file import load_panel, load_with_findings

pytest_plugins = ["towns"]

START = datetime(2016, 2, 27, tzinfo=UTC)  # over the leap day
STYLES = {
    "london": ("%d-%m-%Y,%-I.%M.%S %p", "date,time", '"%d-%m-%Y %I.%M.%S %p"', ["date", "time"]),
    "seoul": ("%d/%m/%Y,%-H", "date,hour", '"%d/%m/%Y %H"', ["date", "hour"]),
    "washington": ("%Y-%m-%d,%-H", "date,hr", '"%Y-%m-%d %H"', ["date", "hr"]),
    "beijing": (
        "%Y,%-m,%-d,%-H",
        "year,month,day,hour",
        '"%Y %m %d %H"',
        ["year", "month", "day", "hour"],
    ),
    "tetouan": ("%-m/%-d/%Y %-H:%M", "at", '"%m/%d/%Y %H:%M"', ["at"]),
    "police": ("%m/%d/%Y %I:%M:%S %p", "at", '"%m/%d/%Y %I:%M:%S %p"', ["at"]),
}
PLACE = '[{ id = "here" }]'


def field(name="x", kind="level", unit="1", **more):
    keys = "".join(f", {key} = {value}" for key, value in more.items())
    return f'{{ name = "{name}", kind = "{kind}", unit = "{unit}", source = "records"{keys} }}'


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(style=st.sampled_from(sorted(STYLES)), hours=st.sets(st.integers(0, 120), min_size=24))
def test_every_way_to_write_dates(style, hours, town):
    pattern, head, form, columns = STYLES[style]
    order = sorted(hours)
    lines = [f"{START + timedelta(hours=h):{pattern}},{h}" for h in order]
    time = f'time = {{ columns = {columns}, format = {form}, step = "1h" }}'
    source = f'format = "csv"\npath = "records.csv"\n{time}'
    fields = "[" + field(column='"x"') + "]"
    text = "\n".join([f"{head},x", *lines]) + "\n"
    panel = load_panel(town(text, source=source, fields=fields, places=PLACE), "office")
    times = panel.time_T[panel.mask_TNF[:, 0, 0]]
    assert ((times - int(START.timestamp())) // 3600).tolist() == order
    assert panel.values_TNF[panel.mask_TNF].tolist() == order


SOURCE = 'format = "csv"\npath = "records.csv"\ntime = { column = "time" }'


def one(town, cells, *fields, head="x"):
    lines = [f"2024-05-01 {h:02d}:00,{cell}" for h, cell in enumerate(cells)]
    text = "\n".join([f"time,{head}", *lines]) + "\n"
    return town(text, source=SOURCE, fields=f"[{', '.join(fields)}]", places=PLACE)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    cells=st.lists(st.floats(0, 1, width=16), min_size=2, max_size=20),
    scale=st.floats(0.1, 100),
    offset=st.floats(-50, 50),
)
def test_scaled_columns_come_back(cells, scale, offset, town):
    keys = {"scale": scale, "offset": offset, "column": '"x"', "unit_in": '"degF"'}
    panel = load_panel(one(town, cells, field("t", "temperature", "degC", **keys)), "office")
    expected = (np.array(cells) * scale + offset - 32) / 1.8
    np.testing.assert_allclose(panel.values_TNF[:, 0, 0], expected, rtol=1e-4, atol=1e-3)


def test_texts_that_stand_for_numbers(town):
    keys = {"column": '"x"', "codes": "{ Yes = 1, No = 0 }"}
    panel = load_panel(one(town, ["Yes", " No ", "NA", "0.5"], field(**keys)), "office")
    np.testing.assert_array_equal(panel.values_TNF[:, 0, 0], [1, 0, np.nan, 0.5])
    with pytest.raises(DataError, match=r"'Maybe': not a number \(row 3\)"):
        load_panel(one(town, ["Yes", "Maybe"], field(**keys)), "office")


def test_rows_under_a_condition(town):
    keys = {"column": '"x"', "where": '{ open = ["Yes"] }'}
    cells = ["3,Yes", "0,No", "4,Yes", "5,"]
    city = one(town, cells, field(**keys), field("all", column='"x"'), head="x,open")
    panel = load_panel(city, "office")
    np.testing.assert_array_equal(panel.values_TNF[:, 0, 0], [3, np.nan, 4, np.nan])
    np.testing.assert_array_equal(panel.values_TNF[:, 0, 1], [3, 0, 4, 5])


def test_a_condition_that_never_holds_is_reported(town):
    keys = {"column": '"x"', "where": '{ open = ["yes"] }'}
    city = one(town, ["3,Yes", "0,No"], field(**keys), head="x,open")
    reported = {
        finding.what: finding.text for finding in load_with_findings(city, "office").findings
    }
    assert reported["where"] == "no row has yes in open; found No, Yes"
    city = one(town, ["3,Yes"] * 2, field(column='"x"', where='{ opne = ["Yes"] }'), head="x,open")
    with pytest.raises(
        DataError, match=r"'opne': no such column in records\.csv\. Did you mean 'open'"
    ):
        load_panel(city, "office")


@pytest.mark.parametrize(
    ("keys", "reported"),
    [
        ({"scale": 0}, "not a factor"),
        ({"offset": "inf"}, "not a factor"),
        ({"where": "{ open = [] }"}, "empty"),
        ({"codes": '{ Yes = "one" }'}, "codes.Yes"),
    ],
)
def test_what_cannot_be_meant_is_reported(keys, reported, town):
    with pytest.raises(ConfigError, match=reported):
        one(town, ["1"], field(column='"x"', **keys))
