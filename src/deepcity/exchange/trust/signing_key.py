"""A site's lasting key, made on first use and kept where nobody else reads it."""

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from deepcity.city.errors import CheckpointError
from deepcity.store.atomic import write_atomic


def signing_key(path: Path) -> Ed25519PrivateKey:
    """The Ed25519 key in a file (PEM, PKCS8); a new one where there is no file.

    Raises:
        CheckpointError: if it cannot be read or written, or holds another kind of key.
    """
    try:
        if not path.exists():
            new = Ed25519PrivateKey.generate()
            pem = new.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            write_atomic(path, pem, private=True)
        found = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise CheckpointError(
            f"{path} cannot be read or written: {error}. Put back a copy; without its key a site "
            f"cannot sign its rows as the one that it was"
        ) from error
    if not isinstance(found, Ed25519PrivateKey):
        raise CheckpointError(f"{path} holds no Ed25519 key. Put back a copy")
    return found
