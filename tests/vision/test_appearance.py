import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcity.vision.appearance import COLOURS, appearance, colour_shares

RGB = {
    "black": (15, 15, 20),
    "grey": (120, 120, 125),
    "white": (240, 240, 235),
    "red": (200, 25, 30),
    "orange": (240, 130, 20),
    "brown": (110, 70, 30),
    "yellow": (235, 215, 40),
    "green": (40, 140, 60),
    "blue": (30, 60, 170),
    "purple": (120, 40, 160),
    "pink": (240, 130, 180),
}


def person(upper, lower, height=128, width=64, background=(90, 120, 90)):
    """A crop of flat colours, blue first."""
    crop = np.full((height, width, 3), background[::-1], np.uint8)
    middle = slice(width // 5, width - width // 5)
    crop[: height // 6, middle] = (120, 160, 200)  # a face
    crop[height // 6 : height // 2, middle] = RGB[upper][::-1]
    crop[height // 2 :, middle] = RGB[lower][::-1]
    return crop


@pytest.mark.parametrize("name", COLOURS)
def test_every_colour_has_its_name(name):
    assert set(RGB) == set(COLOURS)
    found = appearance([person(name, "black")])
    assert (found.upper.colour, found.lower.colour) == (name, "black")
    assert found.upper.share > 0.9


def test_crops_of_a_track_vote_whatever_their_size():
    crops = [person("red", "blue"), person("red", "blue", 40, 20), person("grey", "blue", 400, 200)]
    found = appearance(crops)
    assert (found.upper.colour, found.lower.colour) == ("red", "blue")
    assert found.upper.share == pytest.approx(2 / 3, abs=0.05)


@given(st.lists(st.tuples(*[st.integers(0, 255)] * 3), min_size=1, max_size=50))
def test_every_pixel_has_one_colour(pixels):
    shares = colour_shares(np.array(pixels, np.uint8))
    assert shares.sum() == pytest.approx(1)
    assert shares.min() >= 0


@pytest.mark.parametrize(
    "crops",
    [[], [np.zeros((4, 4, 3), np.uint8)], [np.zeros((64, 32, 3))], [np.zeros((64, 32), np.uint8)]],
)
def test_what_is_no_crop_is_refused(crops):
    with pytest.raises(ValueError, match="crop"):
        appearance(crops)
