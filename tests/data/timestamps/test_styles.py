"""A moment written in any style comes back; what can be read two ways is never guessed."""

from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

from deepcity.data.timestamps import detect
from deepcity.data.timestamps.detect import number_format, read_as
from deepcity.data.timestamps.formats import PATTERNS, parse_times, parse_with_late

GERMAN = "Januar Februar März April Mai Juni Juli August September Oktober November Dezember"
FRENCH = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre"
WEEKDAYS = "월화수목금토일"


def half(t, am="오전", pm="오후"):
    return am if t.hour < 12 else pm


def twelve(t):
    return t.hour % 12 or 12


STYLES = {
    "ISO": lambda t: f"{t:%Y-%m-%dT%H:%M:%S}",
    "ISO Z": lambda t: f"{t:%Y-%m-%dT%H:%M:%SZ}",
    "offset": lambda t: f"{t + timedelta(hours=9):%Y-%m-%dT%H:%M:%S}+09:00",
    "Korean": lambda t: f"{t.year}년 {t.month}월 {t.day}일 {t.hour}시 {t.minute}분 {t.second}초",
    "Korean, dense": lambda t: f"{t:%Y}년{t:%m}월{t:%d}일 {t:%H}시{t:%M}분{t:%S}초",
    "Korean, weekday": lambda t: (
        f"{t.year}년 {t.month}월 {t.day}일 ({WEEKDAYS[t.weekday()]}) {t:%H:%M:%S}"
    ),
    "Korean, half day": lambda t: (
        f"{t.year}년 {t.month}월 {t.day}일 {half(t)} {twelve(t)}:{t:%M:%S}"
    ),
    "Korean workbook": lambda t: f"{t.year}. {t.month}. {t.day}. {half(t)} {twelve(t)}:{t:%M:%S}",
    "hour 0 of a half day": lambda t: f"{t:%Y-%m-%d} {half(t)} {t.hour % 12}:{t:%M:%S}",
    "AM/PM": lambda t: f"{t:%Y-%m-%d} {twelve(t):02d}:{t:%M:%S} {half(t, 'AM', 'PM')}",
    "a.m.": lambda t: f"{t:%Y/%m/%d} {twelve(t)}:{t:%M:%S} {half(t, 'a.m.', 'p.m.')}",
    "narrow blank": lambda t: f"{t:%Y-%m-%d} {twelve(t)}:{t:%M:%S}\u202f{half(t, 'am', 'pm')}",
    "dots": lambda t: f"{t.year}.{t.month}.{t.day} {t:%H:%M:%S}",
    "slashes": lambda t: f"{t.year}/{t.month}/{t.day} {t.hour}:{t:%M:%S}",
    "German": lambda t: f"{t:%d.%m.%Y %H:%M:%S}",
    "compact": lambda t: f"{t:%Y%m%d%H%M%S}",
    "English month": lambda t: f"{t:%d-%b-%Y %H:%M:%S}",
    "American month": lambda t: f"{t:%B} {t.day}, {t:%Y %H:%M:%S}",
    "German month": lambda t: f"{t.day}. {GERMAN.split()[t.month - 1]} {t:%Y %H:%M:%S} Uhr",
    "French month": lambda t: f"{t.day} {FRENCH.split()[t.month - 1]} {t:%Y %H:%M:%S}",
    "operating day": lambda t: (
        f"{t:%Y-%m-%d %H:%M:%S}"
        if t.hour > 5
        else f"{t - timedelta(days=1):%Y-%m-%d} {t.hour + 24}:{t:%M:%S}"
    ),
}
MOMENTS = st.datetimes(datetime(1980, 1, 1), datetime(2150, 1, 1)).map(  # noqa: DTZ001
    lambda t: t.replace(microsecond=0)
)


@pytest.mark.parametrize("style", list(STYLES))
@tries(deadline=None, max_examples=10)
@given(moments=st.lists(MOMENTS, min_size=1, max_size=6, unique=True))
def test_a_moment_in_any_style_comes_back(style, moments):
    texts = pl.Series([STYLES[style](moment) for moment in moments])
    found = read_as(texts)
    assert found.pattern is not None, (found, texts.to_list())
    times = parse_times(texts, found.pattern).dt.replace_time_zone(None)
    assert times.to_list() == moments


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("2024-03-01 24:00", 24),
        ("2024-03-01 25:00", 25),
        ("2024-03-01T29:59", 29 + 59 / 60),
        ("2024년 3월 1일 24시", 24),
        ("2024030124", 24),
        ("202403012530", 25.5),
        ("01.03.2024 26:15", 26.25),
    ],
)
def test_hours_from_24_on_are_of_the_next_day(text, hours):
    texts = pl.Series([text])
    pattern = read_as(texts).pattern
    assert pattern is not None
    times, late = parse_with_late(texts, pattern)
    assert times.to_list() == [datetime(2024, 3, 1) + timedelta(hours=hours)]  # noqa: DTZ001
    assert late.to_list() == [True]


@pytest.mark.parametrize(
    "text", ["2024-03-01 30:00", "2024-02-30 12:00", "2024-01-01 오전 13:00", "3월", "24시", "x"]
)
def test_no_time_is_none(text):
    assert read_as(pl.Series([text])).pattern is None


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("%Y. %m. %d. %p %I:%M", "2024. 1. 3. 오후 2:05"),
        ("%d %B %Y %I:%M%p", "3 Januar 2024 2:05PM"),
        ("%Y년%m월%d일 %H시%M분", "2024년 1월 3일 14시 5분"),
    ],
)
def test_a_stated_pattern_reads_these_styles_too(pattern, text):
    assert parse_times(pl.Series([text]), pattern).to_list() == [
        datetime(2024, 1, 3, 14, 5)  # noqa: DTZ001
    ]


def dates(first, days, step, style):
    moments = [first + timedelta(hours=n * step) for n in range(days * 24 // step)]
    return pl.Series([f"{moment:{style}}" for moment in moments])


@tries(deadline=None, max_examples=60)
@given(
    month=st.integers(1, 12),
    days=st.integers(3, 12),
    step=st.sampled_from([1, 6, 24]),
    american=st.booleans(),
)
def test_even_steps_show_which_is_the_day(month, days, step, american):
    """Of rows of consecutive days; where months in a row would do as well, it is asked."""
    style = "%m/%d/%Y %H:%M" if american else "%d/%m/%Y %H:%M"
    texts = dates(datetime(2024, month, 1), days, step, style)  # noqa: DTZ001
    found = read_as(texts)
    assert found.pattern in {style, None}
    if found.pattern is None:
        assert step == 24
        assert found.undecided


def test_twelve_days_of_march_in_the_american_order():
    texts = pl.Series([f"03/{day:02d}/2024" for day in range(1, 13)])
    assert read_as(texts).pattern == "%m/%d/%Y"


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("left_out", [(4,), (4, 9), (2, 6)])
def test_a_missing_day_leaves_it_decided(left_out, turned):
    days = [day for day in range(1, 13) if day not in left_out]
    texts = pl.Series([f"03/{day:02d}/2024" for day in (reversed(days) if turned else days)])
    assert read_as(texts).pattern == "%m/%d/%Y"


@pytest.mark.parametrize(
    "texts",
    [
        [f"01/{month:02d}/2024" for month in range(1, 13)],  # firsts of months, or days of January
        ["01/02/2024"],
        ["03/01/2024", "03/02/2024"],
        [f"04/05/2024 {hour:02d}:00" for hour in range(24)],
    ],
)
def test_what_fits_both_orders_names_both(texts):
    found = read_as(pl.Series(texts))
    assert found.undecided
    reason, right = found.explained()
    assert texts[0][:10] in reason or texts[1][:10] in reason
    assert "%d/%m/%Y" in right
    assert "%m/%d/%Y" in right


@tries(deadline=None)
@given(moment=st.datetimes(datetime(2001, 1, 1), datetime(2099, 1, 1)))  # noqa: DTZ001
def test_numbers_of_seconds_milliseconds_and_days_do_not_overlap(moment):
    since = moment - datetime(1970, 1, 1)  # noqa: DTZ001
    seconds = since.total_seconds()
    for name, value in (
        ("epoch_s", int(seconds)),
        ("epoch_ms", int(seconds * 1000)),
        ("excel_serial", seconds / 86_400 + 25_569),
    ):
        assert number_format(pl.Series([str(value)])) == name
        assert number_format(pl.Series([value])) == name


def test_ids_and_counts_are_no_times():
    for values in ([353_324_721, 353_324_722], [1, 2], [np.nan, 1.0], ["12a"], []):
        assert number_format(pl.Series(values, strict=False)) is None


SHORT = ["%y.%m.%d", "%y/%m/%d", "%y-%m-%d", "%d.%m.%y", "%d/%m/%y", "%m/%d/%y"]


@pytest.mark.parametrize("pattern", SHORT)
@tries(deadline=None, max_examples=20)
@given(first=st.dates(date(2001, 1, 1), date(2060, 1, 1)), days=st.integers(35, 90))
def test_years_of_two_digits_are_decided_by_even_steps(pattern, first, days):
    dates = [first + timedelta(days=n) for n in range(days)]
    found = read_as(pl.Series([day.strftime(pattern) for day in dates]))
    assert found.pattern == pattern
    times = parse_times(pl.Series([day.strftime(pattern) for day in dates]), pattern)
    assert times.dt.date().to_list() == dates


@pytest.mark.parametrize("pattern", ["%d-%m-%Y", "%d/%m/%Y", "%Y.%m.%d", "%d-%b-%Y"])
def test_the_end_of_a_long_year_is_no_hour(pattern):
    texts = pl.Series([date(2015, 1, n).strftime(pattern) for n in range(1, 13)])
    assert read_as(texts).patterns[0] == pattern
    assert not any("%y" in one for one in read_as(texts).patterns)
    assert parse_times(texts, "%d-%m-%y %H").null_count() == len(texts)


def test_years_of_two_digits_that_nothing_decides_are_asked():
    found = read_as(pl.Series(["01/02/03", "01/02/04"]))
    assert found.undecided
    assert "3 February 2001 or 1 February 2003 or 2 January 2003" in found.explained()[0]


RANGES = {
    "hours": lambda t: f"{t:%Y-%m-%d} {t.hour:02d}-{t.hour + 1:02d}시",
    "both with a unit": lambda t: f"{t:%Y.%m.%d} {t.hour}시~{t.hour + 1}시",
    "minutes": lambda t: f"{t:%Y/%m/%d %H}:00~{t.hour + 1:02d}:00",
    "a hyphen": lambda t: f"{t:%Y-%m-%d %H}:00-{(t.hour + 1) % 24:02d}:00",
    "blanks": lambda t: f"{t:%Y-%m-%d %H} - {(t.hour + 1) % 24:02d}",
}


@pytest.mark.parametrize("style", list(RANGES))
@tries(deadline=None, max_examples=20)
@given(
    first=st.datetimes(datetime(2001, 1, 1), datetime(2060, 1, 1)),  # noqa: DTZ001
    hours=st.integers(24, 60),
)
def test_a_range_of_hours_is_its_start(style, first, hours):
    moments = [
        first.replace(minute=0, second=0, microsecond=0) + timedelta(hours=n) for n in range(hours)
    ]
    texts = pl.Series([RANGES[style](moment) for moment in moments])
    found = read_as(texts)
    assert found.pattern is not None, found
    assert parse_times(texts, found.pattern).to_list() == moments
    assert parse_times(texts.tail(1), found.pattern).to_list() == moments[-1:]


def test_an_offset_is_no_range():
    texts = pl.Series([f"2024-01-{d:02d} {h:02d}:00-01:00" for d in (3, 4) for h in range(24)])
    found = read_as(texts)
    assert found.pattern == "%Y-%m-%d %H:%M%#z"
    midnights = pl.Series([f"2024-01-{d:02d} 00:00-01:00" for d in range(1, 9)])
    assert read_as(midnights).pattern == "%Y-%m-%d %H:%M%#z"


def test_a_text_is_tried_with_the_pattern_it_was_written_by():
    """What a text lacks spares trying patterns, and never the right one."""
    moment = datetime(2024, 5, 17, 13)  # noqa: DTZ001
    for pattern in PATTERNS:
        text = f"{moment:{pattern.replace('%.f', '').replace('%#z', '+0900')}}"
        assert pattern in detect._alike(text), text
