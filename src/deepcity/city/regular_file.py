"""Files that are read whole: a named pipe that nobody writes to would be waited for without end."""

import errno
import os
import stat
from pathlib import Path


def read_regular(path: Path, most: int = -1) -> bytes:
    """A file's bytes.

    Args:
        most: the first so many; below 0: all.

    Raises:
        OSError: if it cannot be read, or is a named pipe, a device or a socket.
    """
    check_regular(path)
    with path.open("rb") as file:
        return file.read(most)


def read_bounded(path: Path, most: int) -> bytes:
    """A file's bytes, all of them, or none where they are too many: a sparse file costs nothing.

    Raises:
        OSError: if it cannot be read, is a named pipe, a device or a socket, or has more bytes.
    """
    check_regular(path)
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        data = file.read(most + 1) if size <= most else b""
    if max(size, len(data)) > most:
        raise OSError(
            errno.EFBIG, f"it has {max(size, len(data)):,} bytes, {most:,} are the most", str(path)
        )
    return data


def check_regular(path: Path) -> None:
    """See that a path can be read and has an end; nothing is read.

    Raises:
        OSError: if not.
    """
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):  # a folder is refused by who opens it
        raise OSError(errno.EINVAL, f"{_kind(mode)}, not a file", str(path))
    path.open("rb").close()


def _kind(mode: int) -> str:
    kinds = {stat.S_ISFIFO: "a named pipe", stat.S_ISSOCK: "a socket"}
    return next((name for of, name in kinds.items() if of(mode)), "a device")
