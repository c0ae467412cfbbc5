"""Where a meeting stands after each round, kept so that a killed one goes on from there.

What an agency's encoder holds would be kept by the agency itself; here all live in one process.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from deepcity.exchange.exchange import Failure
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.meeting import Minutes
from deepcity.learning.agency_learner import AgencyLearner
from deepcity.learning.fused_learner import FusedLearner
from deepcity.learning.standing import Arrays
from deepcity.store.checkpoint import CheckpointStore

_LEARNER = "learner"


@dataclass
class Keeping:
    """Keeps one method of one party.

    Attributes:
        store: where; None: nothing is kept.
        name: of the method's checkpoints; another map, seed or record has another name.
        earlier_seconds: that earlier runs of it took, once `resume` has been asked.
    """

    store: CheckpointStore | None = None
    name: str = ""
    earlier_seconds: float = 0.0
    _begun: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        """Time since it began, and of earlier runs."""
        return self.earlier_seconds + time.perf_counter() - self._begun

    def keep(
        self,
        minutes: Minutes,
        learner: FusedLearner,
        guests: Mapping[str, AgencyLearner],
        ledger: Ledger | None = None,
    ) -> None:
        """Write all that the next round needs.

        Raises:
            CheckpointError: if it cannot be written.
        """
        if self.store is None:
            return
        arrays: dict[str, Arrays] = {_LEARNER: learner.state()}
        for name, guest in guests.items():
            arrays[_group(name)] = guest.state(minutes.best)
        values = {
            "errors": list(minutes.errors),
            "failures": [[[f.party, f.reason] for f in failed] for failed in minutes.failures],
            "ledger": [list(row) for row in ledger.snapshot()] if ledger else [],
            "messages": ledger.messages if ledger else 0,
            "seconds": self.seconds,
        }
        self.store.save(self.name, len(minutes.errors), arrays, values)

    def resume(
        self,
        learner: FusedLearner,
        guests: Mapping[str, AgencyLearner],
        ledger: Ledger | None = None,
    ) -> Minutes:
        """Put all where the newest whole checkpoint left off; no minutes: begin anew.

        Raises:
            CheckpointError: if there are checkpoints but none is whole.
        """
        found = self.store.load_latest(self.name) if self.store else None
        if found is None:
            return Minutes()
        failures = [
            tuple(Failure(party, reason) for party, reason in failed)
            for failed in found.values["failures"]
        ]
        minutes = Minutes(tuple(found.values["errors"]), tuple(failures))
        learner.restore(found.arrays[_LEARNER])
        for name, guest in guests.items():
            guest.restore(found.arrays[_group(name)], minutes.best)
        if ledger is not None:
            ledger.restore(found.values["ledger"])
            ledger.messages = int(found.values["messages"])
        self.earlier_seconds = float(found.values["seconds"])
        return minutes


def _group(agency: str) -> str:
    """An agency's name as checkpoints spell it: they keep "/" for themselves."""
    return f"guest:{agency.replace('/', '|')}"
