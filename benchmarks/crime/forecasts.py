"""Forecasts of the validation and test days: ours by seed and loss, and the naive ones.

All forecasts are one day ahead and know every day before it, as the published ones do. They
are kept as forecast, so that the tables can be made again without learning again.

Shapes: T days, B days forecast, N cells, H horizon steps (one day).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.crime.protocol import Forecasts
from benchmarks.pooling import pooled_rows
from deepcity.city.arrays import Floats
from deepcity.city.level import ALONE, MAX_LEVEL, Layers
from deepcity.intercity.level_choice import choose_level
from deepcity.intercity.method import Method
from deepcity.learning.evaluation.baselines import same_time_before
from deepcity.learning.training.learner import EVERY_LAYER, Learner
from deepcity.learning.training.local_training import party_seed
from deepcity.maps.city_map import Service, load_map
from deepcity.parties.party import Party, parties_of
from deepcity.runs.trainings import train_parties

MAP = Path(__file__).with_name("map.toml")
WEEK = 7
OURS = ("alone", "joined", "pooled")
NAIVE = ("last week", "typical day", "cell")
SHARES = (0.0, 0.5, 1.0)
"""Of absolute error in the loss: 0 learns the mean, 1 the median, 0.5 is what all sets use."""


@dataclass(frozen=True)
class Days:
    """What is the same for every seed: truths and naive forecasts, by party.

    `naive` has for each name of `NAIVE` the value of the same weekday last week, the typical
    day, and the cell's own median over its days with an offence before the span (1: none).
    """

    truth: Mapping[str, Forecasts]
    naive: Mapping[str, Mapping[str, Forecasts]]


def service_of(share: float) -> Service:
    """The map's service, with this share of absolute error in the loss."""
    service = load_map(MAP).services[0]
    training = service.settings.training.model_copy(update={"mae_weight": share})
    return replace(service, settings=service.settings.model_copy(update={"training": training}))


def days_of(parties: Sequence[Party]) -> Days:
    """Truths and naive forecasts; parties may be those of any share."""
    truth = {party.name: _truth(party) for party in parties}
    naive = {
        "last week": {party.name: _last_week(party) for party in parties},
        "typical day": {
            party.name: _forecasts(party.data.validation.baseline_BNH, party.test.baseline_BNH)
            for party in parties
        },
        "cell": {party.name: _cell(party) for party in parties},
    }
    return Days(truth, naive)


def alone(share: float, parties: Sequence[Party], seed: int) -> Mapping[str, Forecasts]:
    """Each party for itself."""
    return {party.name: _of_learner(_alone(share, party, seed), party) for party in parties}


def measure(
    share: float, parties: Sequence[Party], seed: int
) -> dict[str, Mapping[str, Forecasts]]:
    """Ours by line and party: alone, joined (automatic), pooled and then tuned."""
    settings = service_of(share).settings
    levels = {party.name: MAX_LEVEL for party in parties}
    _, joined = train_parties(settings, parties, seed, Method("joined", levels))
    layers = _pooled(share, parties, seed)
    found: dict[str, dict[str, Forecasts]] = {line: {} for line in OURS}
    for party in parties:
        own, joiner = _alone(share, party, seed), joined[party.name]
        start = Learner(party.data, settings.training, seed, start=layers)
        draw = party_seed(seed, f"{party.name}/pooled", 0)
        tuned = start.refit((), settings.training.refit_steps, draw)
        found["alone"][party.name] = _of_learner(own, party)
        found["joined"][party.name] = _automatic(party, own, joiner, seed)
        found["pooled"][party.name] = _of_learner(tuned, party)
    return dict(found)


def prepared() -> list[Party]:
    """All parties, their records read once."""
    return parties_of(service_of(SHARES[0]))


def _alone(share: float, party: Party, seed: int) -> Learner:
    method = Method("alone", {party.name: ALONE})
    return train_parties(service_of(share).settings, [party], seed, method)[1][party.name]


def _pooled(share: float, parties: Sequence[Party], seed: int) -> Layers:
    """One network of all parties' raw rows."""
    pool = replace(parties[0], name="pooled", data=pooled_rows(parties))
    method = Method("pooled", {"pooled": ALONE})
    learner = train_parties(service_of(share).settings, [pool], seed, method)[1]["pooled"]
    return learner.export(EVERY_LAYER)


def _automatic(party: Party, alone: Learner, joiner: Learner, seed: int) -> Forecasts:
    choice = choose_level(party, alone, joiner, MAX_LEVEL, seed, common_stem=True)
    found = choice.forecast(party)
    return _forecasts(choice.validation.forecast_BNH, found.forecast_BNH)


def _of_learner(learner: Learner, party: Party) -> Forecasts:
    return _forecasts(learner.forecast(party.data.validation), learner.forecast(party.test))


def _forecasts(validation_BNH: Floats, test_BNH: Floats) -> Forecasts:
    """Counts are never negative."""
    return Forecasts(np.maximum(validation_BNH[..., 0], 0), np.maximum(test_BNH[..., 0], 0))


def _truth(party: Party) -> Forecasts:
    return Forecasts(party.data.validation.truth_BNH[..., 0], party.test.truth_BNH[..., 0])


def _last_week(party: Party) -> Forecasts:
    values = party.inputs.values_TN
    both = (party.validation_origins, party.test_origins)
    return _forecasts(*(same_time_before(values, origins_B, 1, WEEK) for origins_B in both))


def _cell(party: Party) -> Forecasts:
    """Each cell's median over earlier days with an offence; 1 where it had none."""
    found = []
    for origins_B in (party.validation_origins, party.test_origins):
        before_TN = party.inputs.values_TN[: origins_B[0]]
        median_N = [float(np.median(cell[cell > 0])) if cell.any() else 1.0 for cell in before_TN.T]
        found.append(np.tile(np.array(median_N, np.float32), (len(origins_B), 1)))
    return Forecasts(*found)
