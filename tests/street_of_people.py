"""Real people's crops (../shared/data/persons) set on a plain street, as frames of a camera.

The pictures stay in memory; none is written or shown.
"""

import zipfile
from pathlib import Path

import numpy as np
import pytest

ZIP = Path(__file__).parents[2] / "shared" / "data" / "persons" / "market1501_train.zip"
NEEDS_PEOPLE = pytest.mark.skipif(not ZIP.exists(), reason="needs shared/data/persons")
HEIGHT, WIDTH = 1080, 1920


def people(count, each=1, skip=0):
    """(H, W, 3) crops of `count` people, `each` of one camera, as lists by person."""
    from deepcity.vision.opencv import decoded

    with zipfile.ZipFile(ZIP) as archive:
        names = sorted(one for one in archive.namelist() if one.endswith(".jpg"))
        by_person = {}
        for name in names:
            person, rest = name.rpartition("/")[2].split("_")[:2]
            by_person.setdefault((person, rest[:2]), []).append(name)
        chosen, seen = [], set()
        for (person, _), files in by_person.items():
            if len(files) >= each and person not in seen:
                seen.add(person)
                chosen.append(files[:each])
        return [
            [decoded(archive.read(name)) for name in files] for files in chosen[skip : skip + count]
        ]


def placed(crops, box_N4, number=0):
    """A frame of grey with a person in each box: the crop of that number, as often as needed."""
    from deepcity.vision.opencv import resized

    image = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    for some, box_4 in zip(crops, box_N4, strict=True):
        left, top, right, bottom = (round(float(one)) for one in box_4)
        image[top:bottom, left:right] = resized(
            some[number % len(some)], bottom - top, right - left
        )
    return image
