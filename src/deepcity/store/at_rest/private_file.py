"""A private file: written whole, encrypted where the environment names a key, and read back."""

from pathlib import Path

from deepcity.city.errors import StorageKeyError
from deepcity.city.regular_file import read_bounded
from deepcity.store.at_rest.encrypted import for_disk, from_disk
from deepcity.store.atomic import write_atomic


def write_private(path: Path, data: bytes) -> None:
    """Write bytes whole or not at all, for their owner alone to read, encrypted by the first key of
    the environment if there is one.

    Raises:
        OSError: if the disk is full or refuses; the former file is kept.
        StorageKeyError: if a key is named that cannot be had; the former file is kept.
    """
    try:
        kept = for_disk(data)
    except StorageKeyError as error:
        raise StorageKeyError(f"{path} is not written: {error}") from error
    write_atomic(path, kept, private=True)


def read_private(path: Path, most: int) -> bytes:
    """The bytes of a private file, encrypted or not.

    Raises:
        OSError: if it cannot be read, is a named pipe or a device, or has more than `most` bytes.
        StorageKeyError: if no key of the environment opens it.
        BlobError: if it is encrypted, and was changed or cut.
    """
    try:
        return from_disk(read_bounded(path, most))
    except StorageKeyError as error:
        raise StorageKeyError(f"{path} cannot be read: {error}") from error
