"""What sites are: each is asked once, and one that refuses is left out, not waited for for ever.

RUN/coordinator/SERVICE.profiles.json   sizes of the sites
RUN/coordinator/SERVICE.left_out.json   sites that take no part in this run, and why

Who was left out is asked again whenever the coordinator starts, until the first round is kept:
another set of parties would be another training.
"""

import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deepcity.city.errors import CheckpointError
from deepcity.exchange.coordinator import OMIT, Coordinator
from deepcity.exchange.exchange import Failure, refuse_failures
from deepcity.exchange.flare.task import CallTask
from deepcity.exchange.ledger import Ledger
from deepcity.exchange.profile import SiteProfile
from deepcity.intercity.party_choices import round_members
from deepcity.maps.city_map import Service
from deepcity.runs.machines.lease_holder import LeaseHolder
from deepcity.store.atomic import write_atomic
from deepcity.store.run_folder import coordinator_folder

LEAST_MEMBERS = 2
"""A run goes on without those that refuse while so many members are left."""
_TRIES = 3  # of a site that refuses or is slow; nobody can tell which
_log = logging.getLogger(__name__)


@dataclass
class Descriptions:
    """The sites of one service, as they describe themselves.

    Attributes:
        folder: of the run.
    """

    service: Service
    leases: LeaseHolder
    folder: Path

    def read(self) -> tuple[dict[str, SiteProfile], dict[str, str]]:
        """Profiles of the sites that take part, and of all others the reason.

        Raises:
            ExchangeError: if too few sites are connected, or too few members would be left.
            CheckpointError: if what was kept cannot be read.
        """
        known, left_out = self._kept("profiles"), self._kept("left_out")
        if not self._begun():
            left_out = {}
        parties = [member.name for member in self.service.members]
        found = {party: SiteProfile(**known[party]) for party in parties if party in known}
        if missing := [one for one in parties if one not in found and one not in left_out]:
            new, failed = self.leases.insist(lambda: self._ask(missing))
            found = {one: new.get(one) or found[one] for one in parties if one in {**new, **found}}
            left_out |= {one.party: one.reason for one in failed}
            self._check(found, failed)
            self._keep("profiles", {party: asdict(one) for party, one in found.items()})
            self._keep("left_out", left_out)
        return found, {party: left_out[party] for party in parties if party in left_out}

    def _ask(self, missing: list[str]) -> tuple[dict[str, SiteProfile], list[Failure]]:
        name, found = self.service.settings.name, dict[str, SiteProfile]()
        failed: list[Failure] = []
        self.leases.take(f"{name}.profiles", missing, Ledger(), 0)
        for _ in range(_TRIES):
            asked = [one for one in missing if one not in found]
            tasks = {party: CallTask(party=party, service=name) for party in asked}
            ledger = Ledger()
            exchange = self.leases.exchange(tasks, ledger, self.service.settings.wire.precision)
            new, failed = Coordinator(exchange, ledger).descriptions()
            found |= new
            if not failed:
                break
        return found, failed

    def _check(self, found: dict[str, SiteProfile], failed: list[Failure]) -> None:
        settings = self.service.settings
        members = round_members(settings, [one.name for one in self.service.members])
        least = min(LEAST_MEMBERS, len(members))
        if len(round_members(settings, found)) < least:
            refuse_failures(failed, "these sites could not describe themselves", OMIT)
        for one in failed:
            _log.warning("%s; the run goes on without it", one)

    def _begun(self) -> bool:
        """Whether rounds of this service were kept."""
        name = self.service.settings.name
        return any(coordinator_folder(self.folder).glob(f"{name}.*.checkpoint"))

    def _kept(self, what: str) -> dict[str, Any]:
        path = self._path(what)
        try:
            return dict(json.loads(path.read_bytes())) if path.exists() else {}
        except (OSError, ValueError, TypeError) as error:
            raise CheckpointError(f"{path} cannot be read: {error}. Put back a copy") from error

    def _keep(self, what: str, found: dict[str, Any]) -> None:
        write_atomic(self._path(what), json.dumps(found, indent=1).encode())

    def _path(self, what: str) -> Path:
        return coordinator_folder(self.folder) / f"{self.service.settings.name}.{what}.json"
