"""The freeways of Los Angeles with directions of travel, and a small forecaster of two hours.

Five days, Thursday to Monday, are learned from (their last 242 steps choose and give the past
errors); Tuesday and Wednesday test.

Shapes: B origins, N places, H horizon steps.
"""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.traffic_causes.directions import adjacency_of, directed
from deepcity.applications.state import Past, State
from deepcity.applications.traffic.roads import Roads, roads_of
from deepcity.city.arrays import Floats
from deepcity.data.city_file import load_city, load_panel
from deepcity.data.panel import Panel
from deepcity.data.windows import Span, origins
from deepcity.learning.features.inputs import Samples, ScaleBy, WindowSettings, fit_inputs
from deepcity.learning.training.learner import Learner, PartyData
from deepcity.learning.training.local_training import TrainingSettings

CITY = Path(__file__).parents[1] / "cities" / "los_angeles.toml"
DAY = 288
LEARNED = 5 * DAY
VALIDATION = 242
HORIZON = 24
WINDOW = WindowSettings(history=12, horizon=HORIZON, days=0, scale_by=ScaleBy.PARTY)
TRAINING = TrainingSettings(
    rounds=4, local_steps=50, batch_size=16 * 207, mae_weight=0.3, input_dropout=0.0, noise=0.3
)
_WIDTH_M = 2581.0  # of the kernel by which the published weights hold lengths


@dataclass(frozen=True, eq=False)
class Freeways:
    """The panel with the published graph, with one of estimated directions, and its roads."""

    published: Panel
    panel: Panel
    roads: Roads


@dataclass(frozen=True, eq=False)
class Forecasts:
    """Forecasts of the test days by origin (an index of the panel), and past ones."""

    by_origin: dict[int, Floats]
    past: Past
    error: float  # mean absolute, mph, over the test days


@cache
def freeways() -> Freeways:
    """Read once."""
    published = load_panel(load_city(CITY), "freeways")
    both = roads_of(published.places, published.adjacency_NN)
    assert both is not None
    adjacency_NN = adjacency_of(directed(published.places, both), _WIDTH_M)
    roads = roads_of(published.places, adjacency_NN)
    assert roads is not None
    return Freeways(published, replace(published, adjacency_NN=adjacency_NN), roads)


def forecasts(seed: int) -> Forecasts:
    """Of a network that learned for a few rounds from a ridge on."""
    panel = freeways().published
    train = Span(0, LEARNED - VALIDATION)
    inputs = fit_inputs(panel, "speed", WINDOW, train, panel.adjacency_NN)
    learn, choose, test = (
        inputs.samples(found)
        for found in (
            origins(train, HORIZON, history=WINDOW.history),
            origins(Span(train.end, LEARNED), HORIZON),
            _test_origins(),
        )
    )
    learner = Learner(PartyData("freeways", learn, choose, inputs.ridge_skip_HS), TRAINING, seed)
    for number in range(TRAINING.rounds):
        learner.train_round(number)
        learner.receive({})
    learner.keep_best()
    test_BNH = learner.forecast(test)
    past = Past(learner.forecast(choose), choose.truth_BNH)
    found = dict(zip(_test_origins().tolist(), test_BNH, strict=True))
    return Forecasts(found, past, _error(test_BNH, test))


def _test_origins():
    return origins(Span(LEARNED, len(freeways().panel.time_T)), HORIZON, history=WINDOW.history)


def _error(forecast_BNH: Floats, test: Samples) -> float:
    return float(np.nanmean(np.abs(forecast_BNH - test.truth_BNH)))


def state_at(
    panel: Panel, origin: int, forecast_NH: Floats, past: Past, weather: Panel | None = None
) -> State:
    """What the service sees before a step."""
    now_s = int(panel.time_T[origin])
    return State.of(panel, "speed", now_s, forecast_NH, past, weather=weather)
