"""A vertical training between sites of this process: an application, and agencies of its city."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from desk_leases import DeskLeases

from deepcity.exchange.flare.identities import IDENTITIES, make_identity
from deepcity.exchange.flare.kits import SITE_SETTINGS, FederationFile
from deepcity.maps.city_map import CityMap
from deepcity.runs.machines.lead import Leader
from deepcity.runs.machines.lease_holder import LeaseHolder
from deepcity.vertical.run import load_vertical_results

SITES = ("east", "east_weather")


@dataclass
class VerticalFederation:
    """Sites as desks; the kit of each is a folder."""

    city_map: CityMap
    folder: Path
    lease_rounds: int = 100
    sites: tuple[str, ...] = SITES
    desks: DeskLeases = field(init=False)

    def __post_init__(self):
        kits = {site: self.folder / "kits" / site for site in self.sites}
        for kit in kits.values():
            (kit / "local").mkdir(parents=True, exist_ok=True)
            path = kit / "local" / SITE_SETTINGS
            path.write_text(json.dumps({"map": str(self.city_map.path)}))
        known = {site: make_identity(kit) for site, kit in kits.items()}
        for kit in kits.values():
            (kit / "local" / IDENTITIES).write_text(json.dumps(known))
        self.desks = DeskLeases(kits)

    @property
    def run_folder(self):
        return self.folder / "fed" / "run"

    def kit_run(self, site):
        return self.folder / "kits" / site / "run"

    def lead(self):
        """Lead the whole map; returns the results of vertical training."""
        file = FederationFile(name="tests", sites=list(self.sites), lease_rounds=self.lease_rounds)
        leases = LeaseHolder(file, self.desks, self.desks, self.run_folder, patience_s=0.0)
        Leader(self.city_map, leases, self.run_folder).run()
        return load_vertical_results(self.run_folder / "vertical")
