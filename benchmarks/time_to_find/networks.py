"""By what cities embed pictures: one network for all, or one each that they learned apart.

Shapes: I pictures of the test's people, A anchors, E numbers of an embedding.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from benchmarks.persons.cases import Setting, train
from benchmarks.persons.cities import FROZEN, SAME, Towns, inputs, towns
from benchmarks.persons.given import embeddings
from benchmarks.persons.pictures import CITIES, crops
from benchmarks.time_to_find.service_desk import fitted_scores
from deepcity.applications.tasks.matching.match_state import ScoreModel
from deepcity.city.arrays import Floats
from deepcity.city.level import ALONE, MAX_LEVEL
from deepcity.learning.identity.learner import IdentityLearner
from deepcity.learning.identity.retrieval import unit
from deepcity.simulation.pictures import EmbeddedPictures

GIVEN, APART, JOINED, POOLED_NETWORK = "given", "apart", "joined", "pooled"
GIVEN_NETWORK = FROZEN
"""The smallest of the given ones, 0288."""


@dataclass(frozen=True, eq=False)
class CityNetworks:
    """Embeddings of the test's pictures and of public anchors by each city's network.

    Attributes:
        picture_IE, anchor_AE: of north, middle and south, unit length.
    """

    picture_IE: tuple[Floats, ...]
    anchor_AE: tuple[Floats, ...]


@cache
def networks(kind: str, seed: int) -> CityNetworks:
    """The networks of three cities.

    Raises:
        ValueError: if there is no such kind.
    """
    if kind == GIVEN:
        shown = crops()
        files = tuple(name for name, some in zip(shown.file_I, shown.test_I, strict=True) if some)
        one = embeddings(GIVEN_NETWORK, files)
        return CityNetworks((one,) * len(CITIES), (one[:1],) * len(CITIES))
    setting = _setting(seed)
    tested = _test_vectors()
    learners = _learners(kind, setting)
    return CityNetworks(
        tuple(unit(one.embed(tested)) for one in learners),
        tuple(unit(one.embed(setting.towns.anchor_A)) for one in learners),
    )


@cache
def train_scores() -> ScoreModel:
    """How the given network's scores are distributed on people whom nobody searches for."""
    shown = crops()
    rows = np.flatnonzero(~shown.test_I)
    found = embeddings(GIVEN_NETWORK, tuple(shown.file_I[row] for row in rows))
    return fitted_scores(EmbeddedPictures(found, shown.person_I[rows], shown.camera_I[rows]))


def _learners(kind: str, setting: Setting) -> list[IdentityLearner]:
    if kind == POOLED_NETWORK:
        learner = setting.learner(setting.towns.pooled(common_ids=True))
        for number in range(learner.settings.rounds):
            learner.train_round(number)
            learner.receive({})
        learner.keep_best()
        return [learner] * len(CITIES)
    levels = {APART: ALONE, JOINED: MAX_LEVEL}
    if kind not in levels:
        raise ValueError(f"no networks {kind!r}; there are {GIVEN}, {POOLED_NETWORK}, {[*levels]}")
    found = train(setting, levels[kind]).learners
    return [found[city] for city in CITIES]


@cache
def _setting(seed: int) -> Setting:
    shown = crops()
    some: Towns = towns(SAME, shown, inputs(FROZEN, shown), seed)
    return Setting("time-to-find", FROZEN, some, seed)


def _test_vectors() -> Floats:
    shown = crops()
    return np.asarray(inputs(FROZEN, shown)[shown.test_I], np.float32)
