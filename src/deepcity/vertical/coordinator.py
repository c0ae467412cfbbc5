"""The coordinator of vertical training: it fuses activations, and reaches agencies by messages.

    agencies --activations at the cut--> coordinator: h(c+1)..h5, head --gradients--> agencies

It knows an agency by its name, its cells and the width of its activations. Rows of its own run
below the cut only where it is the application of the agency that holds the labels; a coordinator
apart from that agency holds neither rows nor labels.

Shapes: B origins.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from deepcity.city.arrays import Ints
from deepcity.city.errors import ExchangeError
from deepcity.exchange.exchange import Exchange, Handler
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.meeting import Guest, Minutes, Mode, Plan, ask_in, hear, meet
from deepcity.learning.fused_learner import FusedLearner
from deepcity.learning.hearing import Deep
from deepcity.store.checkpoint import Checkpoint
from deepcity.vertical.checkpoints import Checkpoints
from deepcity.vertical.fused_network import Design, OwnRows, over_activations, over_own_rows
from deepcity.vertical.task import VerticalTask


@dataclass(frozen=True)
class VerticalJob:
    """What a coordinator is given: a forecast to learn, and how.

    Attributes:
        mode: when gradients return to the agencies.
        run: number of this training, the same when it goes on; in each an agency trains a copy
            of its pretrained encoder.
        own: rows of the agency that holds the labels, whose own application this is.
        keeper: that agency's name, where the application is apart from it.
    """

    task: VerticalTask
    design: Design
    mode: Mode
    run: int = 0
    own: OwnRows | None = None
    keeper: str = ""

    @property
    def plan(self) -> Plan:
        """Rounds and steps of the training."""
        training, task = self.design.training, self.task
        return Plan(
            self.mode,
            training.rounds,
            training.local_steps,
            task.train_times,
            task.validation_times,
            self.design.seed,
        )

    def learner(self, exchange: Exchange, parties: Mapping[str, Guest]) -> FusedLearner:
        """The fused network, before any step."""
        if self.own is not None:
            return over_own_rows(self.design, self.own, self.task, parties)
        return over_activations(self.design, self.task, parties, exchange, self.keeper)


@dataclass(frozen=True)
class VerticalCoordinator:
    """One training at the cut.

    Attributes:
        exchange: carries its messages to agencies.
        parties: what each agency said of itself.
        learner: the fused network, and who judges what it forecasts.
        checkpoints: of its own state alone.
        begun: the checkpoint from which it goes on; None: it begins.
    """

    exchange: InProcessExchange
    parties: Mapping[str, Guest]
    learner: FusedLearner
    plan: Plan
    checkpoints: Checkpoints
    begun: Checkpoint | None = None

    def train(self, after_round: Callable[[int], None] = lambda _done: None) -> Minutes:
        """Train what rounds are left; the network then stands where the best round ended.

        Raises:
            CheckpointError: if a checkpoint cannot be written.
        """
        return meet(
            self.exchange,
            self.parties,
            self.learner,
            self.plan,
            after_round,
            begin=self._restore,
            keep=self._save,
        )

    def activations(self, times_B: Ints) -> Deep:
        """Of every agency that answers, for some origins."""
        return hear(self.exchange, self.parties, times_B)[0]

    def _restore(self) -> Minutes:
        return self.checkpoints.restore(self.begun, self.learner, self.exchange.ledger)

    def _save(self, history: Minutes) -> None:
        self.checkpoints.save(history, self.learner, self.exchange.ledger)


@dataclass(frozen=True)
class Trained:
    """What came of a job.

    Attributes:
        history: errors and failures by round.
        validation, test: activations of the best round for these spans.
    """

    coordinator: VerticalCoordinator
    history: Minutes
    validation: Deep
    test: Deep


def coordinate(
    sites: Mapping[str, Handler],
    job: VerticalJob,
    checkpoints: Checkpoints,
    after_round: Callable[[int], None] = lambda _done: None,
) -> Trained:
    """Do a job with agencies that are reached by messages.

    Args:
        sites: agency -> what answers its messages: the site, or a line to another machine.

    Raises:
        ExchangeError: if an agency cannot take part; names each and its reason.
        CheckpointError: if a checkpoint cannot be written, or none of those there is whole.
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
) -> tuple[dict[str, Guest], Checkpoint | None]:
    """Ask agencies to take part, from the newest round of which all have a checkpoint."""
    agencies, changes = sorted(job.task.cells), job.mode is not Mode.ONE_SHOT
    for checkpoint in checkpoints.found():
        rounds = checkpoint.round if changes else 0
        try:
            return ask_in(exchange, agencies, run=job.run, rounds=rounds), checkpoint
        except ExchangeError:  # an agency lost its own of that round, or is not there at all
            exchange.ledger.restore([])
            exchange.ledger.messages = 0
    return ask_in(exchange, agencies, run=job.run), None
