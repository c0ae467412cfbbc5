"""One set, one seed: every party alone, meeting in each mode, pooled, and an agency silent.

What an encoder of two other cities is worth to a third that has two weeks of its own is
measured apart, in `reused`.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from deepcity.city.arrays import Floats
from deepcity.learning.evaluation.metrics import scores
from deepcity.learning.split.fusion_inputs import without_agency
from deepcity.maps.city_map import Service, load_map
from deepcity.maps.vertical_settings import Mode
from deepcity.parties.method_errors import naive_errors
from deepcity.parties.party import parties_of
from deepcity.vertical import baselines as methods
from deepcity.vertical.baselines import TrainedVertical
from deepcity.vertical.setup import VerticalSetup, build_setup, pretrain_encoders

FOLDER = Path(__file__).parent
SETS = (
    "metro-10min",
    "metro-15min",
    "metro-15min-hourly",
    "metro-30min",
    "tetouan",
    "bikes",
    "ferrara",
    "ferrara-summer",
)
REFERENCE = ("tetouan",)
"""Sets on which per-batch split learning is run too: it takes long."""
SKIPPED = 5  # steps of the metro's test span that its published protocol does not forecast
NAIVE = ("same_hour_yesterday", "same_hour_last_week")


@dataclass(frozen=True)
class Case:
    """One party, one seed.

    Attributes:
        mae, rmse: method -> error over the test span, in `unit`.
        messages, sent: mode -> messages and bytes of the training, both ways.
    """

    set: str
    party: str
    seed: int
    unit: str
    mae: dict[str, float]
    rmse: dict[str, float]
    messages: dict[str, int]
    sent: dict[str, int]
    seconds: dict[str, float]

    def as_dict(self) -> dict[str, object]:
        """For a line of JSON."""
        return asdict(self)


def service_of(name: str) -> Service:
    """The service of a set's map."""
    return load_map(FOLDER / f"{name}.toml").services[0]


def measure(name: str, seed: int) -> Iterator[Case]:
    """Every party of a set; yields cases as they are done."""
    service = service_of(name)
    for party, member in zip(parties_of(service), service.members, strict=True):
        truth = party.test.truth_BNH.copy()
        if name.startswith("metro"):
            known = np.flatnonzero(np.isfinite(truth).any(axis=(1, 2)))
            truth[known[:SKIPPED]] = np.nan
        found = _Found(service, truth, seed, whole=name.startswith("metro"))
        alone = found.alone(build_setup(service, member, party, seed))
        modes = [Mode.BLOCK] if name.startswith("metro") else [Mode.ONE_SHOT, Mode.BLOCK]
        modes += [Mode.BATCH] if name in REFERENCE else []
        for mode in modes:
            setup = build_setup(
                service, member, party, seed
            )  # encoders that have learned nothing yet
            pretrain_encoders([setup], seed)
            found.vertical(setup, mode, alone)
        found.pooled(setup)
        for naive, errors in naive_errors(party).items():
            if naive in NAIVE:
                found.mae[naive], found.rmse[naive] = errors.mae, errors.rmse
        yield Case(
            name,
            party.name,
            seed,
            party.unit,
            found.mae,
            found.rmse,
            found.messages,
            found.sent,
            found.seconds,
        )


class _Found:
    """Collects what is measured of one party.

    Attributes:
        whole: forecasts are whole numbers of 0 or more, as the metro's protocol has it.
    """

    def __init__(self, service: Service, truth: Floats, seed: int, *, whole: bool) -> None:
        self.service, self.truth, self.seed, self.whole = service, truth, seed, whole
        self.mae: dict[str, float] = {}
        self.rmse: dict[str, float] = {}
        self.messages: dict[str, int] = {}
        self.sent: dict[str, int] = {}
        self.seconds: dict[str, float] = {}

    def alone(self, setup: VerticalSetup) -> TrainedVertical:
        begun = time.perf_counter()
        found = methods.train_alone(setup, self.service.settings.training, self.seed, _quiet)
        self.seconds["alone"] = time.perf_counter() - begun
        self._add("alone", found.forecast(setup.party.test, {}))
        return found

    def vertical(self, setup: VerticalSetup, mode: Mode, alone: TrainedVertical) -> None:
        begun = time.perf_counter()
        training = self.service.settings.training
        found = methods.train_joint(setup, training, self.seed, mode, _quiet)
        self.seconds[mode] = time.perf_counter() - begun
        ledger, test = found.ledger, setup.party.test
        assert ledger is not None
        self.messages[mode], self.sent[mode] = ledger.messages, ledger.total
        self._add(mode, found.forecast(test, found.test))
        if mode is Mode.BLOCK:
            for agency in setup.sites:
                left = without_agency(found.test, agency)
                self._add(f"silent {agency}", found.forecast(test, left))
            self._add("automatic", methods.ensemble_forecast(setup, alone, found).forecast_BNH)

    def pooled(self, setup: VerticalSetup) -> None:
        training = self.service.settings.training
        found, test = methods.train_pooled(setup, training, self.seed, _quiet)
        self._add("pooled", found.forecast(test, {}))

    def _add(self, method: str, forecast_BNH: Floats) -> None:
        predicted = np.maximum(np.round(forecast_BNH), 0) if self.whole else forecast_BNH
        found = scores(predicted, self.truth)
        self.mae[method], self.rmse[method] = found.mae, found.rmse


def _quiet(_round: int) -> None:
    pass


def reused(seed: int, days: float = 14, level: int = 3) -> dict[str, Mapping[str, float]]:
    """Each bike city with so many days of its own: mean absolute error by where h1..hk begin.

    Its weather office has all its own records; only labels are few.
    """
    service = service_of("bikes")
    found: dict[str, Mapping[str, float]] = {}
    for member in service.members:
        span = service.settings.span.model_copy(update={"scarce": {member.name: days}})
        scarce = replace(service, settings=service.settings.model_copy(update={"span": span}))
        others = [other for other in service.members if other.name != member.name]
        taught = _pretrained(service, others, seed, level)
        party = parties_of(replace(scarce, members=(member,)))[0]
        errors = {}
        for name, start in (("own encoder", None), ("encoder of two other cities", taught)):
            setup = build_setup(scarce, member, party, seed)
            if start is not None:
                for site in setup.sites.values():
                    site.learner.start_from(start)
            pretrain_encoders([setup], seed)
            training = service.settings.training
            met = methods.train_joint(setup, training, seed, Mode.ONE_SHOT, _quiet)
            errors[name] = scores(met.forecast(party.test, met.test), party.test.truth_BNH).mae
        alone = methods.train_alone(
            build_setup(scarce, member, party, seed), training, seed, _quiet
        )
        errors["alone"] = scores(alone.forecast(party.test, {}), party.test.truth_BNH).mae
        found[member.name] = errors
    return found


def _pretrained(service: Service, members: list, seed: int, level: int):  # type: ignore[no-untyped-def,type-arg]
    """h1..hk that other cities' weather offices taught each other while meeting their parties."""
    assert service.settings.vertical is not None
    vertical = service.settings.vertical.model_copy(update={"reuse_level": level})
    settings = service.settings.model_copy(update={"vertical": vertical})
    joint = replace(service, settings=settings, members=tuple(members))
    tables = [
        build_setup(joint, member, party, seed)
        for member, party in zip(members, parties_of(joint), strict=True)
    ]
    pretrain_encoders(tables, seed)
    encoder = next(iter(tables[0].sites.values())).learner
    return encoder.export(encoder.encoder.hidden_layers[:level])
