"""A browser for each module, a city and an open control room for each test."""

import pytest
from browser import CHROMIUM, NO_CHROMIUM
from fake_city import FakeCity, serving_city


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip(NO_CHROMIUM)
    from control_room_page import chromium

    with chromium() as opened:
        yield opened


@pytest.fixture
def city():
    return FakeCity()


@pytest.fixture
def address(city):
    with serving_city(city) as found:
        yield found


@pytest.fixture
def room(browser, address):
    """A wide, English control room that must stay quiet to the end of the test."""
    from control_room_page import control_room

    with control_room(browser, address) as opened:
        yield opened
        opened.quiet()
