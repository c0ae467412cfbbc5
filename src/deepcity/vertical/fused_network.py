"""Fused networks ready to train, with rows of their own below the cut or with activations only."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from deepcity.city.arrays import Floats
from deepcity.exchange.exchange import Exchange
from deepcity.learning.features.inputs import Samples
from deepcity.learning.networks.fused import Cut, FusedNetwork, new_fused
from deepcity.learning.networks.network import Shape
from deepcity.learning.split.cell_matching import match_cells
from deepcity.learning.split.fused_learner import FusedLearner
from deepcity.learning.split.labels import HeldLabels
from deepcity.learning.training.local_training import TrainingSettings
from deepcity.vertical.task import VerticalTask
from deepcity.vertical.training import FeatureParty, RemoteLabels


@dataclass(frozen=True)
class Design:
    """How a fused network is built and trained.

    Attributes:
        level: the cut level c.
        agency_dropout: share of training rows in which an agency is left out.
        training: optimizer steps, rates and regularisation.
        seed: of the initial weights.
    """

    level: int
    agency_dropout: float
    training: TrainingSettings
    seed: int

    def network(
        self, train: Samples, parties: Mapping[str, FeatureParty], *, own: bool = True
    ) -> FusedNetwork:
        """A network with initial weights that follow from the seed."""
        shape = Shape(
            train.features_BNF.shape[-1],
            train.baseline_BNH.shape[-1],
            linear_features=train.linear_BNHS.shape[-1],
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
    """Rows and labels of the agency whose own application the coordinator is.

    Attributes:
        ridge_skip_HS: the ridge fitted on its training rows.
    """

    train: Samples
    validation: Samples
    labels: HeldLabels
    ridge_skip_HS: Floats


def over_own_rows(
    design: Design, own: OwnRows, task: VerticalTask, parties: Mapping[str, FeatureParty]
) -> FusedLearner:
    """A stem and h1..hc run on the application's own rows; agencies are fused at the cut."""
    network = design.network(own.train, parties)
    with torch.no_grad():
        network.trunk.head.ridge_skip.copy_(torch.from_numpy(own.ridge_skip_HS))
    cells = _cells(task, parties)
    return FusedLearner(network, own.train, own.validation, own.labels, cells, design.training)


def over_activations(
    design: Design,
    task: VerticalTask,
    parties: Mapping[str, FeatureParty],
    exchange: Exchange,
    label_party: str,
) -> FusedLearner:
    """Nothing runs below the cut; the agency with the labels returns the loss by messages."""
    train, validation = map(task.placeholder, (task.train_times, task.validation_times))
    network = design.network(train, parties, own=False)
    labels = RemoteLabels(exchange, label_party)
    return FusedLearner(network, train, validation, labels, _cells(task, parties), design.training)


def _cells(task: VerticalTask, parties: Mapping[str, FeatureParty]) -> dict[str, Floats]:
    return {name: match_cells(task.cells[name], party.cell_C) for name, party in parties.items()}
