"""A party's records checked against its forecaster bundle: what is new, and what does not fit.

Shapes: T steps, N places.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from deepcity.city.arrays import Floats
from deepcity.city.errors import RefineError
from deepcity.city.problem import Problem
from deepcity.data.city_file import CityFile, load_panel
from deepcity.data.panel import Panel, measured_end
from deepcity.maps.city_map import Member, Service
from deepcity.parties.party import select_span
from deepcity.runs.update.forecaster_bundle import MODEL, BundleIdentity, ForecasterBundle
from deepcity.runs.update.refine_spans import BundlePosition, RefineSpans, refine_spans

RUN_ANEW = "or run the map again into another folder"


@dataclass(frozen=True, eq=False)
class PartyRecords:
    """A party's records, as far as its forecaster bundle can use them.

    Attributes:
        member, panel: the party and its records.
        values_TN: of the field it forecasts.
        bundle: its forecaster bundle.
        known: the bundle's time spans in steps of the panel.
        new_places: places added since the run; they are left out.
    """

    member: Member
    panel: Panel
    values_TN: Floats
    bundle: ForecasterBundle
    known: BundlePosition
    new_places: tuple[str, ...] = ()

    def step(self, second: int) -> int:
        """The step that begins at a time, UTC seconds."""
        return (second - int(self.panel.time_T[0])) // self.panel.clock.step_s

    def second(self, step: int) -> int:
        """Start of a step, UTC seconds."""
        return int(self.panel.time_T[0]) + step * self.panel.clock.step_s


def load_records(
    service: Service,
    member: Member,
    bundle: ForecasterBundle,
    load: Callable[[CityFile, str], Panel] | None = None,
) -> PartyRecords:
    """Read a party's records and check them against its forecaster bundle.

    Args:
        load: an agency's records; None: as the city file's sources have them.

    Raises:
        DataError: with the problems of the records.
        RefineError: with every reason why the bundle does not fit them.
    """
    panel = (load or load_panel)(member.city_file, member.agency.name)
    panel = select_span(panel, service.settings.span.model_copy(update={"end": None}))
    panel, new_places = in_learned_order(panel, bundle.identity.places)
    problems = identity_problems(bundle.identity, _identity(service, member, panel))
    problems += clock_problems(member.name, panel, bundle)
    if problems:
        raise RefineError(problems)
    values_TN = panel.values_TNF[:, :, panel.field_index(member.field)]
    rows = PartyRecords(member, panel, values_TN, bundle, BundlePosition(0, 0, 0, 0, 1, 1))
    times, window = bundle.times, bundle.identity.window
    known = BundlePosition(
        aside_to=rows.step(times.aside_to),
        learned_to=rows.step(times.learned_to),
        seen_to=rows.step(times.seen_to),
        end=measured_end(values_TN),
        horizon=window.horizon,
        day=panel.clock.steps_per_day,
    )
    if known.end < known.seen_to:
        raise RefineError([_rows_missing(rows, known)])
    return replace(rows, known=known, new_places=new_places)


def in_learned_order(panel: Panel, places: tuple[str, ...]) -> tuple[Panel, tuple[str, ...]]:
    """The panel of the places trained on, in their order, and the names of new places.

    If one of the old places is missing, the panel is returned unchanged.
    """
    index = {place.id: number for number, place in enumerate(panel.places)}
    new = tuple(name for name in index if name not in places)
    if tuple(index) == places or not set(places) <= set(index):
        return panel, ()
    order = [index[name] for name in places]
    graph = panel.adjacency_NN
    return replace(
        panel,
        places=tuple(panel.places[number] for number in order),
        values_TNF=panel.values_TNF[:, order],
        adjacency_NN=None if graph is None else graph[np.ix_(order, order)],
    ), new


def spans_of(rows: PartyRecords) -> RefineSpans | None:
    """The spans to train and validate on; None if no rows are new.

    Raises:
        RefineError: if the new rows are too few for that.
    """
    found = refine_spans(rows.member.name, rows.known)
    if isinstance(found, Problem):
        raise RefineError([found])
    if found is not None:
        fresh = rows.values_TN[found.fresh.start : found.fresh.end]
        if not np.isfinite(fresh).any():
            reason = "no value is measured in them"
            right = "fill the gap, or update again when more rows have come"
            problem = Problem(rows.member.name, "fresh steps", len(fresh), reason, right)
            raise RefineError([problem])
    return found


def _identity(service: Service, member: Member, panel: Panel) -> BundleIdentity:
    return BundleIdentity(
        model=MODEL,
        service=service.settings.name,
        party=member.name,
        field=member.field,
        unit=panel.fields[panel.field_index(member.field)].unit,
        step_s=panel.clock.step_s,
        places=tuple(place.id for place in panel.places),
        window=service.settings.window_of(member.name),
    )


def identity_problems(was: BundleIdentity, now: BundleIdentity) -> list[Problem]:
    """Every difference between a party and what its networks were trained on."""
    found = []
    for key in BundleIdentity.model_fields:
        before, after = getattr(was, key), getattr(now, key)
        if before == after:
            continue
        if key == "model":
            reason = f"its forecaster bundle is of model {before}, this deepcity has model {after}"
            right = f"update with the version that wrote it, {RUN_ANEW}"
            found.append(Problem(now.party, key, after, reason, right))
        elif key == "window":
            found += _window_differences(was, now)
        else:
            reason = f"its networks were trained with {_short(before)}"
            right = f"restore that, {RUN_ANEW}"
            found.append(Problem(now.party, key, _short(after), reason, right))
    return found


def _window_differences(was: BundleIdentity, now: BundleIdentity) -> list[Problem]:
    before, after = was.window.model_dump(mode="json"), now.window.model_dump(mode="json")
    return [
        Problem(
            now.party,
            f"window.{key}",
            after[key],
            f"its networks were trained with {before[key]}, which fixes their shapes",
            f"restore that, {RUN_ANEW}",
        )
        for key in before
        if before[key] != after[key]
    ]


def _short(value: object) -> object:
    """A list as its length and first names."""
    if not isinstance(value, tuple):
        return value
    return f"{len(value)} places: {', '.join(value[:3])}{' ...' if len(value) > 3 else ''}"


def clock_problems(party: str, panel: Panel, bundle: ForecasterBundle) -> list[Problem]:
    """Records that begin too late, or whose steps are shifted."""
    right = f"restore the old rows of the source and its clock settings, {RUN_ANEW}"
    if not len(panel.time_T):
        return [Problem(party, "records", None, "no row lies in the map's span", right)]
    first, since = int(panel.time_T[0]), bundle.times.train_from
    if first > since:
        reason = f"its training began at {moment(since)}, and an update needs these rows too"
        return [Problem(party, "first step", moment(first), reason, right)]
    if (since - first) % panel.clock.step_s and panel.clock.step_s == bundle.identity.step_s:
        reason = f"steps are shifted: in training one began at {moment(since)}"
        return [Problem(party, "first step", moment(first), reason, right)]
    return []


def _rows_missing(rows: PartyRecords, known: BundlePosition) -> Problem:
    return Problem(
        rows.member.name,
        "end of the records",
        moment(rows.second(known.end)),
        f"at the last update they ended at {moment(rows.bundle.times.seen_to)}: rows are missing, "
        f"or times are shifted",
        "restore the rows, or correct the time settings of their source",
    )


def moment(second: int) -> str:
    """A time as text.

    >>> moment(1_614_556_800)
    '2021-03-01 00:00 UTC'
    """
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%d %H:%M} UTC"
