"""Places that are cells of a grid are areas on the map, which a click anywhere in them chooses."""

import base64

import fake_city_data as data
import h3
import numpy as np
import pytest
from control_room_page import control_room
from fake_city import FakeCity, serving_city
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import expect

from deepcity.city.place import Place
from deepcity.data.config.grid_settings import GridSettings
from deepcity.data.places.cells import cells_in_box, h3_places
from deepcity.web.control.overview import cell_outlines as module
from deepcity.web.control.overview.cell_outlines import cell_outlines

GRID = GridSettings(h3=8)


@pytest.fixture(scope="module")
def city():
    """Its roads are H3 cells."""
    found = FakeCity(places=19)
    roads = found.parties[0]
    cells = sorted(h3.grid_disk(h3.latlng_to_cell(*data.CENTRE, 8), 2))
    places = h3_places(cells)
    roads.lat_N = np.array([one.lat for one in places])
    roads.lon_N = np.array([one.lon for one in places])
    roads.outlines = cell_outlines(GRID, places)
    return found


def colours_at(page, points):
    """Red, green and blue of points of the screen, decoded by the browser itself."""
    return np.array(
        page.evaluate(
            """async ([png, points]) => {
              const bytes = Uint8Array.from(atob(png), one => one.charCodeAt(0));
              const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
              const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
              canvas.drawImage(image, 0, 0);
              return points.map(([x, y]) => [...canvas.getImageData(x, y, 1, 1).data.slice(0, 3)]);
            }""",
            [base64.b64encode(page.screenshot()).decode(), points],
        ),
        float,
    )


def near_a_corner(page, index):
    """A point of the screen four fifths of the way to a cell's corner."""
    x, y = page.evaluate(
        """i => {
          const { cells, map } = controlRoom;
          const place = cells.places[i], corner = cells.outlines[i];
          const at = [place.lon, place.lat].map((one, k) => one + 0.8 * (corner[k] - one));
          const found = map.project(at);
          return [found.x, found.y];
        }""",
        index,
    )
    box = page.locator(".map-canvas").bounding_box()
    return box["x"] + x, box["y"] + y


def test_cells_are_coloured_to_their_edges_and_chosen_by_a_click_anywhere(browser, city):
    with serving_city(city) as address, control_room(browser, address) as room:
        page = room.open().page
        room.map_ready()
        assert page.evaluate("controlRoom.cells.some")
        points = [near_a_corner(page, index) for index in range(city.places)]
        page.mouse.move(0, 0)
        values = city.parties[0].measured(city.now_s - data.STEP_S)
        colours = colours_at(page, points)
        known = [n for n, value in enumerate(values) if value is not None]
        low, high = min(known, key=values.__getitem__), max(known, key=values.__getitem__)
        assert np.abs(colours[low] - colours[high]).sum() > 60  # dark violet, and yellow
        assert np.abs(colours[5] - colours[high]).sum() > 60  # not measured: not filled
        for index in (low, high):
            page.mouse.click(*points[index])
            name = f"N{index + 1:03d}"
            expect(page.locator(".detail")).to_contain_text(name)


def test_places_that_are_no_cells_are_circles_alone(browser):
    with serving_city(FakeCity()) as address, control_room(browser, address) as room:
        page = room.open().page
        room.map_ready()
        assert not page.evaluate("controlRoom.cells.some")
        assert page.evaluate("controlRoom.layer.scale") == 1


def test_too_many_cells_are_sent_without_outlines(monkeypatch):
    places = h3_places(sorted(h3.grid_disk("8830e1d8c9fffff", 1)))
    assert cell_outlines(None, places) is None
    some = cell_outlines(GRID, [*places, Place("elsewhere", 1.0, 2.0)])
    assert [one is None for one in some] == [False] * 7 + [True]
    monkeypatch.setattr(module, "MOST_OUTLINES", 6)
    assert cell_outlines(GRID, places) is None


@pytest.mark.parametrize("name", ["elsewhere", "-1", "8" * 40, ""])
def test_a_place_whose_name_is_no_cell_has_no_outline(name):
    assert cell_outlines(GRID, [Place(name, 1.0, 2.0)]) == [None]


def test_square_cells_end_at_the_pole():
    grid = GridSettings(cell_deg=(7.0, 10.0), box=(60.0, 0.0, 90.0, 10.0))
    outline = cell_outlines(grid, cells_in_box(grid))[-1]
    assert (min(outline[1::2]), max(outline[1::2])) == (88.0, 90.0)


@given(st.floats(-85, 85), st.floats(-180, 180), st.integers(3, 12))
def test_an_outline_lies_around_its_cell(lat, lon, resolution):
    (place,) = h3_places([h3.latlng_to_cell(lat, lon, resolution)])
    (outline,) = cell_outlines(GridSettings(h3=resolution), [place])
    lon_C, lat_C = np.array(outline).reshape(-1, 2).T
    assert 5 <= len(lon_C) <= 10
    assert lat_C.min() <= place.lat <= lat_C.max()
    assert lon_C.min() <= place.lon <= lon_C.max()
    if abs(lat) < 60:
        assert np.ptp(lon_C) < 10  # also where a cell lies across the date line
