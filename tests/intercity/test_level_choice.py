"""Levels as experts: never much worse than alone, and the truth about weights."""

from dataclasses import dataclass

import numpy as np
import pytest
from little_map import service, three

from deepcity.intercity.level_choice import JoinedExpert, weigh_experts
from deepcity.learning.experts.expert import Expert
from deepcity.learning.experts.yesterday import YesterdayExpert
from deepcity.learning.features.inputs import Samples
from deepcity.maps.city_map import load_map
from deepcity.parties.party import parties_of


@pytest.fixture(scope="module")
def party(tmp_path_factory):
    path = three(tmp_path_factory.mktemp("map")).write(service())
    return parties_of(load_map(path).services[0])[0]


def mae(predicted, samples):
    return float(np.nanmean(np.abs(predicted - samples.truth_BNH)))


@dataclass(frozen=True)
class Off(Expert):
    """Errs by a constant and some noise."""

    shift: float
    seed: int = 0
    kind = "off"

    def predict(self, samples, origins_B=None):
        noise = np.random.default_rng(self.seed).normal(0, 0.1, samples.truth_BNH.shape)
        return (np.nan_to_num(samples.truth_BNH) + self.shift + noise).astype(np.float32)


@dataclass(frozen=True)
class Turning(Expert):
    """Good on the samples it was chosen by, and far off on all others."""

    chosen_by: Samples
    kind = "turning"

    def predict(self, samples, origins_B=None):
        good = Off(0.1, 1).predict(samples)
        return good if samples is self.chosen_by else good + 60


def test_a_level_that_errs_more_is_left_and_costs_little(party):
    choice = weigh_experts(
        party, Off(0.5), [JoinedExpert(6, Off(50.0, 1)), JoinedExpert(3, Off(-80.0, 2))]
    )
    found = choice.forecast(party)
    assert choice.level == 0
    assert mae(found.forecast_BNH, party.test) < 1.05 * mae(
        Off(0.5).predict(party.test), party.test
    )
    assert choice.weights[0] > 0.85
    assert set(choice.weights) == {0, 3, 6}


def test_a_level_that_errs_less_is_taken(party):
    choice = weigh_experts(
        party, Off(5.0), [JoinedExpert(6, Off(0.1, 1)), JoinedExpert(3, Off(9.0, 2))]
    )
    assert choice.level == 6
    assert choice.gain > 0
    assert choice.errors[0] > choice.errors[6]
    found = choice.forecast(party)
    assert mae(found.forecast_BNH, party.test) < mae(Off(5.0).predict(party.test), party.test)


def test_a_level_that_turns_bad_is_left_while_it_is_used(party):
    turning = Turning(party.data.validation)
    choice = weigh_experts(party, Off(1.0), [JoinedExpert(6, turning)])
    assert choice.level == 6
    found = choice.forecast(party)
    after = choice.by_level(found.ensemble)
    assert after[6] < 0.05
    assert mae(found.forecast_BNH, party.test) < mae(turning.predict(party.test), party.test) / 4


@pytest.mark.parametrize(("days", "there"), [(2, True), (4, False)])
def test_yesterday_is_an_expert_where_hardly_any_day_is_known(tmp_path, days, there):
    path = three(tmp_path).write(service(span=f'scarce = {{ "east/north" = {days} }}'))
    party = parties_of(load_map(path).services[0])[0]
    choice = weigh_experts(party, Off(0.1), [JoinedExpert(6, Off(0.1, 1))])
    found = [
        one for level, one in choice.experts if level == 0 and isinstance(one, YesterdayExpert)
    ]
    assert bool(found) == there
    assert np.isclose(choice.validation.weights_BE[0, : 2 + there].sum(), 0.5)
    if there:
        forecast_BNH = found[0].predict(party.test, party.test_origins)
        first = party.test_origins[0]
        expected = party.inputs.values_TN[first - 24 : first - 18].T
        assert np.allclose(forecast_BNH[0], expected)
        assert np.isclose(choice.validation.weights_BE[0, 2], 0.05)


def test_nothing_joined_is_learning_alone(party):
    choice = weigh_experts(party, Off(0.1), [])
    assert choice.level == 0
    found = choice.forecast(party)
    assert np.allclose(found.forecast_BNH, Off(0.1).predict(party.test), atol=1e-4)
