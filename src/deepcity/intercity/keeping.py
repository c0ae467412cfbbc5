"""What a run keeps of each party, so that it can go on learning when more rows have come."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepcity.intercity.automatic import Choice
from deepcity.intercity.city_map import Service
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
from deepcity.intercity.watched_days import days_of_run
from deepcity.learning.council import Aggregated


def keep(
    folder: Path,
    service: Service,
    parties: list[Party],
    choices: Mapping[str, Choice],
    tested: Mapping[str, Aggregated],
) -> None:
    """Write every party's own package; one that has been refined since stays.

    A package that is there is of this very run: another's folder is refused.

    Raises:
        CheckpointError: if one cannot be written.
    """
    packages = OwnPackages.of(folder)
    for party in parties:
        name = service.settings.name
        found = packages.load(name, party.name)
        if found is None or not found.number:
            packages.save(_package(name, party, choices[party.name], tested[party.name]))


def _package(service: str, party: Party, choice: Choice, test: Aggregated) -> OwnPackage:
    train, validation = party.split.train, party.split.validation
    old = party.inputs.values_TN[train.start : validation.end]
    aside_to = _start(party, validation.end)
    return OwnPackage(
        identity=Identity(
            model=MODEL,
            service=service,
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
        experts=kept_experts(party, choice),
        council=test.council,
        days=days_of_run(party, choice, test),
        watch_from=0,
        old_rows=OldRows.of(old),
    )


def measured_end(values_TN: NDArray[np.float32]) -> int:
    """The step after the last one with a measured value; 0 where there is none."""
    measured = np.flatnonzero(np.isfinite(values_TN).any(axis=1))
    return int(measured[-1]) + 1 if len(measured) else 0


def _start(party: Party, step: int) -> int:
    return int(party.panel.time_T[0]) + step * party.panel.clock.step_s
