"""Bytes of a private file, encrypted where the environment names a key.

AES-256-GCM (NIST SP 800-38D) with a random nonce of 96 bits a file:

    22 bytes    "deepcity encrypted 1" and two zeros
     8 bytes    which key, see `StorageKey.identity`
    12 bytes    nonce
    ...         ciphertext, and its tag of 16 bytes over it and all before

A file that is not encrypted is read as it is: what it says is believed by its signature, not by its
encryption.
"""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from deepcity.city.errors import StorageKeyError
from deepcity.store.at_rest.storage_key import (
    ID_BYTES,
    STORAGE_KEY_VARIABLE,
    StorageKey,
    storage_keys,
)
from deepcity.store.blob import BlobError

MAGIC = b"deepcity encrypted 1\x00\x00"
_NONCE, _TAG = 12, 16
_HEAD = len(MAGIC) + ID_BYTES + _NONCE


def for_disk(data: bytes) -> bytes:
    """Bytes as they are to be written: encrypted by the first key, or as they are without one.

    Raises:
        StorageKeyError: if the environment names a key that cannot be had; nothing is to be
            written then.
    """
    keys = storage_keys()
    return encrypted(data, keys[0]) if keys else data


def from_disk(data: bytes) -> bytes:
    """The bytes of a file, decrypted if they are encrypted.

    Raises:
        StorageKeyError: if no key that the environment names opens them.
        BlobError: if they were changed or cut.
    """
    if not is_encrypted(data):
        return data
    if len(data) < _HEAD + _TAG:  # a key whose name was cut would be asked for
        raise BlobError("its encrypted bytes were cut")
    wanted, keys = data[len(MAGIC) : len(MAGIC) + ID_BYTES], storage_keys()
    key = next((one for one in keys if one.identity == wanted), None)
    if key is None:
        named = ", ".join(one.identity.hex() for one in keys)
        raise StorageKeyError(
            f"it is encrypted with the key {wanted.hex()}, and {STORAGE_KEY_VARIABLE} names "
            f"{named or 'none'}. Name that key there, after a comma if another is to encrypt"
        )
    try:
        return AESGCM(key.secret).decrypt(data[_HEAD - _NONCE : _HEAD], data[_HEAD:], data[:_HEAD])
    except (InvalidTag, ValueError) as error:
        raise BlobError("its encrypted bytes were changed or cut") from error


def is_encrypted(data: bytes) -> bool:
    """Whether bytes begin as encrypted ones do."""
    return data.startswith(MAGIC)


def encrypted(data: bytes, key: StorageKey) -> bytes:
    """Bytes, encrypted by a key."""
    head = MAGIC + key.identity + secrets.token_bytes(_NONCE)
    return head + AESGCM(key.secret).encrypt(head[-_NONCE:], data, head)
