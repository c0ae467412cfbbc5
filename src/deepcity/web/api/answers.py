"""A live application's answers in JSON or as an Arrow stream.

Shapes: N places, H horizon steps.
"""

import json
from typing import Any

import numpy as np
from fastapi import Response

from deepcity.learning.split.fused_package import FusedFacts
from deepcity.live.application import AgencyState, AgencyStatus, LiveForecast
from deepcity.live.arrow import ARROW, to_arrow
from deepcity.live.decisions import LiveDecision
from deepcity.store.deep_data.batch import moment
from deepcity.web.api import models
from deepcity.web.report.notes import note

LATE = "Deepcity-Late"
"""Header of an Arrow answer: agencies whose deep data are late or missing."""


def agency_now(state: AgencyState) -> dict[str, Any]:
    """As `models.AgencyNow` describes it."""
    newest = None if state.newest is None else moment(state.newest)
    found = {**vars(state), "status": state.status.value, "newest": newest, "doubt": None}
    if state.doubt is not None:
        numbers = dict(state.doubt.numbers)
        found |= {"note": note(state.doubt).en, "doubt": {"code": state.doubt.code} | numbers}
    return found


def forecast_json(facts: FusedFacts, found: LiveForecast, chosen: list[int]) -> Response:
    """As `models.Forecast` describes it; some of the places."""
    numbers = [
        np.round(part[chosen].astype(float), 4).tolist()
        for part in (found.value_NH, found.low_NH, found.high_NH)
    ]
    used = [one.name for one in found.agencies if one.status is AgencyStatus.FRESH]
    body = {
        "at": moment(found.at),
        "service": facts.service,
        "field": facts.field,
        "unit": facts.unit,
        "step_s": facts.step_s,
        "band": facts.band,
        "newest_own_row": moment(found.newest_own_row),
        "own_lag_s": found.own_lag_s,
        "used": used,
        "late": _late(found),
        "agencies": [agency_now(state) for state in found.agencies],
        "times": [moment(int(time)) for time in found.time_H],
        "places": [
            {"place": found.places[place], "value": value, "low": low, "high": high}
            for place, value, low, high in zip(chosen, *numbers, strict=True)
        ],
    }
    return Response(json.dumps(body, ensure_ascii=False), media_type="application/json")


def forecast_arrow(found: LiveForecast, chosen: list[int]) -> Response:
    """Columns place, time, value, low, high; a row a place and step."""
    steps = len(found.time_H)
    columns = {
        "place": np.repeat(np.array([found.places[place] for place in chosen], np.str_), steps),
        "time": np.tile(found.time_H, len(chosen)),
        "value": found.value_NH[chosen].reshape(-1),
        "low": found.low_NH[chosen].reshape(-1),
        "high": found.high_NH[chosen].reshape(-1),
    }
    headers = {LATE: ",".join(_late(found))}
    return Response(to_arrow(columns), media_type=ARROW, headers=headers)


def decision_answer(facts: FusedFacts, found: LiveDecision) -> models.DecisionAnswer:
    """A decision and what it rests on."""
    made, forecast = found.decision, found.forecast
    return models.DecisionAnswer(
        at=moment(forecast.at),
        service=facts.service,
        application=facts.application,
        task=found.task.value,
        unit=facts.unit,
        actions=[
            models.ActionNow(**{**vars(one), "at": moment(one.at_s), "numbers": dict(one.numbers)})
            for one in made.actions
        ],
        reasons=[
            models.ReasonNow(code=one.code, numbers=dict(one.numbers), place=one.place)
            for one in made.reasons
        ],
        certainty=made.certainty,
        valid_until=moment(made.valid_until_s),
        confirm=made.confirm.value,
        errors=found.errors,
        own_lag_s=forecast.own_lag_s,
        used=[one.name for one in forecast.agencies if one.status is AgencyStatus.FRESH],
        late=_late(forecast),
    )


def _late(found: LiveForecast) -> list[str]:
    return [one.name for one in found.agencies if one.status is not AgencyStatus.FRESH]
