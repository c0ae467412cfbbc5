"""Offences on the published grid: our counts against the tensors that ST-HSL ships.

The sums below were taken from Datasets/*/val.pkl and tst.pkl of github LZH-YS1998/STHSL
(arXiv:2204.08587): September 2015 or 2017, and October to December. Sums weighted by cell and
by day would show an offence that lies in another cell or on another day.
"""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from deepcity.data.city_file import load_city, load_panel
from deepcity.data.panel import Panel

CITIES = Path(__file__).parents[2] / "benchmarks" / "cities"
SHARED = Path(__file__).parents[3] / "shared" / "data"
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not SHARED.is_dir(), reason="the real data folder ../shared/data is absent"),
]
TEST_DAYS, VALIDATION_DAYS = 92, 30
SPANS = {"val": slice(-TEST_DAYS - VALIDATION_DAYS, -TEST_DAYS), "tst": slice(-TEST_DAYS, None)}
SUMS = {
    # offences, cells and days with one, sum over offences of the cell's and of the day's number
    ("new_york", "burglary", "val"): (1368, 887, 181_055, 20_297),
    ("new_york", "larceny", "val"): (3741, 1530, 521_602, 52_485),
    ("new_york", "robbery", "val"): (1519, 900, 218_740, 21_926),
    ("new_york", "assault", "val"): (1798, 962, 259_005, 25_638),
    ("new_york", "burglary", "tst"): (3917, 2640, 523_605, 173_687),
    ("new_york", "larceny", "tst"): (10_601, 4520, 1_476_228, 457_522),
    ("new_york", "robbery", "tst"): (4593, 2745, 658_543, 208_164),
    ("new_york", "assault", "tst"): (4836, 2811, 696_533, 214_174),
    ("chicago", "theft", "val"): (5452, 1644, 534_481, 81_207),
    ("chicago", "battery", "val"): (4389, 1490, 373_115, 65_303),
    ("chicago", "assault", "val"): (1783, 1036, 149_899, 26_498),
    ("chicago", "damage", "val"): (2411, 1248, 201_992, 35_835),
    ("chicago", "theft", "tst"): (16_187, 4882, 1_600_827, 719_067),
    ("chicago", "battery", "tst"): (11_509, 4510, 970_763, 503_863),
    ("chicago", "assault", "tst"): (4426, 2787, 371_006, 191_024),
    ("chicago", "damage", "tst"): (6904, 3705, 594_791, 304_216),
}
LOST = {("chicago", "damage", "tst"): (1, 0, 10 * 12 + 4, 11)}
"""The records' first row (12 October 2017), which ST-HSL's reader skips as if it were a header."""


@cache
def police(city: str) -> Panel:
    return load_panel(load_city(CITIES / f"{city}.toml"), "police")


@pytest.mark.parametrize(("city", "kind", "span"), list(SUMS))
def test_counts_are_those_of_the_published_tensors(city, kind, span):
    panel = police(city)
    counts_BN = panel.values_TNF[SPANS[span], :, panel.field_index(kind)].astype(np.int64)
    days, cells = counts_BN.shape
    found = (
        counts_BN.sum(),
        (counts_BN > 0).sum(),
        (counts_BN.sum(axis=0) * np.arange(cells)).sum(),
        (counts_BN.sum(axis=1) * np.arange(days)).sum(),
    )
    lost = LOST.get((city, kind, span), (0, 0, 0, 0))
    assert found == tuple(np.add(SUMS[city, kind, span], lost))
