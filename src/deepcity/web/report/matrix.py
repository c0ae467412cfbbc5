"""Parties x services x level at a glance, where some party takes part in several services."""

from collections.abc import Sequence
from dataclasses import dataclass

from deepcity.runs.results import ServiceResult
from deepcity.web.report.findings import overlaps
from deepcity.web.report.text import Text, of


@dataclass(frozen=True)
class MatrixRow:
    """A party and its level in each service; None where it takes no part."""

    title: Text
    levels: list[int | None]


def matrix(services: Sequence[ServiceResult]) -> list[MatrixRow]:
    """Rows of the grid; none where no party is in two services, as lists then say it all."""
    if not overlaps(services):
        return []
    titles = {(p.city, p.name): of(p.title) for s in services for p in s.parties}
    levels = [{(p.city, p.name): p.level for p in s.parties} for s in services]
    return [MatrixRow(title, [known.get(who) for known in levels]) for who, title in titles.items()]
