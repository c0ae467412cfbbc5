"""What a meeting is compared with: the party alone, all raw columns pooled, an agency silent.

All run through the same learner, for the same number of steps, from the same first weights.

Shapes: B origins, N places, H horizon steps.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from deepcity.city.arrays import Floats, Ints
from deepcity.exchange.inprocess import lead_apart
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.meeting import Minutes, Mode
from deepcity.intercity.automatic import OWN_WEIGHT, weighed
from deepcity.intercity.guests import Table
from deepcity.learning.council import Aggregated, convened
from deepcity.learning.features import Samples
from deepcity.learning.fused_learner import FusedLearner
from deepcity.learning.hearing import Deep, silent
from deepcity.learning.labels import HeldLabels
from deepcity.learning.training import TrainingSettings
from deepcity.vertical.checkpoints import Checkpoints
from deepcity.vertical.coordinator import VerticalJob, coordinate
from deepcity.vertical.fused_network import Design, OwnRows, over_own_rows
from deepcity.vertical.pooled_rows import with_raw_columns
from deepcity.vertical.task import placeholder

AfterRound = Callable[[int], None]


@dataclass(frozen=True)
class Fused:
    """A party's forecaster after a meeting.

    Attributes:
        learner: at its best state.
        validation, test: what agencies said for these spans.
        minutes: what came of each round.
        ledger: what was sent; None where nobody met.
        cells: agency -> its cells.
    """

    learner: FusedLearner
    labels: HeldLabels
    validation: Deep
    test: Deep
    minutes: Minutes | None = None
    ledger: Ledger | None = None
    cells: Mapping[str, Ints] = field(default_factory=dict)

    def forecast(self, samples: Samples, deep: Deep) -> Floats:
        """In the field's unit, (B, N, H); a coordinator apart from the labels sends it scaled."""
        seen = samples if self.learner.network.own else placeholder(*samples.anchor_BNH.shape)
        return self.labels.in_unit(self.learner.say(seen, deep), samples)


def alone(
    table: Table,
    training: TrainingSettings,
    seed: int,
    after: AfterRound,
    checkpoints: Checkpoints | None = None,
) -> Fused:
    """The party with its own rows, as long as the meeting learns."""
    own = _own_rows(table, training)
    return _without(table, own, training, seed, after, checkpoints)


def pooled(
    table: Table,
    training: TrainingSettings,
    seed: int,
    after: AfterRound,
    checkpoints: Checkpoints | None = None,
) -> tuple[Fused, Samples]:
    """All agencies' raw inputs in the party's own stem: forbidden in life, the upper bound.

    Returns the forecaster, and the test samples that it understands.
    """
    task, data = table.task, table.party.data
    columns = [site.learner.columns for site in table.sites.values()]
    train, validation, test = (
        with_raw_columns(samples, times, table.place_cells, columns)
        for samples, times in (
            (table.train, task.train_times),
            (data.validation, task.validation_times),
            (table.party.test, task.test_times),
        )
    )
    labels = HeldLabels(train, validation, training.absolute_share)
    own = OwnRows(train, validation, labels, data.recall_HS)
    return _without(table, own, training, seed, after, checkpoints), test


def fused(
    table: Table,
    training: TrainingSettings,
    seed: int,
    mode: Mode,
    after: AfterRound,
    checkpoints: Checkpoints | None = None,
    run: int = 0,
) -> Fused:
    """The party and the agencies train at the cut, each agency a copy of its encoder.

    The coordinator is the party's own application, or holds neither rows nor labels where the
    labels stay: then it is given the exchange and the task, and the party is an agency too.

    Args:
        run: number of this training, the same when it goes on.
    """
    apart = table.own_site is not None
    own, design = _own_rows(table, training, apart=apart), _design(table, training, seed)
    if apart:
        job = VerticalJob(table.task, design, mode, run, keeper=table.party.name)
    else:
        job = VerticalJob(table.task, design, mode, run, own)
    lead = partial(coordinate, job=job, checkpoints=checkpoints or Checkpoints(), after_round=after)
    found = lead_apart(table.all_sites, lead)
    return Fused(
        found.coordinator.learner,
        own.labels,
        found.validation,
        found.test,
        found.history,
        found.coordinator.exchange.ledger,
        {name: party.cell_C for name, party in found.coordinator.parties.items()},
    )


def without(table: Table, one: Fused, other: Fused, agency: str) -> Floats:
    """Test forecasts while an agency is silent; the party alone answers where nobody is left."""
    left = silent(other.test, agency)
    return other.forecast(table.party.test, left) if left else one.forecast(table.party.test, {})


def careful(table: Table, one: Fused, other: Fused) -> Aggregated:
    """Alone and together, weighed as truths come in: never much worse than alone.

    Weights begin on the validation days; see `deepcity.learning.council`.
    """
    party = table.party
    council = convened([OWN_WEIGHT, 1 - OWN_WEIGHT], len(party.panel.places))
    spans = (
        (party.data.validation, party.validation_origins, one.validation, other.validation),
        (party.test, party.test_origins, one.test, other.test),
    )
    for samples, origins_B, *deep in spans:
        said = np.stack([f.forecast(samples, d) for f, d in zip((one, other), deep, strict=True)])
        found = weighed(party, said, samples, origins_B, council)
        council = found.council
    return found


def _without(
    table: Table,
    own: OwnRows,
    training: TrainingSettings,
    seed: int,
    after: AfterRound,
    checkpoints: Checkpoints | None,
) -> Fused:
    checkpoints = checkpoints or Checkpoints()
    learner = over_own_rows(_design(table, training, seed), own, table.task, {})
    found = checkpoints.found()
    minutes = checkpoints.restore(found[0] if found else None, learner)
    every = np.arange(len(own.train))
    for number in range(len(minutes.errors), training.rounds):
        learner.steps(every, {}, number * training.local_steps, training.local_steps, seed)
        minutes = Minutes((*minutes.errors, learner.look({})), (*minutes.failures, ()))
        checkpoints.save(minutes, learner)
        after(number + 1)
    learner.keep_best()
    return Fused(learner, own.labels, {}, {}, minutes)


def _design(table: Table, training: TrainingSettings, seed: int) -> Design:
    return Design(table.meeting.level, table.meeting.silence, training, seed)


def _own_rows(table: Table, training: TrainingSettings, *, apart: bool = False) -> OwnRows:
    """What the party itself holds.

    Args:
        apart: whether the application is, so that the ridge is added where the labels are.
    """
    data = table.party.data
    recall_HS = data.recall_HS if apart else None
    labels = HeldLabels(table.train, data.validation, training.absolute_share, recall_HS)
    return OwnRows(table.train, data.validation, labels, data.recall_HS)
