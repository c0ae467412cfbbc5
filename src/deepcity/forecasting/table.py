"""Forecasts of several parties as one table, with the reasons where there are none.

Shapes: B origins, N places, H horizon steps; R = B * N * H rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepcity.city.arrays import Floats, Ints
from deepcity.data.table_files import Categories, Moments, joined, table_of
from deepcity.forecasting.forecasts import Forecasts
from deepcity.forecasting.gaps import Gap

KEYS = ("service", "party", "origin_utc")
"""Columns that tell one forecast of a party from another."""


@dataclass(frozen=True, eq=False)
class PartyForecasts:
    """One party's forecasts, or why it has none.

    Attributes:
        forecasts: None where the whole party failed, for the reason in `gap`.
        note: on how it was made, such as an agency that is missing; empty: nothing to say.
    """

    service: str
    party: str
    forecasts: Forecasts | None
    gap: Gap | None = None
    note: str = ""


def forecast_table(parties: Sequence[PartyForecasts]) -> Any:  # noqa: ANN401 - of polars
    """A row a party, place and step, with `reason` and `note` where there is no forecast; a party
    that failed altogether has one row.
    """
    return joined([_table(one, {}) for one in parties])


def backtest_table(parties: Sequence[PartyForecasts]) -> Any:  # noqa: ANN401 - of polars
    """A row a party, origin, place and step, with `truth` and `alone`."""
    found = []
    for one in parties:
        if one.forecasts is not None:
            nothing = np.full_like(one.forecasts.forecast_BNH, np.nan)
            alone = one.forecasts.alone_BNH
            more = {"truth": one.forecasts.truth_BNH, "alone": nothing if alone is None else alone}
            found.append(_table(one, more).drop("reason", "note"))
    return joined(found)


def _table(one: PartyForecasts, more: Mapping[str, Floats]) -> Any:  # noqa: ANN401 - of polars
    if one.forecasts is None:
        assert one.gap is not None
        return _failed(one, one.gap)
    found = one.forecasts
    shape = found.forecast_BNH.shape
    rows = found.forecast_BNH.size

    def spread(values: Ints, *axes: int) -> Ints:
        """Values along some axes of (B, N, H), repeated over the others, (R,)."""
        return np.broadcast_to(np.expand_dims(values, axes), shape).reshape(-1)

    origin_R, time_R = spread(found.origin_B, 1, 2), spread(found.time_BH, 1)
    place_R = spread(np.arange(shape[1]), 0, 2)
    low_BNH, high_BNH = found.band
    reasons, notes = [""], [one.note]
    code_N = np.zeros(shape[1], np.int64)
    index = {place: number for number, place in enumerate(found.places)}
    for place, gap in found.gaps.items():
        code_N[index[place]] = len(reasons)
        reasons.append(gap.code)
        notes.append(gap.sentence)
    code_R, zero_R = code_N[place_R], np.zeros(rows, np.int64)
    zone = found.clock.time_zone
    return table_of(
        {
            "service": Categories(zero_R, [one.service]),
            "party": Categories(zero_R, [one.party]),
            "place": Categories(place_R, found.places),
            "origin": Moments(origin_R, zone),
            "time": Moments(time_R, zone),
            "origin_utc": Moments(origin_R),
            "time_utc": Moments(time_R),
            "forecast": found.forecast_BNH.reshape(-1),
            "low": low_BNH.reshape(-1),
            "high": high_BNH.reshape(-1),
            **{name: values.reshape(-1) for name, values in more.items()},
            "unit": Categories(zero_R, [found.unit]),
            "reason": Categories(code_R, reasons),
            "note": Categories(code_R, notes),
        }
    )


def _failed(one: PartyForecasts, gap: Gap) -> Any:  # noqa: ANN401 - of polars
    zero_R, nothing_R = np.zeros(1, np.int64), np.full(1, np.nan, np.float32)
    texts = dict.fromkeys(("place", "origin", "time", "unit"), Categories(zero_R, [""]))
    table = table_of(
        {
            "service": Categories(zero_R, [one.service]),
            "party": Categories(zero_R, [one.party]),
            **{name: texts[name] for name in ("place", "origin", "time")},
            "origin_utc": Moments(zero_R),
            "time_utc": Moments(zero_R),
            **dict.fromkeys(("forecast", "low", "high"), nothing_R),
            "unit": texts["unit"],
            "reason": Categories(zero_R, [gap.code]),
            "note": Categories(zero_R, [" ".join(gap.sentence.split())]),
        }
    )
    later = {name: table[name].shift(1) for name in ("origin_utc", "time_utc")}  # the row: null
    return table.with_columns(**later)
