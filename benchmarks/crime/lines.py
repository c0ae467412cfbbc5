"""Every line of the tables: constants, naive forecasts and ours, plain and given an offence.

Shapes: B days, N cells.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.crime.forecasts import Days
from benchmarks.crime.given import FORMS
from benchmarks.crime.protocol import (
    KINDS,
    OVERALL,
    Errors,
    Forecasts,
    errors,
    party_name,
    together,
    validation_mae,
)
from benchmarks.crime.tensors import Compared
from deepcity.city.arrays import Floats

Line = Mapping[str, Forecasts]  # by party
Form = Callable[[Floats], Floats]
NAMES = {
    "alone": "deepcity, alone",
    "joined": "deepcity, joined (automatic)",
    "pooled": "all raw rows pooled, then tuned (forbidden)",
}
GIVEN = ", given an offence"


@dataclass(frozen=True)
class Measured:
    """All that the tables are made of.

    Attributes:
        plain, rates: seed -> line -> party -> forecasts, by the chosen loss and by squared error.
        by_share: validation error of learning alone, by share of absolute error in the loss.
        tensors: our counts beside the published ones, if they were compared.
    """

    days: Days
    plain: Mapping[int, Mapping[str, Line]]
    rates: Mapping[int, Mapping[str, Line]]
    by_share: Mapping[float, float]
    tensors: Sequence[Compared]


def chosen_form(found: Measured) -> str:
    """The form of least validation error, by name."""
    found_errors = by_form(found)
    return min(found_errors, key=lambda form: found_errors[form])


def by_form(found: Measured) -> dict[str, float]:
    """Validation error of learning alone given an offence, by form, mean over seeds."""
    return {
        name: float(
            np.mean(
                [
                    validation_mae(_given(lines["alone"], form), found.days.truth)
                    for lines in found.rates.values()
                ]
            )
        )
        for name, form in FORMS.items()
    }


def _given(line: Line, form: Form) -> Line:
    return {
        party: Forecasts(form(of_party.validation), form(of_party.test))
        for party, of_party in line.items()
    }


def lines_of(found: Measured, form: Form) -> dict[str, list[Line]]:
    """Every line of the tables, once a seed, in their order."""
    naive = found.days.naive
    lines = {
        "the constant 1": [_constant(found.days.truth, lambda _truth: 1.0)],
        "the best constant of the validation days": [_constant(found.days.truth, _best)],
        "same day last week": [naive["last week"]],
        "typical day": [naive["typical day"]],
        "the cell's median of days with an offence": [naive["cell"]],
    }
    for line, name in NAMES.items():
        lines[name] = [of_seed[line] for of_seed in found.plain.values()]
    lines[f"typical day{GIVEN}"] = [_given(naive["typical day"], form)]
    for line, name in NAMES.items():
        lines[name + GIVEN] = [_given(of_seed[line], form) for of_seed in found.rates.values()]
    return lines


def _constant(truth: Line, choose: Callable[[Forecasts], float]) -> Line:
    return {
        party: replace(of_party, test=np.full_like(of_party.test, choose(of_party)))
        for party, of_party in truth.items()
    }


def _best(truth: Forecasts) -> float:
    """The constant of least absolute error over validation days with an offence."""
    return float(np.median(truth.validation[truth.validation > 0]))


def errors_of(line: Line, truth: Line, city: str) -> dict[str, Errors]:
    """Test errors by kind, and of all kinds."""
    found = {
        kind: errors(line[party_name(city, kind)].test, truth[party_name(city, kind)].test)
        for kind in KINDS[city]
    }
    return {**found, OVERALL: together(found.values())}
