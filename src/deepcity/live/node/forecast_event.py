"""A forecast as an event, and back.

Shapes: N places, H horizon steps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Floats, Ints
from deepcity.forecasting.forecasts import Forecasts
from deepcity.forecasting.gaps import Gap
from deepcity.forecasting.table import PartyForecasts
from deepcity.learning.evaluation.bands import band
from deepcity.live.agency_inputs import AgencyState
from deepcity.live.node.deep_source import agency_evidence
from deepcity.store.blob import pack, unpack
from deepcity.store.events.event import Event, EventDraft, EventKind


@dataclass(frozen=True, eq=False)
class StoredForecast:
    """A party's forecast at one step.

    Attributes:
        seq: of its event.
        made_s: when it was made, by the city's time, UTC seconds.
        origin_s: start of its first step.
        newest_s: the end of the newest row that it knew.
        step_s: seconds a step.
        unit: of the field forecast.
        places: ids of the N places.
        value_NH, low_NH, high_NH: in the unit; NaN where there is no forecast.
        gaps: place -> why it has no forecast.
        note: on how it was made; empty: nothing to say.
    """

    seq: int
    made_s: int
    service: str
    party: str
    origin_s: int
    newest_s: int
    step_s: int
    unit: str
    places: tuple[str, ...]
    value_NH: Floats
    low_NH: Floats
    high_NH: Floats
    gaps: Mapping[str, Gap]
    note: str

    @property
    def time_H(self) -> Ints:
        """Start of each step, UTC seconds."""
        return np.arange(self.value_NH.shape[1], dtype=np.int64) * self.step_s + self.origin_s

    @property
    def until_s(self) -> int:
        """The end of its last step."""
        return self.origin_s + int(self.value_NH.shape[1]) * self.step_s


def forecast_key(service: str, party: str, origin_s: int, newest_s: int, deep_key: str = "") -> str:
    """One forecast a step; another one only if later rows or deep data were known by then."""
    key = f"forecast/{service}/{party}/{origin_s}/{newest_s}"
    return f"{key}/{deep_key}" if deep_key else key


def forecast_event(
    found: PartyForecasts,
    now_s: int,
    origin_s: int,
    newest_s: int,
    deep_key: str = "",
    agencies: Sequence[AgencyState] = (),
) -> EventDraft:
    """The event of a party's forecast, or of why it has none.

    Args:
        found: of one origin.
        deep_key: names the received deep data.
        agencies: whose deep data it looked at.
    """
    key = forecast_key(found.service, found.party, origin_s, newest_s, deep_key)
    body: dict[str, object] = {"origin_s": origin_s, "newest_s": newest_s, "note": found.note}
    if agencies:
        body["agencies"] = [agency_evidence(one) for one in agencies]
    data = b""
    if found.forecasts is None:
        assert found.gap is not None
        body["gap"] = _gap_values(found.gap)
    else:
        body |= _facts(found.forecasts)
        one = found.forecasts
        data = pack({"forecast": {"value": one.forecast_BNH[0], "half": one.half_BNH[0]}}, {})
    return EventDraft(
        EventKind.FORECAST, key, now_s, found.service, found.party, body=body, data=data
    )


def stored_forecast(event: Event) -> StoredForecast | None:
    """The forecast that an event keeps; None if it says why there is none."""
    if not event.data:
        return None
    arrays, body = unpack(event.data)[0]["forecast"], event.body
    floor = float("-inf") if body["floor"] is None else float(body["floor"])
    low_NH, high_NH = band(arrays["value"], arrays["half"], floor)
    return StoredForecast(
        seq=event.seq,
        made_s=event.at_s,
        service=event.service,
        party=event.party,
        origin_s=int(body["origin_s"]),
        newest_s=int(body["newest_s"]),
        step_s=int(body["step_s"]),
        unit=str(body["unit"]),
        places=tuple(body["places"]),
        value_NH=arrays["value"],
        low_NH=low_NH,
        high_NH=high_NH,
        gaps={place: gap_from(values) for place, values in body["gaps"].items()},
        note=str(body["note"]),
    )


def gap_from(values: Mapping[str, object]) -> Gap:
    """A gap from an event's body."""
    numbers = values["numbers"]
    assert isinstance(numbers, dict)
    return Gap(str(values["code"]), tuple(numbers.items()), str(values["detail"]))


def _facts(found: Forecasts) -> dict[str, object]:
    floor = float(found.floor)
    return {
        "step_s": found.clock.step_s,
        "field": found.field,
        "unit": found.unit,
        "places": list(found.places),
        "floor": floor if np.isfinite(floor) else None,
        "gaps": {place: _gap_values(gap) for place, gap in found.gaps.items()},
    }


def _gap_values(gap: Gap) -> dict[str, object]:
    return {"code": gap.code, "numbers": dict(gap.numbers), "detail": gap.detail}
