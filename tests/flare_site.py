"""A site of the tests' federation: a map's parties, and one that keeps the exchange contract."""

from dataclasses import replace
from pathlib import Path

import pytest
from contract_party import contract_desk

pytest.importorskip("nvflare", reason="nvflare is not installed: pip install 'deepcity[flare]'")

from deepcity.exchange.flare.desk import Desk
from deepcity.exchange.flare.link import Wire
from deepcity.runs.machines.map_site import MapSite


class ContractSite(MapSite):
    """A map's parties of this site, and one of the site's own name."""

    def desk(self, name: str, folder: Path, sites: tuple[str, ...], wire: Wire) -> Desk:
        of_map = super().desk(name, folder, sites, wire)
        contract = contract_desk(name, sites, wire).parties
        return replace(of_map, parties={**of_map.parties, **contract})
