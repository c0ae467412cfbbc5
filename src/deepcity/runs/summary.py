"""From trainings to results: a party's errors by method, learning curves and traffic."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from deepcity.applications.application import applications
from deepcity.city.arrays import Floats
from deepcity.exchange.coordinator import Training
from deepcity.intercity.level_choice import LevelChoice
from deepcity.learning.ensemble.multi_view_ensemble import EnsembleForecast
from deepcity.learning.evaluation.bands import band, coverage
from deepcity.learning.training.learner import Learner
from deepcity.maps.map_settings import ServiceSettings
from deepcity.parties.example_forecast import (
    LearningCurve,
    example_forecast,
    rolling_band,
)
from deepcity.parties.method_errors import (
    ALONE,
    AUTOMATIC,
    MethodErrors,
    fixed_level_name,
    score_forecast,
)
from deepcity.parties.party import Party
from deepcity.parties.pooling import place_slices
from deepcity.runs.decision_scores import DecisionForecasts
from deepcity.runs.level_reason import level_bound, level_reason
from deepcity.runs.note import Note
from deepcity.runs.releases.level_limit import LevelLimit
from deepcity.runs.results import MethodTraffic, PartyResult
from deepcity.runs.set_aside import levels_set_aside, spans_spent
from deepcity.runs.update.error_log import drift_of_run

MOST_TIMES = 1e6
"""Greatest validation error in a curve, in the error before training: a party may claim any."""


def pooled_errors(
    learner: Learner, pooled: Party, parties: Sequence[Party]
) -> dict[str, MethodErrors]:
    """Errors of the pooled network, at each party's places."""
    forecast = learner.forecast(pooled.test)
    return {
        party.name: score_forecast(
            np.maximum(forecast[:, places], np.float32(party.floor)),
            party.test.truth_BNH,
            party.metric,
        )
        for party, places in zip(parties, place_slices(parties), strict=True)
    }


def party_result(
    settings: ServiceSettings,
    party: Party,
    choice: LevelChoice,
    found: EnsembleForecast,
    alone: Learner,
    test: Mapping[str, MethodErrors],
    notes: Sequence[Note] = (),
    limit: LevelLimit | None = None,
) -> PartyResult:
    """One party's results.

    Args:
        found: the ensemble's forecast of the test days.
        limit: how deep its city's policy lets it share; None: the map's grant alone bounds it.
    """
    forecast_BNH = found.forecast_BNH
    half_BNH = _half_width(party, choice, forecast_BNH, settings.band)
    application, granted = applications()[settings.application], settings.grant.level_of(party.name)
    decided = DecisionForecasts.of(application, party, choice, forecast_BNH, alone)
    return PartyResult(
        name=party.name,
        title=party.title,
        city=party.city,
        places=len(party.panel.places),
        train_days=party.train_days,
        scarce=party.scarce,
        level=choice.level,
        level_reason=level_reason(choice, party.unit if party.metric.in_unit else ""),
        level_bound=level_bound(
            choice, limit or LevelLimit(granted), granted, newcomer=party.name in settings.newcomers
        ),
        weights=_named(choice.weights),
        weights_after=_named(choice.by_level(found.ensemble)),
        validation_mae={
            str(level): error for level, error in choice.errors.items() if np.isfinite(error)
        },
        test={**test, AUTOMATIC: score_forecast(forecast_BNH, party.test.truth_BNH, party.metric)},
        band_level=settings.band,
        band_coverage=coverage(party.test.truth_BNH, *band(forecast_BNH, half_BNH, party.floor)),
        forecast=example_forecast(party, forecast_BNH, half_BNH, alone.forecast(party.test)),
        newcomer=party.name in settings.newcomers,
        drift=drift_of_run(party, choice, forecast_BNH),
        notes=list(notes),
        unit=party.unit,
        step_minutes=party.panel.clock.step_s / 60,
        horizon_steps=party.inputs.settings.horizon,
        raw_bytes=party.panel.values_TNF.nbytes,
        decision=decided.last(),
        decision_scores=decided.scores(),
        example=decided.example(),
        granted_level=granted,
        set_aside=levels_set_aside(party, choice, found),
        allowance_spent=spans_spent(party, choice, found),
    )


def _named(weights: Mapping[int, float]) -> dict[str, float]:
    """Weights by name of the method."""
    return {
        fixed_level_name(level) if level else ALONE: weight for level, weight in weights.items()
    }


def _half_width(party: Party, choice: LevelChoice, forecast_BNH: Floats, level: float) -> Floats:
    """Half widths of the test forecasts' bands, from errors known before each."""
    return rolling_band(party, choice.validation.forecast_BNH, forecast_BNH, level)


def curve(method: str, training: Training) -> LearningCurve:
    """Mean over parties of the validation error, relative to the error before training; of each
    at most `MOST_TIMES`.
    """
    first: dict[str, float] = {}
    for errors in training.progress.errors:  # of a late joiner: its first
        first = {**errors, **first}
    by_round = [
        float(np.mean([_times(error, first[name]) for name, error in known.items() if first[name]]))
        for errors in training.progress.errors
        if (known := {name: error for name, error in errors.items() if np.isfinite(error)})
    ]
    return LearningCurve(method=method, error_by_round=by_round)


def _times(error: float, first: float) -> float:
    return error / first if error < MOST_TIMES * first else MOST_TIMES


def traffic(method: str, training: Training) -> MethodTraffic:
    """Bytes that left and reached parties, counted when they were serialised."""
    return MethodTraffic(
        method=method,
        rounds=training.progress.round,
        bytes_by_layer=training.ledger.sent_by_layer(),
        bytes_by_party=training.ledger.sent_by_party(),
        received_by_party=training.ledger.received_by_party(),
    )


def sum_traffic(method: str, parts: Sequence[MethodTraffic]) -> MethodTraffic:
    """The traffic of several trainings as that of one method."""
    by_layer, by_party, received = Counter[str](), Counter[str](), Counter[str]()
    for part in parts:
        by_layer.update(part.bytes_by_layer)
        by_party.update(part.bytes_by_party)
        received.update(part.received_by_party)
    return MethodTraffic(
        method=method,
        rounds=sum(part.rounds for part in parts),
        bytes_by_layer=dict(by_layer),
        bytes_by_party=dict(by_party),
        received_by_party=dict(received),
    )
