"""Memory of a server that runs for months: what is freed is given to other threads, or back.

The C library of Linux gives threads arenas of their own, up to eight a core, and what is freed in
one the others cannot use: a server with many threads grows for hours by what its arenas hold back.
Two are enough where Python's lock lets one thread run at a time. Of an arena it gives back its end
alone, so one small block that lives there keeps all below it, until it is asked for the rest. And
after each large block that is freed it puts larger ones, up to 32 MB, into arenas too: answers and
batches of rows, which come and go. They have pages of their own here, which go back at once.
"""

import ctypes
import threading
import time
from contextlib import suppress
from functools import cache

_M_ARENA_MAX, _M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD = -8, -3, -1  # malloc.h of the GNU C library
ARENAS = 2
"""Of memory that threads share; threads that begin later get none of their own."""
LARGE_BYTES = 131_072
"""From here on a block has pages of its own, for good."""
EVERY_S = 60.0
"""Seconds between two times that free pages are given back; some milliseconds each."""


def share_arenas() -> None:
    """Let threads that begin from now on share arenas, and keep large blocks out of them.

    Nothing where the system has no arenas.
    """
    with suppress(OSError, AttributeError):  # another C library
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_ARENA_MAX, ARENAS)
        libc.mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)
        libc.mallopt(_M_TRIM_THRESHOLD, LARGE_BYTES)


def give_back() -> None:
    """Give free pages back to the system; nothing where the system cannot."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


@cache
def give_back_often() -> None:
    """Give free pages back every so often, in a thread of this process, however often called."""
    threading.Thread(target=_give_back_often, name="give-back", daemon=True).start()


def _give_back_often() -> None:
    while True:
        time.sleep(EVERY_S)
        give_back()
