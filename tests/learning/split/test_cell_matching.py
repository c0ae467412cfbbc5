import h3
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcity.city.place import Place
from deepcity.learning.features.agency_columns import cell_number
from deepcity.learning.split.cell_matching import distant_places, match_cells

SEOUL, BUSAN, ROME = (37.57, 126.98), (35.18, 129.08), (41.9, 12.5)


def cell(position):
    return cell_number(Place("x", *position), "salt")


def hashed(name):
    return cell_number(Place(name), "salt")


def cells(*numbers):
    return np.array(numbers, np.int64)


def test_a_place_listens_to_its_own_cell():
    found = match_cells([cell(BUSAN), cell(SEOUL)], cells(cell(SEOUL), cell(BUSAN)))
    assert found.tolist() == [[0, 1], [1, 0]]
    assert found.dtype == np.float32


def test_else_to_the_nearest_cell_over_the_pole_and_the_date_line_too():
    near_seoul = cell((37.3, 127.2))
    agency = cells(cell(ROME), cell(SEOUL), cell(BUSAN))
    assert match_cells([near_seoul], agency).tolist() == [[0, 1, 0]]
    fiji_west, fiji_east, hawaii = (-17, 179.9), (-17, -179.9), (21, -157)
    assert match_cells([cell(fiji_west)], cells(cell(hawaii), cell(fiji_east))).tolist() == [[0, 1]]


@settings(max_examples=25)
@given(data=st.data())
def test_nearest_is_nearest_on_the_globe(data):
    spot = st.tuples(st.floats(-85, 85), st.floats(-179, 179))
    here, there = data.draw(spot), data.draw(st.lists(spot, min_size=1, max_size=6))
    agency = np.unique([cell(one) for one in there]).astype(np.int64)
    found = match_cells([cell(here)], agency)[0]
    centre = h3.cell_to_latlng(h3.int_to_str(cell(here)))
    far = [
        h3.great_circle_distance(centre, h3.cell_to_latlng(h3.int_to_str(int(one))))
        for one in agency
    ]
    assert far[int(found.argmax())] == pytest.approx(min(far), rel=1e-6, abs=1e-6)


def test_a_place_whose_coordinates_are_swapped_is_too_far_to_be_spoken_for():
    ferrara, swapped = (44.84, 11.62), (11.62, 44.84)
    agency = cells(cell(ferrara), cell((44.9, 11.7)))
    found = distant_places([cell(ferrara), cell(swapped), hashed("a")], agency)
    assert list(found) == [1]
    assert found[1] == pytest.approx(4836, rel=0.02)
    assert distant_places([cell(swapped)], cells(hashed("b"))) == {}
    assert distant_places([cell((37.3, 127.2))], cells(cell(SEOUL), cell(ROME))) == {}


def test_where_a_position_is_unknown_all_speak_alike_but_for_the_same_name():
    agency = cells(hashed("a"), hashed("b"))
    assert match_cells([hashed("b"), hashed("c"), cell(ROME)], agency).tolist() == [
        [0, 1],
        [0.5, 0.5],
        [0.5, 0.5],
    ]
    assert match_cells([hashed("c")], cells(cell(ROME), cell(SEOUL))).tolist() == [[0.5, 0.5]]


@settings(max_examples=30)
@given(
    places=st.lists(st.integers(0, 8), max_size=8),
    agency=st.lists(st.integers(0, 8), min_size=1, max_size=6, unique=True),
)
def test_every_place_hears_as_much_as_any_other(places, agency):
    pool = [hashed(f"p{i}") for i in range(4)] + [cell((i * 9.0, i * 20.0)) for i in range(5)]
    found = match_cells([pool[i] for i in places], cells(*(pool[i] for i in agency)))
    assert found.shape == (len(places), len(agency))
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)
    assert (found >= 0).all()


def test_an_agency_without_cells_is_refused():
    with pytest.raises(ValueError, match="without cells"):
        match_cells([cell(ROME)], cells())
