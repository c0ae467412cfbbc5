"""A name in a city file that its records do not have is a fault of that line, not of theirs."""

from contextlib import closing

import pytest

from deepcity.city.errors import ConfigError, DataError
from deepcity.data.city_file import load_city, load_panel
from deepcity.data.follow.follow_source import SourceFollower

CITY = """
name = "gaon"
title = { en = "Gaon", ko = "가온" }
[clock]
time_zone = "UTC"
step = "1h"
[[source]]
name = "meters"
format = "csv"
path = "rows.csv"
LAYOUT
[[agency]]
name = "water"
title = { en = "Water", ko = "물" }
domain = "resources"
fields = [{ name = "flow", kind = "flow", unit = "L/s", source = "meters" }]
places = ["p0", "p1"]
"""
LONG = CITY.replace("LAYOUT", 'layout = "long"\ntime = { column = "time" }\nplace = "station"')
WIDE = CITY.replace("LAYOUT", 'layout = "wide"\ntime = { column = "time" }')
LONG_ROWS = "time,station,flow\n" + "".join(
    f"2021-02-01 {hour:02}:00,p{place},{hour}\n" for hour in range(24) for place in (0, 1)
)
WIDE_ROWS = "time,p0,p1\n" + "".join(f"2021-02-01 {h:02}:00,{h},{h}\n" for h in range(24))


def gaon(folder, text, rows):
    (folder / "gaon.toml").write_text(text, encoding="utf-8")
    (folder / "rows.csv").write_text(rows, encoding="utf-8")
    return load_city(folder / "gaon.toml")


@pytest.mark.parametrize(
    ("text", "rows", "right", "wrong", "problem"),
    [
        (WIDE, WIDE_ROWS, '"time"', '"tme"', "source[meters].time = 'tme': no such column"),
        (WIDE, WIDE_ROWS, '"p1"', '"p9"', "agency[water].places = 'p9': no such column"),
        (LONG, LONG_ROWS, '"station"', '"statn"', "source[meters].place = 'statn': no such column"),
        (LONG, LONG_ROWS, '"p1"', '"p9"', "agency[water].places = 'p9': no rows for this place"),
        (
            *(LONG, LONG_ROWS, 'name = "flow"', 'name = "flow", column = "flw"'),
            "agency[water].fields[flow].column = 'flw': no such column",
        ),
        (
            *(WIDE, WIDE_ROWS, 'name = "flow"', 'name = "flow", column = "q_{place}"'),
            "agency[water].fields[flow].column = 'q_p0': no such column",
        ),
        (
            *(LONG, LONG_ROWS, 'name = "flow"', 'name = "flaw"'),
            "agency[water].fields[flaw] = 'flaw': no such column",
        ),
        (
            *(LONG, LONG_ROWS, 'name = "flow"', 'name = "flow", where = { sort = ["in"] }'),
            "agency[water].fields[flow].where = 'sort': no such column",
        ),
    ],
)
def test_the_line_of_the_city_file_is_named(tmp_path, text, rows, right, wrong, problem):
    city = gaon(tmp_path, text.replace(right, wrong), rows)
    with closing(SourceFollower(city, "water", tmp_path / "spool")) as followed:
        for read in (lambda: load_panel(city, "water"), followed.poll):
            with pytest.raises(DataError) as found:
                read()
            assert f"gaon.toml: {problem} in rows.csv" in str(found.value)


def test_so_is_that_of_the_column_in_which_all_places_are(tmp_path):
    text = LONG.replace('"station"', '"statn"').replace('["p0", "p1"]', '"all"')
    with pytest.raises(ConfigError, match=r"gaon.toml: source\[meters\].place = 'statn'"):
        gaon(tmp_path, text, LONG_ROWS)


@pytest.mark.parametrize(
    ("path", "meant"), [("gaon.csv", "gaon-2.csv"), ("gaon.xlsx", ""), ("gaon", "gaon-2.csv")]
)
def test_records_that_could_be_meant_are_no_settings(tmp_path, path, meant):
    (tmp_path / "gaon-2.csv").touch()
    with pytest.raises(ConfigError) as found:
        gaon(tmp_path, WIDE.replace("rows.csv", path), WIDE_ROWS)
    assert "gaon.toml'" not in str(found.value)
    assert ("Did you mean" in str(found.value)) == bool(meant)
    assert meant in str(found.value)
