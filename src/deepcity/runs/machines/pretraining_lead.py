"""Encoders of equal agencies of several cities, pretrained together between machines.

The hub leads these rounds, as it leads those of networks. An agency must know until when rows may
be learned from, which its application tells it; so the applications of these cities first open
their agencies, in the same lease.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from deepcity.city.errors import ExchangeError
from deepcity.exchange.exchange import Failure, answers, failures, refuse_failures
from deepcity.exchange.flare.task import PRETRAINING_METHOD, CallTask
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.message import Message
from deepcity.exchange.party import FINISH
from deepcity.exchange.rounds import learn_together
from deepcity.exchange.vertical.names import ADVANCE, OPENED, STEP
from deepcity.maps.vertical_settings import VerticalSettings
from deepcity.runs.machines.lease_holder import LeaseHolder
from deepcity.vertical.pretraining import equal_agencies, pretraining_plan

_log = logging.getLogger(__name__)
_TRIES = 3
_RIGHT = "See engine.log at their sites"


@dataclass
class PretrainingLead:
    """Leads the pretraining of one service's encoders.

    Attributes:
        parties: of the service, in its order.
        task: what a party's application is asked in vertical training.
        note: takes an application's answer; raises what is wrong with it, and
            `LeaseLostError` if it says that an agency's worker is gone.
        left_out: takes a party, and why an agency that helps it was left out of a round.
    """

    service: str
    vertical: VerticalSettings
    parties: Sequence[str]
    leases: LeaseHolder
    seed: int
    task: Callable[[str], CallTask]
    note: Callable[[str, Message], None]
    left_out: Callable[[str, Failure], None] = lambda _party, _failure: None

    def trainings(self) -> Iterator[tuple[str, list[str], dict[str, str]]]:
        """Each training: its name, the parties, and the agencies with the party each helps."""
        groups = [
            group
            for agency in self.vertical.agency
            for group in equal_agencies(self.vertical, self.parties, agency)
        ]
        for group in sorted(groups, key=lambda one: one.number):
            helped = dict(group.helped)
            yield group.training(self.service), list(helped.values()), helped

    def run(self, name: str, parties: Sequence[str], agencies: dict[str, str]) -> None:
        """One training to its end; what is broken off begins anew in the next lease.

        Raises:
            ExchangeError: if a site did not take part in several leases; names it and its reason.
        """
        for left in reversed(range(_TRIES)):
            try:
                self.leases.insist(lambda: self._attempt(name, parties, agencies), lambda: 0)
            except ExchangeError as error:
                if not left:
                    raise
                _log.warning("%s begins anew: %s", name, error)
                self.leases.give_back()  # who was away may be in the next one
            else:
                return

    def _attempt(self, name: str, parties: Sequence[str], agencies: dict[str, str]) -> None:
        """Open the agencies and train them, in the lease that is held or a new one."""
        wanted = list(dict.fromkeys([*parties, *agencies]))
        if len(self.leases.connected(wanted)) < len(wanted):
            self.leases.give_back()
        self.leases.take(name, wanted, Ledger(), 0)
        self._open(parties)
        tasks = {agency: self._asked(name, agency, party) for agency, party in agencies.items()}
        exchange = self.leases.exchange(tasks, Ledger(), "float32")
        plan = pretraining_plan(self.vertical, tasks, self.seed)
        self.leases.report(name, 0, plan.rounds)
        done = learn_together(
            exchange, plan, None, lambda now: self.leases.report(name, now.round, plan.rounds)
        )
        for failure in {one for failed in done.failures for one in failed}:
            _log.warning("%s: %s", name, failure)
            self.left_out(agencies[failure.party], failure)
        without: Sequence[Failure] = done.failures[-1]  # the fused layers did not reach these
        if not without:
            without = failures(exchange.call_group({agency: Message(FINISH) for agency in tasks}))
        refuse_failures(without, "these agencies have not kept the fused layers", _RIGHT)

    def _open(self, parties: Sequence[str]) -> None:
        """Let applications open their agencies; each answers within seconds, opened or not.

        Raises:
            ExchangeError: if one cannot.
        """
        waiting = list(parties)
        while waiting:
            tasks = {party: self.task(party) for party in waiting}
            exchange = self.leases.exchange(tasks, Ledger(), "float32")
            replies = exchange.call_group(dict.fromkeys(waiting, Message(ADVANCE, {STEP: 0.0})))
            refuse_failures(failures(replies), "these applications cannot begin", _RIGHT)
            for party, answer in answers(replies).items():
                self.note(party, answer)
                if answer.numbers.get(OPENED):
                    waiting.remove(party)

    def _asked(self, name: str, agency: str, party: str) -> CallTask:
        return CallTask(
            party=agency,
            service=self.service,
            training=name,
            method=PRETRAINING_METHOD,
            level=self.vertical.reuse_level,
            application=party,
        )
