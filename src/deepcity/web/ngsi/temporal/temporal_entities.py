"""The past of places' measured values, and the future of their forecasts, over time.

Shapes: S instances.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from deepcity.city.arrays import Doubles, Ints
from deepcity.web.ngsi.entity import Json, moment
from deepcity.web.ngsi.place_entities import (
    ForecastAttribute,
    MeasuredField,
    PlaceGroup,
    measured_number,
    rounded,
)
from deepcity.web.ngsi.problems import NgsiError
from deepcity.web.ngsi.temporal.temporal_query import MOST_INSTANCES, TemporalQuery

_MOST_PERIODS = 10_000


@dataclass(frozen=True, eq=False)
class Evolution:
    """An attribute over time.

    Attributes:
        time_S: starts of steps, UTC seconds, ascending.
        value_S: finite.
        low_S, high_S: band of a forecast; None: measured.
    """

    name: str
    unit: str
    time_S: Ints
    value_S: Doubles
    low_S: Doubles | None = None
    high_S: Doubles | None = None


def evolutions(
    group: PlaceGroup, at: int, asked: TemporalQuery, attributes: tuple[str, ...]
) -> list[Evolution]:
    """A place's attributes over the span asked for; those without a value are left out.

    Args:
        attributes: names; empty: all.
    """
    found = []
    for field in group.fields:
        if not attributes or field.name in attributes:
            found.append(_measured(group, field, at, asked))
    for ahead in group.forecasts:
        if not attributes or ahead.name in attributes:
            found += _forecast(ahead, group.panel.places[at].id, asked)
    return [one for one in found if len(one.time_S)]


def temporal_json(
    group: PlaceGroup, at: int, found: list[Evolution], asked: TemporalQuery, form: str
) -> Json:
    """A place over time: instances, pairs of value and time, or aggregated values.

    Args:
        form: `normalized`, `temporalValues` or `aggregatedValues`.
    """
    attributes: dict[str, Any]
    if form == "aggregatedValues":
        attributes = {one.name: _aggregated(one, asked) for one in found}
    elif form == "temporalValues":
        attributes = {one.name: _pairs(one) for one in found}
    else:
        attributes = {one.name: _instances(one) for one in found}
    return {"id": group.ids[at], "type": group.type, **attributes}


def check_size(instances: int) -> None:
    """Refuse an answer that is too large.

    Raises:
        NgsiError: if it is.
    """
    if instances > MOST_INSTANCES:
        title = f"over {MOST_INSTANCES:,} values"
        right = "ask for a shorter span, lastN, fewer attributes or a smaller limit"
        raise NgsiError(title, right, "TooManyResults")


def _measured(group: PlaceGroup, field: MeasuredField, at: int, asked: TemporalQuery) -> Evolution:
    part = group.panel.between(asked.since_s, asked.until_s)
    raw_T = part.values_TNF[:, at, field.column]
    known = np.flatnonzero(np.isfinite(raw_T))
    known = known if asked.last is None else known[len(known) - min(asked.last, len(known)) :]
    value_S = field.values(raw_T[known], group.panel.clock.step_s)
    return Evolution(field.name, field.code, part.time_T[known], value_S)


def _forecast(ahead: ForecastAttribute, place: str, asked: TemporalQuery) -> list[Evolution]:
    made, row = ahead.found, ahead.row.get(place)
    if row is None:
        return []
    time_H = made.time_H
    known = np.isfinite(made.value_NH[row]) & (time_H >= asked.since_s) & (time_H < asked.until_s)
    index = np.flatnonzero(known)
    index = index if asked.last is None else index[len(index) - min(asked.last, len(index)) :]
    value_S, low_S, high_S = (
        ahead.of.values(one[row, index], made.step_s)
        for one in (made.value_NH, made.low_NH, made.high_NH)
    )
    return [Evolution(ahead.name, ahead.of.code, time_H[index], value_S, low_S, high_S)]


def _instances(one: Evolution) -> list[Json]:
    unit = {"unitCode": one.unit} if one.unit else {}
    found = []
    for number, (time, value) in enumerate(
        zip(one.time_S.tolist(), one.value_S.tolist(), strict=True)
    ):
        made: Json = {
            "type": "Property",
            "value": measured_number(one.name, value),
            "observedAt": moment(time),
            **unit,
        }
        if one.low_S is not None and one.high_S is not None:
            for name, bound in (("low", one.low_S), ("high", one.high_S)):
                made[name] = {"type": "Property", "value": rounded(bound[number]), **unit}
        found.append(made)
    return found


def _pairs(one: Evolution) -> Json:
    pairs = zip(one.value_S.tolist(), one.time_S.tolist(), strict=True)
    values = [[measured_number(one.name, value), moment(time)] for value, time in pairs]
    return {"type": "Property", "values": values}


def _aggregated(one: Evolution, asked: TemporalQuery) -> Json:
    """Each method as a list of [value, start, end] (4.5.19)."""
    time_S = one.time_S
    first = asked.since_s if asked.since_s else int(time_S[0])
    period_s = asked.period_s or max(1, int(time_S[-1]) - first + 1)
    period_S = (time_S - first) // period_s
    periods, start = np.unique(period_S, return_index=True)
    if len(periods) > _MOST_PERIODS:
        title = f"{len(periods):,} periods of one attribute"
        raise NgsiError(title, f"at most {_MOST_PERIODS:,}: ask for longer ones", "TooManyResults")
    parts = np.split(one.value_S, start[1:])
    spans = [
        (moment(first + p * period_s), moment(first + (p + 1) * period_s)) for p in periods.tolist()
    ]
    found: Json = {"type": "Property"}
    for method in asked.methods:
        found[method] = [
            [_value(method, part), *span] for part, span in zip(parts, spans, strict=True)
        ]
    return found


def _value(method: str, part: Doubles) -> Any:  # noqa: ANN401 - int or float
    if method == "totalCount":
        return len(part)
    if method == "distinctCount":
        return len(np.unique(part))
    if method == "sumsq":
        return rounded(float(np.square(part).sum()))
    name = {"avg": "mean", "stddev": "std"}.get(method, method)
    return rounded(float(getattr(part, name)()))
