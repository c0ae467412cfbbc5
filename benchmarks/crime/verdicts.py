"""What the tables say, as sentences with figures."""

from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.crime.lines import GIVEN, NAMES, Line, errors_of
from benchmarks.crime.protocol import CITIES, OVERALL, PUBLISHED, Errors

ByCity = Mapping[str, Mapping[str, Sequence[Mapping[str, Errors]]]]
CELL = "the cell's median of days with an offence"


def verdicts(lines: Mapping[str, list[Line]], truth: Line) -> list[str]:
    """How each line stands to the published figures, to learning alone, and to the naive."""
    found = {
        city: {
            name: [errors_of(line, truth, city) for line in of_seeds]
            for name, of_seeds in lines.items()
        }
        for city in CITIES
    }
    return [*_compare_published(found), *_given(found), *_joining(found), *_network(found)]


def _compare_published(found: ByCity) -> list[str]:
    """In how many kinds each line errs less than the published model."""
    rows = []
    for city, published in PUBLISHED.items():
        parts = []
        for name in (
            "the constant 1",
            CELL,
            "typical day",
            NAMES["alone"],
            NAMES["joined"],
            f"typical day{GIVEN}",
            NAMES["joined"] + GIVEN,
        ):
            each = found[city][name]
            mae = sum(_mean(each, kind, "mae") < published[kind][0] for kind in published)
            mape = sum(_mean(each, kind, "mape") < published[kind][1] for kind in published)
            parts.append(f"{name} {mae} and {mape}")
        rows.append(
            f"- {CITIES[city]}, in how many of {len(published)} kinds each errs less than ST-HSL's "
            f"published figures, by MAE and by MAPE: {'; '.join(parts)}."
        )
    return rows


def _given(found: ByCity) -> list[str]:
    """What forecasting for days with an offence costs on all days."""
    parts = []
    for city, of_city in found.items():
        joined = NAMES["joined"]
        better = _ratio(of_city, joined + GIVEN, joined, "mae")
        worse = _ratio(of_city, joined + GIVEN, joined, "mae_all")
        beside = _ratio(of_city, joined + GIVEN, CELL, "mae")
        parts.append(
            f"{CITIES[city]} {better:.3f} of the plain forecast's published MAE, {worse:.1f} times "
            f"its MAE over all cells and days, {beside:.3f} of the published MAE of the cell's "
            "median"
        )
    return [f"- Joined, given an offence: {'; '.join(parts)}."]


def _joining(found: ByCity) -> list[str]:
    """Joined and pooled as shares of learning alone."""
    parts = []
    for city, of_city in found.items():
        shares = [
            f"{name} {_ratio(of_city, NAMES[line], NAMES['alone'], 'mae'):.3f} by the published "
            f"MAE and {_ratio(of_city, NAMES[line], NAMES['alone'], 'rmse_all'):.3f} by RMSE over "
            "all cells and days"
            for line, name in (("joined", "joined"), ("pooled", "pooled"))
        ]
        parts.append(f"{CITIES[city]} {', '.join(shares)}")
    return [f"- Shares of the error alone, all kinds: {'; '.join(parts)}."]


def _network(found: ByCity) -> list[str]:
    """What the network adds to the typical day, both forecasting days as they come."""
    parts = [
        f"{CITIES[city]} {_ratio(of_city, NAMES['joined'], 'typical day', 'rmse_all'):.3f}"
        for city, of_city in found.items()
    ]
    return [
        "- RMSE over all cells and days, joined, as a share of the typical day's: "
        f"{', '.join(parts)}."
    ]


def _ratio(
    of_city: Mapping[str, Sequence[Mapping[str, Errors]]], name: str, other: str, metric: str
) -> float:
    return _mean(of_city[name], OVERALL, metric) / _mean(of_city[other], OVERALL, metric)


def _mean(by_seed: Sequence[Mapping[str, Errors]], kind: str, metric: str) -> float:
    return float(np.mean([getattr(each[kind], metric) for each in by_seed]))
