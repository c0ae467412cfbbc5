"""Which columns of a wide table are places, which are fields, and which say nothing new.

Shapes: R rows.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Doubles, Ints
from deepcity.data.draft.quantities import by_words, stated_unit

MAX_RATIO = 300.0  # of the typical sizes of columns that are places
OPPOSITES = re.compile(
    r"^(in|out|inbound|outbound|entr\w*|exits?|arrivals?|departures?|승차|하차|유입|유출|입차|출차"
    r"|상행|하행|male|female|남|여|남성|여성|car|cars|bus|buses|trucks?|승용차|버스|화물차|소형|중형|대형)$",
    re.IGNORECASE,
)

_CALENDAR = re.compile(
    r"year|^yr|month|mnth|^mon$|day|week|season|holi|계절|요일|휴일|평일|^년|^월|^일$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Group:
    """Columns of one quantity at several places.

    Attributes:
        name: what the columns' headers share; empty where they share nothing.
        places: place -> column.
        pattern: with ``{place}`` in it, how columns are named after places; None: as places.
    """

    name: str
    places: Mapping[str, str]
    pattern: str | None = None


def one_family(values: Mapping[str, Doubles]) -> bool | None:
    """Whether columns are places of one field; None where headers and values do not tell.

    Args:
        values: column -> its numbers, (R,); NaN where there is none.
    """
    names = list(values)
    if len(names) < 2 or any(by_words(name) for name in names):
        return False if len(names) < 2 else None
    if any(OPPOSITES.match(name.strip()) for name in names):
        return None
    units = {stated_unit(name) for name in names}
    if len(units) > 1:
        return None
    sizes = [_size(values_R) for values_R in values.values()]
    known = [size for size in sizes if size > 0]
    whole = {_is_whole(values_R) for values_R in values.values() if np.isfinite(values_R).any()}
    alike = bool(known) and max(known) <= MAX_RATIO * min(known)
    return True if alike and (len(whole) == 1 or len(names) > 12) else None


def shared_words(columns: Sequence[str]) -> list[str]:
    """Words that stand in every header: they tell what all of them are, not which each is.

    >>> shared_words(["kiel-parking-north", "kiel-parking-old-port"])
    ['kiel', 'parking']
    """
    words = [re.findall(r"[^\W_]+", name) for name in columns]
    return [word for word in words[0] if all(word in other for other in words[1:])]


def groups_of(columns: Sequence[str]) -> tuple[list[Group], list[str]]:
    """Columns such as ``PM_North`` and ``PM_South``: one field at places; and the other columns."""
    stems: dict[str, list[str]] = {}
    for name in columns:
        found = re.match(r"([^\W\d_]+)[_ -](?=\S)", name)
        if found:
            stems.setdefault(found[0], []).append(name)
    groups = [
        group
        for stem, names in stems.items()
        if len(names) > 1 and by_words(stem[:-1]) and (group := _group(stem, names)) is not None
    ]
    taken = {name for group in groups for name in group.places.values()}
    return groups, [name for name in columns if name not in taken]


def common_start(texts: Sequence[str]) -> str:
    """What texts begin with, sign by sign.

    >>> common_start(["level_north", "level_south"])
    'level_'
    """
    first, last = min(texts), max(texts)
    same = [one == other for one, other in zip(first, last, strict=False)]
    return first[: same.index(False) if False in same else len(same)]


def _group(stem: str, names: Sequence[str]) -> Group | None:
    """Columns of a stem, unless what follows it is a quantity of its own (temp max, wind dir)."""
    suffix = common_start([name[::-1] for name in names])[::-1]
    suffix = suffix if suffix.startswith((" (", "(", "[", " [")) else ""
    rest = {name[len(stem) : len(name) - len(suffix)]: name for name in names}
    if any(
        re.fullmatch(r"(?i)(speed|dir\w*|gust|max|min|mean|avg|point|feels.*)", r) for r in rest
    ):
        return None
    return Group(stem[:-1], rest, f"{stem}{{place}}{suffix}")


def about_time(values: Mapping[str, Doubles], day_R: Ints) -> list[str]:
    """Columns that number the rows, or hold a whole number for each day: they measure nothing.

    Args:
        values: column -> its numbers, (R,).
        day_R: the day of each row, as a number.
    """
    return [name for name, values_R in values.items() if _is_about_time(name, values_R, day_R)]


def _is_about_time(name: str, values_R: Doubles, day_R: Ints) -> bool:
    if len(values_R) < 100 or np.isfinite(values_R).mean() < 0.99 or not _is_whole(values_R):
        return False
    if not name.strip() or (np.diff(values_R) == 1).mean() > 0.99:
        return True
    if not _CALENDAR.search(name):
        return False
    same_day = np.diff(day_R) == 0
    per_day = len(day_R) / max(len(np.unique(day_R)), 1)
    steady = not np.nan_to_num(np.diff(values_R)[same_day]).any()
    return bool(per_day >= 12 and steady and len(np.unique(values_R)) <= 31)


def _size(values_R: Doubles) -> float:
    known = np.abs(values_R[np.isfinite(values_R)])
    return float(np.median(known[known > 0])) if (known > 0).any() else 0.0


def _is_whole(values_R: Doubles) -> bool:
    known = values_R[np.isfinite(values_R)]
    return bool((known == np.floor(known)).all())
