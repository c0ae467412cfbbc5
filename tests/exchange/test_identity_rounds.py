"""Cities that learn who is on a picture run the same rounds as those that forecast."""

import numpy as np
from striped_people import SETTINGS, SIZES, a_city

from deepcity.city.level import HEAD, LADDER, MAX_LEVEL, STEM
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.party import LearningParty
from deepcity.exchange.rounds import FederationPlan, learn_together
from deepcity.exchange.strategies import FedAvg
from deepcity.learning.identity.learner import IdentityLearner

ROUNDS = 2


def trained(level: int) -> tuple[dict[str, IdentityLearner], InProcessExchange]:
    cities = ("north", "middle")
    learners = {
        name: IdentityLearner(a_city(name, number), SETTINGS, 0, SIZES)
        for number, name in enumerate(cities)
    }
    parties = {name: LearningParty(one, level, common_stem=True) for name, one in learners.items()}
    exchange = InProcessExchange(parties)
    reference = learners["north"].export((STEM, *LADDER))
    plan = FederationPlan(dict.fromkeys(cities, level), reference, FedAvg(common_stem=True), ROUNDS)
    progress = learn_together(exchange, plan)
    assert not any(progress.failures)
    return learners, exchange


def test_all_but_classifiers_makes_one_network_of_two_cities():
    learners, exchange = trained(MAX_LEVEL)
    north, middle = (one.export((STEM, *LADDER)) for one in learners.values())
    for name, tensors in north.items():
        assert all(np.array_equal(tensors[key], middle[name][key]) for key in tensors)
    sent = exchange.ledger.sent_by_layer()
    assert {STEM, *LADDER} <= sent.keys()
    assert "classifier" not in sent
    size = sum(tensor.nbytes for tensor in north["h5"].values())
    assert sent["h5"] == len(learners) * ROUNDS * size


def test_above_the_level_each_city_keeps_its_own():
    learners, exchange = trained(3)
    north, middle = (one.export(("h3", "h4", HEAD)) for one in learners.values())
    assert all(np.array_equal(north["h3"][key], middle["h3"][key]) for key in north["h3"])
    assert not np.array_equal(north[HEAD]["out.weight"], middle[HEAD]["out.weight"])
    assert "h4" not in exchange.ledger.sent_by_layer()
