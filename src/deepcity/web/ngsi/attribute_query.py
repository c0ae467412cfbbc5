"""The query language of NGSI-LD (4.9): which entities have attributes of these values.

q=averageVehicleSpeed<20;(congested==true|averageVehicleSpeedForecast.low<10)

Comparisons: == != > >= < <= and ~= !~= (pattern); values are numbers, "texts", true, false,
times, ranges `1..5` and lists `1,2`. An attribute alone asks whether there is one. `;` is and,
`|` is or.
"""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deepcity.web.ngsi.context import short_name
from deepcity.web.ngsi.entity import Attribute, Entity, moment
from deepcity.web.ngsi.patterns import pattern
from deepcity.web.ngsi.problems import NgsiError, bad

MOST_SIGNS, MOST_TERMS, MOST_DEPTH, MOST_VALUES = 2_000, 50, 10, 100
Test = Callable[[Entity], bool]
_ORDER = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
_PATH = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*(?:\[\w+(?:\.\w+)*\])?|https?://[\w./#:-]+")
_SIGN = re.compile(r"!~=|~=|==|!=|>=|<=|>|<")
_VALUE = re.compile(r'"[^"]*"|[^;|()",]+')
_NUMBER = re.compile(r"[-+]?\d{1,30}(\.\d{1,30})?([eE][-+]?\d{1,3})?")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[-+]\d{2}:\d{2})")
_DAY_OR_HOUR = re.compile(r"\d{4}-\d{2}-\d{2}|\d{2}:\d{2}:\d{2}Z?")


def attribute_query(text: str) -> Test:
    """Whether an entity fits a query.

    Raises:
        NgsiError: with the place that cannot be read.
    """
    if len(text) > MOST_SIGNS:
        raise bad("q", text, f"{len(text)} characters", f"give at most {MOST_SIGNS}")
    reader = _Reader(text)
    found = reader.any_of(0)
    if reader.at < len(text):
        raise reader.wrong("a term, ; or | was expected")
    return found


@dataclass
class _Reader:
    """Reads a query from left to right."""

    text: str
    at: int = 0
    terms: int = 0

    def any_of(self, depth: int) -> Test:
        """Terms between `|`; `;` binds closer."""
        found = [self._all_of(depth)]
        while self._takes("|"):
            found.append(self._all_of(depth))
        return found[0] if len(found) == 1 else lambda one: any(test(one) for test in found)

    def _all_of(self, depth: int) -> Test:
        found = [self._term(depth)]
        while self._takes(";"):
            found.append(self._term(depth))
        return found[0] if len(found) == 1 else lambda one: all(test(one) for test in found)

    def _term(self, depth: int) -> Test:
        self.terms += 1
        if self.terms > MOST_TERMS or depth > MOST_DEPTH:
            right = f"use at most {MOST_TERMS} terms, {MOST_DEPTH} deep"
            raise bad("q", self.text, "too complex", right)
        if self._takes("("):
            found = self.any_of(depth + 1)
            if not self._takes(")"):
                raise self.wrong("a ) is missing")
            return found
        path = _PATH.match(self.text, self.at)
        if path is None:
            raise self.wrong("the name of an attribute was expected")
        self.at = path.end()
        sign = _SIGN.match(self.text, self.at)
        if sign is None:
            read = _reading(path[0])
            return lambda one: read(one) is not None
        self.at = sign.end()
        return _compared(_reading(path[0]), sign[0], self._values(), self.text)

    def _values(self) -> list[str]:
        found = []
        while True:
            value = _VALUE.match(self.text, self.at)
            if value is None:
                raise self.wrong("a value was expected")
            found.append(value[0])
            self.at = value.end()
            if len(found) > MOST_VALUES:
                raise bad("q", self.text, "too many values", f"give at most {MOST_VALUES}")
            if not self._takes(","):
                return found

    def _takes(self, sign: str) -> bool:
        if not self.text.startswith(sign, self.at):
            return False
        self.at += 1
        return True

    def wrong(self, reason: str) -> NgsiError:
        """What is wrong, and where."""
        rest = self.text[self.at : self.at + 40] or "the end"
        right = 'write e.g. temperature>20;name=="p1"'
        return bad("q", self.text, f"at {self.at} ({rest}): {reason}", right)


def _reading(path: str) -> Callable[[Entity], Any]:
    """What a path leads to in an entity; None: nowhere."""
    if path.startswith("http"):
        names, inner = [short_name(path)], []
    else:
        plain, _, rest = path.partition("[")
        names, inner = plain.split("."), [one for one in rest.rstrip("]").split(".") if one]

    def read(entity: Entity) -> Any:  # noqa: ANN401 - JSON
        found = entity.attribute(names[0])
        for name in names[1:]:
            if found is None:
                return None
            if name == "observedAt":
                return None if found.observed_s is None else moment(found.observed_s)
            if name == "unitCode":
                return found.unit or None
            found = _part(found, name)
        value = None if found is None else found.value
        for name in inner:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    return read


def _part(found: Attribute, name: str) -> Attribute | None:
    return next((one for one in found.parts if one.name == name), None)


def _compared(read: Callable[[Entity], Any], sign: str, texts: list[str], query: str) -> Test:
    if sign in ("~=", "!~="):
        if len(texts) > 1:
            raise bad("q", query, "a pattern is one value", "join tests by |")
        holds = pattern(texts[0].strip('"'), "q")
        wanted = sign == "~="
        return lambda one: isinstance(value := read(one), str) and holds(value) is wanted
    if sign in ("==", "!="):
        among = [_among(text) for text in texts]
        if sign == "==":
            return lambda one: any(_any_value(read(one), test) for test in among)
        return lambda one: (
            (value := read(one)) is not None and not any(_any_value(value, test) for test in among)
        )
    if len(texts) > 1 or ".." in texts[0]:
        raise bad("q", query, f"{sign} takes one value", "use == for lists and ranges")
    limit = _value(texts[0])
    if isinstance(limit, bool):
        raise bad("q", query, f"{sign} {texts[0]}: true and false have no order", "use ==")
    return lambda one: _any_value(read(one), lambda value: _ordered(value, sign, limit))


def _among(text: str) -> Callable[[Any], bool]:
    """Whether a value is this one, or in this range."""
    low, dots, high = text.partition("..")
    if dots and not text.startswith('"'):
        first, last = _value(low), _value(high)
        return lambda value: _ordered(value, ">=", first) and _ordered(value, "<=", last)
    wanted = _value(text)

    def same(value: Any) -> bool:  # noqa: ANN401 - JSON
        if isinstance(value, bool) or isinstance(wanted, bool):
            return value is wanted
        return bool(_plain(value) == _plain(wanted))

    return same


def _any_value(value: Any, test: Callable[[Any], bool]) -> bool:  # noqa: ANN401 - JSON
    """A list fits if one of its values does (4.9)."""
    if isinstance(value, list):
        return any(test(one) for one in value)
    return value is not None and test(value)


def _ordered(value: Any, sign: str, limit: Any) -> bool:  # noqa: ANN401 - JSON
    one, other = _plain(value), _plain(limit)
    if isinstance(one, bool) or isinstance(other, bool):
        return False
    numbers = isinstance(one, int | float) and isinstance(other, int | float)
    if not numbers and not (isinstance(one, str) and isinstance(other, str)):
        return False
    return bool(_ORDER[sign](one, other))


def _value(text: str) -> float | bool | str:
    """A value as it is written: of a number, a text, true or false, or a time."""
    if text.startswith('"'):
        return text[1:-1]
    if text in ("true", "false"):
        return text == "true"
    if _NUMBER.fullmatch(text):
        return float(text)
    if _TIME.fullmatch(text):
        return _time(text)
    if _DAY_OR_HOUR.fullmatch(text) or re.fullmatch(r"[\w:%./#@-]+", text):
        return text
    raise bad("q", text, "no value", 'write 20, "a text", true or 2024-05-01T00:00:00Z')


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON
    """A value to compare: times as UTC texts."""
    if isinstance(value, dict) and value.get("@type") == "DateTime":
        return value.get("@value")
    return value


def _time(text: str) -> str:
    try:
        return moment(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())
    except (ValueError, OverflowError, OSError) as error:
        raise bad("q", text, "no time", "write e.g. 2024-05-01T00:00:00Z") from error
