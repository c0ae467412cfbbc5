"""The coordinator's checkpoints, from which a killed run resumes.

Each holds the fused network, the history and the ledger after a round. Every agency keeps the
checkpoints of its own encoder in its own folder (`deepcity.vertical.agency_party`).
"""

import time
from dataclasses import dataclass, field

from deepcity.exchange.exchange import Failure
from deepcity.exchange.ledger import Ledger
from deepcity.learning.split.fused_learner import FusedLearner
from deepcity.store.checkpoint import Checkpoint, CheckpointStore
from deepcity.vertical.training import History

_LEARNER = "learner"


@dataclass
class Checkpoints:
    """Checkpoints of one method of one party.

    Attributes:
        store: where they are written; None: nothing is kept.
        name: prefix of their names; unique to a map, seed and set of records.
        earlier_seconds: time spent before the training was resumed.
    """

    store: CheckpointStore | None = None
    name: str = ""
    earlier_seconds: float = 0.0
    _begun: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        """Time spent on the training, before and after it was resumed."""
        return self.earlier_seconds + time.perf_counter() - self._begun

    def save(self, history: History, learner: FusedLearner, ledger: Ledger | None = None) -> None:
        """Write everything the next round needs.

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
        """Intact checkpoints, newest first; older ones help where an agency lost its newest.

        Raises:
            CheckpointError: if there are checkpoints but none is intact.
        """
        return list(self.store.history(self.name)) if self.store else []

    def restore(
        self, checkpoint: Checkpoint | None, learner: FusedLearner, ledger: Ledger | None = None
    ) -> History:
        """Restore learner and ledger, and return the history; an empty one without a checkpoint."""
        if checkpoint is None:
            return History()
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
        return History(tuple(values["errors"]), tuple(failures))
