"""Which levels a party set aside in its test days: since when, on what evidence, and until when;
and when what joined experts may lose was spent (`deepcity.learning.ensemble.loss_allowance`).

An ensemble sets a joined expert aside while its recent error is beyond a bound drawn from the
errors of the party's own network (`deepcity.learning.ensemble.recent_errors`). Levels of the
same span are one entry.

Shapes: B origins, E experts.
"""

from collections.abc import Iterator

import numpy as np

from deepcity.city.arrays import Bools, Doubles, Ints
from deepcity.city.level import ALONE
from deepcity.intercity.level_choice import LevelChoice
from deepcity.learning.ensemble.loss_allowance import FORECASTS
from deepcity.learning.ensemble.multi_view_ensemble import EnsembleForecast
from deepcity.parties.party import Party
from deepcity.runs.results import AllowanceSpent, LevelSetAside


def levels_set_aside(
    party: Party, choice: LevelChoice, tested: EnsembleForecast
) -> list[LevelSetAside]:
    """Spans in which a level was set aside at a test origin, in order of time.

    Args:
        tested: the ensemble's forecasts of the test days.
    """
    errors = choice.validation.error_BE, tested.error_BE
    bounds = choice.validation.bound_BE, tested.bound_BE
    if tested.error_BE is None or tested.bound_BE is None:
        return []
    error_BE = np.concatenate([one for one in errors if one is not None])
    bound_BE = np.concatenate([one for one in bounds if one is not None])
    origins_B = np.concatenate([party.validation_origins, party.test_origins])[-len(error_BE) :]
    time_B = party.panel.time_T[origins_B]
    first_test = len(error_BE) - len(tested.error_BE)
    found: dict[tuple[int, int | None], LevelSetAside] = {}
    for expert, (level, _) in enumerate(choice.experts):
        if level == ALONE:
            continue
        error_B, bound_B = error_BE[:, expert], bound_BE[:, expert]
        for begun, ended in _spans(error_B > bound_B):
            if ended > first_test:
                one = _span(level, time_B, error_B, bound_B, begun, ended)
                key = one.since, one.back
                found[key] = _merged(found[key], one) if key in found else one
    return sorted(found.values(), key=lambda one: (one.since, one.back or np.inf))


def spans_spent(
    party: Party, choice: LevelChoice, tested: EnsembleForecast
) -> list[AllowanceSpent]:
    """Spans in which the allowance was spent at a test origin, in order of time.

    Args:
        tested: the ensemble's forecasts of the test days.
    """
    if tested.lost_B is None:
        return []
    known_B = choice.validation.lost_B
    lost_B = tested.lost_B if known_B is None else np.concatenate([known_B, tested.lost_B])
    origins_B = np.concatenate([party.validation_origins, party.test_origins])[-len(lost_B) :]
    time_B, first_test = party.panel.time_T[origins_B], len(lost_B) - len(tested.lost_B)
    return [
        AllowanceSpent(
            since=int(time_B[begun]),
            back=int(time_B[ended]) if ended < len(time_B) else None,
            lost=float(lost_B[begun:ended].max()),
            allowed=FORECASTS,
        )
        for begun, ended in _spans(lost_B > FORECASTS)
        if ended > first_test
    ]


def _spans(aside_B: Bools) -> Iterator[tuple[int, int]]:
    """First and last + 1 of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], aside_B, [False]]).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _span(
    level: int, time_B: Ints, error_B: Doubles, bound_B: Doubles, begun: int, ended: int
) -> LevelSetAside:
    """One span, with the error farthest beyond its bound as evidence."""
    excess_B = error_B[begun:ended] / np.maximum(bound_B[begun:ended], np.finfo(float).tiny)
    worst = begun + int(excess_B.argmax())
    return LevelSetAside(
        levels=[level],
        since=int(time_B[begun]),
        back=int(time_B[ended]) if ended < len(time_B) else None,
        error=float(error_B[worst]),
        bound=float(bound_B[worst]),
    )


def _merged(one: LevelSetAside, other: LevelSetAside) -> LevelSetAside:
    """Two levels of one span, with the evidence of the worse."""
    worse = max(one, other, key=lambda found: found.error / found.bound if found.bound else np.inf)
    return worse.model_copy(update={"levels": sorted({*one.levels, *other.levels})})
