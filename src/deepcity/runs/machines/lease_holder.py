"""The coordinator's hold on leases: one is taken when work needs it, another when one is lost."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from deepcity.city.errors import ExchangeError
from deepcity.exchange.exchange import Failure
from deepcity.exchange.flare.certificates import authority_id
from deepcity.exchange.flare.deadlines import Deadlines
from deepcity.exchange.flare.identities import noted_identities
from deepcity.exchange.flare.kits import FederationFile, hub_folder
from deepcity.exchange.flare.leases import Lease, LeaseLostError, LeaseOverError, lease_name
from deepcity.exchange.flare.leasing import Leasing
from deepcity.exchange.flare.link import CoordinatorLink
from deepcity.exchange.flare.machines import MachineExchange
from deepcity.exchange.flare.task import CallTask, site_of, sites_for
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.precision import Precision
from deepcity.exchange.rounds import FederationPlan
from deepcity.runs.machines.status import write_status

Found = TypeVar("Found")
_log = logging.getLogger(__name__)
_MOST_LOSSES = 3  # of leases by one site in a row; then the next one is without it
_MOST_IN_VAIN = 10  # leases in a row that kept no round


@dataclass
class LeaseHolder:
    """Holds at most one lease.

    Attributes:
        leasing: takes leases; `link` is the line to a lease's job.
        folder: of the run; the status is written there.
        patience_s: seconds to wait for sites that are not connected.
        held: called after each round; None where no lease is held.
        at_end: called when a lease has had its rounds, before it is given back.
        number: leases taken so far.
        left_out: party -> why it takes no part in the service that is led.
        failed: party -> why it failed in the newest round.
    """

    federation: FederationFile
    leasing: Leasing
    link: CoordinatorLink
    folder: Path
    patience_s: float = 60.0
    deadlines: Deadlines = field(default_factory=Deadlines)
    held: Callable[[int], None] | None = None
    at_end: Callable[[], None] = lambda: None
    number: int = 0
    left_out: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    _lost: Counter[str] = field(default_factory=Counter)
    _lease: Lease | None = None

    def insist(self, attempt: Callable[[], Found], done: Callable[[], int] = lambda: 0) -> Found:
        """Try again with a new lease when one is over or lost.

        Args:
            done: grows with what attempts have kept.

        Raises:
            ExchangeError: if leases are lost again and again.
        """
        in_vain, before = 0, done()
        while True:
            try:
                return attempt()
            except LeaseOverError:
                self.at_end()
                self.give_back()
            except LeaseLostError as error:
                _log.warning("a lease was lost: %s; the round is repeated", error)
                self.report(f"a lease was lost: {error}")
                if error.site is not None:
                    self._lost[error.site] += 1
                self.give_back(lost=True)
            now = done()
            in_vain, before = (in_vain + 1 if now == before else 0), now
            if in_vain >= _MOST_IN_VAIN:
                raise ExchangeError(
                    f"{in_vain} leases in a row kept no round; see engine.log of the hub and sites"
                )

    def take(
        self,
        name: str,
        parties: Sequence[str],
        ledger: Ledger,
        done: int,
        *,
        least: int | None = None,
        also: Sequence[str] = (),
    ) -> None:
        """Take a lease, unless one is held that has the sites it needs.

        Args:
            name: of the training; it names the lease, with what was counted and done so far.
            parties: whose sites it is for.
            least: so many of these sites must be connected; None: all. Where none need be and none
                is, no lease is taken.
            also: parties whose sites come in if they are connected; others' trainings follow.

        Raises:
            ExchangeError: if a party has no site, or too few are connected.
            LeaseLostError: if the lease ended, or did not begin in time.
        """
        wanted = self._wanted(parties)
        needed = len(wanted) if least is None else least
        if self.held is not None:
            if sum(site in self.link.sites for site in wanted) >= needed:
                return
            self.give_back()
        apart = [site for site in wanted if self._lost[site] >= _MOST_LOSSES]
        for site in apart:
            _log.warning("%s has lost %d leases; the next one is without it", site, _MOST_LOSSES)
            del self._lost[site]
        rest = [site for site in wanted if site not in apart]
        found = self.leasing.present(rest, self.patience_s, min(needed, len(rest)))
        if not found:
            return
        others = [site for site in self._wanted(also) if site not in wanted]
        sites = (*found, *self.leasing.present(others, 0.0, 0))
        lease = Lease(
            lease_name(name, ledger.snapshot(), done), self.federation.lease_rounds, sites
        )
        self.leasing.take(lease)
        self.number += 1
        self._lease, self.held = lease, lease.counter()

    def _wanted(self, parties: Sequence[str]) -> list[str]:
        """The sites that answer for parties, but for revoked ones."""
        owners = {party: site_of(party, self.federation.sites) for party in parties}
        if homeless := [party for party, site in owners.items() if site is None]:
            cities = " ".join(sorted({sites_for(party)[-1] for party in homeless}))
            raise ExchangeError(
                f"no site answers for {', '.join(homeless)}; add it, then stop and start: "
                f"deepcity federation add-site {self.folder.parent} {cities}"
            )
        revoked = {None, *self.federation.revoked}
        return sorted(site for site in {*owners.values()} - revoked if site is not None)

    @property
    def federation_id(self) -> str:
        """The federation as its certificates name it; sites sign their claims of rows for it."""
        return authority_id(hub_folder(self.folder.parent))

    def noted_keys(self, parties: Iterable[str]) -> dict[str, str]:
        """Party -> its site's public key (hexadecimal), where the operator's folder has one."""
        noted = noted_identities(self.folder.parent, parties)
        return {party: key.hex() for party, key in noted.items()}

    def give_back(self, *, lost: bool = False) -> None:
        """End the lease, if one is held."""
        self.held = None
        self.leasing.end(lost=lost)

    def counted(
        self, name: str, rounds: int, *, renew_for: Sequence[str] = ()
    ) -> Callable[[int], None]:
        """A function to call after each round of a training.

        Args:
            renew_for: parties; if given, a lease is over only where the site of one of them is
                connected and not in it. A slow site may be at work longer than a lease's rounds.

        Raises:
            LeaseOverError: by that function, at the last round of a lease.
        """

        def after_round(done: int) -> None:
            self._lost.clear()
            self.report(name, done, rounds)
            if self.held is None:
                return
            try:
                self.held(done)
            except LeaseOverError:
                if self._lease is None or not renew_for or self._waiting(renew_for):
                    raise
                self.held = self._lease.counter()

        return after_round

    def _waiting(self, parties: Sequence[str]) -> bool:
        """Whether a site of these parties is connected and in no lease."""
        outside = [site for site in self._wanted(parties) if site not in self.link.sites]
        return bool(outside and self.leasing.present(outside, 0.0, 0))

    def reachable(self, parties: Iterable[str]) -> list[str]:
        """Those of the parties whose site is connected now, in the lease that is held or not."""
        owners = {party: site_of(party, self.federation.sites) for party in parties}
        sites = {*owners.values()} - {None, *self.federation.revoked}
        here = self.leasing.present(sorted(map(str, sites)), 0.0, 0)
        return [party for party, site in owners.items() if site in here]

    def connected(self, parties: Iterable[str]) -> list[str]:
        """Those of the parties whose site is in the lease held; none without a lease."""
        sites = self.link.sites if self.held is not None else ()
        return [one for one in parties if site_of(one, self.federation.sites) in sites]

    def exchange(
        self, tasks: dict[str, CallTask], ledger: Ledger, precision: Precision
    ) -> MachineExchange:
        """The parties of this lease, each with what it is asked for; nobody without a lease."""
        connected = self.link.sites if self.held is not None else ()
        return MachineExchange(
            self.link,
            tuple(tasks),
            tuple(self.federation.sites),
            tasks,
            away=frozenset(self.federation.sites) - {*connected},
            ledger=ledger,
            precision=precision,
            deadlines=self.deadlines,
        )

    def with_absent(self, plan: FederationPlan, failed: Sequence[str] = ()) -> FederationPlan:
        """The plan with sites that are away now: they are asked to join from the next round on.

        Args:
            failed: parties that are connected, but could not start.
        """
        here = {*self.connected(plan.levels)} - {*failed}
        away = [party for party in plan.levels if party not in here]
        joins = {**plan.participation.joins}
        for party in away:
            joins[party] = max(2, joins.get(party, 1))
        return replace(plan, participation=replace(plan.participation, joins=joins))

    def note_failed(self, failed: Sequence[Failure]) -> None:
        """Name those that failed in the newest round, in the next report."""
        self.failed = {one.party: one.reason for one in failed}

    def report(self, what: str, done: int = 0, rounds: int = 0) -> None:
        """Write what the coordinator does now."""
        write_status(
            self.folder,
            what,
            done=done,
            rounds=rounds,
            leases=self.number,
            sites=list(self.link.sites),
            left_out={**self.failed, **self.left_out},
        )
