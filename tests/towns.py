"""Small real files and the city files that read them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from deepcity.data.city_file import CityFile, load_city

HEAD = """
name = "town"
title = {{ en = "Town", ko = "마을" }}
[clock]
time_zone = "{zone}"
step = "{step}"
[[source]]
name = "records"
{source}
[[agency]]
name = "office"
title = {{ en = "Office", ko = "사무소" }}
domain = "resources"
fields = {fields}
places = {places}
"""
FIELDS = '[{ name = "flow", kind = "flow", unit = "L/s", source = "records" }]'
SOURCE = 'format = "csv"\npath = "records.csv"\ntime = { column = "time" }'


def toml(zone="UTC", step="1h", source=SOURCE, fields=FIELDS, places='["a", "b"]'):
    """A city file's text around one source and one agency."""
    return HEAD.format(zone=zone, step=step, source=source, fields=fields, places=places)


@pytest.fixture
def town(tmp_path: Path) -> Callable[..., CityFile]:
    """Write records and a city file, and load the latter."""

    def write(records: str = "", **settings: str) -> CityFile:
        (tmp_path / "records.csv").write_text(records, encoding="utf-8")
        path = tmp_path / "town.toml"
        path.write_text(toml(**settings), encoding="utf-8")
        return load_city(path)

    return write
