"""Does each service beat the baseline that it must beat: one table for all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.decisions.forecasts import spread

SAME = 0.01
"""Differences of a hundredth, or within the spread over seeds, are none."""


@dataclass(frozen=True)
class Verdict:
    """One service on one set, by the score that matters most there.

    Attributes:
        case: service and set; a name of its own.
        score: by which.
        ours, alone, baseline: its values, one a seed; `name` is that of the best baseline.
        more: whether more is better.
        digits: behind the point.
    """

    case: str
    score: str
    ours: Sequence[float]
    alone: Sequence[float]
    baseline: Sequence[float]
    name: str
    more: bool
    digits: int

    @staticmethod
    def of(
        case: str,
        score: str,
        by_method: Mapping[str, Sequence[float]],
        ours: tuple[str, str],
        *,
        more: bool,
        digits: int = 3,
    ) -> "Verdict":
        """Ours (learned together, alone) against the best of all other methods."""
        others = {
            name: values
            for name, values in by_method.items()
            if name not in ours and np.isfinite(np.mean(values))
        }
        sign = -1 if more else 1
        name = min(others, key=lambda one: sign * float(np.mean(others[one])))
        joined, alone = (by_method.get(one, ()) for one in ours)
        return Verdict(case, score, joined, alone, others[name], name, more, digits)

    @property
    def beats(self) -> str:
        """Whether it is better than the baseline: yes, no, or level."""
        ours, baseline = float(np.mean(self.ours)), float(np.mean(self.baseline))
        apart = max(SAME * abs(baseline), float(np.std(self.ours)), float(np.std(self.baseline)))
        if abs(ours - baseline) <= apart:
            return "level"
        return "yes" if (ours > baseline) == self.more else "**no**"

    def row(self) -> str:
        """As a row of the table."""
        ours, alone, baseline = (
            spread(list(values), self.digits) if values else "–"
            for values in (self.ours, self.alone, self.baseline)
        )
        better = "more" if self.more else "less"
        return (
            f"| {self.case} | {self.score} ({better} is better) | {ours} | {alone} | "
            f"{baseline} ({self.name}) | {self.beats} |"
        )


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
            "which favours it. Mean ± standard deviation over seeds; level: within that, or "
            "within 1 %. What is not learned has no column 'alone'.",
            "",
            "| service and set | evaluated by | ours | alone | best baseline | beats it |",
            "|---|---|---:|---:|---:|---|",
            *(one.row() for one in found),
        ]
    )
