"""`valid` and `missing` for numbers that stand for "not measured", such as 999.9 and -1.

A range is offered if it leaves all real values in and such a number out; else the number itself,
as it is written, if its real values lie on both sides of it.

Shapes: V values of a field.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from deepcity.city.arrays import Bools, Doubles
from deepcity.city.problem import Trial
from deepcity.data.remedies import Remedy


@dataclass(frozen=True, eq=False)
class MissingCode:
    """A number that stands for "not measured", and all values of its field.

    Attributes:
        value: the number.
        text: how it is written.
        codes: all such numbers of the field.
        values_V: the field's values at all places.
        is_code_V: which of them are such numbers.
    """

    value: float
    text: str
    codes: tuple[float, ...]
    values_V: Doubles
    is_code_V: Bools

    @cached_property
    def real(self) -> tuple[float, float] | None:
        """The least and the largest real value; None where there is none."""
        real = self.values_V[np.isfinite(self.values_V) & ~self.is_code_V]
        return (float(real.min()), float(real.max())) if len(real) else None

    @cached_property
    def bounds(self) -> tuple[float, float]:
        """Round numbers between real values and such numbers on either side."""
        low, high = self.real or (0.0, 0.0)
        below = max((value for value in self.codes if value < low), default=-np.inf)
        above = min((value for value in self.codes if value > high), default=np.inf)
        return bound_below(low, below), bound_above(high, above)

    @cached_property
    def among(self) -> bool:
        """Whether it lies within the range of the real values."""
        return self.real is not None and self.real[0] <= self.value <= self.real[1]


def _valid(evidence: MissingCode) -> Trial | None:
    if evidence.real is None or evidence.among:
        return None
    low, high = evidence.bounds
    change = f"valid = [{low:.10g}, {high:.10g}] on this field"
    outside_V = (evidence.values_V < low) | (evidence.values_V > high)
    lost = int((outside_V & ~evidence.is_code_V).sum())
    if lost:
        return Trial(change, False, f"{lost:,} real values would be masked too")
    if low <= evidence.value <= high:
        return Trial(change, False, f"{evidence.text} lies within")
    return Trial(change, True, f"masks {int(outside_V.sum()):,} values, none of them a real one")


def _missing(evidence: MissingCode) -> Trial | None:
    if not evidence.among:
        return None
    count = int((evidence.values_V == evidence.value).sum())
    change = f'missing = ["{evidence.text}"] in its source, as it is written there'
    return Trial(change, True, f"{count:,} cells; so is a real value of this number")


def bound_above(high: float, code: float) -> float:
    """A round number from the largest real value up, below a code.

    >>> bound_above(52.3, 999.9), bound_above(980.0, 999.0), bound_above(3.2, np.inf)
    (100.0, 990.0, 6.0)
    """
    middle = min((high + code) / 2, high + max(abs(high), 1.0))
    rounded = (float(f"{middle:.{digits}e}") for digits in range(12))
    return next((found for found in rounded if high <= found < code), high)


def bound_below(low: float, code: float) -> float:
    """A round number from the least real value down, above a code; 0 where it lies between.

    >>> bound_below(10.5, -999.0), bound_below(-12.0, -99.0), bound_below(3.0, 1.0)
    (0.0, -20.0, 2.0)
    """
    return 0.0 if code < 0 <= low else -bound_above(-low, -code)


REMEDIES = (
    Remedy("valid", MissingCode, _valid),
    Remedy("missing-number", MissingCode, _missing),
)
