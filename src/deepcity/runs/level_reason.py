"""Why a party chose its level, and what set it, as codes with the figures behind them.

Among the levels that were offered accuracy decides. What was offered, grants and the measured
leakage bound: a level chosen for lack of leakage budget is told apart from one that was worth most.
"""

from math import isfinite

from deepcity.city.level import ALONE, MAX_LEVEL
from deepcity.intercity.level_choice import LevelChoice
from deepcity.runs.note import Note
from deepcity.runs.releases.level_limit import LevelLimit, LimitCause

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
_OFFERED = frozenset({"offered"})
LEVEL_BOUNDS = {
    "level_by_accuracy": _OFFERED,
    "level_by_leakage": frozenset({"r2", "most_r2"}),
    "level_by_unmeasured": frozenset({"most_r2"}),
    "level_by_policy": frozenset[str](),
    "level_by_grant": frozenset({"granted"}),
    "level_by_others": _OFFERED,
}
"""Everything that sets a level, and the numbers of its sentence."""


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


def level_bound(
    choice: LevelChoice, limit: LevelLimit, granted: int, *, newcomer: bool = False
) -> Note | None:
    """What set the level: accuracy among those offered, or what bounded the offer.

    None where none was offered for another reason, which is its own note's.

    Args:
        limit: how deep the party may share by its city's policy.
        granted: the deepest level by the map's grant.
        newcomer: it shares nothing, so no policy of its own bounds what it may use.
    """
    offered = max(level for level, _ in choice.experts)
    if choice.level < offered or offered == MAX_LEVEL:
        return Note(code="level_by_accuracy", numbers={"offered": offered})
    if not newcomer and offered == limit.level and limit.cause is not None:
        return _bounded(limit)
    if offered == granted:
        return Note(code="level_by_grant", numbers={"granted": granted})
    return Note(code="level_by_others", numbers={"offered": offered}) if offered else None


def _bounded(limit: LevelLimit) -> Note:
    names: dict[str, str | list[str]] = {}
    if limit.cause is LimitCause.POLICY and limit.reasons:
        reasons = limit.reasons
        names["why"] = ["; ".join(one.en for one in reasons), "; ".join(one.ko for one in reasons)]
    known = {"r2": limit.value, "most_r2": limit.limit}
    numbers = {name: value for name, value in known.items() if value is not None}
    return Note(code=f"level_by_{limit.cause}", numbers=numbers, names=names)
