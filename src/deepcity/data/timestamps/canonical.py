"""Times as people write them -> texts and patterns that `strptime` reads.

Half days (오전, a.m.), names of months, weekdays, blanks around 년 월 일, dots with blanks, and
hours beyond 23 are rewritten in the texts and, where a pattern shows them, in the pattern.
"""

import re
from dataclasses import dataclass

import polars as pl

AM = r"오전|上午|午前"
PM = r"오후|下午|午後"
_UNITS = "년월일시분초年月日時时分秒"
_WEEKDAYS = (
    r"\s*\([월화수목금토일](?:요일)?\)|\s*[월화수목금토일]요일",
    r"(?i)^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+",
)
_MONTHS = {
    "Jan": "january|januar|jänner|janvier|enero|gennaio|janv|ene|gen",
    "Feb": "february|februar|feber|février|fevrier|febrero|febbraio|févr|fevr|fév",
    "Mar": "march|märz|maerz|mars|marzo|mär|mrz",
    "Apr": "april|avril|abril|aprile|avr|abr",
    "May": "may|mai|mayo|maggio|mag",
    "Jun": "june|juni|juin|junio|giugno|giu",
    "Jul": "july|juli|juillet|julio|luglio|juil|lug",
    "Aug": "august|août|aout|agosto|ago",
    "Sep": "september|septembre|septiembre|settembre|sept|set",
    "Oct": "october|oktober|octobre|octubre|ottobre|okt|ott",
    "Nov": "november|novembre|noviembre",
    "Dec": "december|dezember|décembre|decembre|diciembre|dicembre|dez|déc|dic",
}
"""English short names of months, and what else a month is called (in any case)."""


MIN_RANGES = 3
RANGE_MINUTES = {10, 15, 20, 30, 60, 120, 180, 240, 360}
_RANGE = r"(?:^|\s)()(\d{1,2})(?::(\d\d))?시?\s*[-~∼〜–]\s*(\d{1,2})(?::(\d\d))?(?:\s*시)?$"
_RANGE_TEXT = r"(^|\s)(\d{1,2}(?::\d\d)?)(?:시)?\s*[-~∼〜–]\s*\d{1,2}(?::\d\d)?(\s*시)?$"


@dataclass(frozen=True)
class Canonical:
    """Texts and a pattern that `strptime` reads.

    Attributes:
        texts: rewritten; an hour of 24 to 29 is one of the next day's.
        pattern: the pattern for them.
        late: where the hour was 24 to 29, so that a day is to be added.
    """

    texts: pl.Series
    pattern: str
    late: pl.Series


def canonical(texts: pl.Series, pattern: str) -> Canonical:
    """Rewrites texts for a pattern; only what the pattern mentions is touched."""
    texts = texts.str.replace_all(r"\s+", " ").str.strip_chars().str.replace(r"\s*Uhr$", "")
    pattern = re.sub(r"\s*Uhr$", "", pattern)
    if "%a" not in pattern and "%A" not in pattern:
        for weekday in _WEEKDAYS:
            texts = texts.str.replace(weekday, "")
    if "%b" in pattern or "%B" in pattern:
        texts, pattern = _with_short_months(texts), pattern.replace("%B", "%b")
    if "%p" in pattern or "%P" in pattern:
        texts, pattern = _with_half_days(texts), _spaced_half_day(pattern.replace("%P", "%p"))
    if re.search(f"[{_UNITS}]", pattern):
        spaced = rf"\s*([{_UNITS}])\s*"
        texts = texts.str.replace_all(spaced, "$1 ").str.strip_chars_end()
        pattern = re.sub(spaced, r"\1 ", pattern).rstrip()
    if re.match(r"%[Yy]\.", pattern):
        texts = texts.str.replace(r"^(\d{4}|\d\d)\.\s*(\d{1,2})\.\s*(\d{1,2})\.?", "$1.$2.$3")
        pattern = re.sub(r"^(%[Yy])\.\s*%m\.\s*%d\.?", r"\1.%m.%d", pattern)
    if "%H" in pattern and "%#z" not in pattern and not pattern.endswith("*"):
        texts = _range_starts(texts)
    texts, late = _within_day(texts, pattern)
    return Canonical(texts, pattern, late)


def _with_short_months(texts: pl.Series) -> pl.Series:
    """English short names in place of the months' names, which may end in a point."""
    texts = texts.str.replace(r"(^|\D)(1[0-2]|0?[1-9])월", "${1}m$2")
    for number, (short, names) in enumerate(_MONTHS.items(), start=1):
        any_name = rf"(?i)(^|[^\pL])(?:{short}|{names}|m0?{number})\.?($|[^\pL\d])"
        texts = texts.str.replace(any_name, f"${{1}}{short}$2")
    return texts


def _with_half_days(texts: pl.Series) -> pl.Series:
    """AM and PM, with blanks around them; hour 0 of a half day is its hour 12."""
    texts = texts.str.replace(AM, "AM").str.replace(PM, "PM")
    for letter in "AP":
        dotted = rf"(?i)(^|[\s\d시분초]){letter}\.?\s?m\.?($|[\s\d])"
        texts = texts.str.replace(dotted, f"${{1}} {letter}M $2")
    texts = texts.str.replace(r"\s*(AM|PM)\s*", " $1 ").str.strip_chars()
    texts = texts.str.replace(r"(AM|PM) 0{1,2}(:|\.|시|$)", "$1 12$2")
    return texts.str.replace(r" 0{1,2}([:.]\d\d\S*)? (AM|PM)$", " 12$1 $2")


def _range_starts(texts: pl.Series) -> pl.Series:
    """00-01시 -> 00시 and 00:00~01:00 -> 00:00, if all such ranges are of one length.

    Ranges of several days begin at several hours; 00:00-01:00 on all days is a time with an offset.
    """
    found = texts.str.extract_groups(_RANGE).struct.unnest()
    minutes = [
        found[str(n)].cast(pl.Int32) * 60 + found[str(n + 1)].cast(pl.Int32).fill_null(0)
        for n in (2, 4)
    ]
    length = ((minutes[1] - minutes[0]) % (24 * 60)).drop_nulls()
    if length.n_unique() != 1 or length[0] not in RANGE_MINUTES:
        return texts
    if minutes[0].drop_nulls().n_unique() < MIN_RANGES <= texts.n_unique():
        return texts
    return texts.str.replace(_RANGE_TEXT, "$1$2$3")


def _spaced_half_day(pattern: str) -> str:
    return re.sub(r"\s*%p\s*", " %p ", pattern).strip()


def _within_day(texts: pl.Series, pattern: str) -> tuple[pl.Series, pl.Series]:
    """Hours 24 to 29 -> 0 to 5, and where they stood."""
    found = _late_hour(pattern)
    if found is None or not (late := texts.str.contains(found).fill_null(value=False)).any():
        return texts, pl.Series([False]).new_from_index(0, len(texts))
    hours = texts.str.extract(found, 2).cast(pl.Int64) - 24
    parts = [texts.str.extract(found, 1), "0" + hours.cast(pl.String), texts.str.extract(found, 3)]
    frame = pl.DataFrame({str(n): part for n, part in enumerate([*parts, texts, late])})
    early = pl.concat_str(pl.col("0"), pl.col("1"), pl.col("2").fill_null(""))
    chosen = pl.when(pl.col("4")).then(early).otherwise(pl.col("3"))
    return frame.select(chosen).to_series(), late


def _late_hour(pattern: str) -> str | None:
    """A regex of texts of a pattern whose hour is 24 to 29: before it, the hour, after it."""
    loose = pattern.endswith("*")
    before, found, after = pattern.removesuffix("*").partition("%H")
    if not found:
        return None
    if before.endswith("%d"):
        head = r"^(\d{8})"
    elif before:
        head = rf"^(.*{re.escape(before[-1])})"
    else:
        head = "^()"
    if after.startswith("%"):
        tail = r"(\d\d.*)$"
    elif after:
        tail = rf"({re.escape(after[0])}.*)$"
    else:
        tail = r"(\D.*)?$" if loose else "()$"
    return f"{head}(2[4-9]){tail}"
