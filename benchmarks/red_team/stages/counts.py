"""Counts of the simulated federation: an agency that may send them to two cities, for a while.

A person of one area is looked for. The adversary knows all others, so that one unit more or less is
all that it does not know: nobody can know more beside what is released.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import exp
from pathlib import Path
from typing import Any

import numpy as np
from policy_town import policy_town

from deepcity.city.arrays import Indices, Ints
from deepcity.city.errors import GrantError
from deepcity.data.city_file import load_city
from deepcity.maps.city_policy import PolicyFile, policy_origin
from deepcity.parties.releases.counts_release import CountsRelease
from deepcity.privacy.counts.release import ReleasedCounts, release
from deepcity.privacy.counts.terms import CountTerms

EPSILON, ALLOWED, K = 0.5, 2.0, 5
"""Of one release, and of all together by the grant."""
TERMS = CountTerms(EPSILON, K, 1, "person")
TRIALS = 2000
KNOWN_K = np.array([40, 60, 25])
"""All but the person looked for, who is counted in the first cell or in none."""
_GRANT = """
[[grant]]
name = "{name}"
agency = "water"
item = "counts"
grantee = ["{grantee}"]
domain = "resources"
service = "{service}"
purpose = "where to patrol"
until = {until}
least_k = 5
epsilon = 2
"""
HELD_S = 1_750_000_000
"""A time in June 2025, at the end of which one grant ended."""


@dataclass
class CountsTown:
    """The agency's releases.

    Attributes:
        folder: of its city, with the policy, and of all that leaves.
        asked: attempts so far, each of a file of its own.
    """

    folder: Path
    asked: int = 0

    def releasing(self, **change: Any) -> CountsRelease:
        """As a new process opens it: all that is known of before is in the site's folder."""
        origin = policy_origin(load_city(self.folder / "town.toml", later=True))
        assert origin is not None
        found = CountsRelease(
            policy=PolicyFile(origin),
            city="town",
            agency="water",
            site=self.folder / "site",
            recipients=("harbour",),
            service="safety",
            purpose="where to patrol",
            terms=TERMS,
        )
        return replace(found, **change)

    def ask(self, **change: Any) -> ReleasedCounts:
        """One release of the true counts, through policy, budget and ledger."""
        self.asked += 1
        out = self.folder / f"counts-{self.asked}.csv"
        return self.releasing(**change).release(KNOWN_K, out, "counts", _written, b"{}")

    def answers(self) -> int:
        """Asks again and again, and counts the answers until there are no more."""
        for number in range(100):
            try:
                self.ask()
            except GrantError as error:
                if "would be spent" not in str(error):
                    raise
                return number
        return 100


def counts_town(folder: Path) -> CountsTown:
    """Harbour may have counts for two services, and had those of a third; west has them for one."""
    folder.mkdir()
    (folder / "flows.csv").write_text("time,a\n2024-01-01 00:00,1\n", encoding="utf-8")
    grants = [
        ("first", "harbour", "safety", "2999-12-31"),
        ("second", "harbour", "traffic", "2999-12-31"),
        ("third", "west", "safety", "2999-12-31"),
        ("ended", "harbour", "census", "2025-06-30"),
    ]
    kinds = [dict(zip(("name", "grantee", "service", "until"), one, strict=True)) for one in grants]
    policy_town(folder, "".join(_GRANT.format(**one) for one in kinds))
    return CountsTown(folder)


def right_guesses(answers: int, guess: Callable[[list[ReleasedCounts]], bool]) -> float:
    """Share of right guesses of whether a person was counted, who was in every second time.

    Args:
        answers: how many releases each guess is made from.

    Raises:
        AssertionError: if it does no better than chance.
    """
    cells, person, right = len(KNOWN_K), np.array([1, 0, 0]), 0
    for number in range(TRIALS):
        there = number % 2 == 0
        true_K = np.tile(KNOWN_K + person * there, answers)
        found = release(true_K, TERMS)  # noise is drawn for each cell: as many releases at once
        right += bool(guess(_each(found, cells, answers))) == there
    assert right > TRIALS / 2, "whoever does no better than chance shows nothing"
    return right / TRIALS


def most_right(epsilon: float) -> float:
    """The best that anybody can do within epsilon, and three standard errors of the trials."""
    best = exp(epsilon) / (1 + exp(epsilon))
    return best + 3 * (best * (1 - best) / TRIALS) ** 0.5


def shown(found: ReleasedCounts, cell: int) -> float:
    """A cell's count; that of k where it was withheld."""
    at = np.flatnonzero(found.cell_S == cell)
    return float(found.count_S[at[0]]) if len(at) else float(K)


def _each(found: ReleasedCounts, cells: int, answers: int) -> list[ReleasedCounts]:
    of_S = found.cell_S // cells
    return [
        ReleasedCounts(found.cell_S[of_S == one] % cells, found.count_S[of_S == one], cells)
        for one in range(answers)
    ]


def _written(cell_S: Indices, count_S: Ints) -> Iterator[bytes]:
    yield b"cell,count\n"
    for cell, count in zip(cell_S, count_S, strict=True):
        yield f"{cell},{count}\n".encode()
