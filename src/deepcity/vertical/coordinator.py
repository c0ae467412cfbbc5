"""The coordinator of vertical training: fuses activations, and knows agencies by messages only.

    agencies --activations at the cut--> coordinator: h(c+1)..h5, head --gradients--> agencies

It knows an agency's name, its cells and the width of its activations. It has rows of its own
below the cut only as the application of the agency that holds the labels; a coordinator apart
from that agency holds neither rows nor labels.

Shapes: B origins.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from deepcity.city.arrays import Ints
from deepcity.city.errors import ExchangeError
from deepcity.exchange.exchange import Exchange
from deepcity.exchange.flare.leases import LeaseLostError
from deepcity.exchange.ledger import Ledger
from deepcity.learning.split.fused_learner import FusedLearner
from deepcity.learning.split.fusion_inputs import DeepBatches
from deepcity.maps.vertical_settings import Mode
from deepcity.store.checkpoint import Checkpoint
from deepcity.vertical.checkpoints import Checkpoints, parties_of_checkpoint
from deepcity.vertical.fused_network import Design, OwnRows, over_activations, over_own_rows
from deepcity.vertical.task import VerticalTask
from deepcity.vertical.training import (
    FeatureParty,
    History,
    VerticalPlan,
    forward_all,
    handshake,
    resume_run,
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
        goes_on: whether a training that has begun goes on without agencies that are away.
    """

    task: VerticalTask
    design: Design
    mode: Mode
    run: int = 0
    own: OwnRows | None = None
    label_party: str = ""
    goes_on: bool = False

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
        ledger: counts them.
        parties: each agency's answer to the handshake.
        learner: the fused network and its labels, local or remote.
        checkpoints: of its own state only.
        resumed_from: the checkpoint it resumes from; None: it starts anew.
    """

    exchange: Exchange
    ledger: Ledger
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
        ledger = self.ledger
        return train_vertical(
            self.exchange,
            self.parties,
            self.learner,
            self.plan,
            after_round,
            begin=lambda: self.checkpoints.restore(self.resumed_from, self.learner, ledger),
            keep=lambda history: self.checkpoints.save(history, self.learner, ledger, self.parties),
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
    exchange: Exchange,
    ledger: Ledger,
    job: VerticalJob,
    checkpoints: Checkpoints,
    after_round: Callable[[int], None] = lambda _done: None,
) -> Trained:
    """Run a job with agencies that are reached by messages.

    Args:
        exchange: to the agencies, by their names.
        ledger: in which the exchange counts.

    Raises:
        ExchangeError: if an agency cannot take part; names each and its reason.
        LeaseLostError: if an agency on another machine is gone.
        CheckpointError: if a checkpoint cannot be written, or none of those found is intact.
    """
    parties, begun = _connect(exchange, ledger, job, checkpoints)
    learner = job.learner(exchange, parties)
    coordinator = VerticalCoordinator(
        exchange, ledger, parties, learner, job.plan, checkpoints, begun
    )
    history = coordinator.train(after_round)
    spans = job.task.validation_times, job.task.test_times
    return Trained(coordinator, history, *map(coordinator.activations, spans))


def _connect(
    exchange: Exchange, ledger: Ledger, job: VerticalJob, checkpoints: Checkpoints
) -> tuple[dict[str, FeatureParty], Checkpoint | None]:
    """Handshake with the agencies at the newest round of which all have a checkpoint.

    Where there is none, and the job may go on without those that are away, at the newest round of
    the coordinator's own.
    """
    agencies, found = sorted(job.task.cells), checkpoints.found()
    for checkpoint in found:
        rounds = _agency_rounds(job, checkpoint)
        try:
            return handshake(
                exchange, agencies, run=job.run, rounds=rounds, widths=job.task.widths
            ), checkpoint
        except LeaseLostError:
            raise
        except ExchangeError:  # an agency lacks that round, or does not answer at all
            ledger.restore([])
            ledger.messages = 0
    if job.goes_on and found and (known := _known(found[0], agencies)):
        resume_run(exchange, agencies, run=job.run, rounds=_agency_rounds(job, found[0]))
        return known, found[0]
    return handshake(exchange, agencies, run=job.run, widths=job.task.widths), None


def _agency_rounds(job: VerticalJob, checkpoint: Checkpoint) -> int:
    """Rounds after which agencies resume; in one-shot mode they are not trained in any."""
    return checkpoint.round if job.mode is not Mode.ONE_SHOT else 0


def _known(checkpoint: Checkpoint, agencies: Sequence[str]) -> dict[str, FeatureParty]:
    """The agencies as a checkpoint knows them; none unless it knows all."""
    known = parties_of_checkpoint(checkpoint)
    return known if sorted(known) == list(agencies) else {}
