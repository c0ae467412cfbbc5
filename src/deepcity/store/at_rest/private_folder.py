"""All private files of a folder, encrypted by today's first key, or decrypted."""

from collections.abc import Iterator
from pathlib import Path

from deepcity.city.errors import StorageKeyError
from deepcity.store.at_rest.encrypted import MAGIC, encrypted, is_encrypted
from deepcity.store.at_rest.private_file import read_private
from deepcity.store.at_rest.storage_key import ID_BYTES, storage_keys
from deepcity.store.atomic import write_atomic, write_error_text
from deepcity.store.blob import BlobError

PRIVATE_FILES = ("*.checkpoint", "*.encoder", "*.fused", "result.json")
"""Stems, optimizers, statistics, forecasters and measured values."""
_MOST_BYTES = 1_100_000_000


def encrypt_folder(folder: Path) -> tuple[int, int]:
    """Encrypt private files by the first key; returns how many were written, of how many.

    Files under another key of the environment are written anew; a kill leaves each file whole, in
    one form or the other, and the next call goes on.

    Raises:
        StorageKeyError: with every file that could not be read or written; the others are done.
    """
    keys = storage_keys()
    if not keys:
        raise StorageKeyError(
            "no key is named to encrypt with. Make one by `openssl rand -base64 32 > FILE` and "
            "name it: DEEPCITY_STORAGE_KEY=file:FILE"
        )
    return _rewrite(folder, keys[0].identity)


def decrypt_folder(folder: Path) -> tuple[int, int]:
    """Decrypt private files; returns how many were written, of how many.

    Raises:
        StorageKeyError: with every file that could not be read or written; the others are done.
    """
    return _rewrite(folder, None)


def _rewrite(folder: Path, identity: bytes | None) -> tuple[int, int]:
    done, count, problems = 0, 0, []
    for path in _private(folder):
        count += 1
        try:
            if _identity(path) == identity:
                continue
            data = read_private(path, _MOST_BYTES)
            kept = encrypted(data, storage_keys()[0]) if identity is not None else data
            write_atomic(path, kept)
            done += 1
        except BlobError as error:
            problems.append(f"{path}: {error}")
        except StorageKeyError as error:
            problems.append(str(error))
        except OSError as error:
            problems.append(write_error_text(path, error, path.stat().st_size))
    if problems:
        raise StorageKeyError(
            f"{len(problems)} of {count} files stay as they were: {'; '.join(problems)}"
        )
    return done, count


def _private(folder: Path) -> Iterator[Path]:
    found = (path for pattern in PRIVATE_FILES for path in folder.rglob(pattern))
    return (path for path in found if path.is_file() and not path.is_symlink())


def _identity(path: Path) -> bytes | None:
    """By which key a file is encrypted; None: it is not."""
    with path.open("rb") as file:
        head = file.read(len(MAGIC) + ID_BYTES)
    return head[len(MAGIC) :] if is_encrypted(head) else None
