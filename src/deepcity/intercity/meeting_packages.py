"""What vertical training leaves behind for daily use: each agency's encoder, and the application.

Each agency writes its encoder into its own folder and names its version; the application's file
goes to whoever answers. `deepcity agency` and `deepcity serve` go on with them.
"""

from pathlib import Path

from deepcity.city.level import HIDDEN_LAYERS
from deepcity.data.city_file import CityFile
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.meeting import package_encoders
from deepcity.intercity.guests import Table
from deepcity.intercity.meeting_methods import Fused
from deepcity.learning.encoder_package import TimeGrid
from deepcity.learning.fused_package import FusedFacts, HeardAgency, package_fused, save_fused
from deepcity.store.deep_data import Space


def save_packages(table: Table, fused: Fused, alone: Fused, city: CityFile, folder: Path) -> None:
    """Have every agency write its encoder, and write the party's application.

    Args:
        alone: what answers when no agency is heard.
        folder: of the application.

    Raises:
        ExchangeError: if an agency cannot write its own.
        LayerPackageError: if the application's file cannot be written.
    """
    clock, first_s = table.party.panel.clock, int(table.party.panel.time_T[0])
    grid = TimeGrid(clock.step_s, first_s % clock.step_s)
    versions = package_encoders(InProcessExchange(table.sites), sorted(table.sites), grid)
    network = fused.learner.network
    layer = HIDDEN_LAYERS[network.cut.level - 1]
    agencies = tuple(
        HeardAgency(
            name,
            Space(city.city.name, city.city.agency(name).domain, name, layer, versions[name][0]),
            network.cut.deep[name],
            versions[name][1],
            grid,
        )
        for name in table.sites
    )
    package = package_fused(
        _facts(table, agencies),
        network,
        table.party.inputs,
        fused.cells,
        {name: matrix.numpy() for name, matrix in fused.learner.match.items()},
        table.party.data.validation,
        fused.validation,
        alone.learner.network.trunk,
    )
    save_fused(folder, package)


def _facts(table: Table, agencies: tuple[HeardAgency, ...]) -> FusedFacts:
    party = table.party
    time_T, train = party.panel.time_T, party.split.train
    return FusedFacts(
        city=party.city,
        agency=party.name.partition("/")[2].partition(":")[0],
        service=table.service,
        field=party.field,
        unit=party.unit,
        places=tuple(place.id for place in party.panel.places),
        step_s=party.panel.clock.step_s,
        settings=party.inputs.settings,
        train_s=(int(time_T[train.start]), int(time_T[train.end - 1])),
        agencies=agencies,
    )
