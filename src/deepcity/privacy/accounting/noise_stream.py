"""Random numbers that only the holder of a key can repeat.

Noise hides something only from those who cannot draw it again, so it must not follow from the seed
of a map, which all members know. And the same noise must not hide two things: their difference
would show both. So each stream follows from a secret key and from *all* that it hides: a round that
is repeated after a crash repeats its answer to the bit, and one that differs in anything has fresh
noise. ChaCha20 (RFC 8439) under HMAC-SHA-256 of the context; normal values by Box and Muller
(1958). Floating-point noise has gaps that an exact observer could use (Mironov 2012): values are
drawn in double precision and leave rounded to single or half, which narrows that and does not
prove it away.
"""

import hmac
from dataclasses import dataclass

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

from deepcity.city.arrays import Doubles

KEY_BYTES = 32
_NONCE = bytes(16)


@dataclass(frozen=True)
class NoiseKey:
    """A party's secret; whoever knows it can take the noise away.

    Attributes:
        secret: `KEY_BYTES` random bytes.
    """

    secret: bytes

    def __repr__(self) -> str:
        return "NoiseKey(...)"

    def stream(self, context: bytes) -> "NoiseStream":
        """The numbers for one context, the same whenever it is asked for."""
        return NoiseStream(hmac.digest(self.secret, context, "sha256"))


class NoiseStream:
    """Numbers in order; a draw goes on where the last one ended."""

    def __init__(self, key: bytes) -> None:
        self._cipher = Cipher(algorithms.ChaCha20(key, _NONCE), mode=None).encryptor()

    def uniform(self, count: int) -> Doubles:
        """Values over 0 and under 1."""
        raw = np.frombuffer(self._cipher.update(bytes(8 * count)), np.uint64)
        return np.asarray(((raw >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53)

    def normal(self, count: int) -> Doubles:
        """Values of mean 0 and standard deviation 1."""
        half = (count + 1) // 2
        radius = np.sqrt(-2 * np.log(self.uniform(half)))
        angle = 2 * np.pi * self.uniform(half)
        both = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])
        return np.asarray(both[:count])
