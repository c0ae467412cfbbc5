"""Why a party chose its level, as a code with the figures behind it."""

from math import isfinite

from deepcity.city.level import ALONE
from deepcity.intercity.level_choice import LevelChoice
from deepcity.runs.note import Note

_ERRORS = frozenset({"own", "alone"})
_REUSED = _ERRORS | {"level", "together"}
LEVEL_REASONS = {
    "level_none_tried": frozenset[str](),
    "level_no_truth": frozenset[str](),
    "level_alone": _ERRORS,
    "level_reused": _REUSED,
    "level_reused_doubt": _REUSED | {"doubt"},
}
"""Every reason, and the numbers of its sentence."""


def level_reason(choice: LevelChoice, unit: str) -> Note:
    """The reason; errors are in the unit, over the validation days."""
    if len(choice.errors) == 1:
        return Note(code="level_none_tried")
    before = choice.errors[ALONE]
    if not isfinite(before):
        return Note(code="level_no_truth")
    numbers = {"own": choice.weights[ALONE], "alone": before}
    if choice.level == ALONE:
        return Note(code="level_alone", numbers=numbers, names={"unit": unit})
    numbers |= {"level": choice.level, "together": before - choice.gain}
    if not isfinite(choice.standard_error):  # from a single day
        return Note(code="level_reused", numbers=numbers, names={"unit": unit})
    numbers["doubt"] = choice.standard_error
    return Note(code="level_reused_doubt", numbers=numbers, names={"unit": unit})
