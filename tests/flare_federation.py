"""A federation of a hub and three sites in real processes on this machine, for tests."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from little_map import LittleMap, flows, service
from little_vertical import MEETING

pytest.importorskip("nvflare", reason="nvflare is not installed: pip install 'deepcity[flare]'")

from deepcity.exchange.flare import processes
from deepcity.exchange.flare.engine import Operator
from deepcity.exchange.flare.kits import (
    OPERATOR,
    FederationFile,
    add_sites,
    hub_folder,
    kit_folder,
    new_federation,
    operator_folder,
    read_federation,
)
from deepcity.exchange.flare.leases import Lease
from deepcity.exchange.flare.leasing import Leasing
from deepcity.exchange.flare.link import LINK_FILE, CoordinatorLink

SITES = ("north", "centre", "south")
AGENCY_SITE = "north_weather"
"""A machine of its own for an agency of the north, whose activations help its water company."""
EVERYTHING = {
    "settings": 'pooled = false\nnewcomers = ["south/water"]',
    "span": 'scarce = { "south/water" = 10 }',
    "grant": 'stem = "common"\nparty = { "north/water" = { truths = "shared" } }',
}
"""A newcomer, episodes for it, and a site that shows its measured values."""
SUMS = {
    "levels": (),
    "rounds": 2,
    "settings": "pooled = false",
    "more": "[service.strategy]\naggregation = 'secure'\nweighting = 'equal'\n",
}
"""Three members that see each other's layers in sums alone."""
GROUPS = {
    "levels": (),
    "rounds": 2,
    "settings": "pooled = false",
    "more": "[service.strategy]\nname = 'norm_clipping'\naggregation = 'secure'\ngroup_size = 3\n",
}
"""Six members, two at each site, that are summed within two groups."""
GROUPED = ("wells", "works")
ASYNCHRONOUS = {
    "levels": (),
    "rounds": 3,
    "settings": "pooled = false",
    "more": "[service.strategy]\nschedule = 'asynchronous'\nbuffer_size = 3\n",
}
"""Three members whose updates are fused as they come; a buffer of all, so that runs are alike."""
VERTICAL = {
    "levels": (),
    "rounds": 2,
    "settings": "pooled = false",
    "more": MEETING.format(more='compare = ["per-batch"]\nreuse_level = 2', agency=""),
}
"""Two parties that train with an agency of their cities, in two modes; these pretrain together."""


@dataclass
class RunningFederation:
    """A federation whose processes run; its folder, and the coordinator's connection."""

    folder: Path
    leasing: Leasing
    link: CoordinatorLink
    map_file: Path

    @property
    def federation(self) -> FederationFile:
        return read_federation(self.folder)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def little_map(folder: Path, *services: str) -> Path:
    """One agency in each of three cities, which are called as the sites are."""
    folder.mkdir(parents=True, exist_ok=True)
    little = LittleMap(folder)
    for seed, site in enumerate(SITES):
        little.party(f"{site}/water", flows(seed=seed, places=1 + seed % 2))
        for other, name in enumerate(GROUPED, 1):
            little.party(f"{site}/{name}", flows(days=24, seed=10 * other + seed, places=1))
    for seed, city in enumerate(("centre", "north"), 8):
        little.party(f"{city}/weather", flows(seed=seed, places=1))
    if services:
        return little.write(*services)
    written = [service(**EVERYTHING), service("secure", **SUMS)]
    vertical = service("vertical", **VERTICAL).replace('["*/*"]', '["north/water", "centre/water"]')
    late = service("asynchronous", **ASYNCHRONOUS).replace('["*/*"]', '["*/water"]')
    groups = service("groups", **GROUPS).replace(
        '"*/*"', ", ".join(f'"*/{one}"' for one in GROUPED)
    )
    water = (one.replace('["*/*"]', '["*/water"]') for one in written)
    return little.write(*water, vertical, late, groups)


@contextmanager
def running_federation(folder: Path, **settings: object) -> Iterator[RunningFederation]:
    """Provision, start, connect; at the end nothing is left running."""
    map_file = little_map(folder / "map")
    root = folder / "federation"
    wanted = {"endpoint": "flare_site.ContractSite", "map": str(map_file), **settings}
    federation = FederationFile(name="tests", port=free_port(), **wanted)  # type: ignore[arg-type]
    new_federation(root, federation)
    kits = [hub_folder(root), *add_sites(root, (*SITES, AGENCY_SITE), {"map": str(map_file)})]
    operator = Operator(operator_folder(root), OPERATOR)
    link = CoordinatorLink(hub_folder(root) / "local" / LINK_FILE)
    try:
        for kit in kits:
            processes.start(kit)
        leasing = Leasing(operator, link, federation.endpoint)
        yield RunningFederation(root, leasing, link, map_file)
    finally:
        link.close()
        operator.close()
        for kit in kits:
            processes.stop(kit)


def take_lease(running: RunningFederation, name: str) -> Lease:
    """A lease of all sites, connected."""
    wanted = (*SITES, AGENCY_SITE)
    sites = running.leasing.present(wanted, 60.0, len(wanted))
    lease = Lease(name, 1000, sites)
    running.leasing.take(lease)
    return lease


def workers(site: Path) -> list[int]:
    """Processes of a site's workers: those of its jobs, not of the site itself."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if str(site.absolute()).encode() in command and b"-n" in command:
            found.append(int(process.name))
    return found


__all__ = ["SITES", "RunningFederation", "kit_folder", "running_federation", "take_lease"]
