"""A party's records held against its own package: what is new, and what no longer fits.

Shapes: T steps, N places.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from deepcity.city.arrays import Floats
from deepcity.city.errors import RefineError
from deepcity.city.problem import Problem
from deepcity.data.city_file import load_panel
from deepcity.data.panel import Panel
from deepcity.intercity.city_map import Member, Service
from deepcity.intercity.keeping import measured_end
from deepcity.intercity.new_days import Known, NewDays, new_days
from deepcity.intercity.own_package import MODEL, Identity, OwnPackage
from deepcity.intercity.parties import cut

ANEW = "or run the map anew into another folder"


@dataclass(frozen=True, eq=False)
class Rows:
    """A party's records, as far as its own package can make use of them.

    Attributes:
        new_places: places that have come since the run; they are left out.
    """

    member: Member
    panel: Panel
    values_TN: Floats
    package: OwnPackage
    known: Known
    new_places: tuple[str, ...] = ()

    def step(self, second: int) -> int:
        """The step that begins then."""
        return (second - int(self.panel.time_T[0])) // self.panel.clock.step_s

    def second(self, step: int) -> int:
        """When a step begins, UTC seconds."""
        return int(self.panel.time_T[0]) + step * self.panel.clock.step_s


def rows_of(service: Service, member: Member, package: OwnPackage) -> Rows:
    """Read a party's records and hold them against its own package.

    Raises:
        DataError: with the problems of the records.
        RefineError: with every reason why the package is of no use for them.
    """
    panel = load_panel(member.city_file, member.agency.name)
    panel = cut(panel, service.settings.span.model_copy(update={"end": None}))
    panel, new_places = _as_learned(panel, package.identity.places)
    problems = _differences(package.identity, _identity(service, member, panel))
    problems += _clock_problems(member.name, panel, package)
    if problems:
        raise RefineError(problems)
    values_TN = panel.values_TNF[:, :, panel.field_index(member.field)]
    rows = Rows(member, panel, values_TN, package, Known(0, 0, 0, 0, 1, 1))
    times, window = package.times, package.identity.window
    known = Known(
        aside_to=rows.step(times.aside_to),
        learned_to=rows.step(times.learned_to),
        seen_to=rows.step(times.seen_to),
        end=measured_end(values_TN),
        horizon=window.horizon,
        day=panel.clock.steps_per_day,
    )
    if known.end < known.seen_to:
        raise RefineError([_gone_back(rows, known)])
    return replace(rows, known=known, new_places=new_places)


def _as_learned(panel: Panel, places: tuple[str, ...]) -> tuple[Panel, tuple[str, ...]]:
    """The panel of the places that were learned from, and which others there are.

    Where one of them is gone the panel stays as it is.
    """
    index = {place.id: number for number, place in enumerate(panel.places)}
    new = tuple(name for name in index if name not in places)
    if not new or not set(places) <= set(index):
        return panel, ()
    order = [index[name] for name in places]
    graph = panel.adjacency_NN
    return replace(
        panel,
        places=tuple(panel.places[number] for number in order),
        values_TNF=panel.values_TNF[:, order],
        adjacency_NN=None if graph is None else graph[np.ix_(order, order)],
    ), new


def days_of(rows: Rows) -> NewDays | None:
    """What is new; None where nothing is.

    Raises:
        RefineError: where it is too little to learn from and to be judged by.
    """
    found = new_days(rows.member.name, rows.known)
    if isinstance(found, Problem):
        raise RefineError([found])
    if found is not None:
        fresh = rows.values_TN[found.fresh.start : found.fresh.end]
        if not np.isfinite(fresh).any():
            reason = "none of them is measured, so there is nothing to learn"
            right = "fill the gap, or refine again when more have come"
            problem = Problem(rows.member.name, "fresh steps", len(fresh), reason, right)
            raise RefineError([problem])
    return found


def _identity(service: Service, member: Member, panel: Panel) -> Identity:
    return Identity(
        model=MODEL,
        service=service.settings.name,
        party=member.name,
        field=member.field,
        unit=panel.fields[panel.field_index(member.field)].unit,
        step_s=panel.clock.step_s,
        places=tuple(place.id for place in panel.places),
        window=service.settings.window_of(member.name),
    )


def _differences(was: Identity, now: Identity) -> list[Problem]:
    """Every point in which a party is not what its networks learned."""
    found = []
    for key in Identity.model_fields:
        before, after = getattr(was, key), getattr(now, key)
        if before == after:
            continue
        if key == "model":
            reason = f"its own package is of model {before}, this deepcity has model {after}"
            right = f"refine with the version that wrote it, {ANEW}"
            found.append(Problem(now.party, key, after, reason, right))
        elif key == "window":
            found += _window_differences(was, now)
        else:
            reason = f"its networks learned {_short(before)}"
            right = f"put it back as it was, {ANEW}"
            found.append(Problem(now.party, key, _short(after), reason, right))
    return found


def _window_differences(was: Identity, now: Identity) -> list[Problem]:
    before, after = was.window.model_dump(mode="json"), now.window.model_dump(mode="json")
    return [
        Problem(
            now.party,
            f"window.{key}",
            after[key],
            f"its networks learned {before[key]}, and have the shapes of that",
            f"put it back as it was, {ANEW}",
        )
        for key in before
        if before[key] != after[key]
    ]


def _short(value: object) -> object:
    """A list as its length and first names."""
    if not isinstance(value, tuple):
        return value
    return f"{len(value)} places: {', '.join(value[:3])}{' ...' if len(value) > 3 else ''}"


def _clock_problems(party: str, panel: Panel, package: OwnPackage) -> list[Problem]:
    """Records that begin too late, or off the steps that were learned from."""
    right = f"keep the old rows in the source and its clock as it was, {ANEW}"
    if not len(panel.time_T):
        return [Problem(party, "records", None, "they hold no row of the map's span", right)]
    first, since = int(panel.time_T[0]), package.times.train_from
    if first > since:
        reason = f"its training began at {moment(since)}: refining rehearses old rows too"
        return [Problem(party, "first step", moment(first), reason, right)]
    if (since - first) % panel.clock.step_s and panel.clock.step_s == package.identity.step_s:
        reason = f"steps no longer begin as they did: one began at {moment(since)}"
        return [Problem(party, "first step", moment(first), reason, right)]
    return []


def _gone_back(rows: Rows, known: Known) -> Problem:
    return Problem(
        rows.member.name,
        "end of the records",
        moment(rows.second(known.end)),
        f"they were known until {moment(rows.package.times.seen_to)}: rows are gone, or the "
        f"clock went back",
        "put the rows back, or correct the time settings of their source",
    )


def moment(second: int) -> str:
    """A time as people read it.

    >>> moment(1_614_556_800)
    '2021-03-01 00:00 UTC'
    """
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%d %H:%M} UTC"
