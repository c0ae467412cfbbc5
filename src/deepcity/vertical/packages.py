"""Packages of a vertical training for live use: each agency's encoder, and the application.

Each agency writes its encoder into its own folder and returns its version; the application's
package is for the server. `deepcity agent` and `deepcity serve` load them.
"""

from pathlib import Path

from deepcity.city.level import HIDDEN_LAYERS
from deepcity.data.city_file import CityFile
from deepcity.exchange.exchange import Failure
from deepcity.exchange.ledger import Ledger
from deepcity.learning.split.encoder_package import TimeGrid
from deepcity.learning.split.fused_package import FusedFacts, InputAgency, package_fused, save_fused
from deepcity.store.deep_data.batch import Space
from deepcity.vertical.baselines import TrainedVertical
from deepcity.vertical.setup import VerticalSetup
from deepcity.vertical.training import package_encoders

_NO_PACKAGE = (
    "no package for daily use was written, for it sent no activations over the validation days; "
    "see why beside this, and train again with it or without it"
)


def save_packages(
    setup: VerticalSetup,
    trained: TrainedVertical,
    alone: TrainedVertical,
    city: CityFile,
    folder: Path,
) -> list[Failure]:
    """Have every agency write its encoder, and write the party's application package.

    There is none where an agency sent no activations over the validation days: its bands could not
    be calibrated, and the network may never have been trained with it.

    Args:
        alone: forecasts when no agency's deep data are available.
        folder: for the application package.

    Returns:
        agencies for want of which there is no application package.

    Raises:
        ExchangeError: if an agency cannot write its encoder.
        LayerPackageError: if the application package cannot be written.
    """
    clock, first_s = setup.party.panel.clock, int(setup.party.panel.time_T[0])
    grid = TimeGrid(clock.step_s, first_s % clock.step_s)
    versions = package_encoders(setup.exchange(Ledger()), sorted(setup.agencies), grid)
    if silent := [name for name in setup.agencies if name not in trained.validation]:
        return [Failure(name, _NO_PACKAGE) for name in silent]
    network = trained.learner.network
    layer = HIDDEN_LAYERS[network.cut.level - 1]
    agencies = tuple(
        InputAgency(
            name,
            Space(city.city.name, city.city.agency(name).domain, name, layer, versions[name][0]),
            network.cut.widths[name],
            *versions[name][1:],
        )
        for name in setup.agencies
    )
    package = package_fused(
        _facts(setup, agencies),
        network,
        setup.party.inputs,
        trained.cells,
        {name: matrix.numpy() for name, matrix in trained.learner.cell_weights.items()},
        setup.party.data.validation,
        trained.validation,
        alone.learner.network.trunk,
        time_B=setup.party.panel.time_T[setup.party.validation_origins],
    )
    save_fused(folder, package)
    return []


def _facts(setup: VerticalSetup, agencies: tuple[InputAgency, ...]) -> FusedFacts:
    party = setup.party
    time_T, train = party.panel.time_T, party.split.train
    return FusedFacts(
        city=party.city,
        agency=party.name.partition("/")[2].partition(":")[0],
        service=setup.service,
        field=party.field,
        unit=party.unit,
        places=tuple(place.id for place in party.panel.places),
        step_s=party.panel.clock.step_s,
        settings=party.inputs.settings,
        train_s=(int(time_T[train.start]), int(time_T[train.end - 1])),
        agencies=agencies,
        application=setup.application,
        purpose=setup.purpose,
    )
