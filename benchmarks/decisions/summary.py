"""Does each service beat the baseline that it must beat: one table for all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.decisions.day_scores import DayScores, Difference, difference
from benchmarks.decisions.forecasts import spread

SAME = 0.01
"""Differences of a hundredth of the baseline, or within their spread over seeds, are none."""


@dataclass(frozen=True)
class Verdict:
    """One service on one set, by the score that matters most there.

    Attributes:
        case: service and set; a name of its own.
        score: by which.
        ours, alone, baseline: one a seed; `name` is that of the best baseline.
        more: whether more is better.
        digits: behind the point.
    """

    case: str
    score: str
    ours: Sequence[DayScores]
    alone: Sequence[DayScores]
    baseline: Sequence[DayScores]
    name: str
    more: bool
    digits: int

    @staticmethod
    def of(
        case: str,
        score: str,
        by_method: Mapping[str, Sequence[DayScores]],
        ours: tuple[str, str],
        *,
        more: bool,
        digits: int = 3,
    ) -> "Verdict":
        """Ours (learned together, alone) against the best of all other methods."""
        others = {
            name: mean
            for name, found in by_method.items()
            if name not in ours and np.isfinite(mean := float(np.mean(_scores(found))))
        }
        name = (max if more else min)(others, key=lambda one: others[one])
        joined, alone = (by_method.get(one, ()) for one in ours)
        return Verdict(case, score, joined, alone, by_method[name], name, more, digits)

    @property
    def apart(self) -> Difference:
        """How much more ours scores than the baseline."""
        return difference(self.ours, self.baseline)

    @property
    def beats(self) -> str:
        """Whether it is better than the baseline: yes, no, or level."""
        apart, baseline = self.apart, np.array(_scores(self.baseline))
        of_seeds = float(np.std(np.array(_scores(self.ours)) - baseline))  # the same cars, leaks
        least = max(SAME * abs(float(baseline.mean())), of_seeds)
        if abs(apart.mean) <= least or not apart.sure:
            return "level"
        return "yes" if (apart.mean > 0) == self.more else "**no**"

    def row(self) -> str:
        """As a row of the table."""
        ours, alone, baseline = (
            spread(_scores(found), self.digits) if found else "–"
            for found in (self.ours, self.alone, self.baseline)
        )
        better, apart = "more" if self.more else "less", self.apart
        mean, low, high = (f"{one:+.{self.digits}f}" for one in (apart.mean, apart.low, apart.high))
        return (
            f"| {self.case} | {self.score} ({better} is better) | {ours} | {alone} | "
            f"{baseline} ({self.name}) | {self.beats} ({mean}; {low} to {high}) |"
        )


def _scores(found: Sequence[DayScores]) -> list[float]:
    """One a seed."""
    return [one.score for one in found]


def text(found: Sequence[Verdict], seeds: Sequence[int]) -> str:
    """The table as Markdown."""
    return "\n".join(
        [
            "## Decisions: does each service beat its baseline?",
            "",
            f"`python -m benchmarks.decisions --seeds {','.join(map(str, seeds))}`. One row a "
            "service and set, by the score that matters most to it; the section of each "
            "service (`decisions-…`) holds the others, and says what was measured. The "
            "baseline is the best of all that were tried, chosen by the test days themselves, "
            "which favours it (of patrols, the counts of 90 days). Mean ± standard deviation over "
            "seeds. In brackets: ours less the baseline, and from where to where that would be on "
            "other days in 95 % of cases: the same days are drawn anew for both, in runs of "
            "neighbouring days, all seeds together (circular block bootstrap: Künsch 1989; Politis "
            "& Romano 1992; for leaks, districts). Level: this holds 0, or the difference is "
            "within its own spread over seeds or 1 % of the baseline. What is not learned has no "
            "column 'alone'.",
            "",
            "| service and set | evaluated by | ours | alone | best baseline | beats it |",
            "|---|---|---:|---:|---:|---|",
            *(one.row() for one in found),
        ]
    )
