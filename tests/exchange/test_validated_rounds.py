"""Members validate each other's real updates with learners of their own."""

from dataclasses import replace

import numpy as np
import pytest
from test_rounds import RecordingParty, learner

from deepcity.city.errors import LayerPackageError
from deepcity.city.level import LADDER
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.party import EVALUATE, JOIN, TRAIN, VALIDATE, LearningParty
from deepcity.exchange.rounds import FederationPlan, learn_together
from deepcity.exchange.strategies import strategy
from deepcity.learning.networks.reuse import export_layers


def test_a_learner_forgets_what_it_validated():
    one = learner("a")
    one.train_round(0)  # at first nothing of the hidden layers reaches a forecast
    own = one.export(["h1", "h2"])
    before = one.evaluate()
    other = {
        layer: {name: tensor + 1 for name, tensor in tensors.items()}
        for layer, tensors in own.items()
    }
    assert one.error_with(other) != before
    assert one.error_with({}) == before
    assert one.evaluate() == before
    broken = {"h1": {name: tensor * np.nan for name, tensor in own["h1"].items()}}
    with pytest.raises(LayerPackageError):
        one.error_with(broken)
    assert one.evaluate() == before
    for layer, tensors in one.export(["h1", "h2"]).items():
        for name, tensor in tensors.items():
            np.testing.assert_array_equal(tensor, own[layer][name])


def test_members_validate_real_updates():
    """Reversed and boosted layers and heads of one of four; the others' own learners tell."""

    def boosted(_message, answer):
        layers = {
            layer: {name: -30 * tensor for name, tensor in tensors.items()}
            for layer, tensors in answer.layers.items()
        }
        return replace(answer, layers=layers)

    names = ("a", "b", "c", "d")
    learners = {name: learner(name) for name in names}
    sites = {
        name: RecordingParty(LearningParty(one, 6), boosted if name == "d" else None)
        for name, one in learners.items()
    }
    reference = export_layers(learners["a"].network, LADDER)
    validated = strategy("peer_validation", tolerated=2)  # these have hardly learned anything
    plan = FederationPlan(dict.fromkeys(names, 6), reference, validated, 2)
    progress = learn_together(InProcessExchange(sites), plan)
    assert {one.party for one in progress.refusals} == {"d"}
    asked = [one.verb for one in sites["a"].received]
    assert asked == [JOIN, *([TRAIN] + [VALIDATE] * 4) * 2, EVALUATE]
