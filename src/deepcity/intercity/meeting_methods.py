"""What a meeting is compared with: the party alone, all raw columns pooled, an agency silent.

All run through the same learner, for the same number of steps, from the same first weights.

Shapes: B origins, N places, H horizon steps, X inputs of an agency, F features.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.meeting import (
    Guest,
    Minutes,
    Mode,
    Plan,
    RemoteLabels,
    ask_in,
    hear,
    meet,
)
from deepcity.intercity.automatic import OWN_WEIGHT, weighed
from deepcity.intercity.guests import Table
from deepcity.intercity.meeting_checkpoints import Keeping
from deepcity.learning.agency_learner import AgencyLearner, EncoderSettings
from deepcity.learning.council import Aggregated, convened
from deepcity.learning.features import Samples
from deepcity.learning.fused import Cut, new_fused
from deepcity.learning.fused_learner import FusedLearner
from deepcity.learning.hearing import Deep, silent
from deepcity.learning.labels import HeldLabels
from deepcity.learning.match import match
from deepcity.learning.network import Shape
from deepcity.learning.own_columns import OwnColumns
from deepcity.learning.training import TrainingSettings

Floats = NDArray[np.float32]
AfterRound = Callable[[int], None]


@dataclass(frozen=True)
class Fused:
    """A party's forecaster after a meeting.

    Attributes:
        learner: at its best state.
        validation, test: what agencies said for these spans.
        minutes: what came of each round.
        exchange: whose ledger counted; None where nobody met.
    """

    learner: FusedLearner
    labels: HeldLabels
    validation: Deep
    test: Deep
    minutes: Minutes | None = None
    exchange: InProcessExchange | None = None

    def forecast(self, samples: Samples, deep: Deep) -> Floats:
        """In the field's unit, (B, N, H)."""
        heard = samples if self.learner.network.own else _bare(samples)
        return self.labels.in_unit(self.learner.say(heard, deep), samples)


def alone(
    table: Table,
    training: TrainingSettings,
    seed: int,
    after: AfterRound,
    keeping: Keeping | None = None,
) -> Fused:
    """The party with its own rows, as long as the meeting learns."""
    validation = table.party.data.validation
    return _without(table, table.train, validation, training, seed, after, keeping)


def pooled(
    table: Table,
    training: TrainingSettings,
    seed: int,
    after: AfterRound,
    keeping: Keeping | None = None,
) -> tuple[Fused, Samples]:
    """All agencies' raw inputs in the party's own stem: forbidden in life, the upper bound.

    Returns the forecaster, and the test samples that it understands.
    """
    train = _with_columns(table, table.train, table.train_times)
    validation = _with_columns(table, table.party.data.validation, table.validation_times)
    test = _with_columns(table, table.party.test, table.test_times)
    return _without(table, train, validation, training, seed, after, keeping), test


def untouched(table: Table) -> Table:
    """The same table with encoders of its own: a meeting changes them."""
    return replace(table, guests={name: guest.twin() for name, guest in table.guests.items()})


def fused(
    table: Table,
    training: TrainingSettings,
    seed: int,
    mode: Mode,
    after: AfterRound,
    keeping: Keeping | None = None,
) -> Fused:
    """The party and the agencies meet at the cut."""
    validation = table.party.data.validation
    labels = HeldLabels(table.train, validation, training.absolute_share)
    exchange = table.exchange()
    guests = ask_in(exchange, sorted(table.guests))
    learner = _learner(table, table.train, validation, labels, guests, training, seed)
    return _met(table, exchange, guests, learner, labels, training, seed, mode, after, keeping)


def fused_elsewhere(
    table: Table,
    training: TrainingSettings,
    seed: int,
    mode: Mode,
    after: AfterRound,
    keeping: Keeping | None = None,
) -> Fused:
    """An application that holds no rows and no labels: the party is a guest too, and judges."""
    data = table.party.data
    labels = HeldLabels(table.train, data.validation, training.absolute_share, data.recall_HS)
    own = _own_guest(table, seed)
    own.teach_itself(table.train_times, draw=seed)
    table = replace(table, guests={**table.guests, own.name: own})
    exchange = table.exchange({own.name: labels})
    guests = ask_in(exchange, sorted(table.guests))
    remote = RemoteLabels(exchange, own.name)
    learner = _learner(
        table, _bare(table.train), _bare(data.validation), remote, guests, training, seed, own=False
    )
    return _met(table, exchange, guests, learner, labels, training, seed, mode, after, keeping)


def _met(
    table: Table,
    exchange: InProcessExchange,
    guests: Mapping[str, Guest],
    learner: FusedLearner,
    labels: HeldLabels,
    training: TrainingSettings,
    seed: int,
    mode: Mode,
    after: AfterRound,
    keeping: Keeping | None,
) -> Fused:
    keeping, ledger = keeping or Keeping(), exchange.ledger
    plan = Plan(
        mode,
        training.rounds,
        training.local_steps,
        table.train_times,
        table.validation_times,
        seed,
    )

    def begin() -> Minutes:
        return keeping.resume(learner, table.guests, ledger)

    def keep(now: Minutes) -> None:
        keeping.keep(now, learner, table.guests, ledger)

    minutes = meet(exchange, guests, learner, plan, after, begin=begin, keep=keep)
    validation, _ = hear(exchange, guests, table.validation_times)
    test, _ = hear(exchange, guests, table.test_times)
    return Fused(learner, labels, validation, test, minutes, exchange)


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
    train: Samples,
    validation: Samples,
    training: TrainingSettings,
    seed: int,
    after: AfterRound,
    keeping: Keeping | None,
) -> Fused:
    keeping = keeping or Keeping()
    labels = HeldLabels(train, validation, training.absolute_share)
    learner = _learner(table, train, validation, labels, {}, training, seed)
    every, minutes = np.arange(len(train)), keeping.resume(learner, {})
    for number in range(len(minutes.errors), training.rounds):
        learner.steps(every, {}, number * training.local_steps, training.local_steps, seed)
        minutes = Minutes((*minutes.errors, learner.look({})), (*minutes.failures, ()))
        keeping.keep(minutes, learner, {})
        after(number + 1)
    learner.keep_best()
    return Fused(learner, labels, {}, {}, minutes)


def _learner(
    table: Table,
    train: Samples,
    validation: Samples,
    labels: HeldLabels | RemoteLabels,
    guests: Mapping[str, Guest],
    training: TrainingSettings,
    seed: int,
    *,
    own: bool = True,
) -> FusedLearner:
    shape = Shape(
        train.features_BNF.shape[-1],
        train.anchor_BNH.shape[-1],
        summaries=train.summaries_BNHS.shape[-1],
        recent=train.recent,
    )
    cut = Cut(
        table.meeting.level,
        {name: guest.width for name, guest in guests.items()},
        table.meeting.silence,
    )
    network = new_fused(
        shape,
        cut,
        seed,
        own=own,
        dropout=training.dropout,
        input_dropout=training.input_dropout,
        noise=training.noise,
    )
    if own:
        with torch.no_grad():
            network.trunk.head.recall.copy_(torch.from_numpy(table.party.data.recall_HS))
    cells = {name: match(table.cells_for(name), guest.cell_C) for name, guest in guests.items()}
    return FusedLearner(network, train, validation, labels, cells, training)


def _own_guest(table: Table, seed: int) -> AgencyLearner:
    """The party itself as an agency that says deep data."""
    party, meeting = table.party, table.meeting
    columns = OwnColumns.of(party.inputs, party.panel.time_T, party.panel.places, table.salt)
    settings = EncoderSettings(meeting.level, meeting.own_deep, own_steps=meeting.own_steps)
    return AgencyLearner(party.name, columns, settings, seed, 0)


def _with_columns(table: Table, samples: Samples, times_B: NDArray[np.int64]) -> Samples:
    """Own features and behind them every agency's raw inputs, heard by each place."""
    parts = [samples.features_BNF]
    for guest in table.guests.values():
        weights_NC = match(table.place_cells, guest.columns.cells.cell_C)
        known_BC = guest.columns.known(times_B)
        rows_BCX = guest.columns.rows(times_B) * known_BC[..., None]
        parts.append(np.einsum("nc,bcx->bnx", weights_NC, rows_BCX).astype(np.float32))
    return replace(samples, features_BNF=np.concatenate(parts, axis=-1))


def _bare(samples: Samples) -> Samples:
    """As an application sees samples it does not hold: their number and shapes alone."""
    nothing = np.zeros_like(samples.anchor_BNH)
    return Samples(
        np.zeros((*samples.features_BNF.shape[:2], 1), np.float32),
        np.zeros((*samples.summaries_BNHS.shape[:3], 0), np.float32),
        nothing,
        nothing,
        np.ones_like(samples.scale_N1),
        0,
    )
