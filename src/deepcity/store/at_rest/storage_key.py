"""The keys by which private files are encrypted: from a file, the environment, or a command.

`DEEPCITY_STORAGE_KEY` holds one source, or several separated by commas: the first encrypts, all
decrypt, so that a key can be changed. A command holds no comma itself.

    file:/run/secrets/storage-key    the key in a file
    env:CITY_KEY                     the key in another variable, as a secret store sets it
    command:vault read …             what a command prints: a key management service's data key

A key is 32 bytes in Base64 (`openssl rand -base64 32`).
"""

import base64
import binascii
import hashlib
import os
import shlex
import subprocess
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from deepcity.city.errors import StorageKeyError
from deepcity.city.regular_file import read_bounded

STORAGE_KEY_VARIABLE = "DEEPCITY_STORAGE_KEY"
KEY_BYTES, ID_BYTES = 32, 8
_MOST_BYTES, _PATIENCE_S = 1000, 60


@dataclass(frozen=True)
class StorageKey:
    """A key for AES-256."""

    secret: bytes = field(repr=False)

    @property
    def identity(self) -> bytes:
        """8 bytes of a SHA-256 of the key: they name it, and do not tell it."""
        return hashlib.sha256(b"deepcity storage key" + self.secret).digest()[:ID_BYTES]


def storage_keys() -> tuple[StorageKey, ...]:
    """The keys that the environment names; none: private files are not encrypted.

    Raises:
        StorageKeyError: with every source that gives no key.
    """
    sources = [one.strip() for one in os.environ.get(STORAGE_KEY_VARIABLE, "").split(",")]
    found, problems = [], []
    for source in filter(None, sources):
        try:
            found.append(_key(source))
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            problems.append(f"{_shown(source)}: {_reason(error)}")
    if problems:
        raise StorageKeyError(
            f"{STORAGE_KEY_VARIABLE} gives no key: {'; '.join(problems)}. A source is file:PATH, "
            f"env:NAME or command:COMMAND, and a key is 32 bytes in Base64, as "
            f"`openssl rand -base64 32` prints"
        )
    return tuple(found)


def _key(source: str) -> StorageKey:
    kind, _, where = source.partition(":")
    if kind == "file":
        text = read_bounded(Path(where), _MOST_BYTES)
    elif kind == "env":
        text = os.environ[where].encode() if where in os.environ else b""
    elif kind == "command":
        text = _printed(where)
    else:
        raise ValueError("it is no file:, env: or command:")
    secret = base64.b64decode(text.strip(), validate=True)
    if len(secret) != KEY_BYTES:
        raise ValueError(f"it gives {len(secret)} bytes, not {KEY_BYTES}")
    return StorageKey(secret)


@lru_cache(maxsize=8)
def _printed(command: str) -> bytes:
    """What a command prints; asked once a process: a service may be slow, or count requests."""
    done = subprocess.run(
        shlex.split(command), capture_output=True, check=True, timeout=_PATIENCE_S
    )
    return done.stdout[:_MOST_BYTES]


def _shown(source: str) -> str:
    """A source for a message: what has no kind may be a key by mistake, and is not printed."""
    kind, found, where = source.partition(":")
    if not found or kind not in ("file", "env", "command"):
        return "a source without a kind"
    return f"{kind}:{where.split()[0] if where.split() else ''}"


def _reason(error: Exception) -> str:
    """Why, without what a command printed."""
    if isinstance(error, subprocess.CalledProcessError):
        return f"it ended with {error.returncode}"
    if isinstance(error, subprocess.TimeoutExpired):
        return f"it took over {_PATIENCE_S} s"
    if isinstance(error, binascii.Error):
        return "what it gives is no Base64"
    return str(error.strerror) if isinstance(error, OSError) else str(error)
