"""Agencies of one city that meet at a hidden layer, as a vertical run's results have them."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from deepcity.city.errors import CheckpointError
from deepcity.city.level import HIDDEN_LAYERS
from deepcity.city.localized_text import LocalizedText
from deepcity.vertical.results import (
    TOGETHER,
    WITHOUT_AGENCY,
    AgencyFacts,
    VerticalPartyResult,
    VerticalResults,
    VerticalServiceResult,
)

_MOST, _LONGEST = 10_000, 200


@dataclass(frozen=True)
class CutAgency:
    """An agency that gives a party's application one of its hidden layers.

    Attributes:
        level: its cut: stem and h1..h`level` run on its side, and what h`level` holds leaves.
        least_level: its grant: no shallower layer may leave.
        width: numbers that leave for each of `cells` and time.
        change_without: of the party's error against alone, with this agency missing.
        failed: why it failed in training; empty: it did not.
    """

    name: str
    title: LocalizedText
    level: int
    least_level: int
    width: int
    cells: int
    sent: int
    received: int
    change_without: float | None
    failed: str


@dataclass(frozen=True)
class VerticalPart:
    """A party of a service that was trained vertically, with its agencies.

    Attributes:
        level: the layer after which the application fuses what came.
        labels_stay: who fuses held neither rows nor labels.
        change: of its error with these agencies against alone; below 0 is better.
    """

    service: str
    title: LocalizedText
    party: str
    party_title: LocalizedText
    mode: str
    level: int
    labels_stay: bool
    change: float | None
    agencies: tuple[CutAgency, ...]


def vertical_parts(path: Path, found: VerticalResults) -> tuple[VerticalPart, ...]:
    """All parties of a vertical run.

    Raises:
        CheckpointError: if the results hold what no run writes.
    """
    pairs = [(service, party) for service in found.services for party in service.parties]
    if sum(1 + len(party.facts) for _, party in pairs) > _MOST:
        raise CheckpointError(f"{path} has over {_MOST:,} parties: put back a copy of it")
    return tuple(_part(path, service, party) for service, party in pairs)


def _part(path: Path, service: VerticalServiceResult, party: VerticalPartyResult) -> VerticalPart:
    _check(path, service.level, 0, [service.name, party.name, party.title.en, party.title.ko])
    return VerticalPart(
        service=service.name,
        title=service.title,
        party=party.name,
        party_title=party.title,
        mode=service.mode,
        level=service.level,
        labels_stay=service.labels_stay,
        change=_finite(party.change(TOGETHER)),
        agencies=tuple(_agency(path, party, one) for one in party.facts),
    )


def _agency(path: Path, party: VerticalPartyResult, facts: AgencyFacts) -> CutAgency:
    least = min(facts.sent, facts.received, facts.cells, facts.width)
    _check(path, facts.level, least, [facts.name, facts.title.en, facts.title.ko])
    named = (one.partition(": ") for one in party.failures)
    failed = [reason for name, _, reason in named if name.rpartition("/")[2] == facts.name]
    return CutAgency(
        name=facts.name,
        title=facts.title,
        level=facts.level,
        least_level=facts.least_level,
        width=facts.width,
        cells=facts.cells,
        sent=facts.sent,
        received=facts.received,
        change_without=_finite(party.change(f"{WITHOUT_AGENCY}{facts.name}")),
        failed=" ".join(failed[0].split())[:500] if failed else "",
    )


def _check(path: Path, level: int, least: int, names: list[str]) -> None:
    deepest = len(HIDDEN_LAYERS)
    if not 0 <= level <= deepest or least < 0:
        raise CheckpointError(
            f"{path} has a cut at level {level}, or a count of {least}: cuts are at 0 to "
            f"{deepest}, and no count is below 0. Put back a copy of it"
        )
    check_names(path, names)


def check_names(path: Path, names: Iterable[str]) -> None:
    """See that a page can show the names in another's file.

    Raises:
        CheckpointError: if one is too long, or has signs that are not shown.
    """
    if any(len(name) > _LONGEST or not name.isprintable() for name in names):
        raise CheckpointError(
            f"{path} has a service, party or agency whose name is no name: put back a copy of it"
        )


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value
