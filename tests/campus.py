"""Real people before four cameras (CAMPUS, Xu et al., CVPR 2016): boxes, one id across views."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from deepcity.vision.calibration.camera_view import PinholeView

FOLDER = Path(__file__).parents[2] / "shared" / "data" / "campus_cameras"
NEEDS_CAMPUS = pytest.mark.skipif(not FOLDER.exists(), reason="needs shared/data/campus_cameras")
FRAMES_S = 30


def boxes(view, every=1):
    """(id and frame (R, 2), boxes (R, 4)) of those in sight, whole, at every n-th frame."""
    with gzip.open(FOLDER / f"view-{view}.txt.gz", "rt") as file:
        rows = np.array([[float(one) for one in line.split()[:8]] for line in file])
    rows = rows[(rows[:, 6:8] == 0).all(axis=1) & (rows[:, 5] % every == 0)]
    return rows[:, [0, 5]].astype(int), rows[:, 1:5]


def camera(view):
    """The calibrated camera of a view: HC3 or HC4."""
    from scipy.io import loadmat

    found = loadmat(FOLDER / "cam_param.mat", squeeze_me=True, struct_as_record=False)["cam_param"]
    [one] = [one for one in found if one.name == f"view-{view}"]
    focal = float(one.K[0, 0]), float(one.K[1, 1])
    return PinholeView(focal, tuple(map(float, one.center)), one.R, np.asarray(one.T, float))
