"""People of coloured stripes on two cameras, one of which is darker: drawn, and nobody's."""

import numpy as np

from deepcity.city.arrays import Ints
from deepcity.learning.identity.learner import IdentitySettings
from deepcity.learning.identity.network import IdentitySizes
from deepcity.learning.identity.people import IdentityData, People

SETTINGS = IdentitySettings(rounds=6, batch_size=16, learning_rate=2e-2, refit_rounds=1)
SIZES = IdentitySizes(people=1, embedding=16, channels=(8, 8, 8, 16, 16, 16))


def striped(people: Ints, cameras: tuple[int, int], each: int, seed: int) -> People:
    """Each person `each` times by each camera, 16 x 8."""
    rng = np.random.default_rng(seed)
    found, names, seen_by = [], [], []
    for person in people:
        coat = np.random.default_rng([7, int(person)]).integers(40, 220, (3, 4, 1))
        for camera in cameras:
            for _ in range(each):
                light = 0.7 if camera % 2 else 1.0
                drawn = light * np.repeat(coat, 4, axis=1) + rng.normal(0, 12, (3, 16, 8))
                found.append(np.clip(drawn, 0, 255).astype(np.uint8))
                names.append(person)
                seen_by.append(camera)
    return People(np.stack(found), np.array(names, np.int64), np.array(seen_by, np.int64))


def a_city(name: str, number: int) -> IdentityData:
    """Twelve people to train on, eight others to validate by, on the city's own two cameras."""
    first, cameras = 100 * number, (2 * number + 1, 2 * number + 2)
    train = striped(np.arange(first, first + 12), cameras, 6, number)
    validation = striped(np.arange(first + 50, first + 58), cameras, 2, 50 + number)
    return IdentityData(name, train, validation)
