"""What a forecaster keeps of the origins that its bands and weights were measured on.

Replaying them takes most of the time of a forecast, so they are kept: a forecast with newer rows
goes on from there. They hold only as long as the rows they saw are the same, which a digest tells.

Steps are counted from where training began, so that a panel may begin earlier.
Shapes: E experts, B origins, N places, H horizon steps, V views.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from deepcity.applications.state import Past
from deepcity.city.arrays import Floats, Ints
from deepcity.learning.ensemble.bernstein import BOAState
from deepcity.learning.ensemble.loss_allowance import LossAllowance
from deepcity.learning.ensemble.multi_view_ensemble import (
    STATE_NAMES,
    EnsembleForecast,
    MultiViewEnsemble,
    PausedRun,
)
from deepcity.learning.ensemble.own_errors import OwnErrors
from deepcity.learning.ensemble.recent_errors import RecentErrors

Groups = Mapping[str, Mapping[str, NDArray[Any]]]
_OWN, _RUN = "replay", "replay:run"
_OWN_ARRAYS = ("aside_B", "aside_BNH", "origins_B", "mixed_BNH")
_RUN_ARRAYS = ("origins_B", "forecast_EBNH", "forecast_VBNH", "mixed_BNH")
_RECENT_ARRAYS = ("joined_E", "error_ME", "steps_M")
_OWN_ERRORS = ("total_N", "steps_N")
STATE_FIELDS = ("prior_E", "regret_GE", "squared_GE", "greatest_GE")
"""Arrays of a state of an ensemble, as a bundle holds them."""


class ReplayValues(BaseModel):
    """What a bundle holds of a replay beside its arrays; attributes are those of `KeptReplay`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    end: int
    digest: str
    stride: int


@dataclass(frozen=True, eq=False)
class KeptReplay:
    """The replay that bands are measured from.

    Attributes:
        end, digest: end of the rows that were known, and what tells whether they are the same.
        stride: steps between its origins.
        aside_B, aside_BNH: origins kept aside, and the ensemble's errors there.
        origins_B, mixed_BNH: origins since the networks learned, and the ensemble's forecasts.
        paused: the run over them, to be gone on with.
    """

    end: int
    digest: str
    stride: int
    aside_B: Ints
    aside_BNH: Floats
    origins_B: Ints
    mixed_BNH: Floats
    paused: PausedRun

    @property
    def values(self) -> ReplayValues:
        """What is no array of it."""
        return ReplayValues(end=self.end, digest=self.digest, stride=self.stride)

    def to_groups(self) -> Groups:
        """Its arrays, by group and name."""
        return {
            _OWN: {name: getattr(self, name) for name in _OWN_ARRAYS},
            _RUN: {name: getattr(self.paused, name) for name in _RUN_ARRAYS},
            **ensemble_groups(self.paused.ensemble, _OWN),
        }

    @staticmethod
    def of_groups(values: ReplayValues, groups: Groups) -> "KeptReplay":
        """As it was stored.

        Raises:
            KeyError: if an array is missing.
        """
        run = {name: groups[_RUN][name] for name in _RUN_ARRAYS}
        return KeptReplay(
            values.end,
            values.digest,
            values.stride,
            groups[_OWN]["aside_B"],
            groups[_OWN]["aside_BNH"],
            groups[_OWN]["origins_B"],
            groups[_OWN]["mixed_BNH"],
            PausedRun(ensemble_of(groups, _OWN), **run),
        )


@dataclass(frozen=True, eq=False)
class CaughtUp:
    """A run from the weights that were kept, over truths that no update has used.

    Attributes:
        first, stride: its first origin, and steps between them.
        end, digest: as in `KeptReplay`.
    """

    first: int
    stride: int
    end: int
    digest: str
    paused: PausedRun

    def of(self, first: int, stride: int) -> bool:
        """Whether its origins lie on this grid."""
        return (self.first, self.stride) == (first, stride)


@dataclass(frozen=True, eq=False)
class KeptAside:
    """Each expert's forecasts of the days kept aside, and their aggregate.

    Attributes:
        end, digest: as in `KeptReplay`.
        origins_B: steps since training began.
        forecast_EBNH: of the experts.
        found: the aggregate.
        past: its forecasts beside naive ones, with what came: decisions learn from it.
    """

    end: int
    digest: str
    origins_B: Ints
    forecast_EBNH: Floats
    found: EnsembleForecast
    past: Past


@dataclass(frozen=True, eq=False)
class Memory:
    """What a bundle that is opened again, beside more rows, goes on from."""

    replay: KeptReplay | None = None
    caught_up: CaughtUp | None = None
    aside: KeptAside | None = None


def rows_digest(values_TN: Floats, adjacency_NN: Floats | None) -> str:
    """A digest of rows, and of the graph of their places."""
    digest = hashlib.blake2b(np.ascontiguousarray(values_TN).data, digest_size=16)
    if adjacency_NN is not None:
        digest.update(np.ascontiguousarray(adjacency_NN).data)
    return digest.hexdigest()


def ensemble_groups(ensemble: MultiViewEnsemble, prefix: str) -> Groups:
    """The arrays of an ensemble's states."""
    found = {
        f"{prefix}:{view}": {name: getattr(getattr(ensemble, view), name) for name in STATE_FIELDS}
        for view in STATE_NAMES
    }
    if ensemble.recent is not None:
        recent = {name: getattr(ensemble.recent, name) for name in _RECENT_ARRAYS}
        own = {name: getattr(ensemble.recent.own, name) for name in _OWN_ERRORS}
        found |= {f"{prefix}:recent": recent, f"{prefix}:own": own}
    if ensemble.allowance is not None:
        found[f"{prefix}:allowance"] = {"lost": np.array([ensemble.allowance.lost])}
    return found


def ensemble_of(groups: Groups, prefix: str) -> MultiViewEnsemble:
    """The ensemble as it was stored.

    Raises:
        KeyError: if an array is missing.
    """
    arrays = {view: groups[f"{prefix}:{view}"] for view in STATE_NAMES}
    recent = _recent_of(groups, prefix)
    *experts, views = (
        BOAState(**{name: arrays[view][name] for name in STATE_FIELDS}) for view in STATE_NAMES
    )
    return MultiViewEnsemble(
        BOAState.together(experts),
        views,
        recent=recent,
        allowance=_allowance_of(groups, prefix, recent),
    )


def _recent_of(groups: Groups, prefix: str) -> RecentErrors | None:
    recent, own = groups.get(f"{prefix}:recent"), groups.get(f"{prefix}:own")
    if recent is None or own is None:  # a bundle written before there were any
        return None
    errors = OwnErrors(*(own[name] for name in _OWN_ERRORS))
    return RecentErrors(**{name: recent[name] for name in _RECENT_ARRAYS}, own=errors)


def _allowance_of(groups: Groups, prefix: str, recent: RecentErrors | None) -> LossAllowance | None:
    """What was lost; nothing in a bundle written before it was counted."""
    if recent is None or not recent.joined_E.any():
        return None
    kept = groups.get(f"{prefix}:allowance")
    return LossAllowance() if kept is None else LossAllowance(float(kept["lost"][0]))
