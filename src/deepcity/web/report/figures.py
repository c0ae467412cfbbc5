"""How numbers are written: percentages, errors, bytes and durations.

Both languages write numbers alike; only units of time need words.
"""

import math
from collections.abc import Iterable
from datetime import datetime, tzinfo
from statistics import median

from deepcity.web.report.text import Text, same, translate

MISSING = "–"
_BYTES = ("B", "kB", "MB", "GB", "TB")


def percent(share: float | None, digits: int | None = None) -> str:
    """A share as a percentage without its sign; one decimal below ten per cent.

    >>> percent(-0.0834), percent(0.251)
    ('8.3%', '25%')
    """
    if share is None or not math.isfinite(share):
        return MISSING
    size = abs(share) * 100
    places = digits if digits is not None else int(size < 9.95)
    return f"{size:.{places}f}%"


def signed_percent(share: float | None) -> str:
    """A share as a percentage with its sign, a true minus; nothing is written as -0.

    >>> signed_percent(-0.0834), signed_percent(0.0001)
    ('−8.3%', '0.0%')
    """
    shown = percent(share)
    if share is None or shown in {MISSING, "0.0%"}:
        return shown
    return f"{'−' if share < 0 else '+'}{shown}"


def decimals(values: Iterable[float | None]) -> int:
    """How many decimals show three digits of a middling value.

    >>> decimals([0.91, 1.2, 3.4]), decimals([250.0])
    (2, 0)
    """
    sizes = [abs(v) for v in values if v and math.isfinite(v)]
    if not sizes:
        return 2
    return min(5, max(0, 2 - math.floor(math.log10(median(sizes)))))


def number(value: float | None, places: int) -> str:
    """A number with thousands marks, or a dash where there is none.

    >>> number(1234.5, 1)
    '1,234.5'
    """
    if value is None or not math.isfinite(value):
        return MISSING
    return f"{value:,.{places}f}".replace("-", "−")


def tick(value: float) -> str:
    """A number on an axis, as short as it can be.

    >>> tick(0.30000000000000004), tick(1500)
    ('0.3', '1,500')
    """
    shown = f"{value:,.6f}".rstrip("0").rstrip(".")
    return "0" if shown in {"-0", ""} else shown.replace("-", "−")


def size(count: int) -> str:
    """Bytes in human units of a thousand.

    >>> size(950), size(12_400_000)
    ('950 B', '12.4 MB')
    """
    amount, unit = float(count), _BYTES[0]
    for larger in _BYTES[1:]:
        if amount < 999.5:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:.0f} {unit}" if unit == "B" or amount >= 99.5 else f"{amount:.1f} {unit}"


def days(count: float) -> str:
    """Days of data: one decimal only where it says something.

    >>> days(14.0), days(0.5)
    ('14', '0.5')
    """
    return f"{count:.1f}" if count < 9.95 and count != round(count) else f"{count:,.0f}"


def stretch(minutes: float) -> Text:
    """A stretch of time in the largest unit that says it whole; a day is 24 hours.

    >>> stretch(60).en, stretch(2880).ko
    ('1\\xa0h', '2일')
    """
    if minutes >= 2880 and minutes % 1440 == 0:
        return translate("unit.days", n=f"{minutes / 1440:g}")
    if minutes >= 60 and minutes % 30 == 0:
        return translate("unit.hours", n=f"{minutes / 60:g}")
    return translate("unit.minutes", n=f"{minutes:g}")


def moment(second: int, zone: tzinfo) -> Text:
    """A time as people write it in both languages, UTC seconds.

    >>> from datetime import UTC
    >>> moment(0, UTC).en, moment(0, UTC).ko
    ('1 Jan 1970, 00:00', '1970년 1월 1일 00:00')
    """
    at = datetime.fromtimestamp(second, zone)
    return Text(f"{at.day} {at:%b %Y, %H:%M}", f"{at:%Y}년 {at.month}월 {at.day}일 {at:%H:%M}")


def age(seconds: float) -> Text:
    """How long ago, in whole minutes, hours or days, whichever two or more of fit.

    >>> age(8266).en, age(76_353_680).ko
    ('2\\xa0h', '884일')
    """
    if seconds >= 2 * 86_400:
        return translate("unit.days", n=f"{seconds / 86_400:,.0f}")
    if seconds >= 2 * 3600:
        return translate("unit.hours", n=f"{seconds / 3600:.0f}")
    return translate("unit.minutes", n=f"{seconds / 60:.0f}")


def duration(seconds: float | None) -> Text:
    """A time that computing took, in seconds or minutes.

    >>> duration(42.4).ko, duration(200).ko
    ('42초', '3.3분')
    """
    if seconds is None or not math.isfinite(seconds):
        return same(MISSING)
    if seconds < 100:
        return translate("unit.seconds", n=f"{seconds:.{int(seconds < 9.95)}f}")
    return translate("unit.minutes", n=f"{seconds / 60:.1f}")
