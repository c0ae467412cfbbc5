"""Vertical training and its baselines: party alone, all raw columns pooled, one agency missing.

All use the same learner, number of steps and initial weights.

Shapes: B origins, N places, H horizon steps.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from deepcity.city.arrays import Floats, Ints
from deepcity.exchange.ledger import Ledger
from deepcity.learning.ensemble.multi_view_ensemble import EnsembleForecast, init_ensemble
from deepcity.learning.features.inputs import Samples
from deepcity.learning.split.fused_learner import FusedLearner
from deepcity.learning.split.fusion_inputs import DeepBatches, without_agency
from deepcity.learning.split.labels import HeldLabels
from deepcity.learning.training.local_training import TrainingSettings
from deepcity.maps.vertical_settings import Mode
from deepcity.parties.ensemble import OWN_WEIGHT, run_party_ensemble
from deepcity.vertical.checkpoints import Checkpoints
from deepcity.vertical.coordinator import VerticalJob, coordinate
from deepcity.vertical.fused_network import Design, OwnRows, over_own_rows
from deepcity.vertical.pooled_rows import with_raw_columns
from deepcity.vertical.setup import VerticalSetup
from deepcity.vertical.task import placeholder
from deepcity.vertical.training import History

AfterRound = Callable[[int], None]


@dataclass(frozen=True)
class TrainedVertical:
    """A party's forecaster after vertical training, or after a baseline's.

    Attributes:
        learner: at its best state.
        labels: compute the loss, and turn forecasts into the field's unit.
        validation, test: the agencies' activations for these spans.
        history: validation loss and failures of each round.
        ledger: what was sent; None where no agency took part.
        cells: agency -> its cells.
    """

    learner: FusedLearner
    labels: HeldLabels
    validation: DeepBatches
    test: DeepBatches
    history: History
    ledger: Ledger | None = None
    cells: Mapping[str, Ints] = field(default_factory=dict)

    def forecast(self, samples: Samples, deep: DeepBatches) -> Floats:
        """In the field's unit, (B, N, H); without own rows the network predicts it scaled."""
        seen = samples if self.learner.network.own else placeholder(*samples.baseline_BNH.shape)
        return self.labels.in_unit(self.learner.predict(seen, deep), samples)


def train_alone(
    setup: VerticalSetup,
    training: TrainingSettings,
    seed: int,
    after_round: AfterRound,
    checkpoints: Checkpoints | None = None,
) -> TrainedVertical:
    """Train the party on its own rows, for as many steps as the vertical training."""
    own = _own_rows(setup, training)
    return _train_without_agencies(setup, own, training, seed, after_round, checkpoints)


def train_pooled(
    setup: VerticalSetup,
    training: TrainingSettings,
    seed: int,
    after_round: AfterRound,
    checkpoints: Checkpoints | None = None,
) -> tuple[TrainedVertical, Samples]:
    """Train on all agencies' raw inputs in one stem: an upper bound that breaks privacy.

    Returns the forecaster, and test samples with the inputs it needs.
    """
    task, data = setup.task, setup.party.data
    columns = [site.learner.columns for site in setup.sites.values()]
    train, validation, test = (
        with_raw_columns(samples, times, setup.place_cells, columns)
        for samples, times in (
            (setup.train, task.train_times),
            (data.validation, task.validation_times),
            (setup.party.test, task.test_times),
        )
    )
    labels = HeldLabels(train, validation, training.mae_weight)
    own = OwnRows(train, validation, labels, data.ridge_skip_HS)
    return _train_without_agencies(setup, own, training, seed, after_round, checkpoints), test


def train_joint(
    setup: VerticalSetup,
    training: TrainingSettings,
    seed: int,
    mode: Mode,
    after_round: AfterRound,
    checkpoints: Checkpoints | None = None,
    run: int = 0,
) -> TrainedVertical:
    """Train the party and the agencies jointly at the cut, each agency with a copy of its encoder.

    The coordinator is the party's own application. Where `labels_stay`, it holds neither rows
    nor labels: it gets the exchange and the task only, and the party is one more agency.

    Args:
        run: number of this training, the same when it is resumed.
    """
    apart = setup.own_site is not None
    own, design = _own_rows(setup, training, apart=apart), _design(setup, training, seed)
    if apart:
        job = VerticalJob(setup.task, design, mode, run, label_party=setup.party.name)
    else:
        job = VerticalJob(setup.task, design, mode, run, own, goes_on=bool(setup.remote))
    lead = partial(
        coordinate, job=job, checkpoints=checkpoints or Checkpoints(), after_round=after_round
    )
    found = setup.lead(lead)
    return TrainedVertical(
        found.coordinator.learner,
        own.labels,
        found.validation,
        found.test,
        found.history,
        found.coordinator.ledger,
        {name: party.cell_C for name, party in found.coordinator.parties.items()},
    )


def forecast_without_agency(
    setup: VerticalSetup, one: TrainedVertical, other: TrainedVertical, agency: str
) -> Floats:
    """Test forecasts with one agency missing; the party's own where no other agency is left."""
    left = without_agency(other.test, agency)
    return other.forecast(setup.party.test, left) if left else one.forecast(setup.party.test, {})


def ensemble_forecast(
    setup: VerticalSetup, one: TrainedVertical, other: TrainedVertical
) -> EnsembleForecast:
    """Online aggregation of alone and joint: never much worse than alone.

    Weights are first updated on the validation days; see
    `deepcity.learning.ensemble.multi_view_ensemble`.
    """
    party = setup.party
    ensemble = init_ensemble([OWN_WEIGHT, 1 - OWN_WEIGHT], len(party.panel.places))
    spans = (
        (party.data.validation, party.validation_origins, one.validation, other.validation),
        (party.test, party.test_origins, one.test, other.test),
    )
    for samples, origins_B, *deep in spans:
        forecasts = np.stack(
            [f.forecast(samples, d) for f, d in zip((one, other), deep, strict=True)]
        )
        found = run_party_ensemble(party, forecasts, samples, origins_B, ensemble)
        ensemble = found.ensemble
    return found


def _train_without_agencies(
    setup: VerticalSetup,
    own: OwnRows,
    training: TrainingSettings,
    seed: int,
    after_round: AfterRound,
    checkpoints: Checkpoints | None,
) -> TrainedVertical:
    checkpoints = checkpoints or Checkpoints()
    learner = over_own_rows(_design(setup, training, seed), own, setup.task, {})
    found = checkpoints.found()
    history = checkpoints.restore(found[0] if found else None, learner)
    every = np.arange(len(own.train))
    for number in range(len(history.errors), training.rounds):
        learner.steps(every, {}, number * training.local_steps, training.local_steps, seed)
        history = History((*history.errors, learner.evaluate({})), (*history.failures, ()))
        checkpoints.save(history, learner)
        after_round(number + 1)
    learner.keep_best()
    return TrainedVertical(learner, own.labels, {}, {}, history)


def _design(setup: VerticalSetup, training: TrainingSettings, seed: int) -> Design:
    return Design(setup.vertical.level, setup.vertical.agency_dropout, training, seed)


def _own_rows(setup: VerticalSetup, training: TrainingSettings, *, apart: bool = False) -> OwnRows:
    """The rows, labels and ridge that the party holds.

    Args:
        apart: whether the coordinator holds no labels; the ridge is then added with the labels.
    """
    data = setup.party.data
    ridge_skip_HS = data.ridge_skip_HS if apart else None
    labels = HeldLabels(setup.train, data.validation, training.mae_weight, ridge_skip_HS)
    return OwnRows(setup.train, data.validation, labels, data.ridge_skip_HS)
