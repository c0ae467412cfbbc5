"""With one member hostile, nobody ends more than 5 % worse than alone, in the attacks tried."""

from dataclasses import dataclass

import numpy as np
import pytest

from benchmarks.hostile_members import cases, towns
from benchmarks.hostile_members.attacks import ATTACKS
from benchmarks.hostile_members.backdoor import backdoored, success
from benchmarks.joining.cases import alone_learner, mean_error
from deepcity.intercity.level_choice import JoinedExpert, weigh_experts
from deepcity.learning.experts.expert import Expert
from deepcity.learning.experts.network import NetworkExpert
from deepcity.learning.training.local_training import TrainingSettings
from deepcity.runs import episodic_training

QUICK = TrainingSettings(rounds=2, local_steps=6, batch_size=32, refit_steps=6)


@pytest.fixture
def quick(monkeypatch):
    """Towns that train for a moment."""
    monkeypatch.setattr(towns, "TRAINING", QUICK)
    monkeypatch.setattr(towns, "DAYS", 32)
    monkeypatch.setattr(episodic_training, "KNOWN_DAYS", (1,))
    monkeypatch.setattr(episodic_training, "EPISODES", 1)
    monkeypatch.setattr(episodic_training, "STAGES", ((1, 0.75),))
    cases._town.cache_clear()
    yield
    cases._town.cache_clear()


@dataclass(frozen=True)
class Far(Expert):
    """What ruined layers make: one value everywhere."""

    value: float
    kind = "far"

    def predict(self, samples, origins_B=None):
        return np.full_like(samples.baseline_BNH, self.value)


@pytest.mark.parametrize("days", [1.0, 14.0, None])
@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30, -1e30])
def test_whatever_layers_make_costs_no_more_than_a_twentieth(quick, days, value):
    party, alone = cases._town(3, 0, days)
    joined = [JoinedExpert(level, Far(value)) for level in range(1, 7)]
    found = weigh_experts(party, NetworkExpert(alone), joined, QUICK).forecast(party)
    own = mean_error(NetworkExpert(alone).predict(party.test, party.test_origins), party)
    assert mean_error(found.forecast_BNH, party) < 1.05 * own


@pytest.mark.parametrize("name", ["turncoat", "turncoat, far steps", "turncoat, knowing"])
def test_a_turncoat_costs_an_allowance_and_no_more(quick, name):
    for case in cases.measure(cases.Setting(3, name, "fedavg", "float32", 0)):
        assert 0.9 < case.share < 1.06, case.party


def test_a_whole_federation_with_the_greatest_weights_that_are_not_refused(quick):
    assert "greatest" in ATTACKS
    found = list(cases.measure(cases.Setting(3, "greatest", "fedavg", "float32", 0)))
    assert [case.party for case in found] == ["member"] * 2 + ["newcomer, 1 d", "newcomer, 14 d"]
    assert {case.party: round(case.share, 3) for case in found if case.share > 1.05} == {}


def test_a_backdoor_is_learned_by_who_trains_on_it_and_moves_nothing_where_nobody_did():
    """Without the first the benchmark's success at honest members would mean nothing."""
    party, alone = cases._town(0, 0, None)
    spoilt = alone_learner(towns.service(), backdoored(party), 0)
    choices = [
        weigh_experts(party, NetworkExpert(one), [JoinedExpert(1, NetworkExpert(one))], QUICK)
        for one in (alone, spoilt)
    ]
    honest, hostile = (success(party, choice, 1) for choice in choices)
    assert honest == 0
    assert hostile > 0.5
