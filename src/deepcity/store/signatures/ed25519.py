"""Ed25519 (RFC 8032): a key kept in a file, and the check of a signature."""

import contextlib
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from deepcity.city.errors import CheckpointError
from deepcity.city.regular_file import read_regular
from deepcity.store.atomic import write_atomic, write_error_text

_MOST_BYTES = 10_000
"""A key's file has some 120."""


def signing_key(path: Path) -> Ed25519PrivateKey:
    """The Ed25519 key in a file (PEM, PKCS8); a new one where there is no file.

    Of several processes that find no file, one makes the key and all take it.

    Raises:
        CheckpointError: if it cannot be read or written, or holds another kind of key.
    """
    if not path.exists():
        _make(path)
    return read_key(path)


def read_key(path: Path) -> Ed25519PrivateKey:
    """The Ed25519 key in a file.

    Raises:
        CheckpointError: if it cannot be read, or holds another kind of key.
    """
    try:
        found = load_pem_private_key(read_regular(path, _MOST_BYTES), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise CheckpointError(
            f"{path} cannot be read: {error}. Put back a copy; without its key a site cannot sign "
            f"as the one that it was"
        ) from error
    if not isinstance(found, Ed25519PrivateKey):
        raise CheckpointError(f"{path} holds no Ed25519 key. Put back a copy")
    return found


def replace_key(path: Path, new: Ed25519PrivateKey) -> None:
    """Put a new key in the place of the one in a file, which is gone; whole or not at all.

    Raises:
        CheckpointError: if it cannot be written; the former one is kept.
    """
    try:
        write_atomic(path, _pem(new), private=True)
    except OSError as error:
        raise CheckpointError(write_error_text(path, error, len(_pem(new)))) from error


def public_hex(key: Ed25519PrivateKey) -> str:
    """The public half of a key: 64 hex digits."""
    return key.public_key().public_bytes_raw().hex()


def public_key(text: str) -> Ed25519PublicKey:
    """The public key that `public_hex` wrote.

    Raises:
        ValueError: if it is none.
    """
    return Ed25519PublicKey.from_public_bytes(bytes.fromhex(text))


def is_public_key(text: object) -> bool:
    """Whether it is written as `public_hex` writes a key."""
    return is_hex(text, 64)


def is_hex(text: object, digits: int) -> bool:
    """Whether it is a text of so many digits, 0 to 9 and a to f."""
    return isinstance(text, str) and len(text) == digits and not set(text) - set("0123456789abcdef")


def verifies(key: str, signature: str, statement: bytes) -> bool:
    """Whether a public key (64 hex digits) signed a statement (signature: 128 hex digits)."""
    try:
        public_key(key).verify(bytes.fromhex(signature), statement)
    except (InvalidSignature, ValueError):
        return False
    return True


def _make(path: Path) -> None:
    pem = _pem(Ed25519PrivateKey.generate())
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        write_atomic(draft, pem, private=True)
        try:
            with contextlib.suppress(FileExistsError):  # another process was first: its key counts
                os.link(draft, path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise CheckpointError(write_error_text(path, error, len(pem))) from error


def _pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
