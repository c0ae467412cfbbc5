"""A table of numbers without a line of names is reported as such, with settings that read it."""

from datetime import datetime

import numpy as np
import pytest

from deepcity.city.errors import ConfigError
from deepcity.data.city_file import check_raw, load_panel
from deepcity.data.draft.answers import Answers
from deepcity.data.draft.city import start_city

STATIONS, TIMES = 12, 96


def test_the_settings_that_are_named_read_it(tmp_path):
    values = np.random.default_rng(0).integers(0, 50, (STATIONS, TIMES))
    path = tmp_path / "inflow.csv"
    np.savetxt(path, values, "%d", ",")
    with pytest.raises(ConfigError, match="names no column") as refused:
        start_city([str(path)], Answers(time_zone="Asia/Shanghai"), tmp_path)
    (problem,) = refused.value.problems
    assert problem.key == "header"
    for named in ("header = false", "names = 'place-{n}'", "transpose = true", "start"):
        assert named in problem.right
    time = {"start": datetime(2024, 3, 1), "step": "1h"}  # noqa: DTZ001 - a wall clock
    source = {"name": "s", "format": "csv", "path": "inflow.csv", "header": False}
    source |= {"names": "place-{n}", "transpose": True, "time": time}
    title = {"en": "x", "ko": "x"}
    field = {"name": "inflow", "kind": "count", "unit": "passengers", "source": "s"}
    agency = {"name": "a", "title": title, "domain": "life", "fields": [field], "places": "all"}
    clock = {"time_zone": "Asia/Shanghai", "step": "1h"}
    raw = {"name": "x", "title": title, "clock": clock, "source": [source], "agency": [agency]}
    city_file, problems = check_raw(raw, tmp_path / "x.toml")
    assert city_file is not None, problems
    np.testing.assert_array_equal(load_panel(city_file, "a").values_TNF[:, :, 0], values.T)


def test_names_that_are_words_are_named_twice(tmp_path):
    (tmp_path / "x.csv").write_text("time,a,a\n2024-01-01,1,2\n2024-01-02,1,2\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="two columns are named 'a'"):
        start_city([str(tmp_path / "x.csv")], Answers(time_zone="UTC"), tmp_path)
