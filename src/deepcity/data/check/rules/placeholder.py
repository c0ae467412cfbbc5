"""A number that stands for "not measured": -999, 999.9, 65535, by how it stands in the data.

Such a number repeats exactly. Either it lies far from all real values, or, where it lies among
them, the series jumps there and back again and again, as it does to no other value.

Shapes: T steps, N places, D distinct values in order.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Bools, Doubles
from deepcity.city.field import Kind
from deepcity.data.check.rules import View
from deepcity.data.findings import Finding, RuleEvidence
from deepcity.data.remedies import next_step, trials
from deepcity.data.remedies.codes import MissingCode

MIN_VALUES = 50  # least count of values, and half as many others
MIN_REPEATS = 2  # least count of a number that looks like a marker
MIN_REPEATS_ANY, MIN_EPISODES_ANY = 5, 3  # of any other number: repeats, in so many stretches
MIN_STRETCH_ANY = 20  # or repeats in fewer
MIN_DISTINCT_ANY = 20  # least count of different others beside such a number
MIN_DISTANCE = 3.0  # least distance from all others, in spreads (of 99.8 % of the other values)
MAX_SHARE = 0.6  # largest share of all values
MAX_CODES = 4  # numbers on either side
MIN_JUMPS = 5  # least number of jumps to a number among the others, and back
JUMP = 6.0  # least jump, in large usual changes
USUAL = 0.9  # quantile of changes that is a large usual one
MIN_JUMP_SHARE = 0.8  # of all jumps to and fro: least share of those to this number

NEVER_BELOW_0 = set(Kind) - {Kind.TEMPERATURE, Kind.LEVEL, Kind.PRESSURE}
_NINES = re.compile(r"99+|99+[78]|[1-8]999+")  # 99, 998, 1999.9
_FULL_REGISTERS = {float(2**bits - 1) for bits in (7, 8, 15, 16, 31, 32)}


@dataclass(frozen=True)
class _Code:
    """A number at a place that stands for a missing value."""

    value: float
    count: int
    first: int
    far: bool


def find_warnings(view: View) -> Iterable[Finding]:
    """Numbers that stand for missing values, each with the places that have it."""
    for f in range(len(view.panel.fields)):
        values_TN = view.values_TN(f)
        seen: dict[tuple[float, bool], dict[int, _Code]] = {}
        for n in range(values_TN.shape[1]):
            for code in _codes(values_TN[:, n], view.panel.fields[f].kind):
                seen.setdefault((code.value, code.far), {})[n] = code
        right = _next_steps(values_TN, seen)
        for (value, far), found in seen.items():
            count = sum(code.count for code in found.values())
            first = min(code.first for code in found.values())
            how = "far from all other values" if far else "in jumps there and back"
            text = (
                f"{number_text(value)} occurs {count:,} times, {how} (first {view.when(first)}): "
                f"if it means not measured, {right[value]}"
            )
            evidence = RuleEvidence(view.second(first), value=value)
            yield view.warn("placeholder", f, list(found), text, view.day(first), evidence)


def _codes(values_T: Doubles, kind: Kind) -> Iterator[_Code]:
    known = values_T[np.isfinite(values_T)]
    if len(known) < MIN_VALUES:
        return
    far = _far_codes(known) or (_lone_negative(known) if kind in NEVER_BELOW_0 else [])
    among = _codes_among(values_T, np.isin(values_T, far))
    for value in [*far, *among]:
        at = np.flatnonzero(values_T == value)
        yield _Code(value, len(at), int(at[0]), value in far)


def _far_codes(known: Doubles) -> list[float]:
    """Numbers beyond all others on either side; twice, as one side's spoil the other's spread."""
    high = _beyond(known)
    low = [-value for value in _beyond(-known[~np.isin(known, high)])]
    high = high or _beyond(known[~np.isin(known, low)])
    return [
        value
        for value in (*low, *high)
        if is_marker(value) or _is_frequent(known, value, (*low, *high))
    ]


def _lone_negative(known: Doubles) -> list[float]:
    """The one whole number below 0, where nothing else is."""
    below = np.unique(known[known < 0])
    lone = len(below) == 1 and is_marker(float(below[0]))
    return [float(below[0])] if lone and _is_frequent(known, below[0], below.tolist()) else []


def _beyond(known: Doubles) -> list[float]:
    """Up to MAX_CODES largest numbers that repeat, with a wide gap below the least of them."""
    distinct_D, count_D = np.unique(known, return_counts=True)
    for first in range(max(1, len(distinct_D) - MAX_CODES), len(distinct_D)):
        others = known[known < distinct_D[first]]
        repeats = count_D[first:].min() >= MIN_REPEATS
        few = count_D[first:].sum() <= MAX_SHARE * len(known)
        if not (repeats and few) or len(others) < MIN_VALUES / 2:
            continue
        low, high = np.quantile(others, (0.001, 0.999))
        gap = distinct_D[first] - distinct_D[first - 1]
        if gap > MIN_DISTANCE * max(float(high - low), 1e-9):
            return [float(value) for value in distinct_D[first:]]
    return []


def _is_frequent(known: Doubles, value: float, codes: Sequence[float]) -> bool:
    """Whether a number that looks like any other comes again and again, beside varied others."""
    at = known == value
    episodes = int((np.diff(at.astype(np.int8), prepend=0) == 1).sum())
    others = np.unique(known[~np.isin(known, codes)])
    return (
        int(at.sum()) >= (MIN_REPEATS_ANY if episodes >= MIN_EPISODES_ANY else MIN_STRETCH_ANY)
        and len(others) >= MIN_DISTINCT_ANY
    )


def is_marker(value: float) -> bool:
    """Whether it looks like a missing marker: negative, nines, a full register, or huge.

    Values of panels are float32, so 999.9 comes as 999.9000244.

    >>> [is_marker(v) for v in (-999.0, 999990.0, -1.0, 412.0, 99.99, 1e20)]
    [True, True, True, False, True, True]
    >>> [is_marker(v) for v in (999.9000244140625, 1999.9, 998.0, 65535.0, 98.0, -0.7)]
    [True, True, True, True, False, False]
    """
    digits = number_text(abs(value)).replace(".", "").rstrip("0")
    below = value < 0 and value == round(value)
    return (
        below
        or _NINES.fullmatch(digits) is not None
        or value in _FULL_REGISTERS
        or abs(value) >= 1e9
    )


def number_text(value: float) -> str:
    """The shortest number that is this one in float32.

    >>> number_text(999.9000244140625), number_text(-9999.0), number_text(9.96921e36)
    ('999.9', '-9999', '9.96921e+36')
    """
    single = np.float32(value)
    if abs(value) >= 1e12:
        return str(single)
    return np.format_float_positional(single, unique=True, trim="-")


def _codes_among(values_T: Doubles, far_T: Bools) -> list[float]:
    """Numbers other than 0 within the range of others, to which a series jumps and back."""
    known = np.flatnonzero(np.isfinite(values_T) & ~far_T)
    values = values_T[known]
    starts = np.flatnonzero(np.diff(values, prepend=np.nan) != 0)  # of runs of one value
    run = values[starts]
    if len(run) < MIN_VALUES:
        return []
    before, at, after = run[:-2], run[1:-1], run[2:]
    jump = np.minimum(np.abs(at - before), np.abs(at - after))
    back = ((at - before) * (at - after) > 0) & (np.abs(before - after) < 0.5 * jump)
    found = []
    for value in _often(at[back], jump[back]):
        if value == 0:
            continue  # an empty street at night, a dry hour
        mine = at == value
        usual = _usual_change(run, value)
        jumps = back & (jump > JUMP * usual)
        count = int((jumps & mine).sum())
        if count >= max(MIN_JUMPS, mine.sum() / 10, MIN_JUMP_SHARE * jumps.sum()):
            found.append(value)
    return found


def _often(at: Doubles, jump: Doubles) -> list[float]:
    """The few values at the largest jumps that come MIN_JUMPS times."""
    large = at[jump >= np.quantile(jump, 0.5)] if len(jump) else at
    distinct, count = np.unique(large, return_counts=True)
    order = np.argsort(-count)[:MAX_CODES]
    return [float(distinct[n]) for n in order if count[n] >= MIN_JUMPS]


def _usual_change(run: Doubles, value: float) -> float:
    """A large usual change, but for those from and to a value."""
    pairs = (run[1:] != value) & (run[:-1] != value)
    change = np.abs(np.diff(run))[pairs]
    return float(np.quantile(change, USUAL)) if len(change) >= MIN_VALUES / 2 else np.inf


def _next_steps(
    values_TN: Doubles, seen: dict[tuple[float, bool], dict[int, _Code]]
) -> dict[float, str]:
    """By number: the setting that masks it and no other value."""
    codes = tuple({value for value, _ in seen})
    is_code_TN = np.zeros(values_TN.shape, dtype=bool)
    for (value, _), found in seen.items():
        for n in found:
            is_code_TN[:, n] |= values_TN[:, n] == value
    flat, is_code = values_TN.ravel(), is_code_TN.ravel()
    return {
        value: next_step(
            trials(MissingCode(value, number_text(value), codes, flat, is_code)),
            "leave these rows out",
        )
        for value in codes
    }
