"""Room on disk for what must wait there while a file larger than memory is read."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl

from deepcity.data.connectors import ReadError

FULL = ("No space left", "too large", "quota", "requested and")
"""What the system, Polars and NumPy say where a disk, a file or a share of it is full."""


@contextmanager
def room_needed() -> Iterator[None]:
    """Tell a full temporary folder as such.

    Raises:
        ReadError: if there is no room left.
    """
    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as error:
        if not any(sign in str(error) for sign in FULL):
            raise
        reason = "no room left there for rows that must wait on disk"
        right = "make room, or set TMPDIR to another folder"
        raise ReadError("TMPDIR", tempfile.gettempdir(), reason, right) from error
