"""Fused networks ready to train: over rows of the application's own, or over activations alone."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from deepcity.city.arrays import Floats
from deepcity.exchange.exchange import Exchange
from deepcity.exchange.meeting import Guest, RemoteLabels
from deepcity.learning.features import Samples
from deepcity.learning.fused import Cut, FusedNetwork, new_fused
from deepcity.learning.fused_learner import FusedLearner
from deepcity.learning.labels import HeldLabels
from deepcity.learning.match import match
from deepcity.learning.network import Shape
from deepcity.learning.training import TrainingSettings
from deepcity.vertical.task import VerticalTask


@dataclass(frozen=True)
class Design:
    """How a fused network is built and trained.

    Attributes:
        level: the cut level c.
        agency_dropout: share of training rows in which an agency is left out.
    """

    level: int
    agency_dropout: float
    training: TrainingSettings
    seed: int

    def network(
        self, train: Samples, parties: Mapping[str, Guest], *, own: bool = True
    ) -> FusedNetwork:
        """With first weights that follow from the seed."""
        shape = Shape(
            train.features_BNF.shape[-1],
            train.anchor_BNH.shape[-1],
            summaries=train.summaries_BNHS.shape[-1],
            recent=train.recent,
        )
        widths = {name: party.width for name, party in parties.items()}
        return new_fused(
            shape,
            Cut(self.level, widths, self.agency_dropout),
            self.seed,
            own=own,
            dropout=self.training.dropout,
            input_dropout=self.training.input_dropout,
            noise=self.training.noise,
        )


@dataclass(frozen=True)
class OwnRows:
    """What an application holds that belongs to the agency with the labels.

    Attributes:
        recall_HS: the ridge fitted on its training rows.
    """

    train: Samples
    validation: Samples
    labels: HeldLabels
    recall_HS: Floats


def over_own_rows(
    design: Design, own: OwnRows, task: VerticalTask, parties: Mapping[str, Guest]
) -> FusedLearner:
    """Its stem and h1..hc run on rows of the application's own; agencies join at the cut."""
    network = design.network(own.train, parties)
    with torch.no_grad():
        network.trunk.head.recall.copy_(torch.from_numpy(own.recall_HS))
    cells = _cells(task, parties)
    return FusedLearner(network, own.train, own.validation, own.labels, cells, design.training)


def over_activations(
    design: Design,
    task: VerticalTask,
    parties: Mapping[str, Guest],
    exchange: Exchange,
    keeper: str,
) -> FusedLearner:
    """Nothing runs below the cut; the keeper of the labels judges, by messages."""
    train, validation = map(task.placeholder, (task.train_times, task.validation_times))
    network = design.network(train, parties, own=False)
    labels = RemoteLabels(exchange, keeper)
    return FusedLearner(network, train, validation, labels, _cells(task, parties), design.training)


def _cells(task: VerticalTask, parties: Mapping[str, Guest]) -> dict[str, Floats]:
    return {name: match(task.cells[name], party.cell_C) for name, party in parties.items()}
