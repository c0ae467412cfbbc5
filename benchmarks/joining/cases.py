"""One set, one seed: every method at every party, with all its days and with few.

With all days, the parties learn together from the first round. With few, a party is a
newcomer (`deepcity.intercity.newcomer`): it starts from what the others, with all their
days, learned together without it and then practised for newcomers, and sends nothing.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.pooling import pooled_rows
from deepcity.city.arrays import Floats
from deepcity.city.level import ALONE, MAX_LEVEL, Layers
from deepcity.exchange.coordinator import Training
from deepcity.intercity.level_choice import LevelChoice, choose_level
from deepcity.intercity.method import Method
from deepcity.intercity.method import alone as alone_method
from deepcity.intercity.newcomer import choose_newcomer_level, common_layers, start_newcomer
from deepcity.learning.training.learner import EVERY_LAYER, Learner
from deepcity.learning.training.local_training import party_seed
from deepcity.maps.city_map import Member, Service, load_map
from deepcity.parties import method_errors as names
from deepcity.parties.method_errors import naive_errors
from deepcity.parties.party import Party, parties_of
from deepcity.runs.episodic_training import STAGES, run_episodic_training, with_episodes
from deepcity.runs.site import Site
from deepcity.runs.trainings import train_parties

FOLDER = Path(__file__).parent
SETS: Mapping[str, tuple[float, ...]] = {
    "air": (14, 56),
    "bikes": (14, 56),
    "crime": (14, 56),
    "ferrara": (14, 56),
    "people": (14, 56),
    "losloop": (1, 3),
    "metro": (1, 3, 7),
    "parking": (1, 3, 7),
}
"""Days of a newcomer, by set."""
TYPICAL = "typical_day"
TUNED = "pooled, tuned"


@dataclass(frozen=True)
class Case:
    """One party with so many days of its own (None: all), one seed.

    Attributes:
        mae: method -> mean absolute error over the test days, in `unit`.
        level: what automatic says after the validation days.
        own_weight: of learning alone then; `own_after` once the test days are known.
        seconds: of learning alone, of one party's share of the joined training, of choosing;
            and until the others' layers are in place (`arriving`).
    """

    set: str
    party: str
    days: float | None
    seed: int
    unit: str
    mae: dict[str, float]
    level: int
    own_weight: float
    own_after: float
    seconds: dict[str, float]

    def as_dict(self) -> dict[str, object]:
        """For a line of JSON."""
        return asdict(self)


def service_of(name: str, stem: str = "common") -> Service:
    """The set's service, with the stem common or private."""
    service = load_map(FOLDER / f"{name}.toml").services[0]
    grant = service.settings.grant.model_copy(update={"stem": stem})
    return replace(service, settings=service.settings.model_copy(update={"grant": grant}))


def measure(name: str, seed: int, stem: str = "common") -> Iterator[Case]:
    """Every party of a set, with each number of days; yields cases as they are done."""
    service = service_of(name, stem)
    parties = parties_of(service)
    yield from _full(name, service, parties, seed)
    stages = episodic_parties(service, parties, seed)
    for party, member in zip(parties, service.members, strict=True):
        begun = time.perf_counter()
        others = [other for other in parties if other.name != party.name]
        few = [[other for other in stage if other.name != party.name] for stage in stages]
        layers = learned_without(service, others, few, seed)
        seconds = (time.perf_counter() - begun) / len(others)
        pooled = _pooled(service, others, seed)
        for days in SETS[name]:
            newcomer = parties_of(scarce(service, member, days))[0]
            yield _newcomer(name, service, newcomer, layers, pooled, days, seed, seconds)


def episodic_parties(service: Service, parties: Sequence[Party], seed: int) -> list[list[Party]]:
    """The parties of every stage of episodic training."""
    return [
        [with_episodes(party, service.settings, seed, stage) for party in parties]
        for stage in range(len(STAGES))
    ]


def learned_without(
    service: Service, others: Sequence[Party], stages: Sequence[Sequence[Party]], seed: int
) -> Layers:
    """What others have in common for a newcomer: learned together, then trained on episodes."""
    layers = common_layers(joined_learners(service, others, seed)[0].progress)

    def sites_of(stage: int) -> list[Site]:
        return [Site(service.settings, party, seed) for party in stages[stage]]

    trainings = run_episodic_training(service.settings, sites_of, layers, seed)
    return common_layers(trainings[-1].progress) if trainings else layers


def _full(name: str, service: Service, parties: Sequence[Party], seed: int) -> Iterator[Case]:
    begun = time.perf_counter()
    _, joined = joined_learners(service, parties, seed)
    seconds = time.perf_counter() - begun
    pooled = _pooled(service, parties, seed)
    for party in parties:
        start = time.perf_counter()
        alone = alone_learner(service, party, seed)
        spent = {"alone": time.perf_counter() - start, "joined": seconds / len(parties)}
        begun = time.perf_counter()
        common = service.settings.grant.stem == "common"
        joiner = joined[party.name]
        choice = choose_level(party, alone, joiner, MAX_LEVEL, seed, common_stem=common)
        spent["choosing"] = time.perf_counter() - begun
        yield _case(name, service, party, choice, pooled, None, seed, spent)


def _newcomer(
    name: str,
    service: Service,
    party: Party,
    layers: Layers,
    pooled: Layers,
    days: float,
    seed: int,
    seconds: float,
) -> Case:
    start = time.perf_counter()
    alone = alone_learner(service, party, seed)
    spent = {"alone": time.perf_counter() - start, "joined": seconds}
    begun = time.perf_counter()
    start_newcomer(party, service.settings, layers, seed)
    spent["arriving"] = time.perf_counter() - begun
    begun = time.perf_counter()
    choice = choose_newcomer_level(party, alone, service.settings, layers, seed)
    spent["choosing"] = time.perf_counter() - begun
    return _case(name, service, party, choice, pooled, days, seed, spent)


def _case(
    name: str,
    service: Service,
    party: Party,
    choice: LevelChoice,
    pooled: Layers,
    days: float | None,
    seed: int,
    seconds: dict[str, float],
) -> Case:
    forecasts = {
        names.fixed_level_name(level) if level else names.ALONE: choice.first(level).predict(
            party.test, party.test_origins
        )
        for level in range(MAX_LEVEL + 1)
    }
    found = choice.forecast(party)
    forecasts[names.AUTOMATIC] = found.forecast_BNH
    forecasts |= _from_pool(service, party, pooled, seed)
    forecasts[TYPICAL] = party.test.baseline_BNH
    mae = {method: mean_error(forecast, party) for method, forecast in forecasts.items()}
    mae |= {method: error.mae for method, error in naive_errors(party).items()}
    return Case(
        set=name,
        party=party.name,
        days=days,
        seed=seed,
        unit=party.unit,
        mae=mae,
        level=choice.level,
        own_weight=choice.weights[ALONE],
        own_after=choice.by_level(found.ensemble)[ALONE],
        seconds=seconds,
    )


def _from_pool(service: Service, party: Party, pooled: Layers, seed: int) -> dict[str, Floats]:
    """The network of all raw rows, as it is and tuned on the party's own rows."""
    learner = Learner(party.data, service.settings.training, seed, start=pooled)
    steps = service.settings.training.refit_steps
    tuned = learner.refit((), steps, party_seed(seed, f"{party.name}/pooled", 0))
    return {names.POOLED: learner.forecast(party.test), TUNED: tuned.forecast(party.test)}


def mean_error(forecast_BNH: Floats, party: Party) -> float:
    """Mean absolute error over the test days."""
    return float(np.nanmean(np.abs(forecast_BNH - party.test.truth_BNH)))


def joined_learners(
    service: Service, parties: Sequence[Party], seed: int
) -> tuple[Training, dict[str, Learner]]:
    """All parties trained together at the deepest level."""
    levels = {party.name: MAX_LEVEL for party in parties}
    return train_parties(service.settings, parties, seed, Method("joined", levels))


def alone_learner(service: Service, party: Party, seed: int) -> Learner:
    """The party's own network, trained on its own rows alone."""
    method = alone_method([party.name])
    return train_parties(service.settings, [party], seed, method)[1][party.name]


def _pooled(service: Service, parties: Sequence[Party], seed: int) -> Layers:
    pool = replace(parties[0], name="pooled", data=pooled_rows(parties))
    method = Method(names.POOLED, {"pooled": ALONE})
    learner = train_parties(service.settings, [pool], seed, method)[1]["pooled"]
    return learner.export(EVERY_LAYER)


def scarce(service: Service, member: Member, days: float) -> Service:
    """The service of one member alone, a newcomer with its last days before the test span."""
    span = service.settings.span.model_copy(update={"scarce": {member.name: days}})
    new = {"span": span, "newcomers": (member.name,)}
    settings = service.settings.model_copy(update=new)
    return replace(service, settings=settings, members=(member,))
