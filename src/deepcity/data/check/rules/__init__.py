"""Checks for faults in records that load cleanly, one per file; this folder is the registry.

A module defines `find_warnings(view)`, which checks one agency's panel, or `compare(views)`,
which checks those of a whole city, or both. Checks change no values: every finding states what
was observed, since when, and what to do. False alarms cost trust, so each check asks for
evidence that ordinary variation does not give; benchmarks/data_check measures hits and false
alarms.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import numpy as np

from deepcity.city.arrays import Doubles, Indices, Ints
from deepcity.data.findings import NO_EVIDENCE, Finding, RuleEvidence, Severity
from deepcity.data.panel import Panel
from deepcity.data.timestamps.dst import wall_text

NAMED = 4  # places that a finding names one by one


@dataclass(frozen=True)
class View:
    """One agency's panel, and what its city file states about its records.

    Attributes:
        agency: its name.
        panel: values in each field's unit.
        units_F: the stated unit of each field's records.
        drafted: the city file was drafted, so units and time zone are guesses.
        column_NF: number of the column that holds a field at a place; None: in the panel's order.
        headers_F: by field, place -> header of the column whose values are used unscaled.
    """

    agency: str
    panel: Panel
    units_F: tuple[str, ...]
    drafted: bool = False
    column_NF: Ints | None = None
    headers_F: tuple[Mapping[int, str], ...] = ()

    def values_TN(self, field: int) -> Doubles:
        """One field's values; NaN where not measured."""
        return self.panel.values_TNF[:, :, field].astype(np.float64)

    def when(self, step: int) -> str:
        """A step's start in local time."""
        last = len(self.panel.time_T) - 1
        return wall_text(self.panel.clock.local_seconds(self.panel.time_T[[min(step, last)]])[0])

    def second(self, step: int) -> int:
        """A step's start, UTC seconds; of the step after the last one, the end of records."""
        return int(self.panel.time_T[0]) + step * self.panel.clock.step_s

    def span(self, start: int, stop: int) -> tuple[int, int | None]:
        """When steps [start, stop) begin and end, UTC seconds; None: they go on to the end."""
        return self.second(start), self.second(stop) if stop < len(self.panel.time_T) else None

    def day(self, step: int) -> str:
        """A step's local date."""
        return self.when(step)[:10]

    def places_text(self, places: Sequence[int] | Indices) -> str:
        """The first places by name, and how many more there are."""
        names = [self.panel.places[int(n)].id for n in places]
        if len(names) <= NAMED:
            return ", ".join(names)
        return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more"

    def warn(
        self,
        what: str,
        field: int,
        places: Sequence[int] | Indices,
        text: str,
        day: str = "",
        evidence: RuleEvidence = NO_EVIDENCE,
    ) -> Finding:
        """A warning about a field at some places; if at all places, only the field is named."""
        name = self.panel.fields[field].name
        few = len(places) < len(self.panel.places)
        where = f"{self.places_text(places)} / {name}" if few else name
        shown = tuple(self.panel.places[int(n)].id for n in places)
        how = Severity.WARNING, what, where, len(places), text
        return Finding(*how, (name, shown), day, evidence)


AgencyRule = Callable[[View], Iterable[Finding]]
CityRule = Callable[[Sequence[View]], Iterable[tuple[str, Finding]]]


@cache
def rules() -> dict[str, tuple[AgencyRule | None, CityRule | None]]:
    """Every check (`find_warnings`, `compare`) by the name of its file."""
    modules = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
    return {
        module.__name__.rpartition(".")[2]: (
            getattr(module, "find_warnings", None),
            getattr(module, "compare", None),
        )
        for module in modules
    }


def run_rules(views: Sequence[View]) -> dict[str, list[Finding]]:
    """The findings of all checks, by agency, in the order of the checks' names."""
    found: dict[str, list[Finding]] = {view.agency: [] for view in views}
    for find_warnings, compare in rules().values():
        for view in views if find_warnings is not None else ():
            found[view.agency] += find_warnings(view) if find_warnings is not None else ()
        for agency, finding in compare(views) if compare is not None else ():
            found[agency].append(finding)
    return found
