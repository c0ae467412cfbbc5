"""A federation's parts in the foreground: the form that a container or a service manager expects.

The process stays while its parts run, ends them at SIGTERM or SIGINT, and ends by itself when one
of them has gone, so that whoever started it can start it again.
"""

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from deepcity.exchange.flare.processes import running, stop

_POLL_S = 0.5


@contextmanager
def until_signal() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set, in place of ending this process at once."""
    asked = threading.Event()

    def ask(_signal: int, _frame: FrameType | None) -> None:
        asked.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def stay(
    parts: Sequence[Path], asked: threading.Event, may_end: Callable[[Path], bool]
) -> list[Path]:
    """Wait until it is asked for, or a part has gone; then stop all.

    Args:
        parts: kits whose keepers run.
        may_end: whether a part that has ended has done its work.

    Returns:
        the parts that have gone; none where the end was asked for.

    Raises:
        ExchangeError: if a part does not end.
    """
    gone: list[Path] = []
    try:
        while not gone and not asked.wait(_POLL_S):
            gone = [part for part in parts if running(part) is None and not may_end(part)]
    finally:
        for part in reversed(parts):
            stop(part)
    return gone
