"""Masks: streams of integers modulo 2**32 from secret seeds, and sealed shares.

Every key here follows from a key agreement or a seed by HKDF, with the roster's digest and the
names of those concerned, so that it is used once: nonces are zero.
"""

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from deepcity.city.errors import SecureSumError
from deepcity.privacy.secure_sums.fixed_point import Residues
from deepcity.privacy.secure_sums.signed_keys import digest

_SEED_BYTES = 32
_ONCE_16, _ONCE_12 = bytes(16), bytes(12)


def stream(seed: bytes, size: int) -> Residues:
    """So many integers of the ChaCha20 stream of a seed (32 bytes)."""
    encryptor = Cipher(ChaCha20(seed, _ONCE_16), mode=None).encryptor()
    return np.frombuffer(encryptor.update(bytes(4 * size)), dtype="<u4").astype(np.uint32)


def own_mask(seed: bytes, roster: bytes, size: int) -> Residues:
    """A member's own mask, from its seed and the roster's digest."""
    return stream(_derived(seed, digest("own mask", roster)), size)


def pair_mask(
    key: X25519PrivateKey, mine: str, other_key: bytes, other: str, roster: bytes, size: int
) -> Residues:
    """What `mine` adds for its pair with `other`; what `other` adds for it is the negative.

    Raises:
        SecureSumError: if the other's key is no key.
    """
    first, second = sorted((mine, other))
    seed = _agreed(key, other_key, digest("pair mask", roster, first, second), other)
    mask_V = stream(seed, size)
    return mask_V if mine == first else np.negative(mask_V)


def sealed(
    key: X25519PrivateKey, text: bytes, *, sender: str, receiver: str, to: bytes, roster: bytes
) -> bytes:
    """A text that only the receiver can read, sealed with the sender's key for `to`.

    Raises:
        SecureSumError: if the receiver's key is no key.
    """
    about = digest("share", roster, sender, receiver)
    return ChaCha20Poly1305(_agreed(key, to, about, receiver)).encrypt(_ONCE_12, text, about)


def unsealed(
    key: X25519PrivateKey, blob: bytes, *, sender: str, receiver: str, by: bytes, roster: bytes
) -> bytes | None:
    """What `sealed` sealed; None if these bytes are not the sender's for this roster."""
    about = digest("share", roster, sender, receiver)
    try:
        return ChaCha20Poly1305(_agreed(key, by, about, sender)).decrypt(_ONCE_12, blob, about)
    except InvalidTag:
        return None


def _agreed(key: X25519PrivateKey, other_key: bytes, about: bytes, other: str) -> bytes:
    try:
        secret = key.exchange(X25519PublicKey.from_public_bytes(other_key))
    except ValueError as error:  # a point of low order gives zeros
        raise SecureSumError(
            f"the key of {other} gives no secret: it is no X25519 key. Leave {other} out"
        ) from error
    return _derived(secret, about)


def _derived(secret: bytes, about: bytes) -> bytes:
    return HKDF(SHA256(), _SEED_BYTES, salt=None, info=about).derive(secret)
