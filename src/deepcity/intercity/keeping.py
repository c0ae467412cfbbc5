"""What a run keeps of each party, so that it can go on learning when more rows have come."""

from pathlib import Path

import numpy as np

from deepcity.city.arrays import Floats
from deepcity.intercity.automatic import Choice
from deepcity.intercity.experts import expert_data
from deepcity.intercity.map_settings import ServiceSettings
from deepcity.intercity.own_networks import kept_experts
from deepcity.intercity.own_package import (
    MODEL,
    Identity,
    OldRows,
    OwnPackage,
    OwnPackages,
    Times,
)
from deepcity.intercity.parties import Party
from deepcity.intercity.watched_days import days_of_run, joined
from deepcity.learning.council import Aggregated


def keep(
    folder: Path, settings: ServiceSettings, party: Party, choice: Choice, tested: Aggregated
) -> None:
    """Write a party's own package into its folder; one that has been refined since stays.

    A package that is there is of this very run: another's folder is refused.

    Raises:
        CheckpointError: if it cannot be written.
    """
    packages = OwnPackages.of(folder)
    found = packages.load(settings.name, party.name)
    if found is None or not found.number:
        packages.save(_package(settings, party, choice, tested))


def _package(
    settings: ServiceSettings, party: Party, choice: Choice, test: Aggregated
) -> OwnPackage:
    train, validation = party.split.train, party.split.validation
    old = party.inputs.values_TN[train.start : validation.end]
    aside_to = _start(party, validation.end)
    return OwnPackage(
        identity=Identity(
            model=MODEL,
            service=settings.name,
            party=party.name,
            field=party.field,
            unit=party.unit,
            step_s=party.panel.clock.step_s,
            places=tuple(place.id for place in party.panel.places),
            window=party.inputs.settings,
        ),
        times=Times(
            train_from=_start(party, train.start),
            train_to=_start(party, train.end),
            aside_to=aside_to,
            learned_to=aside_to,
            seen_to=max(aside_to, _start(party, measured_end(party.inputs.values_TN))),
        ),
        experts=kept_experts(choice, expert_data(party, settings.training, 0)),
        council=test.council,
        days=joined(*days_of_run(party, choice, test.forecast_BNH)),
        watch_from=0,
        old_rows=OldRows.of(old),
    )


def measured_end(values_TN: Floats) -> int:
    """The step after the last one with a measured value; 0 where there is none."""
    measured = np.flatnonzero(np.isfinite(values_TN).any(axis=1))
    return int(measured[-1]) + 1 if len(measured) else 0


def _start(party: Party, step: int) -> int:
    return int(party.panel.time_T[0]) + step * party.panel.clock.step_s
