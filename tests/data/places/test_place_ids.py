"""Ids of places are the same place in every form that files give them; none becomes another."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

from deepcity.city.errors import ConfigError
from deepcity.data.city_file import load_panel
from deepcity.data.errors import ReadError
from deepcity.data.places import find_places
from deepcity.data.places.place_ids import place_id, place_ids

pytest_plugins = ["towns"]

FLOW = '[{ name = "flow", kind = "flow", unit = "L/s", source = "records", column = "n" }]'
LONG = 'format = "csv"\npath = "records.csv"\nlayout = "long"\nplace = "p"\ntime = { column = "t" }'
WHOLE = st.integers(0, 2**53 - 1)


def scientific(number):
    digits = str(number)
    rest = f".{digits[1:]}" if digits[1:] else ""
    return f"{digits[0]}{rest}E+{len(digits) - 1:02d}"


@tries(deadline=None)
@given(ids=st.lists(WHOLE, min_size=1, max_size=20))
def test_a_whole_number_is_one_place_in_every_form(ids):
    names = [str(one) for one in ids]
    forms = [
        pl.Series(ids),
        pl.Series([*map(float, ids), None])[:-1],
        pl.Series(names),
        pl.Series([f"{one}.0" for one in ids]),
        pl.Series([f" {one} " for one in ids]),
        pl.Series([scientific(one) for one in ids]),
    ]
    for form in forms:
        assert place_ids(form).to_list() == names
    assert [place_id(scientific(one)) for one in ids] == names


@tries(deadline=None)
@given(names=st.lists(st.text("0123456789ABCx-.가", min_size=1, max_size=8), unique=True))
def test_other_names_stay_as_they_are(names):
    found = place_ids(pl.Series(names, dtype=pl.String)).to_list()
    for name, one in zip(names, found, strict=True):
        assert one == name or name.partition(".")[2].strip("0") == ""
    assert place_ids(pl.Series(["0012", "12", "007.50", "1E5"])).to_list() == [
        "0012",
        "12",
        "007.50",
        "1E5",
    ]


@pytest.mark.parametrize(
    ("ids", "lost"),
    [
        (pl.Series(["3.533247E+08"]), "last 2 digits"),
        (pl.Series(["353", "4E+08"]), "last 8 digits"),
        (pl.Series([2.0**53 + 2]), "lose digits"),
        (pl.Series([353_324_721.0], dtype=pl.Float32), "lose digits"),
    ],
)
def test_ids_that_lost_digits_are_refused(ids, lost):
    with pytest.raises(ReadError) as caught:
        place_ids(ids)
    assert lost in caught.value.reason
    assert "as text" in caught.value.right


def hourly(names):
    return "".join(f"2024-05-01 {h:02d}:00,{name},{h}\n" for name in names for h in range(24))


@pytest.mark.parametrize("places", ['["353324721", "0012"]', '["353324721.0", "0012"]', '"all"'])
def test_a_city_file_names_a_place_in_either_form(town, places):
    records = "t,p,n\n" + hourly(["353324721.0", "0012"])
    city = town(records, fields=FLOW, places=places, source=LONG)
    panel = load_panel(city, "office")
    assert panel.values_TNF.shape == (24, 2, 1)
    assert panel.values_TNF[:, :, 0].sum() == 2 * sum(range(24))
    if places == '"all"':
        assert [place.id for place in panel.places] == ["353324721", "0012"]


def test_a_city_of_lost_digits_is_refused_before_its_records_are_one(town):
    records = "t,p,n\n" + hourly(["3.53E+08"])
    with pytest.raises(ConfigError) as caught:
        town(records, fields=FLOW, places='"all"', source=LONG)
    (problem,) = caught.value.problems
    assert "digits of this id are lost" in problem.reason


def test_places_are_looked_for_once_whatever_the_number_of_fields(town, monkeypatch):
    read = []
    monkeypatch.setattr(
        find_places,
        "read_batches",
        lambda *source, batches=find_places.read_batches: (read.append(source), batches(*source))[
            1
        ],
    )
    records = "t,p,n\n" + hourly(["12.0", "12", "13"])
    fields = f"[{', '.join(FLOW.strip('[]').replace('flow', name, 1) for name in 'ab')}]"
    city = town(records, fields=fields, places='"all"', source=LONG).city
    assert [place.id for place in city.agencies[0].places] == ["12", "13"]
    assert len(read) == 1
