"""Which real person each simulated one wears, and the query's pictures.

Shapes: I pictures, C cameras, Q persons.
"""

import numpy as np

from benchmarks.persons.given import embeddings
from benchmarks.persons.pictures import CITIES, crops
from deepcity.city.arrays import Indices, Ints
from deepcity.simulation.pictures import EmbeddedPictures
from deepcity.simulation.street_day import StreetDay
from deepcity.simulation.wardrobe import Wearers

CHILDREN = 60
"""Of the 200 people whom nothing is trained on: those seen by most cameras."""
MOST_PICTURES = 3
"""Of the child that parents hand in, all by one camera."""


def embedded(network: str) -> EmbeddedPictures:
    """The test's people by a given network, all cameras."""
    shown = crops()
    files = tuple(name for name, some in zip(shown.file_I, shown.test_I, strict=True) if some)
    test_I = shown.test_I
    return EmbeddedPictures(
        embeddings(network, files), shown.person_I[test_I], shown.camera_I[test_I]
    )


def child_identities(pictures: EmbeddedPictures) -> Ints:
    """Who is worn by children: seen by most cameras."""
    people = np.unique(pictures.person_I)
    cameras = [len(np.unique(pictures.camera_I[pictures.person_I == one])) for one in people]
    return np.sort(people[np.lexsort([people, -np.array(cameras)])[:CHILDREN]])


def cast(day: StreetDay, pictures: EmbeddedPictures, seed: int) -> Wearers:
    """Passers-by wear those whom no child wears; real cameras stand for those of their city."""
    rng = np.random.default_rng([seed, 21])
    child_ids = child_identities(pictures)
    others = np.setdiff1d(pictures.person_I, child_ids)
    worn = rng.permutation(child_ids)[np.arange(len(day.children)) % len(child_ids)]
    identity_Q = np.concatenate([rng.choice(others, day.persons), worn])
    real_Q = np.arange(len(identity_Q)) >= day.persons
    held_Q = np.zeros(len(identity_Q), np.int64)
    for number, child in enumerate(day.children):
        home = int(day.streets.city_N[child.lost_node])
        seen_by = pictures.camera_I[pictures.person_I == worn[number]]
        own = np.intersect1d(real_cameras(home), seen_by)
        held_Q[day.number_of(number)] = rng.choice(own if len(own) else seen_by)
    camera_C = np.array([rng.choice(real_cameras(city)) for city in day.cameras.city_C])
    return Wearers(identity_Q, real_Q, held_Q, camera_C, seed)


def query_rows(pictures: EmbeddedPictures, wearers: Wearers, person: int, seed: int) -> Indices:
    """Rows of the pictures that parents hand in."""
    own_I = pictures.person_I == wearers.identity_Q[person]
    rows = np.flatnonzero(own_I & (pictures.camera_I == wearers.held_Q[person]))
    return np.random.default_rng([seed, 22, person]).permutation(rows)[:MOST_PICTURES]


def real_cameras(city: int) -> list[int]:
    """The two of `benchmarks.persons` that stand for a city."""
    if not 0 <= city < len(CITIES):
        raise ValueError(f"city {city}; there are {len(CITIES)}")
    return [2 * city + 1, 2 * city + 2]
