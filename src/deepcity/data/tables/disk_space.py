"""Disk space for the temporary files of reading a file larger than memory."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl

from deepcity.data.errors import ReadError

DISK_FULL_MESSAGES = ("No space left", "too large", "quota", "requested and")
"""Parts of the messages of the system, Polars and NumPy for a full disk, file limit or quota."""


@contextmanager
def report_full_disk() -> Iterator[None]:
    """Report a full temporary folder as such.

    Raises:
        ReadError: if no disk space is left.
    """
    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as error:
        if not any(sign in str(error) for sign in DISK_FULL_MESSAGES):
            raise
        reason = "no disk space left there for temporary files"
        right = "free some, or set TMPDIR to another folder"
        raise ReadError("TMPDIR", tempfile.gettempdir(), reason, right) from error
