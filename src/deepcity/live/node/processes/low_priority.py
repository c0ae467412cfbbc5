"""How a process beside a node begins: it runs after others, and ends when the node does.

It ends at once when its standard input does: the node holds the other end, so it cannot outlive a
node, however that ended. It goes first where processor time or memory is short.
"""

import os
import signal
import threading
from contextlib import suppress
from pathlib import Path

NICE = 10  # below the node's priority
_FIRST_TO_GO = "500"  # of 1000: where memory is short, the system ends this one before the node


def begin_beside() -> None:
    """Done first in such a process."""
    for polite in (signal.SIGINT, signal.SIGTERM):  # of a stop of both: the node ends this one
        signal.signal(polite, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_node, daemon=True).start()
    _step_back()


def _end_with_the_node() -> None:
    """Wait for the end of standard input: nobody writes to it."""
    while os.read(0, 1):
        pass
    os._exit(1)


def _step_back() -> None:
    """Run after others; both are refused where a system knows no such thing."""
    with suppress(OSError, AttributeError):
        os.nice(NICE)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO, encoding="ascii")
