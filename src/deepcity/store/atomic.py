"""Write a file whole or not at all, whatever stops the writer.

The bytes go to a neighbour file, reach the disk (fsync), and take the name in one step
(rename). Until then the former file is untouched.
"""

import contextlib
import os
import shutil
from pathlib import Path


def write_atomic(path: Path, data: bytes) -> None:
    """Write bytes under a name, creating its folder.

    Raises:
        OSError: if the disk is full or refuses; the former file is kept.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    neighbour = path.with_name(f".{path.name}.part")
    try:
        with neighbour.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        neighbour.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            neighbour.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def write_error_text(path: Path, error: OSError, size: int) -> str:
    """The message of a failed write: path, reason, free bytes, next step."""
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    free = shutil.disk_usage(folder).free
    return (
        f"{path} cannot be written: {error.strerror or error}; it needs {size:,} bytes, "
        f"{free:,} are free there. Free some space or choose another folder, then run again"
    )


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a power failure, where the system supports it."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
