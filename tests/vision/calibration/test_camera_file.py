from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcity.city.errors import ConfigError
from deepcity.vision.calibration import camera_file
from deepcity.vision.calibration.camera_file import load_cameras

PAIRS = """
[[camera]]
id = "square"
size = [1280, 720]
pairs = [
  { pixel = [102, 655], ground = [0.0, 0.0] },
  { pixel = [911, 640], ground = [9.5, 0.0] },
  { pixel = [770, 300], ground = [9.5, 18.0] },
  { pixel = [310, 305], ground = [0.0, 18.0] },
]
"""
PINHOLE = """
[[camera]]
id = "gate"
size = [1920, 1080]
[camera.pinhole]
focal = [1480, 1480]
centre = [960, 540]
rotation = [[0.264, 0.964, -0.04], [0.013, -0.045, -0.999], [-0.964, 0.263, -0.024]]
place = [8.3, 13.4, 1.6]
"""


def write(tmp_path, text):
    path = tmp_path / "cameras.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_both_ways_to_calibrate(tmp_path):
    views = load_cameras(write(tmp_path, PAIRS + PINHOLE))
    assert list(views) == ["square", "gate"]
    feet_14 = np.array([[760.0, 100, 780, 300]])
    np.testing.assert_allclose(views["square"].positions(feet_14), [[9.5, 18]], atol=1e-6)
    assert np.isfinite(views["gate"].positions(np.array([[900.0, 500, 950, 800]]))).all()


def test_the_example_of_the_module_is_one(tmp_path):
    example = camera_file.__doc__.partition("\n\n")[2]
    assert set(load_cameras(write(tmp_path, example))) == {"gate", "square"}


def test_every_problem_at_once(tmp_path):
    text = PAIRS.replace("[9.5, 18.0]", "[95, 18.0]") + PINHOLE.replace("1.6]", "-1.6]")
    text += PAIRS + '[[camera]]\nid = "bare"\nsize = [10, 10]\n'
    with pytest.raises(ConfigError) as refused:
        load_cameras(write(tmp_path, text.replace("[102, 655]", "[102, 305]")))
    found = "\n".join(map(str, refused.value.problems))
    for needed in ("over the ground", "two cameras have this id", "write one of them"):
        assert needed in found


def test_a_pair_that_is_wrong_is_told_by_metres(tmp_path):
    more = "pairs = [\n  { pixel = [506, 480], ground = [9.0, 1.0] },"
    with pytest.raises(ConfigError, match=r"pairs miss by .* m, 0.5 are allowed"):
        load_cameras(write(tmp_path, PAIRS.replace("pairs = [", more)))
    allowed = PAIRS.replace("pairs = [", f"most_off_m = 50\n{more}")
    assert set(load_cameras(write(tmp_path, allowed))) == {"square"}


@given(st.text(max_size=60), st.integers(0, len(PINHOLE)))
def test_edited_files_are_read_or_refused_by_name(tmp_path_factory, text, at):
    path = write(tmp_path_factory.mktemp("edited"), PINHOLE[:at] + text + PINHOLE[at:])
    with suppress(ConfigError):  # and nothing else
        assert load_cameras(path)
