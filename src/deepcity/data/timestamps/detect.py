"""Detects how a column of times is written, from all of its texts.

Where day and month could be either way round, the reading with even steps is taken. If both
readings are even, or neither is, it is not decided: `Readings.pattern` is None.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import polars as pl

from deepcity.city.arrays import Ints
from deepcity.data.config.time_settings import TimeSettings
from deepcity.data.errors import ReadError
from deepcity.data.remedies import next_step, trials
from deepcity.data.remedies.time_format import NumberTimes, UndecidedTimes
from deepcity.data.timestamps.canonical import AM, PM
from deepcity.data.timestamps.formats import NUMBERS, PATTERNS, joined_times, parse_times

EVEN_SHARE = 0.7  # of the gaps between dates that must be of one length
MIN_GAPS = 2
MAX_OFFSETS = 3  # of one place
_FEW, _SAMPLE = 3, 400
_MOST_SIGNS = 300  # of a few texts together; what is longer is no time, and not worth keeping
_HALF_DAY_MARK = re.compile("%p")
_HALF_DAY = re.compile(rf"{AM}|{PM}|(?i:[\d\s][ap]\.?\s?m\.?($|[\s\d]))")
_PLAUSIBLE = {
    "epoch_s": (946_684_800, 4_102_444_800),  # the years 2000 to 2099
    "epoch_ms": (946_684_800_000, 4_102_444_800_000),
    "excel_serial": (36_526, 73_050),
}


@dataclass(frozen=True)
class Readings:
    """What a column of texts can be read as.

    Attributes:
        patterns: those that match most texts, each with other times than the others.
        pattern: the one to take; None if there is none, or if they cannot be told apart.
        example: a text that they read differently, with its readings; empty if there is none.
    """

    patterns: tuple[str, ...] = ()
    pattern: str | None = None
    example: tuple[str, ...] = ()

    @property
    def undecided(self) -> bool:
        """Whether several readings are left."""
        return self.pattern is None and len(self.patterns) > 1

    def explained(self) -> tuple[str, str]:
        """Why it is not decided, and what to state."""
        shown, *meant = self.example
        reason = f"{shown!r} could be {' or '.join(meant)}, and even steps do not show which"
        evidence = UndecidedTimes(self.patterns, tuple(meant))
        return reason, next_step(trials(evidence), "write the year first")


def read_as(texts: pl.Series) -> Readings:
    """What every text of a column can be read as."""
    known = texts.drop_nulls().unique(maintain_order=True)
    return _decided(known, _matching(known)) if len(known) else Readings()


def majority(texts: pl.Series) -> Readings:
    """The pattern that most texts follow, if over half of them do: the others are mistakes."""
    known = texts.drop_nulls().unique(maintain_order=True)
    sample = pl.concat([known.head(_SAMPLE), known.tail(_SAMPLE)]).unique(maintain_order=True)
    likely = dict.fromkeys(pattern for text in sample.to_list() for pattern in _alike(text))
    read = {one: len(sample) - parse_times(sample, one).null_count() for one in likely}
    most = max(read.values(), default=0)
    if 2 * most <= len(sample):
        return Readings()
    return _decided(known, [pattern for pattern in read if read[pattern] == most])


def _matching(known: pl.Series) -> list[str]:
    """Every pattern that matches every text."""
    few = tuple(known.head(_FEW).to_list())
    short = sum(map(len, few)) <= _MOST_SIGNS
    fitting = list((_fitting_few if short else _fitting_few.__wrapped__)(few))
    if len(known) > 2 * _SAMPLE:
        fitting = _fitting(fitting, pl.concat([known.head(_SAMPLE), known.tail(_SAMPLE)]))
    if len(known) > _FEW:
        fitting = _fitting(fitting, known)
    plain = [one for one in fitting if "%#z" not in one]
    if plain and known.str.extract(r"[+-](\d\d:?\d\d)$").n_unique() > MAX_OFFSETS:
        return plain  # 01:00-02:00 is a range of hours
    return fitting


@lru_cache(maxsize=256)  # files of a city, and batches of a file, begin with the same times
def _fitting_few(texts: tuple[str, ...]) -> tuple[str, ...]:
    """The patterns that match a few texts."""
    return tuple(_fitting(_alike(texts[0]), pl.Series(texts)))


def _fitting(patterns: Sequence[str], texts: pl.Series) -> list[str]:
    return [one for one in patterns if parse_times(texts, one).null_count() == 0]


def _alike(text: str) -> list[str]:
    """The patterns with the same marks as a text, and no sign that it lacks: no other is tried."""
    marks, signs = _marks(text, _HALF_DAY), set(text)
    letters = any(map(str.isalpha, signs))
    return [
        pattern
        for pattern, (wanted, needed) in _NEEDED.items()
        if wanted == marks and needed <= signs and (letters or "%b" not in pattern)
    ]


def _marks(text: str, half_day: re.Pattern[str]) -> tuple[bool, ...]:
    return (*(sign in text for sign in ":/년시분초"), half_day.search(text) is not None)


_NEEDED = {
    pattern: (_marks(pattern, _HALF_DAY_MARK), set(pattern.replace("%.f", "")) & set("-.,"))
    for pattern in PATTERNS
}
"""Pattern -> its marks, and the signs without which no text is read by it."""


def _decided(known: pl.Series, patterns: Sequence[str]) -> Readings:
    read: dict[str, pl.Series] = {}
    for pattern in patterns:
        times = parse_times(known, pattern)
        if not any(times.equals(other) for other in read.values()):
            read[pattern] = times
    if len(read) < 2:
        return Readings(tuple(read), next(iter(read), None))
    seconds = {pattern: _seconds(times) for pattern, times in read.items()}
    for even in (_all_even, _dates_even, _sorted_dates_even):
        fitting = [pattern for pattern, time_R in seconds.items() if even(time_R)]
        if len(fitting) == 1:
            return Readings(tuple(read), fitting[0])
        if fitting:
            break
    return Readings(tuple(read), None, _example(known, list(read.values())))


def _example(known: pl.Series, read: Sequence[pl.Series]) -> tuple[str, ...]:
    differ = np.flatnonzero((read[0] != read[1]).fill_null(value=False).to_numpy())
    at = int(differ[0])
    meant = [f"{times[at].day} {times[at]:%B %Y}" for times in read]
    return (str(known[at]), *meant)


def _seconds(times: pl.Series) -> Ints:
    """Distinct times as they come, in seconds since 1970."""
    known = times.drop_nulls().unique(maintain_order=True)
    return known.dt.epoch("s").to_numpy().astype(np.int64)


def _all_even(time_R: Ints) -> bool:
    gaps = np.diff(time_R)
    return len(gaps) >= MIN_GAPS and (_one_length(gaps) == 1.0 or _months(time_R))


def _dates_even(time_R: Ints) -> bool:
    return are_even(_dates(time_R))


def _sorted_dates_even(time_R: Ints) -> bool:
    return _dates_even(np.sort(time_R))


def _dates(time_R: Ints) -> Ints:
    """Distinct days as they come."""
    days, first = np.unique(time_R // 86_400, return_index=True)
    ordered: Ints = days[np.argsort(first)]
    return ordered


def _months(time_R: Ints) -> bool:
    """Whether the times are the first days of months in a row."""
    months = time_R.astype("datetime64[s]").astype("datetime64[M]")
    starts = months.astype("datetime64[s]").astype(np.int64)
    return bool((starts == time_R).all()) and abs(_one_length(np.diff(months.astype(int)))) == 1.0


def _one_length(gaps: Ints) -> float:
    """Share of the gaps that are as long as the most frequent one."""
    return max(Counter(gaps.tolist()).values()) / len(gaps) if len(gaps) else 0.0


def are_even(time_R: Ints) -> bool:
    """Whether most gaps between times, as they come, are of one length."""
    gaps = np.diff(time_R)
    return len(gaps) >= MIN_GAPS and _one_length(gaps) >= EVEN_SHARE


def number_format(column: pl.Series) -> str | None:
    """The named format whose plausible span holds every number of a column; None if none does.

    Numbers of seconds, milliseconds and days since their zero do not overlap in this century.
    """
    numbers = column.cast(pl.Float64, strict=False)
    if not len(numbers) or numbers.null_count() > column.null_count() or numbers.is_nan().any():
        return None
    low, high = numbers.min(), numbers.max()
    if not isinstance(low, float) or not isinstance(high, float):
        return None
    spans = _PLAUSIBLE.items()
    return next((name for name, (least, most) in spans if least <= low and high <= most), None)


def as_numbers(name: str, first: float) -> str:
    """The next step for times that are numbers as a named format has them."""
    number = NUMBERS[name]
    first_s = int(first * number.unit_s) + number.zero_s
    return next_step(trials(NumberTimes(name, first_s, number.wall)), "choose another column")


def pin_format(time: TimeSettings, frame: pl.DataFrame) -> TimeSettings:
    """The settings with the format of these rows, of several that read all of them.

    Raises:
        ReadError: if day and month could be either way round, and steps do not show which.
    """
    found = read_as(joined_times(frame, time))
    if found.undecided:
        reason, right = found.explained()
        raise ReadError(" + ".join(time.names), None, reason, right)
    return time if found.pattern is None else time.model_copy(update={"format": found.pattern})


def matching(time: TimeSettings, frame: pl.DataFrame) -> list[str]:
    """Every pattern that reads all times of these rows; none if no format is needed."""
    if not _needs_format(time, frame):
        return []
    known = joined_times(frame, time).drop_nulls().unique(maintain_order=True)
    return _matching(known) if len(known) else []


def telling_rows(time: TimeSettings, frame: pl.DataFrame, patterns: Sequence[str]) -> pl.DataFrame:
    """The rows whose times not all of the patterns read."""
    texts = joined_times(frame, time)
    unread = [parse_times(texts, one).is_null() & texts.is_not_null() for one in patterns]
    return frame.filter(pl.any_horizontal(unread)) if unread else frame.clear()


def _needs_format(time: TimeSettings, frame: pl.DataFrame) -> bool:
    """Whether times are text and no format is stated."""
    if time.format is not None or not time.names or set(time.names) - set(frame.columns):
        return False
    return len(time.names) > 1 or frame.schema[time.names[0]] == pl.String
