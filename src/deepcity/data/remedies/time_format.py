"""`format` of times: where day and month could be either way round, or times are numbers.

Every pattern named has read all texts; what one of them means in each is shown.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from deepcity.city.problem import Trial
from deepcity.data.remedies import Remedy


@dataclass(frozen=True)
class UndecidedTimes:
    """Texts that several patterns read, each as other times.

    Attributes:
        patterns: those that read all of them.
        meant: the date that each pattern reads in one of the texts, e.g. ``3 January 2024``.
    """

    patterns: tuple[str, ...]
    meant: tuple[str, ...]


@dataclass(frozen=True)
class NumberTimes:
    """Numbers that lie where those of a named format do.

    Attributes:
        name: the format.
        first_s: seconds since 1970 that the first one then is.
        wall: whether they are times of a wall clock, else of UTC.
    """

    name: str
    first_s: int
    wall: bool


def _patterns(evidence: UndecidedTimes) -> Trial:
    pairs = zip(evidence.patterns, evidence.meant, strict=False)
    choices = [f"'{pattern}' if it is {day}" for pattern, day in pairs]
    return Trial(f"time.format = {' or '.join(choices)}", True, "each reads all of the times")


def _number(evidence: NumberTimes) -> Trial:
    first = datetime.fromtimestamp(evidence.first_s, UTC)
    effect = f"the first is then {first:%Y-%m-%d %H:%M}{'' if evidence.wall else ' UTC'}"
    return Trial(f"time.format = '{evidence.name}'", True, effect)


REMEDIES = (
    Remedy("time-format", UndecidedTimes, _patterns),
    Remedy("time-format-of-numbers", NumberTimes, _number),
)
