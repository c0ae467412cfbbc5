"""Settings of a wrong kind or name: the answer is how it is written."""

import pytest

from deepcity.data.city_file import check_city
from deepcity.data.config.toml_file import did_you_mean, near_name

CITY = """
name = "nuri"
title = {title}
clock = {{ time_zone = "Asia/Seoul", step = "1h" }}
[[source]]
name = "pump"
format = "push"
time = {time}
place = "place"
[[agency]]
name = "water"
domain = "resources"
title = {{ en = "Water", ko = "물" }}
places = [{{ id = "p" }}]
fields = [{{ name = "inflow", kind = "flow", unit = "L/s", source = "pump" }}]
"""


@pytest.mark.parametrize(
    ("title", "time", "right"),
    [
        ('"Nuri"', '{ column = "time" }', "write title = { en = ..., ko = ... }"),
        ('{ en = "Nuri", ko = "누리" }', '"time"', "write time = { column = ... }"),
    ],
)
def test_a_table_is_written_as_one(tmp_path, title, time, right):
    path = tmp_path / "nuri.toml"
    path.write_text(CITY.format(title=title, time=time))
    _, problems = check_city(path, later=True)
    assert [one.right for one in problems] == [right]


def test_near_names():
    assert near_name("Pump-Nort", ["pump-south", "PUMP-NORTH"]) == "PUMP-NORTH"
    assert near_name("x", ["pump-north"]) is None
    many = [f"place-{number}" for number in range(100_000)]
    assert near_name("place-77x", [*many, "q"])
    assert "and 99,980 more" in did_you_mean("zzz", many).replace("99980", "99,980")
