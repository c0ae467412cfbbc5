"""`deepcity` by a clock that a test sets: `python clocked.py FILE up ...`.

The file holds the seconds that are added to the machine's clock, so that hours pass at once.
"""

import sys
import time
from pathlib import Path

PROGRAM = (__file__,)
_machine = time.time


class SetClock:
    """The clock of processes that were started with its file.

    Args:
        file: it is written.
        now_s: what it shows from now on, UTC seconds.
    """

    def __init__(self, file: Path, now_s: float) -> None:
        self.file = file
        self.set(now_s)

    def set(self, now_s: float) -> None:
        """Show another time from now on."""
        half = self.file.with_suffix(".half")
        half.write_text(str(now_s - _machine()), encoding="utf-8")
        half.replace(self.file)  # nobody reads half of it

    def now(self) -> float:
        """What it shows."""
        return shown(self.file)


def shown(file: Path) -> float:
    """The time that a clock's file shows, UTC seconds."""
    return _machine() + float(file.read_text(encoding="utf-8"))


if __name__ == "__main__":
    own = Path(sys.argv.pop(1))
    time.time = lambda: shown(own)
    from deepcity.cli import main

    main()
