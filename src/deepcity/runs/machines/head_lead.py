"""Heads of release ledgers are handed round between machines: at the end of each lease and service.

Not after each round: four calls to each site, whose answers are small, are then paid once in a
lease's twenty rounds and not in each, and a site reads its ledger as often. What a site signed
since the last time, it could still rewrite; a lease bounds that. After the last service all sites
are asked into one lease, so that each ledger ends under the co-signatures of all that can be there.
Heads never stop a training: who is away, refuses or lies is named, as in one process.
"""

import logging
from dataclasses import dataclass, field, replace
from pathlib import Path

from deepcity.city.errors import ExchangeError, LedgerError
from deepcity.exchange.exchange import TransportLostError
from deepcity.exchange.flare.deadlines import Deadlines
from deepcity.exchange.flare.task import LEDGER_METHOD, CallTask
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.trust.head_round import HeadRound, hand_round
from deepcity.parties.releases.heads import keep_heads
from deepcity.runs.machines.lease_holder import LeaseHolder

_NAME = "heads"
_WAIT_S = 60.0  # for an answer, at most: nobody waits for a training here
_log = logging.getLogger(__name__)


@dataclass
class HeadLead:
    """Hands round the heads of a run's ledgers.

    Attributes:
        names: whose ledgers.
        folder: of the run.
        rounds: of heads, so far.
    """

    names: tuple[str, ...]
    leases: LeaseHolder
    folder: Path
    rounds: int = 0
    _deadlines: Deadlines = field(
        default_factory=lambda: Deadlines(first_s=_WAIT_S, most_s=_WAIT_S)
    )

    def hand_round(self) -> None:
        """Among the sites of the lease that is held; nothing without one."""
        if self.leases.held is None:
            return
        self.rounds += 1
        tasks = {name: CallTask(party=name, method=LEDGER_METHOD) for name in self.names}
        exchange = self.leases.exchange(tasks, Ledger(), "float32")
        keys = self.leases.noted_keys(self.names)
        try:
            found = hand_round(replace(exchange, deadlines=self._deadlines), keys)
            keep_heads(self.folder, found)
        except TransportLostError as error:
            _log.warning("heads of ledgers were not handed round: %s", error)
            self.leases.give_back(lost=True)
        except (ExchangeError, LedgerError) as error:
            _log.warning("heads of ledgers were not handed round: %s", error)
        else:
            _name_missing(found)

    def hand_round_all(self) -> None:
        """Among all sites that are connected, in a new lease if one of them is in none."""
        try:
            here = self.leases.reachable(self.names)
            if len(self.leases.connected(here)) < len(here):
                self.leases.give_back()
                self.leases.take(_NAME, here, Ledger(), self.rounds, least=0)
        except ExchangeError as error:  # also a lease that did not begin in time
            _log.warning("heads of ledgers were not handed round: %s", error)
            self.leases.give_back(lost=True)
        self.hand_round()


def _name_missing(found: HeadRound) -> None:
    for ledger, missing in found.missing.items():
        if missing:
            _log.warning(
                "the head of %s's ledger was not co-signed by %s; why is in their engine.log",
                ledger,
                ", ".join(missing),
            )
