"""One way to learn, one seed: train through the exchange, embed the test's people, score.

Shapes: E numbers of an embedding, I pictures, A anchors.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.persons.case import (
    APART,
    BESIDE,
    CHOSEN,
    COMMON,
    CONCATENATED,
    FEDPAV,
    LEVELS,
    LOCAL,
    ONE,
    OWN_STATISTICS,
    Case,
)
from benchmarks.persons.cities import PICTURES, Towns
from benchmarks.persons.kept_embeddings import keep, kept
from benchmarks.persons.pictures import CITIES
from benchmarks.persons.scores import Scores, scored
from deepcity.city.arrays import Floats
from deepcity.city.level import ALONE, LADDER, MAX_LEVEL, STEM, layers_up_to
from deepcity.exchange.coordinator import Coordinator
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.party import LearningParty
from deepcity.exchange.rounds import FederationPlan
from deepcity.exchange.strategies import FedAvg
from deepcity.exchange.trust.layer_distance import is_unused
from deepcity.learning.identity.best_level import best_level
from deepcity.learning.identity.learner import IdentityLearner, IdentitySettings
from deepcity.learning.identity.network import IdentitySizes
from deepcity.learning.identity.people import Bytes, IdentityData
from deepcity.learning.training.local_training import party_seed

PICTURE_SETTINGS = IdentitySettings()
VECTOR_SETTINGS = IdentitySettings(rounds=12, batch_size=128, learning_rate=1e-3)


@dataclass(frozen=True)
class Trained:
    """Learners at their best, by city, the bytes that these sent, and how often a city went on with
    its own layers because those sent lay too far from them.
    """

    learners: Mapping[str, IdentityLearner]
    sent: int
    unused: int


@dataclass(frozen=True)
class Setting:
    """What a case is measured in."""

    set: str
    kind: str
    towns: Towns
    seed: int

    def learner(self, data: IdentityData, *, own_statistics: bool = False) -> IdentityLearner:
        """A learner of pictures, or of vectors."""
        if self.kind == PICTURES:
            sizes = IdentitySizes(people=1, own_statistics=own_statistics)
            return IdentityLearner(data, PICTURE_SETTINGS, self.seed, sizes)
        vector = int(data.train.input_I.shape[1])
        sizes = IdentitySizes(people=1, vector=vector, own_statistics=own_statistics)
        return IdentityLearner(data, VECTOR_SETTINGS, self.seed, sizes)


def train(setting: Setting, level: int, *, own_statistics: bool = False) -> Trained:
    """All rounds of the three cities at one level."""
    learners = {
        city: setting.learner(data, own_statistics=own_statistics)
        for city, data in setting.towns.data.items()
    }
    reference = learners[CITIES[0]].export((STEM, *LADDER))
    rounds = learners[CITIES[0]].settings.rounds
    levels = dict.fromkeys(learners, level)
    plan = FederationPlan(levels, reference, FedAvg(common_stem=True), rounds)
    ledger = Ledger()
    parties = {city: LearningParty(one, level, common_stem=True) for city, one in learners.items()}
    exchange = InProcessExchange(parties, ledger=ledger)
    training = Coordinator(exchange, ledger).train("persons", plan)
    failed = [one for some in training.progress.failures for one in some]
    if lost := [str(one) for one in failed if not is_unused(one)]:
        raise RuntimeError(f"level {level}, seed {setting.seed}: {'; '.join(lost)}")
    return Trained(learners, sum(ledger.sent_by_party().values()), len(failed))


@dataclass(frozen=True)
class CaseMaker:
    """Makes the cases of one training, begun at some CPU second."""

    setting: Setting
    begun: float

    def __call__(
        self,
        row: str,
        found: Scores,
        joined: Trained | None = None,
        levels: Mapping[str, int] | None = None,
    ) -> Case:
        """One row."""
        return Case(
            self.setting.set,
            row,
            self.setting.seed,
            found.within,
            found.across,
            found.aligned,
            dict(levels or {}),
            joined.sent if joined else 0,
            joined.unused if joined else 0,
            time.process_time() - self.begun,
        )


def measure(setting: Setting, row: str) -> Iterator[Case]:
    """The rows that one training gives; `row` is the first of them."""
    case = CaseMaker(setting, time.process_time())
    if row == APART:
        yield from _apart(setting, case)
    elif row in (LOCAL, COMMON):
        learner = setting.learner(setting.towns.pooled(common_ids=row == COMMON))
        for number in range(learner.settings.rounds):
            learner.train_round(number)
            learner.receive({})
        learner.keep_best()
        yield case(row, _scores(setting, dict.fromkeys(CITIES, learner)))
    elif row == BESIDE:
        yield case(row, _beside(setting))
    elif row == CHOSEN:
        found, levels, joined = _chosen(setting)
        yield case(row, found, joined, levels)
    else:
        level = LEVELS.get(row, MAX_LEVEL)
        trained = train(setting, level, own_statistics=row == OWN_STATISTICS)
        if row == FEDPAV:
            keep(setting.set, setting.seed, FEDPAV, _embedded(setting, trained.learners))
        yield case(row, _scores(setting, trained.learners), trained)


def _apart(setting: Setting, case: CaseMaker) -> Iterator[Case]:
    """Apart, the best of these for all, and all of these side by side."""
    learners = train(setting, ALONE).learners
    yield case(APART, _scores(setting, learners))
    best = min(CITIES, key=lambda city: _error_for_all(setting, learners[city]))
    yield case(ONE, _scores(setting, dict.fromkeys(CITIES, learners[best])))
    side_by_side = _concatenated(setting, learners)
    keep(setting.set, setting.seed, CONCATENATED, side_by_side)
    yield case(CONCATENATED, scored(setting.towns.tested, side_by_side))


def _concatenated(setting: Setting, learners: Mapping[str, IdentityLearner]) -> dict[str, Floats]:
    """City -> embeddings of its test's people by the networks of all cities, side by side."""
    return {
        city: np.concatenate([_unit_of(one, shown.input_I) for one in learners.values()], axis=1)
        for city, shown in setting.towns.tested.items()
    }


def _embedded(setting: Setting, learners: Mapping[str, IdentityLearner]) -> dict[str, Floats]:
    """City -> embeddings of its test's people by its own network, of unit length."""
    tested = setting.towns.tested
    return {city: _unit_of(learners[city], shown.input_I) for city, shown in tested.items()}


def _beside(setting: Setting) -> Scores:
    """The joined network's embedding and those of all cities' own networks, each counting alike."""
    name, seed = setting.set, setting.seed
    apart = kept(
        name,
        seed,
        CONCATENATED,
        lambda: _concatenated(setting, train(setting, ALONE).learners),
    )
    joined = kept(
        name, seed, FEDPAV, lambda: _embedded(setting, train(setting, MAX_LEVEL).learners)
    )
    together = {city: np.concatenate([joined[city], apart[city]], axis=1) for city in joined}
    return scored(setting.towns.tested, together)


def _error_for_all(setting: Setting, learner: IdentityLearner) -> float:
    """Mean validation error of one city's network at all cities, as each would report it."""
    return float(
        np.mean([learner.error_on(data.validation) for data in setting.towns.data.values()])
    )


def _chosen(setting: Setting) -> tuple[Scores, dict[str, int], Trained]:
    """Each city's choice among its own network and every level tuned from the joined one."""
    alone, joined = train(setting, ALONE), train(setting, MAX_LEVEL)
    used, levels = {}, {}
    for city, learner in joined.learners.items():
        tuned = {MAX_LEVEL: learner}
        for level in range(1, MAX_LEVEL):
            kept = layers_up_to(level, common_stem=True)
            tuned[level] = learner.refit(kept, party_seed(setting.seed, f"{city}/refit", level))
        levels[city] = best_level(alone.learners[city], tuned).level
        used[city] = {ALONE: alone.learners[city], **tuned}[levels[city]]
    return _scores(setting, used), levels, joined


def _scores(setting: Setting, learners: Mapping[str, IdentityLearner]) -> Scores:
    """Of each city's network on what its own cameras saw."""
    towns = setting.towns
    embedded = {city: learners[city].embed(towns.tested[city].input_I) for city in CITIES}
    anchors = {city: learners[city].embed(towns.anchor_A) for city in CITIES}
    return scored(towns.tested, embedded, anchors)


def _unit_of(learner: IdentityLearner, input_I: Bytes | Floats) -> Floats:
    """Embeddings of unit length, so that each network counts alike."""
    embedding_IE = learner.embed(input_I)
    return np.asarray(embedding_IE / np.linalg.norm(embedding_IE, axis=1, keepdims=True))
