"""How long a site's answer is waited for: its own speed decides, not one number for all.

A deadline is some multiple of the slowest of a site's last answers to the same verb. A missed one
is doubled for the next call, for a timeout means "unknown", not "failed": the site may be at work.
"""

from collections import deque
from dataclasses import dataclass, field
from threading import Lock


@dataclass
class Deadlines:
    """Seconds to wait, by site and verb.

    Attributes:
        first_s: before anything is known of a site.
        least_s, most_s: bounds of every deadline.
        factor: deadline over the slowest of the last answers.
        kept: number of last answers that count.
    """

    first_s: float = 600.0
    least_s: float = 20.0
    most_s: float = 3600.0
    factor: float = 5.0
    kept: int = 5
    _answers: dict[tuple[str, str], deque[float]] = field(default_factory=dict)
    _missed: dict[tuple[str, str], float] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def of(self, site: str, verb: str) -> float:
        """Seconds to wait for this answer.

        >>> deadlines = Deadlines(first_s=60, least_s=1, most_s=100)
        >>> deadlines.answered("north", "train", 4.0)
        >>> deadlines.of("north", "train"), deadlines.of("south", "train")
        (20.0, 60)
        >>> deadlines.missed("north", "train", 20.0)
        >>> deadlines.of("north", "train")
        40.0
        """
        with self._lock:
            missed = self._missed.get((site, verb))
            if missed is not None:
                return min(2 * missed, self.most_s)
            answers = self._answers.get((site, verb))
            if not answers:
                return self.first_s
            return min(max(self.factor * max(answers), self.least_s), self.most_s)

    def answered(self, site: str, verb: str, seconds: float) -> None:
        """An answer came after so many seconds."""
        with self._lock:
            self._missed.pop((site, verb), None)
            self._answers.setdefault((site, verb), deque(maxlen=self.kept)).append(seconds)

    def missed(self, site: str, verb: str, waited_s: float) -> None:
        """No answer came within so many seconds."""
        with self._lock:
            self._missed[site, verb] = waited_s
