"""Where a table's times are and how they are written: columns, format, stamp, columns of hours."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from deepcity.city.problem import Problem
from deepcity.data.config.duration import duration_text
from deepcity.data.config.toml_file import Raw
from deepcity.data.draft.question import Question
from deepcity.data.timestamps.detect import are_even, number_format, read_as
from deepcity.data.timestamps.formats import NUMBERS, parse_with_late
from deepcity.data.timestamps.hour_headers import HOUR_S, HourHeaders, find_hours

TIME_WORDS = (
    r"(?i)time|date|stamp|hour|epoch|unix|^ts?$|zeit|datum|fecha|heure|^jour"
    r"|일시|시간|시각|날짜|일자|年月|日時"
)
HOUR_WORDS = r"(?i)^(h|hh|hour|hr|time|uhrzeit|stunde|heure|hora|.*시간대?|시각?|.*[ _-]hour)$"
_CALENDARS = (
    (("year", "month", "day", "hour"), "%Y %m %d %H"),
    (("년", "월", "일", "시"), "%Y %m %d %H"),
    (("연도", "월", "일", "시간"), "%Y %m %d %H"),
    (("year", "month", "day"), "%Y %m %d"),
    (("년", "월", "일"), "%Y %m %d"),
)
_HOUR_PATTERNS = (
    *(" %H:%M", " %H:%M:%S", " %H:%M*", " %I.%M.%S %p", " %I:%M:%S %p", " %I:%M %p", " %H"),
    *(" %p %I:%M:%S", " %p %I:%M", " %H시", " %H시 %M분", " %p %I시", " %p %I시 %M분", " %H%M"),
)
_WITHOUT_HOUR = re.compile(r"^(?!.*%[HI])")
_MIDNIGHT = r"[ T]00:00(?::00(?:\.0+)?)?$"


@dataclass(frozen=True)
class TimeDraft:
    """What was found of a table's times.

    Attributes:
        settings: of `time` in a city file; empty where none was found.
        questions: what the table does not show.
        problem: why nothing could be settled, as reason and next step; empty if it could.
        hours: columns of hours, which are no fields.
    """

    settings: Raw
    questions: tuple[Question, ...] = ()
    problem: tuple[str, str, str] | None = None
    hours: HourHeaders | None = None

    @property
    def columns(self) -> list[str]:
        """The columns that hold times."""
        return list(self.settings.get("columns", [self.settings.get("column")]))

    def as_problem(self, file: str, columns: list[str]) -> Problem:
        """Why there are no settings."""
        if self.problem is not None:
            key, reason, right = self.problem
            return Problem(file, key, None, reason, right)
        right = f"name it in a city file: time = {{ column = ... }} (of {', '.join(columns)})"
        return Problem(file, "time", None, "no time column found", right)


def detect_times(frame: pl.DataFrame) -> TimeDraft:
    """What rows of a table (all, or a sample in their order) show of its times."""
    found = _calendar(frame)
    for draft in [found] if found is not None else _of_columns(frame):
        if not draft.settings:
            return draft
        return _zoned(_with_hour_columns(frame, _with_stamp(frame, draft)), frame)
    return TimeDraft({})


def _calendar(frame: pl.DataFrame) -> TimeDraft | None:
    """Year, month, day (and hour) in columns of their own."""
    lower = {name.strip().lower(): name for name in frame.columns}
    for parts, pattern in _CALENDARS:
        if set(parts) <= set(lower):
            return TimeDraft({"columns": [lower[part] for part in parts], "format": pattern})
    return None


def _of_columns(frame: pl.DataFrame) -> Iterator[TimeDraft]:
    """Each column that may hold times, the likely ones first."""
    hinted = [name for name in frame.columns if re.search(TIME_WORDS, name)]
    for name in dict.fromkeys([*hinted, *frame.columns]):
        column = frame[name]
        if column.dtype in (pl.Date, pl.Datetime):
            yield _with_hour(frame, name, "%Y-%m-%d") or TimeDraft({"column": name})
        elif column.dtype == pl.String or column.dtype.is_numeric():
            found = _of_texts(frame, name, hinted=name in hinted)
            if found is not None:
                yield found


def _of_texts(frame: pl.DataFrame, name: str, *, hinted: bool) -> TimeDraft | None:
    column = frame[name]
    texts = column.str.strip_chars() if column.dtype == pl.String else _whole_texts(column)
    if texts is None:
        return None
    found = read_as(texts) if hinted or column.dtype == pl.String else None
    if found is not None and found.undecided:
        return TimeDraft({}, problem=(name, *found.explained()))
    if found is not None and found.pattern is not None:
        settings = {"column": name, "format": found.pattern}
        return _with_hour(frame, name, found.pattern) or TimeDraft(settings)
    numbers = number_format(texts)
    if numbers is None or not (hinted or (numbers != "excel_serial" and _even(texts, numbers))):
        return None
    return TimeDraft({"column": name, "format": numbers})


def _whole_texts(column: pl.Series) -> pl.Series | None:
    """Numbers as texts, those of whole value without a point."""
    whole = column.cast(pl.Int64, strict=False)
    same = (whole.cast(column.dtype) == column).all()
    return whole.cast(pl.String) if same else column.cast(pl.String)


def _even(texts: pl.Series, numbers: str) -> bool:
    known = texts.drop_nulls().cast(pl.Float64).unique(maintain_order=True).to_numpy()
    return are_even(np.floor(known * NUMBERS[numbers].unit_s).astype(np.int64))


def _with_hour(frame: pl.DataFrame, name: str, pattern: str) -> TimeDraft | None:
    """The settings for a date whose hour is in a column of its own, or None."""
    if not _WITHOUT_HOUR.match(pattern):
        return None
    dates = frame[name].cast(pl.String).str.strip_chars().str.replace(_MIDNIGHT, "")
    for hour in [other for other in frame.columns if re.search(HOUR_WORDS, other)]:
        if hour == name:
            continue
        texts = dates + " " + frame[hour].cast(pl.String).str.strip_chars()
        for ending in _HOUR_PATTERNS:
            if parse_with_late(texts, pattern + ending)[0].null_count() == 0:
                return TimeDraft({"columns": [name, hour], "format": pattern + ending})
    return None


def _with_stamp(frame: pl.DataFrame, draft: TimeDraft) -> TimeDraft:
    """Hours from 1 to 24 mark the end of their interval; what hours 5 to 23 mark is asked."""
    pattern = draft.settings.get("format")
    if pattern is None or pattern in NUMBERS or "%H" not in pattern or "%#z" in pattern:
        return draft
    times, late = parse_with_late(_joined(frame, draft.columns), pattern)
    hour_R = (times.dt.hour() + 24 * late.cast(pl.Int8)).drop_nulls().to_numpy()
    if not len(hour_R):
        return draft
    first, last = int(hour_R.min()), int(hour_R.max())
    if last == 24 and first > 0:
        settings = draft.settings | {"stamp": "wall_end", "step": _step_text(times)}
        question = Question(
            "time.stamp",
            f"hours run from {first} to 24, so each row's time was taken as its end.",
            "wall_end",
            ("start, if a row of 24:00 is measured at midnight",),
        )
        return TimeDraft(settings, (question,))
    if first > 0 and last < 24 and len(draft.columns) > 1:
        text = f"hours run from {first} to {last}: does hour {first} begin or end then?"
        question = Question("time.stamp", text, "start", ("wall_end, with step",))
        return TimeDraft(draft.settings, (question,))
    return draft


def _joined(frame: pl.DataFrame, columns: list[str]) -> pl.Series:
    parts = [pl.col(name).cast(pl.String).str.strip_chars() for name in columns]
    parts[0] = parts[0].str.replace(_MIDNIGHT, "") if len(parts) > 1 else parts[0]
    return frame.select(pl.concat_str(parts, separator=" ").alias("time")).to_series()


def _step_text(times: pl.Series) -> str:
    """The most frequent gap between distinct times."""
    seconds = np.unique(times.drop_nulls().dt.epoch("s").to_numpy())
    gaps, counts = np.unique(np.diff(seconds), return_counts=True)
    return duration_text(int(gaps[counts.argmax()])) if len(gaps) else "1h"


def _with_hour_columns(frame: pl.DataFrame, draft: TimeDraft) -> TimeDraft:
    """Columns of hours beside a date without an hour."""
    hours = find_hours([name for name in frame.columns if name not in draft.columns])
    if hours is None or not _dates_only(frame, draft):
        return draft
    stated = {"first": hours.columns[0], "last": hours.columns[-1]}
    stated |= {"starts": hours.starts} if hours.starts_s else {}
    settings = draft.settings | {"hour_columns": stated}
    settings |= {"step": duration_text(hours.step_s)} if hours.step_s != HOUR_S else {}
    questions = list(draft.questions)
    if hours.bare:
        text = f"columns {hours.columns[0]} to {hours.columns[-1]} are numbers: hours or places?"
        questions.append(Question("time.hour_columns", text, "hours", ("places: remove it",)))
    if not hours.sure:
        text = f"does the hour of column {hours.columns[0]!r} begin or end then?"
        earlier = HourHeaders(
            hours.columns, hours.starts_s - hours.step_s, hours.step_s, True, True
        )
        questions.append(
            Question("time.hour_columns.starts", text, hours.starts, (earlier.starts,))
        )
    return TimeDraft(settings, tuple(questions), hours=hours)


def _dates_only(frame: pl.DataFrame, draft: TimeDraft) -> bool:
    """Whether the times found are days."""
    pattern = draft.settings.get("format")
    if pattern is not None:
        return pattern not in NUMBERS and _WITHOUT_HOUR.match(pattern) is not None
    column = frame[draft.columns[0]]
    if column.dtype == pl.Date:
        return True
    return bool((column.dt.truncate("1d") == column).all())


def _zoned(draft: TimeDraft, frame: pl.DataFrame) -> TimeDraft:
    """A question for the time zone, unless the times state it."""
    pattern = draft.settings.get("format", "")
    number = NUMBERS.get(pattern)
    stated = "%#z" in pattern or (number is not None and not number.wall)
    typed = frame[draft.columns[0]].dtype
    if stated or getattr(typed, "time_zone", None) is not None:
        return draft
    question = Question(
        "clock.time_zone",
        "the times state no zone.",
        "UTC",
        ('the city\'s, e.g. "Asia/Seoul"',),
    )
    return TimeDraft(draft.settings, (*draft.questions, question), hours=draft.hours)
