"""Rows that a door refused of late, counted by what was wrong with them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock

from deepcity.city.clock import DAY_S
from deepcity.city.problem import Problem

MOST_KINDS = 20
"""Kinds that are told apart; further ones are counted with the last."""


@dataclass(frozen=True)
class Refused:
    """Rows that were refused for one cause.

    Attributes:
        problem: the first of them.
        batches: how many batches or messages had it; a refused batch is refused as a whole.
        cells: how many cells or rows were wrong, as far as they are counted.
        first_s, last_s: when it came first and last, seconds since 1970.
    """

    problem: Problem
    batches: int
    cells: int
    first_s: int
    last_s: int


@dataclass
class RefusedRows:
    """What was refused at one door within a day. Threads may share it.

    Attributes:
        now: seconds since 1970.
    """

    now: Callable[[], float] = time.time
    _kinds: dict[tuple[str, str], Refused] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def add(self, problems: Sequence[Problem]) -> None:
        """A batch was refused for these problems."""
        now_s = int(self.now())
        with self._lock:
            self._forget(now_s)
            seen = set[tuple[str, str]]()
            for one in problems:
                kind = (one.cause.code if one.cause else "", one.key[:100])
                if kind not in self._kinds and len(self._kinds) >= MOST_KINDS:
                    kind = next(reversed(self._kinds))
                before = self._kinds.get(kind, Refused(one, 0, 0, now_s, now_s))
                self._kinds[kind] = replace(
                    before,
                    batches=before.batches + (kind not in seen),
                    cells=before.cells + (one.cause.count if one.cause else 0),
                    last_s=now_s,
                )
                seen.add(kind)

    def recent(self) -> tuple[Refused, ...]:
        """What was refused, the first kind first; a kind of which none came for a day is left."""
        with self._lock:
            self._forget(int(self.now()))
            return tuple(self._kinds.values())

    def _forget(self, now_s: int) -> None:
        for kind in [one for one, it in self._kinds.items() if it.last_s < now_s - DAY_S]:
            del self._kinds[kind]
