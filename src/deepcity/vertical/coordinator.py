"""The coordinator of vertical training: fuses activations, and knows agencies by messages only.

    agencies --activations at the cut--> coordinator: h(c+1)..h5, head --gradients--> agencies

It knows an agency's name, its cells and the width of its activations. It has rows of its own
below the cut only as the application of the agency that holds the labels; a coordinator apart
from that agency holds neither rows nor labels.

Shapes: B origins.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from deepcity.city.arrays import Ints
from deepcity.city.errors import ExchangeError
from deepcity.exchange.exchange import Exchange, Handler
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.ledger import Ledger
from deepcity.learning.split.fused_learner import FusedLearner
from deepcity.learning.split.fusion_inputs import DeepBatches
from deepcity.maps.vertical_settings import Mode
from deepcity.store.checkpoint import Checkpoint
from deepcity.vertical.checkpoints import Checkpoints
from deepcity.vertical.fused_network import Design, OwnRows, over_activations, over_own_rows
from deepcity.vertical.task import VerticalTask
from deepcity.vertical.training import (
    FeatureParty,
    History,
    VerticalPlan,
    forward_all,
    handshake,
    train_vertical,
)


@dataclass(frozen=True)
class VerticalJob:
    """Everything a coordinator is given: the forecast to learn, and how.

    Attributes:
        task: origins, horizon and cells of the forecast.
        design: of the fused network.
        mode: when gradients return to the agencies.
        run: number of this training, the same when it is resumed; in each run an agency trains
            a copy of its pretrained encoder.
        own: rows of the agency that holds the labels, if the coordinator is its application.
        label_party: that agency's name, if the coordinator is apart from it.
    """

    task: VerticalTask
    design: Design
    mode: Mode
    run: int = 0
    own: OwnRows | None = None
    label_party: str = ""

    @property
    def plan(self) -> VerticalPlan:
        """Rounds and steps of the training."""
        training, task = self.design.training, self.task
        return VerticalPlan(
            self.mode,
            training.rounds,
            training.local_steps,
            task.train_times,
            task.validation_times,
            self.design.seed,
        )

    def learner(self, exchange: Exchange, parties: Mapping[str, FeatureParty]) -> FusedLearner:
        """A learner with the initial fused network."""
        if self.own is not None:
            return over_own_rows(self.design, self.own, self.task, parties)
        return over_activations(self.design, self.task, parties, exchange, self.label_party)


@dataclass(frozen=True)
class VerticalCoordinator:
    """One training at the cut.

    Attributes:
        exchange: carries its messages to the agencies.
        parties: each agency's answer to the handshake.
        learner: the fused network and its labels, local or remote.
        checkpoints: of its own state only.
        resumed_from: the checkpoint it resumes from; None: it starts anew.
    """

    exchange: InProcessExchange
    parties: Mapping[str, FeatureParty]
    learner: FusedLearner
    plan: VerticalPlan
    checkpoints: Checkpoints
    resumed_from: Checkpoint | None = None

    def train(self, after_round: Callable[[int], None] = lambda _done: None) -> History:
        """Train the remaining rounds; the network then has the weights of the best round.

        Raises:
            CheckpointError: if a checkpoint cannot be written.
        """
        ledger = self.exchange.ledger
        return train_vertical(
            self.exchange,
            self.parties,
            self.learner,
            self.plan,
            after_round,
            begin=lambda: self.checkpoints.restore(self.resumed_from, self.learner, ledger),
            keep=lambda history: self.checkpoints.save(history, self.learner, ledger),
        )

    def activations(self, times_B: Ints) -> DeepBatches:
        """Activations of every agency that answers, for some origins."""
        return forward_all(self.exchange, self.parties, times_B)[0]


@dataclass(frozen=True)
class Trained:
    """The outcome of a job.

    Attributes:
        validation, test: activations of the best round for these spans.
    """

    coordinator: VerticalCoordinator
    history: History
    validation: DeepBatches
    test: DeepBatches


def coordinate(
    sites: Mapping[str, Handler],
    job: VerticalJob,
    checkpoints: Checkpoints,
    after_round: Callable[[int], None] = lambda _done: None,
) -> Trained:
    """Run a job with agencies that are reached by messages.

    Args:
        sites: agency -> handler of its messages: the site, or a proxy of a remote one.

    Raises:
        ExchangeError: if an agency cannot take part; names each and its reason.
        CheckpointError: if a checkpoint cannot be written, or none of those found is intact.
    """
    exchange = InProcessExchange(sites, ledger=Ledger())
    parties, begun = _connect(exchange, job, checkpoints)
    learner = job.learner(exchange, parties)
    coordinator = VerticalCoordinator(exchange, parties, learner, job.plan, checkpoints, begun)
    history = coordinator.train(after_round)
    spans = job.task.validation_times, job.task.test_times
    return Trained(coordinator, history, *map(coordinator.activations, spans))


def _connect(
    exchange: InProcessExchange, job: VerticalJob, checkpoints: Checkpoints
) -> tuple[dict[str, FeatureParty], Checkpoint | None]:
    """Handshake with the agencies at the newest round of which all have a checkpoint."""
    agencies, trained = sorted(job.task.cells), job.mode is not Mode.ONE_SHOT
    for checkpoint in checkpoints.found():
        rounds = checkpoint.round if trained else 0
        try:
            return handshake(exchange, agencies, run=job.run, rounds=rounds), checkpoint
        except ExchangeError:  # an agency lacks that round, or does not answer at all
            exchange.ledger.restore([])
            exchange.ledger.messages = 0
    return handshake(exchange, agencies, run=job.run), None
