"""Memory of a server that runs for months: what threads free is given to other threads.

The C library of Linux gives threads arenas of their own, up to eight a core, and what is freed in
one the others cannot use: a server with many threads grows for hours by what its arenas hold back.
Two are enough where Python's lock lets one thread run at a time.
"""

import ctypes
from contextlib import suppress

_M_ARENA_MAX = -8  # in malloc.h of the GNU C library
ARENAS = 2
"""Of memory that threads share; threads that begin later get none of their own."""


def share_arenas() -> None:
    """Let threads that begin from now on share arenas; nothing where the system has none."""
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS)
