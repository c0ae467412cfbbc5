"""All methods for one party and one seed, and the agencies that took part.

Shapes: B origins, N places, H horizon steps.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deepcity.applications.metric import Metric
from deepcity.city.arrays import Floats
from deepcity.data.city_file import CityFile
from deepcity.exchange.exchange import Failure
from deepcity.learning.evaluation.bands import coverage
from deepcity.maps.map_settings import ServiceSettings
from deepcity.maps.vertical_settings import Mode
from deepcity.parties.example_forecast import LearningCurve, example_forecast, rolling_band
from deepcity.parties.method_errors import (
    ALONE,
    AUTOMATIC,
    POOLED,
    naive_forecasts,
    score_forecast,
)
from deepcity.vertical import baselines as methods
from deepcity.vertical.baselines import AfterRound, TrainedVertical
from deepcity.vertical.checkpoints import Checkpoints
from deepcity.vertical.packages import save_packages
from deepcity.vertical.results import (
    MODE_PREFIX,
    TOGETHER,
    WITHOUT_AGENCY,
    AgencyFacts,
    ModeCost,
    VerticalPartyResult,
)
from deepcity.vertical.setup import VerticalSetup


@dataclass(frozen=True)
class RunContext:
    """Settings and services that a party's methods share.

    Attributes:
        after_round: method -> callback after each of its rounds.
        checkpoints: method -> its checkpoints.
        packages: folder for the application's package; None: no packages are written.
    """

    settings: ServiceSettings
    metric: Metric
    seed: int
    after_round: Callable[[str], AfterRound]
    checkpoints: Callable[[str], Checkpoints]
    packages: Path | None = None


@dataclass
class _MethodForecasts:
    """Forecasts and validation errors by method, the cost of each mode, and what is lacking."""

    forecasts: dict[str, Floats] = field(default_factory=dict)
    costs: dict[str, ModeCost] = field(default_factory=dict)
    errors: dict[str, Sequence[float]] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)


def methods_of(settings: ServiceSettings) -> list[str]:
    """The methods trained for a party, in order."""
    assert settings.vertical is not None
    others = [f"{MODE_PREFIX}{mode}" for mode in settings.vertical.modes[1:]]
    return [ALONE, TOGETHER, *others, *([POOLED] if settings.pooled else [])]


def evaluate_party(
    setup: VerticalSetup, city: CityFile, context: RunContext
) -> VerticalPartyResult:
    """Run every method for one party.

    Raises:
        ExchangeError: if an agency cannot take part.
        CheckpointError: if a checkpoint cannot be written.
        LayerPackageError: if a package cannot be written.
    """
    found = _MethodForecasts(forecasts=naive_forecasts(setup.party))
    training, test = context.settings.training, setup.party.test
    one = methods.train_alone(
        setup, training, context.seed, context.after_round(ALONE), context.checkpoints(ALONE)
    )
    found.forecasts[ALONE] = one.forecast(test, {})
    found.errors[ALONE] = one.history.errors
    together = _train_mode(setup, context, setup.vertical.mode, TOGETHER, found)
    if context.packages is not None:
        found.failures += save_packages(setup, together, one, city, context.packages)
    for mode in setup.vertical.modes[1:]:
        _train_mode(setup, context, mode, f"{MODE_PREFIX}{mode}", found)
    if context.settings.pooled:
        kept = context.checkpoints(POOLED)
        pooled, samples = methods.train_pooled(
            setup, training, context.seed, context.after_round(POOLED), kept
        )
        found.forecasts[POOLED] = pooled.forecast(samples, {})
        found.errors[POOLED] = pooled.history.errors
    found.forecasts[AUTOMATIC] = methods.ensemble_forecast(setup, one, together).forecast_BNH
    for agency in setup.agencies:
        without = methods.forecast_without_agency(setup, one, together, agency)
        found.forecasts[f"{WITHOUT_AGENCY}{agency}"] = without
    return _result(setup, city, context, found, together)


def _train_mode(
    setup: VerticalSetup, context: RunContext, mode: Mode, method: str, found: _MethodForecasts
) -> TrainedVertical:
    checkpoints, training = context.checkpoints(method), context.settings.training
    run = methods_of(context.settings).index(method)
    fused = methods.train_joint(
        setup, training, context.seed, mode, context.after_round(method), checkpoints, run
    )
    ledger = fused.ledger
    assert ledger is not None
    kinds: dict[str, int] = dict(ledger.sent_by_layer())
    for kind, size in ledger.received_by_layer().items():
        kinds[kind] = kinds.get(kind, 0) + size
    found.costs[mode] = ModeCost(
        messages=ledger.messages, bytes=ledger.total, by_kind=kinds, seconds=checkpoints.seconds
    )
    found.errors[method] = fused.history.errors
    found.forecasts[method] = fused.forecast(setup.party.test, fused.test)
    return fused


def _result(
    setup: VerticalSetup,
    city: CityFile,
    context: RunContext,
    found: _MethodForecasts,
    together: TrainedVertical,
) -> VerticalPartyResult:
    party, metric, level = setup.party, context.metric, context.settings.band
    forecasts, truth = found.forecasts[TOGETHER], party.test.truth_BNH
    metric_errors = {
        method: metric.error(forecast, truth) for method, forecast in found.forecasts.items()
    }
    before = together.forecast(party.data.validation, together.validation)
    half_BNH = rolling_band(party, before, forecasts, level)
    return VerticalPartyResult(
        name=party.name,
        title=party.title,
        unit=party.unit,
        agencies=list(setup.agencies),
        facts=_facts(setup, city, together),
        test={
            method: score_forecast(forecast, truth, metric)
            for method, forecast in found.forecasts.items()
        },
        metric_errors=metric_errors,
        by_seed={method: [error] for method, error in metric_errors.items()},
        metric=metric.title,
        metric_unit=party.unit if metric.in_unit else None,
        cost=found.costs[setup.vertical.mode],
        costs=found.costs,
        curves=_curves(found.errors),
        failures=_failures(together, found.failures),
        places=len(party.panel.places),
        train_days=party.train_days,
        horizon_steps=truth.shape[-1],
        step_minutes=party.panel.clock.step_s / 60,
        band_level=level,
        band_coverage=coverage(truth, forecasts - half_BNH, forecasts + half_BNH),
        forecast=example_forecast(party, forecasts, half_BNH, found.forecasts[ALONE]),
    )


def _facts(setup: VerticalSetup, city: CityFile, together: TrainedVertical) -> list[AgencyFacts]:
    """What each agency grants and encodes, and what it sent in training."""
    ledger = together.ledger
    assert ledger is not None
    left, received = ledger.sent_by_party(), ledger.received_by_party()
    facts = []
    for feature_party in setup.vertical.agency:
        site = setup.agencies[feature_party.agency]
        agency = city.city.agency(site.name)
        facts.append(
            AgencyFacts(
                name=site.name,
                title=agency.title,
                fields=list(site.fields),
                level=feature_party.level,
                width=feature_party.width,
                cells=len(together.cells[site.name]),
                step_minutes=site.step_s / 60,
                ahead=feature_party.ahead,
                least_level=feature_party.least_level,
                widest=feature_party.widest,
                sent=left.get(site.name, 0),
                received=received.get(site.name, 0),
                raw_bytes=site.raw_bytes,
            )
        )
    return facts


def _curves(errors: Mapping[str, Sequence[float]]) -> list[LearningCurve]:
    """Validation errors by round, relative to the first error of learning alone."""
    first = next((e[0] for e in errors.values() if e and e[0]), 1.0)
    return [
        LearningCurve(method=method, error_by_round=[error / first for error in found])
        for method, found in errors.items()
        if found
    ]


def _failures(fused: TrainedVertical, lacking: Iterable[Failure]) -> list[str]:
    found = {str(failure) for one in fused.history.failures for failure in one}
    return sorted({*found, *map(str, lacking)})


def merge_seeds(found: Sequence[VerticalPartyResult]) -> VerticalPartyResult:
    """Results of several seeds as one: those of the first seed, with the errors of every seed."""
    names = found[0].metric_errors
    by_seed = {name: [one.metric_errors[name] for one in found] for name in names}
    failures = sorted({failure for one in found for failure in one.failures})
    return found[0].model_copy(update={"by_seed": by_seed, "failures": failures})


def with_failures(
    found: VerticalPartyResult, failed: Iterable[Failure | str]
) -> VerticalPartyResult:
    """A party's result with what agencies were left out of beside."""
    failures = sorted({*found.failures, *map(str, failed)})
    return found.model_copy(update={"failures": failures})


def shared(found: VerticalPartyResult, settings: ServiceSettings) -> VerticalPartyResult:
    """A party's result for the map-wide report; measured values only where it grants them."""
    if found.forecast is None or settings.grant.truths_of(found.name) == "shared":
        return found
    forecast = found.forecast.model_copy(update={"truth": None})
    return found.model_copy(update={"forecast": forecast})
