"""Finds the time at which the rows of a source begin to come in another step.

Shapes: R rows of a block.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcity.city.arrays import Ints
from deepcity.city.clock import DAY_S

Rows = NDArray[np.void]
"""Rows with the fields `time` and `place`."""
LEAST_DAYS = 3  # on each side of a change
MOST_OTHERS = 0.1  # share of the days on which another step prevails
_GAP_BITS = 36


@dataclass(frozen=True)
class Steps:
    """The steps of a source.

    Attributes:
        main_s: the most frequent step.
        before_s, after_s: the steps before and after a change; the main step without one.
        change_s: time of the first row that is followed by one after the new step, or None.
    """

    main_s: int
    before_s: int
    after_s: int
    change_s: int | None = None


def find_steps(blocks: Iterable[Rows], span: tuple[int, int]) -> Steps:
    """The most frequent time between two rows of a place, and a change of it.

    Args:
        blocks: rows in consecutive blocks of time.
        span: their first and last time.
    """
    counts: Counter[int] = Counter()
    days: dict[int, Counter[int]] = defaultdict(Counter)
    first: dict[tuple[int, int], int] = {}
    for rows in blocks:
        for day, gap, count, at_s in _gaps_by_day(rows):
            counts[gap] += count
            days[day][gap] += count
            first.setdefault((day, gap), at_s)
    if not counts:  # no block has two rows
        step_s = span[1] - span[0]
        return Steps(step_s, step_s, step_s)
    main_s = max(counts, key=lambda gap: (counts[gap], -gap))
    found = _change({day: gaps.most_common(1)[0][0] for day, gaps in sorted(days.items())})
    if found is None:
        return Steps(main_s, main_s, main_s)
    before_s, after_s, last, day = found
    at = [at_s for (n, gap), at_s in first.items() if gap == after_s and last < n <= day]
    return Steps(main_s, before_s, after_s, min(at))


def _change(prevailing: dict[int, int]) -> tuple[int, int, int, int] | None:
    """Step before, step after, last day of the one and first day of the other; or None.

    Each must divide the other, and all days of one must come before all days of the other.
    """
    by_gap: dict[int, list[int]] = defaultdict(list)
    for day, gap in prevailing.items():
        by_gap[gap].append(day)
    (one, *others) = sorted(by_gap, key=lambda gap: -len(by_gap[gap]))
    if not others:
        return None
    before_s, after_s = sorted((one, others[0]), key=lambda gap: by_gap[gap][0])
    before, after = by_gap[before_s], by_gap[after_s]
    rest = len(prevailing) - len(before) - len(after)
    if min(len(before), len(after)) < LEAST_DAYS or rest > MOST_OTHERS * len(prevailing):
        return None
    if before[-1] >= after[0] or max(one, others[0]) % min(one, others[0]):
        return None
    return before_s, after_s, before[-1], after[0]


def _gaps_by_day(rows: Rows) -> Iterator[tuple[int, int, int, int]]:
    """Day, gap, how many there are, and the first row before such a gap."""
    time_S, gaps_S = _gaps(rows)
    order = np.argsort(time_S, kind="stable")
    time_S, gaps_S = time_S[order], gaps_S[order]
    keys, at, counts = np.unique(
        (time_S // DAY_S << _GAP_BITS) + gaps_S, return_index=True, return_counts=True
    )
    for key, index, count in zip(keys.tolist(), at.tolist(), counts.tolist(), strict=True):
        yield key >> _GAP_BITS, key & ((1 << _GAP_BITS) - 1), count, int(time_S[index])


def _gaps(rows: Rows) -> tuple[Ints, Ints]:
    """Times and gaps after them: of each place, or of all where no place has two rows."""
    order = np.lexsort((rows["time"], rows["place"]))
    time_S, place_S = rows["time"][order], rows["place"][order]
    gaps_S = np.diff(time_S)
    own = (np.diff(place_S) == 0) & (gaps_S > 0)
    if own.any():
        return time_S[:-1][own], gaps_S[own]
    times_S: Ints = np.unique(rows["time"])
    return times_S[:-1], np.diff(times_S)
