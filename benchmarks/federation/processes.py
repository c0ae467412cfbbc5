"""A federation of a hub and sites in real processes on this machine: three, or any number."""

import os
import socket
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deepcity.exchange.flare import kits, processes
from deepcity.exchange.flare.leases import Lease
from deepcity.exchange.flare.leasing import Leasing
from deepcity.exchange.flare.link import LINK_FILE, CoordinatorLink
from deepcity.exchange.flare.machines import MachineExchange
from deepcity.exchange.flare.task import CallTask

SITES = ("north", "centre", "south")
_PATIENCE_S = 600.0  # for a job to begin, on a machine that does more beside it


def free_port():
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@dataclass
class Federation:
    """A federation whose lease is held."""

    folder: Path
    port: int
    link: CoordinatorLink
    sites: tuple[str, ...] = SITES

    @property
    def hub(self):
        """The hub's kit."""
        return kits.hub_folder(self.folder)

    def exchange(self):
        """The coordinator's."""
        tasks = {site: CallTask(party=site, level=6) for site in self.sites}
        return MachineExchange(self.link, self.sites, self.link.sites, tasks)


@contextmanager
def running(folder, sites=SITES, **settings):
    """Provision, start and take a lease; at the end nothing is left running."""
    from deepcity.exchange.flare.engine import Operator

    root = Path(__file__).parents[2]
    os.environ["PYTHONPATH"] = os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])
    port = free_port()
    federation = kits.federation_of({"name": "bench", "port": port, **settings})
    kits.new_federation(folder / "fed", federation)
    where = {"map": federation.map}
    made = [kits.hub_folder(folder / "fed"), *kits.add_sites(folder / "fed", sites, where)]
    link = CoordinatorLink(made[0] / "local" / LINK_FILE)
    operator = Operator(kits.operator_folder(folder / "fed"), kits.OPERATOR)
    try:
        for kit in made:
            processes.start(kit)
        leasing = Leasing(operator, link, federation.endpoint, federation.relay, _PATIENCE_S)
        present = leasing.present(sites, 60.0 + 20 * len(sites), len(sites))
        leasing.take(Lease("deepcity-bench-0", 1_000_000, present))
        yield Federation(folder / "fed", port, link, tuple(sites))
    finally:
        link.close()
        operator.close()
        for kit in made:
            processes.stop(kit)


def pss_mb(process):
    """A process's memory with its part of what it shares, in MB; 0 if it is gone."""
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return (
        next((int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")), 0)
        / 1024
    )
