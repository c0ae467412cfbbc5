"""Summaries of a run: no error that a party claims can spoil the results of all."""

import pytest

from deepcity.exchange.coordinator import Training
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.rounds import Progress
from deepcity.exchange.strategies import StrategyState
from deepcity.runs.summary import MOST_TIMES, curve
from deepcity.store.result_bounds import beyond_bounds


@pytest.mark.parametrize("claimed", [(1e-300, 1e38), (5e-324, 1.0), (0.0, 1.0)])
def test_a_curve_of_absurd_errors_can_be_kept_and_drawn(claimed):
    errors = tuple({"honest": 2.0 - at, "liar": one} for at, one in enumerate(claimed))
    progress = Progress(2, StrategyState({}, {}), {}, {}, errors=errors)
    found = curve("level_6", Training({}, progress, Ledger()))
    assert not list(beyond_bounds(found.model_dump()))
    alone = claimed[0] == 0.0
    assert found.error_by_round == pytest.approx([1.0, 0.5 if alone else (0.5 + MOST_TIMES) / 2])
