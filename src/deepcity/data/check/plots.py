"""Series for plots of a field: a few hundred points per place, however long its records.

Shapes: T steps, N places.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from deepcity.city.arrays import Floats
from deepcity.data.check.rules import View
from deepcity.data.findings import Finding

POINTS = 360
PLACES = 4  # plotted per field, besides those that a finding names
MAX_PLACES = 10


@dataclass(frozen=True)
class Plot:
    """One field at one place, in equal intervals of time.

    Attributes:
        times: UTC seconds at which the intervals begin.
        low, mean, high: of each interval, in the field's unit; None where nothing was measured.
        warnings: texts of the findings on this field at this place.
    """

    agency: str
    field: str
    unit: str
    place: str
    time_zone: str
    times: tuple[int, ...]
    low: tuple[float | None, ...]
    mean: tuple[float | None, ...]
    high: tuple[float | None, ...]
    warnings: tuple[str, ...]


def plots_of(view: View, findings: Sequence[Finding]) -> list[Plot]:
    """Plots of every field at the places that findings name, and at some others."""
    plots: list[Plot] = []
    for f, field in enumerate(view.panel.fields):
        named = [finding for finding in findings if finding.shows[0] == field.name]
        for n in _places(view, named):
            place = view.panel.places[n].id
            warnings = tuple(finding.text for finding in named if place in finding.shows[1])
            plots.append(_plot(view, f, n, warnings))
    return plots


def _places(view: View, named: Sequence[Finding]) -> list[int]:
    """Places named by findings first, each finding's first ones; then some evenly chosen."""
    number = {place.id: n for n, place in enumerate(view.panel.places)}
    chosen = [number[id_] for finding in named for id_ in finding.shows[1][:2] if id_ in number]
    count = len(view.panel.places)
    some = np.linspace(0, count - 1, min(count, PLACES)).astype(int).tolist()
    return sorted(dict.fromkeys([*chosen, *some][:MAX_PLACES]))


def _plot(view: View, f: int, n: int, warnings: tuple[str, ...]) -> Plot:
    panel = view.panel
    edges = np.unique(np.linspace(0, len(panel.time_T), POINTS + 1).astype(int))
    parts = [panel.values_TNF[a:b, n, f] for a, b in pairwise(edges)]
    known = [part[np.isfinite(part)] for part in parts]
    return Plot(
        agency=view.agency,
        field=panel.fields[f].name,
        unit=panel.fields[f].unit,
        place=panel.places[n].id,
        time_zone=panel.clock.time_zone,
        times=tuple(int(panel.time_T[a]) for a in edges[:-1]),
        low=_each(known, np.min),
        mean=_each(known, np.mean),
        high=_each(known, np.max),
        warnings=warnings,
    )


def _each(
    parts: Sequence[Floats], reduce: Callable[[Floats], np.float32]
) -> tuple[float | None, ...]:
    return tuple(float(reduce(part)) if part.size else None for part in parts)
