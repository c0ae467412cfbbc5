"""Between which values the numbers of a package lie, as its maker states and signs.

A number outside shows that arrays and manifest do not belong together, though a key that is
trusted signed both. No number of a package lies beyond `MOST`: a network with such weights gives no
finite forecast.
"""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from deepcity.store.blob import Arrays

RANGES = "ranges"
MOST = 1e12
"""Weights are below 100 as a rule; statistics may be in small units, as W or mm."""
Ranges = Mapping[str, Mapping[str, tuple[float, float]]]
"""Group (a layer) -> array -> least and greatest number."""


def ranges_of(arrays: Arrays) -> dict[str, dict[str, list[float]]]:
    """The ranges of all arrays of floats that hold a number."""
    found = {
        group: {name: _range(array) for name, array in members.items() if _has_range(array)}
        for group, members in arrays.items()
    }
    return {group: ranges for group, ranges in found.items() if ranges}


def range_problems(arrays: Arrays, declared: object) -> list[str]:
    """What lies outside its declared range, has none, or is over `MOST`."""
    problems = []
    for group, ranges in ranges_of(arrays).items():
        stated = declared.get(group) if isinstance(declared, Mapping) else None
        for name, (least, most) in ranges.items():
            holds = f"{group}/{name} holds {least:g} to {most:g}"
            known = _range_in(stated.get(name) if isinstance(stated, Mapping) else None)
            if known is None:
                problems.append(f"{group}/{name} has no declared range")
            elif not (known[0] <= least and most <= known[1]):
                span = f"{known[0]:g} to {known[1]:g}"
                problems.append(f"{holds}, outside its declared range of {span}")
            if max(abs(least), abs(most)) > MOST:
                problems.append(f"{holds}; {MOST:g} is the most")
    return problems


def _has_range(array: NDArray[Any]) -> bool:
    return array.dtype.kind == "f" and array.size > 0


def _range(array: NDArray[Any]) -> list[float]:
    return [float(array.min()), float(array.max())]


def _range_in(value: object) -> tuple[float, float] | None:
    """Two numbers of a header; None if it holds something else."""
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        return None
    return None if any(type(one) not in (int, float) for one in value) else (value[0], value[1])
