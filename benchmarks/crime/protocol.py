"""What ST-HSL's code counts: errors of cells and days with at least one offence alone.

Li, Huang, Xia, Xu and Pei, "Spatial-Temporal Hypergraph Self-Supervised Learning for Crime
Prediction", ICDE 2022 (arXiv:2204.08587); its evaluation masks by `label > 0`
(github LZH-YS1998/STHSL, engine.py and utils.py). Cells and days without an offence, seven of
eight in New York, have no part in it: whoever forecasts offences there pays nothing.

Shapes: B days, N cells.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np

from deepcity.city.arrays import Floats

OVERALL = "overall"
CITIES = {"new-york": "New York", "chicago": "Chicago"}
KINDS: Mapping[str, tuple[str, ...]] = {
    "new-york": ("burglary", "larceny", "robbery", "assault"),
    "chicago": ("theft", "battery", "assault", "damage"),
}
"""In the order of the published tensors."""
PUBLISHED: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "new-york": {
        "burglary": (0.7329, 0.4788),
        "larceny": (1.0316, 0.5040),
        "robbery": (0.7912, 0.4595),
        "assault": (0.8484, 0.5029),
    },
}
"""MAE and MAPE of ST-HSL as its author repeats them from the paper in
github.com/LZH-YS1998/STHSL/issues/1 (2023-11-23). Chicago's are not there."""


@dataclass(frozen=True)
class Forecasts:
    """One party's forecasts or truths of the validation and test days, (B, N), in offences."""

    validation: Floats
    test: Floats


@dataclass(frozen=True)
class Errors:
    """Sums of one kind's errors, which add up to those of several.

    Attributes:
        absolute, share: over cells and days with an offence: absolute errors, and absolute
            errors as shares of the truth.
        counted: cells and days with an offence.
        absolute_all, squared_all, all: the same over all cells and days.
    """

    absolute: float
    share: float
    counted: int
    absolute_all: float
    squared_all: float
    all: int

    @property
    def mae(self) -> float:
        """Mean absolute error where there was an offence."""
        return self.absolute / self.counted

    @property
    def mape(self) -> float:
        """Mean absolute error as a share of the truth, where there was an offence."""
        return self.share / self.counted

    @property
    def mae_all(self) -> float:
        """Mean absolute error over all cells and days."""
        return self.absolute_all / self.all

    @property
    def rmse_all(self) -> float:
        """Root mean squared error over all cells and days."""
        return sqrt(self.squared_all / self.all)


def errors(forecast_BN: Floats, truth_BN: Floats) -> Errors:
    """One kind's errors; truths are counts, all known."""
    error = np.abs(forecast_BN.astype(np.float64) - truth_BN)
    some = truth_BN > 0
    return Errors(
        absolute=float(error[some].sum()),
        share=float((error[some] / truth_BN[some]).sum()),
        counted=int(some.sum()),
        absolute_all=float(error.sum()),
        squared_all=float((error**2).sum()),
        all=error.size,
    )


def together(parts: Iterable[Errors]) -> Errors:
    """Errors over all kinds: every cell, day and kind counts once, as in ST-HSL's code."""
    rows = [(e.absolute, e.share, e.counted, e.absolute_all, e.squared_all, e.all) for e in parts]
    return Errors(*map(sum, zip(*rows, strict=True)))


def party_name(city: str, kind: str) -> str:
    """How the map names a city's kind of offence."""
    return f"{city}/police:{kind}"


def validation_mae(forecasts: Mapping[str, Forecasts], truth: Mapping[str, Forecasts]) -> float:
    """What choices are made by: MAE of validation cells and days with an offence, all kinds."""
    return together(errors(forecasts[p].validation, truth[p].validation) for p in truth).mae
