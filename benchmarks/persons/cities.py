"""What each city trains on, validates by, and is tested on.

Of 751 people, 200 are for the test, the same for every seed. 40 of the others, drawn anew by each
seed, are public: 300 pictures of them are the anchors of alignment. 40 more are for validation, as
each city's own cameras see them. 471 are left to train on.

Shapes: I pictures of all, A anchors.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.persons.given import embeddings
from benchmarks.persons.pictures import ANCHORS, CITIES, Crops, pictures
from deepcity.city.arrays import Bools, Floats, Ints
from deepcity.learning.identity.people import Bytes, IdentityData, People

SAME, DIFFERENT, SMALL = "same people", "different people", "small city"
SMALL_SHARE = 0.15
"""Of its people that the first city has where it is small."""
PICTURES, FROZEN = "pictures", "0288"
"""What goes into a network: 32 x 64 pictures, or vectors by a given network that stays as it is."""
WIDTH, HEIGHT = 32, 64
_VALIDATION_PEOPLE = _ANCHOR_PEOPLE = 40
_LOCAL = 10_000  # more than any person's number: people of another city are other people


@dataclass(frozen=True)
class Towns:
    """Three cities and what they are tested on.

    Attributes:
        data: city -> what its learner has.
        tested: city -> pictures of the test's people by its cameras.
        anchor_A: inputs of public pictures.
    """

    data: Mapping[str, IdentityData]
    tested: Mapping[str, People]
    anchor_A: Bytes | Floats

    def pooled(self, *, common_ids: bool) -> IdentityData:
        """All cities' pictures in one place; with local ids, a person of two cities is two."""
        parts = [self.data[name] for name in CITIES]
        apart = [0 if common_ids else number * _LOCAL for number in range(len(parts))]
        train = People(
            np.concatenate([one.train.input_I for one in parts]),
            np.concatenate(
                [one.train.person_I + own for one, own in zip(parts, apart, strict=True)]
            ),
            np.concatenate([one.train.camera_I for one in parts]),
        )
        validation = People(
            np.concatenate([one.validation.input_I for one in parts]),
            np.concatenate([one.validation.person_I for one in parts]),
            np.concatenate([one.validation.camera_I for one in parts]),
        )
        return IdentityData("pooled", train, validation)


def inputs(kind: str, crops: Crops) -> Bytes | Floats:
    """All crops, decoded or as vectors, (I, ...)."""
    if kind == PICTURES:
        return pictures(crops.file_I, WIDTH, HEIGHT)
    return embeddings(kind, crops.file_I)


def towns(setting: str, crops: Crops, input_I: Bytes | Floats, seed: int) -> Towns:
    """Split people and pictures by the seed."""
    rng = np.random.default_rng([seed, 17])
    others = rng.permutation(np.setdiff1d(crops.person_I, crops.test_people))
    anchors, validation, train = np.split(
        others, [_ANCHOR_PEOPLE, _ANCHOR_PEOPLE + _VALIDATION_PEOPLE]
    )
    everyone = People(input_I, crops.person_I, crops.camera_I)
    data, tested = {}, {}
    for number, name in enumerate(CITIES):
        own_I = crops.city_I == number
        trains_on = _trained(setting, train, number)
        data[name] = IdentityData(
            name,
            everyone.of(own_I & np.isin(crops.person_I, trains_on)),
            everyone.of(own_I & np.isin(crops.person_I, validation)),
        )
        tested[name] = everyone.of(own_I & crops.test_I)
    public_I = np.flatnonzero(np.isin(crops.person_I, anchors))
    chosen_A = np.sort(rng.permutation(public_I)[:ANCHORS])
    return Towns(data, tested, input_I[chosen_A])


def given_towns(crops: Crops, network: str) -> dict[str, People]:
    """The test's people alone, as embeddings of a given network, by city."""
    files = tuple(name for name, some in zip(crops.file_I, crops.test_I, strict=True) if some)
    vectors = embeddings(network, files)
    tested = People(vectors, crops.person_I[crops.test_I], crops.camera_I[crops.test_I])
    city_I = crops.city_I[crops.test_I]
    return {name: tested.of(_is(city_I, number)) for number, name in enumerate(CITIES)}


def _is(city_I: Ints, number: int) -> Bools:
    return np.asarray(city_I == number)


def _trained(setting: str, people: Ints, number: int) -> Ints:
    """Whom a city trains on."""
    if setting == DIFFERENT:
        return people[number :: len(CITIES)]
    if setting == SMALL and number == 0:
        return people[: round(SMALL_SHARE * len(people))]
    return people
