"""One party and one seed: every method it is judged by, and who met it.

Shapes: B origins, N places, H horizon steps.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deepcity.applications.metric import Metric
from deepcity.city.arrays import Floats
from deepcity.city.localized_text import LocalizedText
from deepcity.data.city_file import CityFile
from deepcity.exchange.exchange import Failure
from deepcity.exchange.meeting import Mode
from deepcity.intercity import meeting_methods as methods
from deepcity.intercity.guests import Table
from deepcity.intercity.map_settings import ServiceSettings
from deepcity.intercity.meeting_methods import AfterRound, Fused
from deepcity.intercity.meeting_packages import save_packages
from deepcity.intercity.meeting_results import (
    IN_MODE,
    SILENT,
    TOGETHER,
    AgencyFacts,
    Cost,
    MeetingParty,
)
from deepcity.intercity.results import ALONE, AUTOMATIC, POOLED, Curve
from deepcity.intercity.summary import errors_of, naive_forecasts, rolling_band, shown
from deepcity.learning.bands import coverage
from deepcity.vertical.checkpoints import Checkpoints


@dataclass(frozen=True)
class Way:
    """How a party's methods are run.

    Attributes:
        after: of a method, what is told after each of its rounds.
        checkpoints: of a method, what keeps the state of who trains its network.
        packages: folder for the application in daily use; None: no packages are written.
    """

    settings: ServiceSettings
    metric: Metric
    seed: int
    after: Callable[[str], AfterRound]
    checkpoints: Callable[[str], Checkpoints]
    packages: Path | None = None


@dataclass
class _Found:
    """Forecasts by method, and what each mode's training cost and came to."""

    said: dict[str, Floats] = field(default_factory=dict)
    costs: dict[str, Cost] = field(default_factory=dict)
    errors: dict[str, Sequence[float]] = field(default_factory=dict)


def methods_of(settings: ServiceSettings) -> list[str]:
    """What is trained for a party, in this order."""
    assert settings.meeting is not None
    others = [f"{IN_MODE}{mode}" for mode in settings.meeting.modes[1:]]
    return [ALONE, TOGETHER, *others, *([POOLED] if settings.pooled else [])]


def hold(table: Table, city: CityFile, way: Way) -> MeetingParty:
    """Run every method for one party.

    Raises:
        ExchangeError: if an agency cannot come.
        CheckpointError: if a checkpoint cannot be written.
        LayerPackageError: if a package cannot be written.
    """
    training, found = way.settings.training, _Found(said=naive_forecasts(table.party))
    test = table.party.test
    one = methods.alone(table, training, way.seed, way.after(ALONE), way.checkpoints(ALONE))
    found.said[ALONE] = one.forecast(test, {})
    found.errors[ALONE] = one.minutes.errors if one.minutes else ()
    together = _meeting(table, way, table.meeting.mode, TOGETHER, found)
    if way.packages is not None:
        save_packages(table, together, one, city, way.packages)
    for mode in table.meeting.modes[1:]:
        _meeting(table, way, mode, f"{IN_MODE}{mode}", found)
    if way.settings.pooled:
        kept = way.checkpoints(POOLED)
        pooled, samples = methods.pooled(table, training, way.seed, way.after(POOLED), kept)
        found.said[POOLED] = pooled.forecast(samples, {})
        found.errors[POOLED] = pooled.minutes.errors if pooled.minutes else ()
    found.said[AUTOMATIC] = methods.careful(table, one, together).forecast_BNH
    for agency in table.sites:
        found.said[f"{SILENT}{agency}"] = methods.without(table, one, together, agency)
    return _result(table, city, way, found, together)


def _meeting(table: Table, way: Way, mode: Mode, method: str, found: _Found) -> Fused:
    checkpoints, training = way.checkpoints(method), way.settings.training
    run = methods_of(way.settings).index(method)
    fused = methods.fused(table, training, way.seed, mode, way.after(method), checkpoints, run)
    ledger = fused.ledger
    assert ledger is not None
    assert fused.minutes is not None
    kinds: dict[str, int] = dict(ledger.left_by_layer())
    for kind, size in ledger.received_by_layer().items():
        kinds[kind] = kinds.get(kind, 0) + size
    found.costs[mode] = Cost(
        messages=ledger.messages, bytes=ledger.total, by_kind=kinds, seconds=checkpoints.seconds
    )
    found.errors[method] = fused.minutes.errors
    found.said[method] = fused.forecast(table.party.test, fused.test)
    return fused


def _result(table: Table, city: CityFile, way: Way, found: _Found, together: Fused) -> MeetingParty:
    party, metric, level = table.party, way.metric, way.settings.band
    said, truth = found.said[TOGETHER], party.test.truth_BNH
    judged = {method: metric.error(forecast, truth) for method, forecast in found.said.items()}
    before = together.forecast(party.data.validation, together.validation)
    half_BNH = rolling_band(party, before, said, level)
    return MeetingParty(
        name=party.name,
        title=party.title,
        unit=party.unit,
        agencies=list(table.sites),
        facts=_facts(table, city, together),
        test={
            method: errors_of(forecast, truth, metric) for method, forecast in found.said.items()
        },
        judged=judged,
        by_seed={method: [error] for method, error in judged.items()},
        metric=LocalizedText(en=metric.name, ko=metric.name_ko),
        metric_unit=party.unit if metric.in_unit else None,
        cost=found.costs[table.meeting.mode],
        costs=found.costs,
        curves=_curves(found.errors),
        failures=_failures(together),
        places=len(party.panel.places),
        train_days=party.train_days,
        horizon_steps=truth.shape[-1],
        step_minutes=party.panel.clock.step_s / 60,
        band_level=level,
        band_coverage=coverage(truth, said - half_BNH, said + half_BNH),
        forecast=shown(party, said, half_BNH, found.said[ALONE]),
    )


def _facts(table: Table, city: CityFile, together: Fused) -> list[AgencyFacts]:
    """Who met: what each grants and says, and what its training sent."""
    ledger = together.ledger
    assert ledger is not None
    left, received = ledger.left_by_party(), ledger.received_by_party()
    facts = []
    for guest in table.meeting.agency:
        site = table.sites[guest.agency]
        assert site.facts is not None
        agency = city.city.agency(site.name)
        facts.append(
            AgencyFacts(
                name=site.name,
                title=agency.title,
                fields=list(site.facts.fields),
                level=guest.level,
                width=guest.deep,
                cells=len(together.cells[site.name]),
                step_minutes=site.facts.step_s / 60,
                ahead=guest.ahead,
                least_level=guest.least_level,
                widest=guest.widest,
                sent=left.get(site.name, 0),
                received=received.get(site.name, 0),
                raw_bytes=site.raw_bytes,
            )
        )
    return facts


def _curves(errors: Mapping[str, Sequence[float]]) -> list[Curve]:
    """Validation errors by round, as shares of the party's own first."""
    first = next((e[0] for e in errors.values() if e and e[0]), 1.0)
    return [
        Curve(method=method, error_by_round=[error / first for error in found])
        for method, found in errors.items()
        if found
    ]


def _failures(fused: Fused) -> list[str]:
    rounds: Sequence[Sequence[Failure]] = fused.minutes.failures if fused.minutes else ()
    return sorted({f"{failure.party}: {failure.reason}" for one in rounds for failure in one})


def several(found: Sequence[MeetingParty]) -> MeetingParty:
    """One party's results of several seeds as one: the first seed's, and every seed's errors."""
    names = found[0].judged
    by_seed = {name: [one.judged[name] for one in found] for name in names}
    failures = sorted({failure for one in found for failure in one.failures})
    return found[0].model_copy(update={"by_seed": by_seed, "failures": failures})


def shared(found: MeetingParty, settings: ServiceSettings) -> MeetingParty:
    """What a party shows to the whole map: its measured values only where it grants them."""
    if found.forecast is None or settings.grant.truths_of(found.name) == "shared":
        return found
    forecast = found.forecast.model_copy(update={"truth": None})
    return found.model_copy(update={"forecast": forecast})
