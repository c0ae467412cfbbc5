"""From outcomes to results: errors of every method at every party, and forecasts to look at."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from deepcity.applications.application import Baseline, applications
from deepcity.applications.metric import AbsoluteError, Metric
from deepcity.city.arrays import Floats, Ints
from deepcity.exchange.coordinator import Training
from deepcity.intercity.automatic import Choice
from deepcity.intercity.decisions import last_decision
from deepcity.intercity.level_reason import level_reason
from deepcity.intercity.map_settings import ServiceSettings
from deepcity.intercity.parties import Party, place_slices
from deepcity.intercity.results import (
    ALONE,
    AUTOMATIC,
    NAIVE_DAY,
    NAIVE_WEEK,
    RIDGE,
    Curve,
    Errors,
    Forecast,
    Note,
    PartyResult,
    Traffic,
    fixed,
)
from deepcity.intercity.watched_days import drift_of_run
from deepcity.learning.bands import coverage, rolling_half_width
from deepcity.learning.baselines import same_time_before
from deepcity.learning.council import Aggregated
from deepcity.learning.learner import Learner
from deepcity.learning.metrics import scores
from deepcity.learning.recall import recalled

SHOWN_STEPS = 168
_ABSOLUTE = AbsoluteError()


def errors_of(forecast_BNH: Floats, truth_BNH: Floats, metric: Metric = _ABSOLUTE) -> Errors:
    """Scores as results keep them; `metric` is the application's."""
    found = scores(forecast_BNH, truth_BNH)
    return Errors(
        mae=found.mae,
        rmse=found.rmse,
        mae_by_horizon=[float(e) for e in found.mae_H],
        judged=metric.error(forecast_BNH, truth_BNH),
    )


def naive_forecasts(party: Party) -> dict[str, Floats]:
    """The same hour yesterday and last week; typical day and ridge before a network learns; and
    what else its application must beat.
    """
    values, horizon = party.inputs.values_TN, party.test.truth_BNH.shape[-1]
    day = party.inputs.grid.slots
    lags = {NAIVE_DAY: day, NAIVE_WEEK: 7 * day}
    if Baseline.PERSISTENCE in party.baselines:
        lags[Baseline.PERSISTENCE.value] = 1
    found = {
        name: same_time_before(values, party.test_origins, horizon, lag)
        for name, lag in lags.items()
    }
    if Baseline.TYPICAL_DAY in party.baselines:
        found[Baseline.TYPICAL_DAY.value] = party.test.anchor_BNH
    expected = recalled(party.test.summaries_BNHS, party.inputs.recall_HS)
    return {**found, RIDGE: party.test.anchor_BNH + party.test.scale_N1 * expected}


def naive_errors(party: Party) -> dict[str, Errors]:
    """Errors of these over the test span."""
    truth, metric = party.test.truth_BNH, party.metric
    return {name: errors_of(said, truth, metric) for name, said in naive_forecasts(party).items()}


def pooled_errors(learner: Learner, pooled: Party, parties: Sequence[Party]) -> dict[str, Errors]:
    """Errors of the network that saw all raw rows, at each party's places."""
    forecast = learner.forecast(pooled.test)
    return {
        party.name: errors_of(forecast[:, places], party.test.truth_BNH, party.metric)
        for party, places in zip(parties, place_slices(parties), strict=True)
    }


def party_result(
    settings: ServiceSettings,
    party: Party,
    choice: Choice,
    found: Aggregated,
    alone: Learner,
    test: Mapping[str, Errors],
    notes: Sequence[Note] = (),
) -> PartyResult:
    """What the report says of one party, `found` being its forecast of the test days."""
    said = found.forecast_BNH
    half_BNH = _half_width(party, choice, said, settings.band)
    return PartyResult(
        name=party.name,
        title=party.title,
        city=party.city,
        places=len(party.panel.places),
        train_days=party.train_days,
        scarce=party.scarce,
        level=choice.level,
        level_reason=level_reason(choice, party.unit if party.metric.in_unit else ""),
        weights=_named(choice.weights),
        weights_after=_named(choice.by_level(found.council)),
        validation_mae={
            str(level): error for level, error in choice.errors.items() if np.isfinite(error)
        },
        test={**test, AUTOMATIC: errors_of(said, party.test.truth_BNH, party.metric)},
        band_level=settings.band,
        band_coverage=coverage(party.test.truth_BNH, said - half_BNH, said + half_BNH),
        forecast=shown(party, said, half_BNH, alone.forecast(party.test)),
        newcomer=party.name in settings.newcomers,
        drift=drift_of_run(party, choice, said),
        notes=list(notes),
        unit=party.unit,
        step_minutes=party.panel.clock.step_s / 60,
        horizon_steps=party.inputs.settings.horizon,
        raw_bytes=party.panel.values_TNF.nbytes,
        decision=last_decision(
            applications()[settings.application], party, choice.validation.forecast_BNH, said
        ),
    )


def _named(weights: Mapping[int, float]) -> dict[str, float]:
    """Weights by method's name."""
    return {fixed(level) if level else ALONE: weight for level, weight in weights.items()}


def _half_width(party: Party, choice: Choice, said: Floats, level: float) -> Floats:
    """Half the width of each test forecast's band, from errors known before it."""
    return rolling_band(party, choice.validation.forecast_BNH, said, level)


def rolling_band(party: Party, before: Floats, said: Floats, level: float) -> Floats:
    """Half widths for test forecasts, from errors of the validation forecasts `before` on.

    Where no validation truth is known, they begin with how far the typical day was off in
    training.
    """
    known, earlier = before - party.data.validation.truth_BNH, party.validation_origins
    if not np.isfinite(known).any():
        known = party.data.train.anchor_BNH - party.data.train.truth_BNH
        earlier = np.full(len(known), party.split.train.start)
    errors = np.concatenate([known, said - party.test.truth_BNH])
    origins = np.concatenate([earlier, party.test_origins])
    return rolling_half_width(errors, origins, len(known), level)


def shown(party: Party, said: Floats, half_BNH: Floats, alone: Floats) -> Forecast:
    """Forecasts laid end to end over a week or so from the middle of the test span."""
    horizon = said.shape[-1]
    blocks = max(1, SHOWN_STEPS // horizon)
    origins = party.test_origins
    spaced = _end_to_end(origins, horizon)
    first = max(0, (len(spaced) - blocks) // 2)
    chosen = spaced[first : first + blocks]
    place = int(np.argmax(np.isfinite(party.test.truth_BNH[chosen]).sum(axis=(0, 2))))
    steps = (origins[chosen][:, None] + np.arange(horizon)).ravel()
    truth = party.test.truth_BNH[chosen, place].ravel()
    middle = said[chosen, place].ravel()
    half = half_BNH[chosen, place].ravel()
    return Forecast(
        place=party.panel.places[place].id,
        time_zone=party.panel.clock.time_zone,
        times=[int(time) for time in party.panel.time_T[steps]],
        truth=[float(value) if np.isfinite(value) else None for value in truth],
        forecast=[float(value) for value in middle],
        low=[float(value) for value in middle - half],
        high=[float(value) for value in middle + half],
        alone=[float(value) for value in alone[chosen, place].ravel()],
    )


def _end_to_end(origins_B: Ints, horizon: int) -> Ints:
    """Positions of origins that lie one horizon or more apart, so that no two overlap."""
    kept: list[int] = []
    for position, origin in enumerate(origins_B):
        if not kept or origin >= origins_B[kept[-1]] + horizon:
            kept.append(position)
    return np.array(kept)


def curve(method: str, training: Training) -> Curve:
    """Mean over parties of the validation error, as a share of what it was before training."""
    first: dict[str, float] = {}
    for errors in training.progress.errors:  # of one that joins late: as it came
        first = {**errors, **first}
    by_round = [
        float(np.mean([error / first[name] for name, error in known.items() if first.get(name)]))
        for errors in training.progress.errors
        if (known := {name: error for name, error in errors.items() if np.isfinite(error)})
    ]
    return Curve(method=method, error_by_round=by_round)


def traffic(method: str, training: Training) -> Traffic:
    """Bytes that left parties, as counted while they were serialised."""
    return Traffic(
        method=method,
        rounds=training.progress.round,
        bytes_by_layer=training.ledger.left_by_layer(),
        bytes_by_party=training.ledger.left_by_party(),
    )


def added(method: str, parts: Sequence[Traffic]) -> Traffic:
    """Several runs' bytes as those of one method."""
    by_layer, by_party = Counter[str](), Counter[str]()
    for part in parts:
        by_layer.update(part.bytes_by_layer)
        by_party.update(part.bytes_by_party)
    return Traffic(
        method=method,
        rounds=sum(part.rounds for part in parts),
        bytes_by_layer=dict(by_layer),
        bytes_by_party=dict(by_party),
    )
