"""Patterns of ids and values, in time linear in the text for all but one quantifier.

A pattern from outside must not hold up the server (ReDoS). Groups, alternatives and counted
quantifiers are refused; `.*` splits a pattern into parts that are found one after another, from
left to right and never again; one other quantifier may be used.
"""

import re
from collections.abc import Callable

from deepcity.web.ngsi.problems import bad

MOST_SIGNS = 100
_MOST_QUANTIFIERS = 1
_ATOM = re.compile(r"\\[dDwWsS]|\\[^A-Za-z0-9]|\[\^?[^\[\]\\]+\]|[^\\\[\](){}|*+?^$]", re.DOTALL)


def pattern(text: str, name: str) -> Callable[[str], bool]:
    """Whether a text holds what a pattern describes.

    >>> pattern("^urn:.*:district-[12]$", "idPattern")("urn:ngsi-ld:Alert:a:district-1")
    True

    Args:
        name: of the parameter, for messages.

    Raises:
        NgsiError: if the pattern is too long or uses more than is allowed.
    """
    if len(text) > MOST_SIGNS:
        raise bad(name, text, f"{len(text)} characters", f"give at most {MOST_SIGNS}")
    begins = text.startswith("^")
    ends = text.endswith("$") and not text.endswith("\\$")
    inner = text[begins : len(text) - ends]
    parts = [re.compile(part, re.DOTALL) for part in _parts(inner, name, text)]
    last = re.compile(f"(?:{parts[-1].pattern})\\Z", re.DOTALL)

    def holds(value: str) -> bool:
        at = 0
        for number, part in enumerate(parts):
            final = number == len(parts) - 1
            one = last if ends and final else part
            fixed = begins and number == 0
            found = one.match(value, at) if fixed else one.search(value, at)
            if found is None:
                return False
            at = found.end()
        return True

    return holds


def _parts(inner: str, name: str, text: str) -> list[str]:
    """The pattern between its `.*`; each is an expression of its own."""
    parts, at, quantifiers = [""], 0, 0
    while at < len(inner):
        found = _ATOM.match(inner, at)
        if found is None:
            right = "use letters, ., .*, classes such as [0-9], ^ and $; no groups or alternatives"
            raise bad(name, text, f"{inner[at]!r} is not allowed at {at}", right)
        atom, at = found[0], found.end()
        sign = inner[at : at + 1]
        if sign not in ("*", "+", "?") or not sign:
            parts[-1] += _checked(atom, name, text)
            continue
        at += 1
        if atom == "." and sign in "*+":
            parts[-1] += "." if sign == "+" else ""
            parts.append("")
            continue
        quantifiers += 1
        if quantifiers > _MOST_QUANTIFIERS:
            right = f"use .* and at most {_MOST_QUANTIFIERS} other quantifier"
            raise bad(name, text, f"{quantifiers} quantifiers", right)
        parts[-1] += f"{_checked(atom, name, text)}{sign}?"  # the shortest: it ends first
    return parts


def _checked(atom: str, name: str, text: str) -> str:
    if atom.startswith("[") and any(sign in atom for sign in ("--", "&&", "~~")):
        raise bad(name, text, f"{atom!r} may mean a set of sets one day", "write e.g. [a-z0-9]")
    try:
        re.compile(atom)
    except re.error as error:
        raise bad(name, text, f"{atom!r}: {error.msg}", "write e.g. [a-z0-9]") from error
    return atom
