"""When a picture was taken, by the name of its file.

Cameras and recorders name pictures in many ways; these are read:

    20261201_041500.jpg   2026-12-01T04-15-00.250.png   gate_2026-12-01 04.15.00.jpg
    20261201041500123.jpg                 (digits behind the seconds are their fraction)
    1764562500.jpg   1764562500250.jpg    (seconds or milliseconds since 1970, UTC)
    20261201T041500Z.jpg   2026-12-01T04:15:00+09:00.jpg   (their own zone)
"""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

_DATED = re.compile(
    r"(?<!\d)((?:19|20)\d\d)([-_.]?)(\d\d)\2(\d\d)[-_ T.]?(\d\d)([-_.:]?)(\d\d)\6(\d\d)"
    r"(?:[.,_-]?(\d{1,6}))?(?!\d)(Z|[+-]\d\d:?\d\d)?"
)
_EPOCH = re.compile(r"(?<!\d)(\d{10})(?:(\d{3})|\.(\d{1,6}))?(?!\d)")


def time_in_name(stem: str, zone: tzinfo = UTC) -> float | None:
    """UTC seconds; None where a name holds no time, or several.

    Args:
        stem: the file's name without its ending.
        zone: of times that name none.

    >>> time_in_name("gate_20261201_041500"), time_in_name("img0001")
    (1796098500.0, None)
    """
    found = list(_DATED.finditer(stem))
    if len(found) == 1:
        return _dated(found[0], zone)
    counted = list(_EPOCH.finditer(stem)) if not found else []
    if len(counted) != 1:
        return None
    whole, thousandths, fraction = counted[0].groups()
    return int(whole) + (int(thousandths) / 1000 if thousandths else float(f"0.{fraction or 0}"))


def _dated(found: re.Match[str], zone: tzinfo) -> float | None:
    year, _, month, day, hour, _, minute, second, fraction, offset = found.groups()
    own = _offset(offset) if offset else zone
    if own is None:
        return None
    try:
        whole = datetime.fromisoformat(f"{year}-{month}-{day}T{hour}:{minute}:{second}")
        return whole.replace(tzinfo=own).timestamp() + float(f"0.{fraction or 0}")
    except (ValueError, OverflowError):  # a 13th month, an hour 25
        return None


def _offset(text: str) -> tzinfo | None:
    if text == "Z":
        return UTC
    span = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    if span >= timedelta(days=1):
        return None
    return timezone(-span if text[0] == "-" else span)
