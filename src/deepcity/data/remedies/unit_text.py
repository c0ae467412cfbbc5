"""`unit_text`: units and currency signs in cells, such as 1,019명, 12.5 ㎍/㎥ and € 3,20.

Offered if a column has one such text only: of 5 km and 500 m only the digits would be left. A
text that multiplies the number, as 천 and k do, is none.
"""

import re
from dataclasses import replace

from deepcity.city.problem import Trial
from deepcity.data.observations import ColumnTally
from deepcity.data.remedies import Remedy
from deepcity.data.remedies.cell_texts import UnreadNumbers, has_digit, is_stray
from deepcity.data.remedies.number_signs import attempt, with_both, with_decimal, with_thousands

_CELL = re.compile(r"[(+\u2212-]?\s*(\D*?)\s*[+\u2212-]?(\d(?:.*\d)?)\s*(\D*?)\s*[)-]?")
_NO_UNIT = re.compile(r"[<>≤≥~≈±*?=^:;!]")
_MULTIPLIER = re.compile(
    r"[kKMBGT]|(?i:mio\.?|mrd\.?|tsd\.?|(?:thousand|million|billion).*)|[백천만억조].*"
)


def _beside(tally: ColumnTally) -> set[tuple[str, str]]:
    """What stands before and after the numbers of a column."""
    found = (_CELL.fullmatch(text) for text in tally.bad if has_digit(text))
    return {(cell[1], cell[3]) if cell else ("?", "?") for cell in found} - {("", "")}


def _attempt(evidence: UnreadNumbers, ways: str) -> Trial | None:
    pairs = [_beside(tally) for tally in evidence.columns.values()]
    units = list(dict.fromkeys(text for found in pairs for pair in sorted(found) for text in pair))
    units = [text for text in units if text]
    if not units or any(_NO_UNIT.search(text) for text in units):
        return None
    if any(is_stray(text, tally) for tally in evidence.columns.values() for text in units):
        return None  # a slip: who takes x for a unit hides the next one too
    style = replace(evidence.style, units=(*evidence.style.units, *units))
    change = f"unit_text = [{', '.join(repr(text) for text in style.units)}]"
    styles = {
        "": [("", style)],
        "thousands": with_thousands(style),
        "decimal": with_decimal(style),
        "both": with_both(style),
    }
    trial = attempt(
        evidence, [(f"{change} and {more}" if more else change, s) for more, s in styles[ways]]
    )
    if trial is None:
        return None
    several = next((sorted({a + b for a, b in found}) for found in pairs if len(found) > 1), None)
    if several:
        return replace(
            trial, keeps=False, effect=f"{' and '.join(several)} would be taken as one unit"
        )
    multiplier = next((text for text in units if _MULTIPLIER.fullmatch(text)), None)
    if multiplier:
        return replace(trial, keeps=False, effect=f"{multiplier!r} may multiply the number")
    return trial


def _plain(evidence: UnreadNumbers) -> Trial | None:
    return _attempt(evidence, "")


def _with_thousands(evidence: UnreadNumbers) -> Trial | None:
    return None if _plain(evidence) else _attempt(evidence, "thousands")


def _with_decimal(evidence: UnreadNumbers) -> Trial | None:
    return None if _plain(evidence) else _attempt(evidence, "decimal")


def _with_both(evidence: UnreadNumbers) -> Trial | None:
    simpler = _plain(evidence) or _with_thousands(evidence) or _with_decimal(evidence)
    return None if simpler else _attempt(evidence, "both")


REMEDIES = (
    Remedy("unit-text", UnreadNumbers, _plain),
    Remedy("unit-text-and-thousands", UnreadNumbers, _with_thousands),
    Remedy("unit-text-and-decimal", UnreadNumbers, _with_decimal),
    Remedy("unit-text-and-both-signs", UnreadNumbers, _with_both),
)
