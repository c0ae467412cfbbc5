"""The coordinator's checkpoints, from which a killed run resumes.

Each holds the fused network, the history, the ledger and what agencies answered to the handshake,
after a round. Every agency keeps the
checkpoints of its own encoder in its own folder (`deepcity.vertical.agency_party`).
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from deepcity.exchange.exchange import Failure
from deepcity.exchange.ledger import Ledger
from deepcity.learning.split.fused_learner import FusedLearner
from deepcity.store.checkpoint import Checkpoint, CheckpointStore
from deepcity.vertical.training import FeatureParty, History

_LEARNER, _CELLS, _WIDTHS = "learner", "cells", "widths"


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

    def save(
        self,
        history: History,
        learner: FusedLearner,
        ledger: Ledger | None = None,
        parties: Mapping[str, FeatureParty] | None = None,
    ) -> None:
        """Write everything the next round needs.

        Args:
            parties: agencies as they answered to the handshake.

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
            _WIDTHS: {name: party.width for name, party in (parties or {}).items()},
        }
        arrays = {_LEARNER: learner.state()}
        if parties:
            arrays[_CELLS] = {name: party.cell_C for name, party in parties.items()}
        self.store.save(self.name, len(history.errors), arrays, values)

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


def parties_of_checkpoint(checkpoint: Checkpoint) -> dict[str, FeatureParty]:
    """Agencies as they had answered to the handshake."""
    cells, widths = checkpoint.arrays.get(_CELLS, {}), checkpoint.values.get(_WIDTHS, {})
    return {name: FeatureParty(cells[name], int(widths[name])) for name in sorted(cells)}
