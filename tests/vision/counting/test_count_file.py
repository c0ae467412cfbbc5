"""Counts of cameras are records like any other agency's."""

import numpy as np
import pytest
from walkers import walker

from deepcity.applications.application import applications
from deepcity.data.city_file import load_city, load_panel
from deepcity.vision.counting.count_file import write_counts
from deepcity.vision.counting.presence import persons_in_view, withheld
from deepcity.vision.counting.time_bins import CountTimes

CITY = """
name = "town"
title = { en = "Town", ko = "도시" }
[clock]
time_zone = "Asia/Seoul"
step = "15min"

[[source]]
name = "people"
format = "csv"
path = "counts.csv"
layout = "wide"
time = { column = "time", zone = "UTC" }

[[agency]]
name = "cameras"
title = { en = "Cameras", ko = "카메라" }
domain = "cctv"
fields = [{ name = "people", kind = "count", unit = "people", source = "people" }]
places = [{ id = "gate" }, { id = "square" }]
"""


def test_a_city_file_reads_them_and_services_take_them(tmp_path):
    times = CountTimes(1_780_000_200, 900, 8)
    rng = np.random.default_rng(0)
    counts = {}
    for place in ("gate", "square"):
        tracks = [
            walker(n, (0, 0), (5, 5), first_s=1_780_000_200 + rng.uniform(0, 7100))
            for n in range(60)
        ]
        counts[place] = withheld(persons_in_view(tracks, times), 8)
    write_counts(tmp_path / "counts.csv", times, counts)
    (tmp_path / "town.toml").write_text(CITY, encoding="utf-8")
    city = load_city(tmp_path / "town.toml")
    panel = load_panel(city, "cameras")
    assert panel.time_T.tolist() == times.start_s_C.tolist()
    for number, place in enumerate(counts):
        np.testing.assert_allclose(panel.values_TNF[:, number, 0], counts[place])
    field = panel.fields[0]
    takers = {name for name, one in applications().items() if one.target_of(field)}
    assert {"people", "crowding-warning"} <= takers


def test_a_count_of_millions_keeps_its_digits(tmp_path):
    write_counts(tmp_path / "counts.csv", CountTimes(0, 60, 1), {"gate": np.array([1_234_567.0])})
    assert (tmp_path / "counts.csv").read_text().endswith(",1234567\n")


@pytest.mark.parametrize("counts", [{"time": np.zeros(2)}, {"gate": np.zeros(3)}])
def test_what_does_not_fit_is_refused_and_leaves_no_file(tmp_path, counts):
    with pytest.raises(ValueError, match="give 2 counts a place"):
        write_counts(tmp_path / "counts.csv", CountTimes(0, 60, 2), counts)
    assert not list(tmp_path.iterdir())
