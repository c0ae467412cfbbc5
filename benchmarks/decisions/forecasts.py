"""What each party would have forecast: learned with others, alone, and without learning.

Shapes: B origins, N places, H horizon steps.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.joining.cases import alone_learner
from deepcity.city.arrays import Floats
from deepcity.city.level import MAX_LEVEL
from deepcity.intercity.level_choice import choose_level
from deepcity.intercity.method import Method
from deepcity.maps.city_map import Service, load_map
from deepcity.parties.party import Party, parties_of
from deepcity.runs.decision_scores import DecisionForecasts
from deepcity.runs.decisions import MethodForecasts, naive_both
from deepcity.runs.trainings import train_parties
from deepcity.store.run_folder import ensure_folder

FOLDER = Path(__file__).parent
JOINED, ALONE = OURS = "learned together", "alone"
KEPT: Path | None = None
"""Folder where learned forecasts are kept, and taken from; set by the command."""


def service_of(name: str) -> Service:
    """The service of a map in this folder."""
    return load_map(FOLDER / f"{name}.toml").services[0]


def forecasts(
    service: Service, seed: int, wanted: Callable[[Party], bool]
) -> Iterator[Mapping[str, MethodForecasts]]:
    """Method -> forecasts, of every wanted party; all parties learn together. Decisions of the
    learned ones may be made from naive ones, too.
    """
    parties = parties_of(service)
    file = None if KEPT is None else KEPT / f"{service.settings.name}-{seed}.npz"
    kept: dict[str, Floats] = {}
    if file is not None and file.exists():
        kept = dict(np.load(file))
    for party in filter(wanted, parties):
        if _key(party, JOINED, 0) not in kept:
            kept |= _learned(service, parties, seed)
        ours = {one: (kept[_key(party, one, 0)], kept[_key(party, one, 1)]) for one in OURS}
        yield DecisionForecasts.with_naive(
            service.application, party, ours, naive_both(party)
        ).by_method
    if file is not None:
        ensure_folder(file.parent)
        np.savez(file, allow_pickle=False, **kept)


def _key(party: Party, method: str, span: int) -> str:
    """Of a party's forecasts by a method of the validation days (0) or the test days (1)."""
    return f"{party.name} {method} {span}".replace("/", "|")


def _learned(service: Service, parties: Sequence[Party], seed: int) -> dict[str, Floats]:
    """Every party's learned forecasts, by `_key`."""
    settings = service.settings
    levels = {party.name: MAX_LEVEL for party in parties}
    _, joined = train_parties(settings, parties, seed, Method("joined", levels))
    found: dict[str, Floats] = {}
    for party in parties:
        alone = alone_learner(service, party, seed)
        learner = joined[party.name]
        choice = choose_level(party, alone, learner, MAX_LEVEL, seed, common_stem=True)
        together = choice.validation.forecast_BNH, choice.forecast(party).forecast_BNH
        by_itself = alone.forecast(party.data.validation), alone.forecast(party.test)
        for method, both in ((JOINED, together), (ALONE, by_itself)):
            found |= {_key(party, method, span): one for span, one in enumerate(both)}
    return found


def spread(values: list[float], places: int = 2, unit: str = "") -> str:
    """Mean and standard deviation over seeds; one value where all are the same."""
    mean, deviation = float(np.mean(values)), float(np.std(values))
    if not np.isfinite(mean):
        return "–"
    text = f"{mean:.{places}f}{unit}"
    return text if deviation < 10.0**-9 else f"{text} ± {deviation:.{places}f}"
