"""A total among the parts: a place, or a field, that is the sum of all the others.

It would be forecast as a place of its own, and every sum over places would count all twice.

Shapes: T steps, N places, F fields.
"""

from collections.abc import Iterable

import numpy as np

from deepcity.city.arrays import Doubles
from deepcity.city.field import Resample
from deepcity.data.check.rules import View
from deepcity.data.findings import Finding

LEAST_STEPS = 48
MOST_PLACES = 5000  # of which any may be the total; more are columns of a grid
SHARE = 0.98  # of the steps in which it is the sum
_TOLERANCE = 1e-4  # panels are float32


def find_warnings(view: View) -> Iterable[Finding]:
    """A place that equals the sum of the others, and a field that does, of additive kinds."""
    additive = [
        f for f, field in enumerate(view.panel.fields) if field.kind.resample is Resample.SUM
    ]
    for field in additive:
        place = _total(view.values_TN(field)) if len(view.panel.places) <= MOST_PLACES else None
        if place is not None:
            text = (
                "equals the sum of all other places: a total counted as a place. Leave it out: "
                "list the others in places, or remove the column or its rows"
            )
            yield view.warn("total", field, [place], text)
    units = {view.panel.fields[field].unit for field in additive}
    if len(additive) > 2 and len(units) == 1:
        sums_TF = np.stack([_sum(view.values_TN(field)) for field in additive], axis=1)
        found = _total(sums_TF)
        if found is not None:
            text = "equals the sum of the agency's other fields: leave it out, or leave them out"
            yield view.warn("total", additive[found], range(len(view.panel.places)), text)


def _sum(values_TN: Doubles) -> Doubles:
    """The sum of all places; NaN where one is missing."""
    sums_T: Doubles = values_TN.sum(axis=1)
    return sums_T


def _total(values_TK: Doubles) -> int | None:
    """Which of at least three series is the sum of the others; None: none is.

    Only complete steps are looked at, in which at least two of the others are not 0.
    """
    if values_TK.shape[1] < 3:
        return None
    rows_TK = values_TK[~np.isnan(values_TK).any(axis=1)]
    largest = int(rows_TK.sum(axis=0).argmax()) if len(rows_TK) else 0
    others_TK = np.delete(rows_TK, largest, axis=1)
    filled_T = (others_TK != 0).sum(axis=1) >= 2
    if filled_T.sum() < LEAST_STEPS:
        return None
    sums_T, total_T = others_TK.sum(axis=1)[filled_T], rows_TK[filled_T, largest]
    equal_T = np.abs(sums_T - total_T) <= _TOLERANCE * np.maximum(np.abs(total_T), 1)
    return largest if equal_T.mean() >= SHARE else None
