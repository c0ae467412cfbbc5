"""What a meeting leaves behind for daily use: each agency's encoder, and the application.

An encoder's file goes to its agency and stays there; the application's file goes to whoever
answers. `deepcity agency` and `deepcity serve` go on with them.
"""

from pathlib import Path

from deepcity.data.city_file import CityFile
from deepcity.intercity.guests import Table, learned_until
from deepcity.intercity.meeting_methods import Fused
from deepcity.learning.agency_learner import AgencyLearner
from deepcity.learning.columns import Columns
from deepcity.learning.encoder_package import (
    EncoderFacts,
    EncoderPackage,
    TimeGrid,
    package_encoder,
    save_encoder,
)
from deepcity.learning.features import WindowSettings
from deepcity.learning.fused_package import FusedFacts, HeardAgency, package_fused, save_fused


def save_packages(
    table: Table, fused: Fused, alone: Fused, city: CityFile, window: WindowSettings, folder: Path
) -> list[Path]:
    """Write every guest's encoder and the party's application.

    Args:
        alone: what answers when no agency is heard.

    Raises:
        LayerPackageError: if a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    clock, first_s = table.party.panel.clock, int(table.party.panel.time_T[0])
    grid = TimeGrid(clock.step_s, first_s % clock.step_s)
    encoders = {
        name: _encoder(table, learner, city, grid) for name, learner in table.guests.items()
    }
    facts = _facts(table, encoders, window)
    cells = {name: package.cells for name, package in encoders.items()}
    match = {name: matrix.numpy() for name, matrix in fused.learner.match.items()}
    package = package_fused(
        facts,
        fused.learner.network,
        table.party.inputs,
        cells,
        match,
        table.party.data.validation,
        fused.validation,
        alone.learner.network.trunk,
    )
    return [*(save_encoder(folder, one) for one in encoders.values()), save_fused(folder, package)]


def _encoder(
    table: Table, learner: AgencyLearner, city: CityFile, grid: TimeGrid
) -> EncoderPackage:
    assert isinstance(learner.columns, Columns)
    agency = city.city.agency(learner.name)
    units = {field.name: field.unit for field in agency.fields}
    facts = EncoderFacts(
        city=city.city.name,
        domain=agency.domain,
        agency=agency.name,
        service=table.service,
        salt=table.salt,
        fields=tuple((name, units[name]) for name in table.fields[learner.name]),
        step_s=learner.columns.clock.step_s,
        grid=grid,
        learned_until=learned_until(table.party),
    )
    return package_encoder(facts, learner.columns, learner.encoder)


def _facts(table: Table, encoders: dict[str, EncoderPackage], window: WindowSettings) -> FusedFacts:
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
        settings=window,
        train_s=(int(time_T[train.start]), int(time_T[train.end - 1])),
        agencies=tuple(
            HeardAgency(name, one.space, one.encoder.shape.deep, one.facts.step_s, one.facts.grid)
            for name, one in encoders.items()
        ),
    )
