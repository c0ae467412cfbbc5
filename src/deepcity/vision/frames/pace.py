"""Which frames are taken, where a camera gives more than are wanted."""

from dataclasses import dataclass

_SLACK = 1e-6
"""Of a frame's time: stamps are rounded."""


@dataclass
class FramePace:
    """So many frames a second, evenly; all of them where a camera gives fewer.

    A frame is due once a full interval has passed since the last one was *due*, so that 30 frames
    a second become 10, and 25 become 10 on average, not 8.

    Attributes:
        per_s: frames a second.

    Raises:
        ValueError: if it is not above 0.
    """

    per_s: float
    _due_s: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.per_s < float("inf"):
            raise ValueError(f"{self.per_s} frames a second; give a number above 0")

    def takes(self, time_s: float) -> bool:
        """Whether the frame of this time is taken; times must increase."""
        every_s = 1 / self.per_s
        if self._due_s is not None and time_s < self._due_s - _SLACK * every_s:
            return False
        late = self._due_s is None or time_s > self._due_s + every_s
        self._due_s = (time_s if late or self._due_s is None else self._due_s) + every_s
        return True
