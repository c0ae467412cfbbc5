"""What a TOML file may hold: texts without NUL, whole numbers of 64 bits, few levels of tables.

TOML itself sets the first two bounds or lets a parser set them; Python's parser sets none, and
ends in errors that name neither the file nor the key.
"""

import re
import tomllib
from typing import Any

from deepcity.city.problem import Problem

_Raw = dict[str, Any]
MOST_BYTES = 16_000_000
MOST_LEVELS = 32
_WHOLE = range(-(1 << 63), 1 << 63)
_DIGITS = re.compile(r"\d[\d_]{400,}")
_BRACKETS = re.compile(r"[\[{]")
_BARE_KEY = re.compile(r"\s*([\w.\"' -]{1,80}?)\s*=")


def parse_toml(text: str, file: str) -> tuple[_Raw | None, list[Problem]]:
    """The content of a TOML text, or what in it goes beyond the bounds.

    Raises:
        TOMLDecodeError: if it is not TOML.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except RecursionError:
        line = _line_with_most(text, _BRACKETS)
        return None, [_too_deep(file, _key_of(line, text))]
    except ValueError:  # of Python's int, which reads a number of so many digits for no one
        line = _line_with_most(text, _DIGITS)
        return None, [_too_large(file, _key_of(line, text), None)]
    problems = _problems(raw, file)
    return (None, problems) if problems else (raw, [])


def _problems(raw: _Raw, file: str) -> list[Problem]:
    """Every value beyond the bounds; walked without recursion, as nesting has no end."""
    found: list[Problem] = []
    left: list[tuple[str, object, int]] = [("", raw, 0)]
    while left:
        key, value, level = left.pop()
        if level > MOST_LEVELS:
            found.append(_too_deep(file, key))
        elif isinstance(value, dict):
            left += [(_joined(key, str(name)), below, level + 1) for name, below in value.items()]
            found += [_nul(file, key, str(name)) for name in value if "\0" in str(name)]
        elif isinstance(value, list):
            left += [(f"{key}[{n}]", below, level + 1) for n, below in enumerate(value, 1)]
        elif isinstance(value, str) and "\0" in value:
            found.append(_nul(file, key, value))
        elif isinstance(value, int) and value not in _WHOLE:
            found.append(_too_large(file, key, value))
    return found[::-1]


def _joined(key: str, name: str) -> str:
    return (f"{key}.{name}" if key else name)[:200]


def _too_deep(file: str, key: str) -> Problem:
    reason = f"nested deeper than {MOST_LEVELS} levels"
    right = "write plain values, and lists and tables of a few levels, as docs/reference.md shows"
    return Problem(file, key, None, reason, right)


def _too_large(file: str, key: str, value: int | None) -> Problem:
    digits = f"{len(f'{value:x}') * 4} bits" if value is not None else "over 400 digits"
    reason = f"a whole number of {digits}; TOML's have at most 64 bits"
    return Problem(file, key, None, reason, "write a smaller number, or a text in quotes")


def _nul(file: str, key: str, value: str) -> Problem:
    right = "remove the NUL character (\\u0000) from the text"
    return Problem(file, key, value[:100], "holds a NUL character", right)


def _line_with_most(text: str, pattern: re.Pattern[str]) -> int:
    """Index of the line with most characters in places that fit a pattern."""
    lines = text.splitlines()
    sizes = [sum(len(one) for one in pattern.findall(line)) for line in lines]
    return max(range(len(lines)), key=sizes.__getitem__, default=0)


def _key_of(line: int, text: str) -> str:
    found = _BARE_KEY.match(text.splitlines()[line] if text else "")
    return f"{found[1]} (line {line + 1})" if found else f"line {line + 1}"
