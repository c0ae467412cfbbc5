"""How a coordinator stands after each round, kept so that a killed run goes on from there.

It holds the fused network, the history and the ledger. Every agency keeps the checkpoints of its
own encoder in its own folder (`deepcity.exchange.agency_party`).
"""

import time
from dataclasses import dataclass, field

from deepcity.exchange.exchange import Failure
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.meeting import Minutes
from deepcity.learning.fused_learner import FusedLearner
from deepcity.store.checkpoint import Checkpoint, CheckpointStore

_LEARNER = "learner"


@dataclass
class Checkpoints:
    """Of one method of one party.

    Attributes:
        store: where; None: nothing is kept.
        name: of the method's checkpoints; another map, seed or record has another name.
        earlier_seconds: that earlier runs of it took, once it has been resumed.
    """

    store: CheckpointStore | None = None
    name: str = ""
    earlier_seconds: float = 0.0
    _begun: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        """Time since it began, and of earlier runs."""
        return self.earlier_seconds + time.perf_counter() - self._begun

    def save(self, history: Minutes, learner: FusedLearner, ledger: Ledger | None = None) -> None:
        """Write all that the next round needs.

        Raises:
            CheckpointError: if it cannot be written.
        """
        if self.store is None:
            return
        values = {
            "errors": list(history.errors),
            "failures": [[[f.party, f.reason] for f in failed] for failed in history.failures],
            "ledger": [list(row) for row in ledger.snapshot()] if ledger else [],
            "messages": ledger.messages if ledger else 0,
            "seconds": self.seconds,
        }
        self.store.save(self.name, len(history.errors), {_LEARNER: learner.state()}, values)

    def found(self) -> list[Checkpoint]:
        """Whole checkpoints, newest first; those after the first help where an agency lost its own.

        Raises:
            CheckpointError: if there are checkpoints but none is whole.
        """
        return list(self.store.history(self.name)) if self.store else []

    def restore(
        self, checkpoint: Checkpoint | None, learner: FusedLearner, ledger: Ledger | None = None
    ) -> Minutes:
        """Put learner and ledger where a checkpoint left off; None: an empty history."""
        if checkpoint is None:
            return Minutes()
        values = checkpoint.values
        failures = [
            tuple(Failure(party, reason) for party, reason in failed)
            for failed in values["failures"]
        ]
        learner.restore(checkpoint.arrays[_LEARNER])
        if ledger is not None:
            ledger.restore(values["ledger"])
            ledger.messages = int(values["messages"])
        self.earlier_seconds = float(values["seconds"])
        return Minutes(tuple(values["errors"]), tuple(failures))
