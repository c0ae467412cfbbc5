"""`thousands` and `decimal`: another reading of numbers that are written with commas or points.

Each is tried on the texts of all columns of the source: it has to read every one, and to leave
the numbers that were read already as they are.
"""

from collections.abc import Callable
from dataclasses import replace

from deepcity.city.problem import Trial
from deepcity.data.config.number_style import NumberStyle
from deepcity.data.remedies import Remedy
from deepcity.data.remedies.cell_texts import UnreadNumbers

Styles = Callable[[NumberStyle], list[tuple[str, NumberStyle]]]


def with_thousands(style: NumberStyle) -> list[tuple[str, NumberStyle]]:
    """Styles with a sign between thousands, and how each is written in a city file."""
    if style.thousands:
        return []
    return [
        (f"thousands = {_quoted(sign)}", replace(style, thousands=sign))
        for sign in (",", ".", " ", "'")
        if sign != style.decimal
    ]


def with_decimal(style: NumberStyle) -> list[tuple[str, NumberStyle]]:
    """The style with the other decimal sign."""
    other = _other(style.decimal)
    if style.thousands == other:
        return []
    return [(f"decimal = {_quoted(other)}", replace(style, decimal=other))]


def with_both(style: NumberStyle) -> list[tuple[str, NumberStyle]]:
    """Styles with the other decimal sign and a sign between thousands."""
    return [
        (f"{change} and {more}", both)
        for change, other in with_decimal(style)
        for more, both in with_thousands(other)
    ]


def _quoted(sign: str) -> str:
    return f"'{sign}'" if sign != "'" else f'"{sign}"'


def attempt(evidence: UnreadNumbers, styles: list[tuple[str, NumberStyle]]) -> Trial | None:
    """The first of some styles that reads all texts; None if there is none."""
    for change, style in styles:
        values = evidence.values(style)
        if values is None or not len(values):
            continue
        broken = evidence.broken(style)
        if broken is not None:
            return Trial(change, False, f"{broken!r} would not be the number it is")
        return Trial(change, True, evidence.effect(values))
    return None


def _thousands(evidence: UnreadNumbers) -> Trial | None:
    if not evidence.also:
        return attempt(evidence, with_thousands(evidence.style))
    # a sign that was read as the decimal sign
    sign = evidence.style.decimal
    change = f"thousands = {_quoted(sign)}{' instead of decimal' * evidence.decimal_stated}"
    return attempt(
        evidence, [(change, replace(evidence.style, decimal=_other(sign), thousands=sign))]
    )


def _decimal(evidence: UnreadNumbers) -> Trial | None:
    style = evidence.style
    sign = style.decimal if evidence.also else _other(style.decimal)
    if not style.thousands and evidence.fractions_of_counts(sign):
        return None  # who does so reads 1,019 cars as 1.019 for good, and nothing warns any more
    if evidence.also:
        return attempt(evidence, [(f"decimal = {_quoted(sign)}", style)])
    return attempt(evidence, with_decimal(style))


def _other(decimal: str) -> str:
    return "," if decimal == "." else "."


def _both(evidence: UnreadNumbers) -> Trial | None:
    if evidence.also or _thousands(evidence) or _decimal(evidence):
        return None
    return attempt(evidence, with_both(evidence.style))


REMEDIES = (
    Remedy("thousands", UnreadNumbers, _thousands),
    Remedy("decimal", UnreadNumbers, _decimal),
    Remedy("decimal-and-thousands", UnreadNumbers, _both),
)
