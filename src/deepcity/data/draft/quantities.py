"""The kind and unit of a column of numbers: by its header, its file's name and its values."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Doubles
from deepcity.city.field import Kind
from deepcity.city.units import EXAMPLES, UnitError, check_unit

_SHARES = (Kind.TEMPERATURE, Kind.HUMIDITY, Kind.WIND, Kind.PRESSURE)
_COUNTERS = {"명": "people", "인": "people", "대": "vehicles", "건": "incidents", "회": "count"}
_SPELLINGS = {"°c": "degC", "°f": "degF", "μg/m3": "ug/m3"}  # after NFKC, which writes ㎥ as m3
_PER_TIME = {"시간": "h", "시": "h", "일": "d", "분": "min", "초": "s"}


@dataclass(frozen=True)
class Quantity:
    """What a field measures.

    Attributes:
        name: a name for a field of it.
        seen: whether a header, a unit or a file's name says so; else it was taken for granted.
    """

    kind: Kind
    unit: str
    name: str
    seen: bool = True


_WORDS = (
    (
        r"boarding|alight|passenger|ridership|inflow|승차|하차|승하차|승객|이용객",
        "count:passengers",
    ),
    (r"bike|bicycle|cycl|rented|자전거|따릉이", "count:bikes"),
    (
        r"people|pedestrian|footfall|visitor|crowd|유동\s*인구|보행|인원|방문|생활인구",
        "count:people",
    ),
    (r"vehicle|traffic|(^|[^a-z])cars?($|[^a-z])|교통량|통행\s*량|차량|대수", "count:vehicles"),
    (r"incident|offence|crime|범죄|사고", "count:incidents"),
    (r"count|cnt", "count:count"),
    (r"parking|spaces|주차|잔여", "level:spaces"),
    (r"dew|temp|기온|온도", "temperature:degC"),
    (r"rain|precip|강수|강우", "rain:mm"),
    (r"hum|습도", "humidity:%"),
    (r"wind.?dir|풍향", "level:1"),
    (r"wind|wnd|풍속", "wind:m/s"),
    (r"press?|기압", "pressure:hPa"),
    (r"speed|velocity|속도|속력", "speed:km/h"),
    (r"(^|[^a-z])pm[ _]?(2|10|$|[^a-z])|pm25|ozone|미세먼지", "concentration:ug/m3"),
    (r"volume.?kwh|kwh|전력량|사용량", "energy:kWh"),
    (r"load|power|electric|_mw$|부하|전력", "load:MW"),
)
_KINDS_OF_PLACES = ((r"^(parken|parkhaus|parkplatz|parkings?|주차장)$", "level:spaces"),)
_NAMES = {
    "count:people": "people", "count:vehicles": "vehicles", "count:passengers": "passengers",
    "count:bikes": "bikes", "count:incidents": "incidents", "level:spaces": "spaces",
}  # fmt: skip
_WEATHER = (Kind.TEMPERATURE, Kind.RAIN, Kind.HUMIDITY, Kind.WIND, Kind.PRESSURE)


def is_weather(kind: Kind) -> bool:
    """Whether a kind is one of the weather's."""
    return kind in _WEATHER


def by_words(text: str) -> Quantity | None:
    """What a header or a file's name says.

    >>> by_words("유동인구").unit, by_words("DUQ_MW").unit, by_words("A")
    ('people', 'MW', None)
    """
    return next((_named(found) for words, found in _WORDS if _search(words, text)), None)


def by_kind_of_place(words: Sequence[str]) -> Quantity | None:
    """What is measured at places, by words that stand in the header of each of them.

    >>> by_kind_of_place(["kiel", "Parken"]).unit, by_kind_of_place(["kiel"])
    ('spaces', None)
    """
    for pattern, found in _KINDS_OF_PLACES:
        if any(_search(pattern, word) for word in words):
            return _named(found)
    return None


def _search(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.IGNORECASE) is not None


def _named(found: str) -> Quantity:
    kind, unit = found.split(":")
    return Quantity(Kind(kind), unit, _NAMES.get(found, kind))


def stated_unit(header: str) -> str | None:
    """A unit in a header's brackets, as it is spelled in a city file.

    >>> stated_unit("기온(℃)"), stated_unit("통행 량(대)"), stated_unit("North")
    ('degC', 'vehicles', None)
    >>> stated_unit("유량(㎥/h)"), stated_unit("유량(㎥/시)"), stated_unit("풍속(㎧)")
    ('m3/h', 'm3/h', 'm/s')
    """
    found = re.search(r"[(\[]([^()\[\]]+)[)\]]", header)
    if found is None:
        return None
    text = unicodedata.normalize("NFKC", found[1]).replace("\u2215", "/").strip()
    amount, per, time = text.partition("/")
    text = f"{amount}{per}{_PER_TIME.get(time, time)}"
    unit = _SPELLINGS.get(text.lower(), _COUNTERS.get(text, text))
    try:
        check_unit(unit)
    except UnitError:
        return None
    return unit


def quantity_of(
    header: str,
    values_R: Doubles,
    *,
    file: str = "",
    units: tuple[str, ...] = (),
    counts: bool = True,
) -> Quantity:
    """What a column measures.

    Args:
        header: its name.
        values_R: its numbers; NaN where there is none.
        file: the name of its file, which may say it where the header does not.
        units: units beside the numbers of its cells.
        counts: whether whole numbers of an unknown quantity are taken for counts.
    """
    guess = by_words(header) or by_words(file)
    unit = stated_unit(header) or next((_COUNTERS[one] for one in units if one in _COUNTERS), None)
    if unit is not None:
        kind = kind_of(unit, guess.kind if guess else None)
        if kind is not None:
            return Quantity(kind, unit, _NAMES.get(f"{kind}:{unit}", guess.name if guess else kind))
    known_R = values_R[np.isfinite(values_R)]
    if guess is not None and _within_one(known_R) and guess.kind in _SHARES:
        return Quantity(Kind.SHARE, "1", guess.name, seen=False)
    if guess is not None:
        return _by_values(guess, header, known_R)
    if (
        counts
        and len(known_R)
        and bool((known_R >= 0).all() and (known_R == np.floor(known_R)).all())
    ):
        return Quantity(Kind.COUNT, "count", "count", seen=False)
    return Quantity(Kind.LEVEL, "1", "value", seen=False)


def _by_values(guess: Quantity, header: str, known_R: Doubles) -> Quantity:
    """A quantity whose unit is one of several in use: by its values, else the number it is."""
    unit: str | None = guess.unit
    low, middle, high = np.quantile(known_R, (0, 0.5, 1)) if len(known_R) else (0.0, 0.0, 0.0)
    if guess.kind is Kind.TEMPERATURE:
        unit = "degC" if low > -60 and high < 56 else "degF" if high < 135 and middle > 35 else None
    elif guess.kind is Kind.WIND:
        unit = "m/s" if high < 20 and middle < 8 else "km/h" if middle >= 9 and high < 200 else None
    elif guess.kind is Kind.PRESSURE:
        unit = "hPa" if low > 500 and high < 1100 else None
    elif guess.kind is Kind.HUMIDITY:
        unit = "%" if low >= 0 and high <= 110 else None
    elif guess.kind in (Kind.SPEED, Kind.LOAD, Kind.ENERGY):
        ends = re.search(r"(?i)(?:^|[^a-z])(mw|kw|gw|mwh|kwh|kmh|mph)$", header)
        spelled = {"kmh": "km/h", "mph": "mph"}
        unit = None if ends is None else spelled.get(ends[1].lower()) or _watts(ends[1])
    if unit is None:
        return Quantity(Kind.LEVEL, "1", guess.name, seen=False)
    return Quantity(kind_of(unit, guess.kind) or guess.kind, unit, guess.name)


def _watts(text: str) -> str:
    """``mw`` -> ``MW``, ``KWH`` -> ``kWh``."""
    size = text[0].lower()
    return ("k" if size == "k" else size.upper()) + "W" + ("h" if len(text) > 2 else "")


def kind_of(unit: str, likely: Kind | None) -> Kind | None:
    """The kind that a unit belongs to, the likely one first; None where it fits none."""
    known: list[Kind] = [one for one in (likely, *EXAMPLES) if one is not None]
    return next((kind for kind in known if _fits(unit, kind)), None)


def _fits(unit: str, kind: Kind) -> bool:
    try:
        check_unit(unit, kind)
    except UnitError:
        return False
    return True


def _within_one(known_R: Doubles) -> bool:
    return bool(len(known_R) and known_R.min() >= 0 and known_R.max() <= 1)
