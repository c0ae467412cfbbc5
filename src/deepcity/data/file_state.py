"""What tells whether a file has changed since it was read."""

from pathlib import Path

FileState = tuple[int, int, int]


def file_state(path: Path) -> FileState:
    """Time of the last change (ns), size (bytes) and inode of a file; others once it changes.

    Raises:
        OSError: if it is not there.
    """
    found = path.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino
