"""The coordinator of a map between machines: `python -m deepcity.runs.machines.lead FEDERATION`.

It leads every service (`deepcity.runs.machines.service_lead`), lease after lease. All that it keeps
is in FEDERATION/run/, so that it can be killed at any time; started again, it goes on from its
newest checkpoint.

FEDERATION/run/coordinator/run.json              the map that it is a run of
FEDERATION/run/coordinator/*.checkpoint          fused layers and ledger by round
FEDERATION/run/coordinator/SERVICE.profiles.json sizes of the sites
FEDERATION/run/coordinator/SERVICE.choices.json  errors and levels of sites that have chosen
FEDERATION/run/coordinator/layers/               common layers as packages
FEDERATION/run/coordinator/heads.json            newest heads of ledgers, as others co-signed them
FEDERATION/run/coordinator/SERVICE.vertical.json results of parties whose vertical training is done
FEDERATION/run/rounds.json                       who was in which round, and bytes, after each round
FEDERATION/run/results.json                      results of the map, as far as sites send them
FEDERATION/run/vertical/vertical.json            results of vertical trainings, where a map has some
FEDERATION/run/status.json                       what it does now
"""

import logging
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from deepcity.city.errors import DeepCityError
from deepcity.exchange.flare.kits import hub_folder, operator_folder, read_federation
from deepcity.exchange.flare.leasing import Leasing
from deepcity.exchange.flare.link import LINK_FILE, CoordinatorLink
from deepcity.intercity.starting_package import starting_package
from deepcity.maps.city_map import CityMap
from deepcity.runs.identity import check_identity
from deepcity.runs.machines.federated_map import ledger_names, map_of_federation
from deepcity.runs.machines.head_lead import HeadLead
from deepcity.runs.machines.lease_holder import LeaseHolder
from deepcity.runs.machines.service_lead import ANEW, ServiceLead
from deepcity.runs.machines.status import (
    FINISHED,
    STOPPED,
    run_folder,
    vertical_folder,
    write_status,
)
from deepcity.runs.machines.vertical_lead import VerticalLead
from deepcity.runs.outcome.common_package import export_common_layers
from deepcity.runs.outcome.round_records import RoundsFile
from deepcity.runs.outcome.service_outcome import ServiceOutcome, run_results
from deepcity.store.atomic import write_atomic
from deepcity.vertical.run import write_results

_log = logging.getLogger(__name__)


@dataclass
class Leader:
    """Leads the services of a map.

    Attributes:
        leases: the coordinator's hold on the sites.
        folder: of the run.
    """

    city_map: CityMap
    leases: LeaseHolder
    folder: Path

    def run(self) -> list[ServiceOutcome]:
        """Every service to its end; writes results.

        Raises:
            ExchangeError: if too few sites are there, or leases are lost again and again.
            CheckpointError: if a checkpoint cannot be read or written, or the folder holds a run of
                another map.
            LayerPackageError: if a package to start from cannot be trusted, or lacks layers.
        """
        torch.set_num_threads(1)
        check_identity(self.folder, self.city_map, f"or {ANEW}")
        begun = time.perf_counter()
        rounds = RoundsFile(self.folder)
        heads = HeadLead(ledger_names(self.city_map), self.leases, self.folder)
        self.leases.at_end = heads.hand_round
        found = []
        for service in self.city_map.services:
            seed, package = self.city_map.settings.seed, starting_package(self.city_map, service)
            lead = ServiceLead(service, seed, self.folder, self.leases, rounds, *package)
            found.append(lead.run())
            export_common_layers(found[-1], self.folder)
            heads.hand_round()
        results = run_results(self.city_map, found, time.perf_counter() - begun)
        write_atomic(self.folder / "results.json", results.model_dump_json(indent=1).encode())
        self._lead_vertical()
        heads.hand_round_all()
        self.leases.give_back()
        self.leases.report(FINISHED)
        return found

    def _lead_vertical(self) -> None:
        """Vertical trainings of services that have them, after all rounds; writes results."""
        begun, services = time.perf_counter(), self.city_map.services
        seed = self.city_map.settings.seed
        wanted = [one for one in services if one.settings.vertical is not None]
        if wanted:
            found = [VerticalLead(one, self.leases, self.folder, seed).run() for one in wanted]
            spent = time.perf_counter() - begun
            write_results(self.city_map, found, vertical_folder(self.folder), spent)


def lead(folder: Path) -> list[ServiceOutcome]:
    """Lead the map of a federation's folder.

    Raises:
        DeepCityError: what is in the way.
    """
    from deepcity.exchange.flare.engine import Operator
    from deepcity.exchange.flare.kits import OPERATOR

    federation = read_federation(folder)
    city_map = map_of_federation(folder, federation)
    link = CoordinatorLink(hub_folder(folder) / "local" / LINK_FILE)
    operator = Operator(operator_folder(folder), OPERATOR)
    try:
        leasing = Leasing(operator, link, federation.endpoint)
        leases = LeaseHolder(federation, leasing, link, run_folder(folder))
        return Leader(city_map, leases, run_folder(folder)).run()
    finally:
        link.close()
        operator.close()


def main() -> None:
    """The coordinator's process; ends with 0 once every site that is there has chosen."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    folder = Path(sys.argv[1])
    try:
        lead(folder)
    except DeepCityError as error:
        _log.error("%s: %s", type(error).__name__, error)
        write_status(run_folder(folder), f"{STOPPED}: {error}")
        sys.exit(1)


if __name__ == "__main__":
    main()
