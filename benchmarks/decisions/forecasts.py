"""What each party would have forecast: learned with others, alone, and without learning.

Shapes: B origins, N places, H horizon steps.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.joining.cases import alone_learner
from deepcity.applications.state import Past
from deepcity.city.arrays import Floats
from deepcity.city.level import MAX_LEVEL
from deepcity.intercity.level_choice import choose_level
from deepcity.intercity.method import Method
from deepcity.maps.city_map import Service, load_map
from deepcity.parties.party import Party, parties_of
from deepcity.runs.decision_scores import naive_both
from deepcity.runs.decisions import past_of
from deepcity.runs.trainings import train_parties

FOLDER = Path(__file__).parent
JOINED, ALONE = "learned together", "alone"


@dataclass(frozen=True, eq=False)
class Forecasts:
    """One party's forecasts by one method.

    Attributes:
        past: those of its validation days, and what came.
        test_BNH: those of its test days.
    """

    party: Party
    past: Past
    test_BNH: Floats


def service_of(name: str) -> Service:
    """The service of a map in this folder."""
    return load_map(FOLDER / f"{name}.toml").services[0]


def forecasts(
    service: Service, seed: int, wanted: Callable[[Party], bool]
) -> Iterator[Mapping[str, Forecasts]]:
    """Method -> forecasts, of every wanted party; all parties learn together."""
    parties, settings = parties_of(service), service.settings
    levels = {party.name: MAX_LEVEL for party in parties}
    _, joined = train_parties(settings, parties, seed, Method("joined", levels))
    for party in filter(wanted, parties):
        alone = alone_learner(service, party, seed)
        learner = joined[party.name]
        choice = choose_level(party, alone, learner, MAX_LEVEL, seed, common_stem=True)
        together = choice.validation.forecast_BNH, choice.forecast(party).forecast_BNH
        by_itself = alone.forecast(party.data.validation), alone.forecast(party.test)
        found = {JOINED: together, ALONE: by_itself}
        found |= naive_both(party)
        yield {
            method: Forecasts(party, past_of(service.application, party, past_BNH), test_BNH)
            for method, (past_BNH, test_BNH) in found.items()
        }


def spread(values: list[float], places: int = 2, unit: str = "") -> str:
    """Mean and standard deviation over seeds; one value where all are the same."""
    mean, deviation = float(np.mean(values)), float(np.std(values))
    if not np.isfinite(mean):
        return "–"
    text = f"{mean:.{places}f}{unit}"
    return text if deviation < 10.0**-9 else f"{text} ± {deviation:.{places}f}"
