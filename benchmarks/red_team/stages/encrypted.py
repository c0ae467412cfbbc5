"""A run whose private files are encrypted, and its key."""

import base64
import os
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deepcity.store.at_rest.storage_key import STORAGE_KEY_VARIABLE

_VARIABLE = "RED_TEAM_STORAGE_KEY"


@dataclass(frozen=True)
class EncryptedRun:
    """A run's folder, whose private files only its key opens."""

    folder: Path
    secret: str = field(repr=False)

    def key(self) -> AbstractContextManager[None]:
        """The key is at hand while the block lasts."""
        return storage_key(self.secret)


def new_key() -> str:
    """A key, in Base64."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


@contextmanager
def storage_key(secret: str) -> Iterator[None]:
    """Private files are encrypted and opened by this key while the block lasts."""
    os.environ |= {_VARIABLE: secret, STORAGE_KEY_VARIABLE: f"env:{_VARIABLE}"}
    try:
        yield
    finally:
        for name in (_VARIABLE, STORAGE_KEY_VARIABLE):
            del os.environ[name]
