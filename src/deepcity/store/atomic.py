"""Write a file whole or not at all, whatever stops the writer.

The bytes go to a neighbour file, reach the disk (fsync), and take the name in one step
(rename). Until then the former file is untouched.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def atomic_file(path: Path, *, private: bool = False) -> Iterator[BinaryIO]:
    """A file to be written piece by piece, which takes its name once the block has ended well.

    Args:
        private: nobody but its owner may read it, at no moment.

    Raises:
        OSError: if the disk is full or refuses; the former file is kept.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    neighbour = path.with_name(f".{path.name}.part")
    try:
        if private:
            neighbour.unlink(missing_ok=True)  # of a writer that was killed; it keeps its mode
        with open(neighbour, "wb", opener=_private if private else None) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        neighbour.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            neighbour.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def write_atomic(path: Path, data: bytes, *, private: bool = False) -> None:
    """Write bytes under a name, creating its folder.

    Args:
        private: nobody but its owner may read it, at no moment.

    Raises:
        OSError: if the disk is full or refuses; the former file is kept.
    """
    with atomic_file(path, private=private) as file:
        file.write(data)


def write_error_text(path: Path, error: OSError, size: int) -> str:
    """The message of a failed write: path, reason, free bytes, next step."""
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    free = shutil.disk_usage(folder).free
    return (
        f"{path} cannot be written: {error.strerror or error}; it needs {size:,} bytes, "
        f"{free:,} are free there. Free some space or choose another folder, then run again"
    )


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a power failure, where the system supports it."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
