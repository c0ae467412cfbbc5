"""Shamir's secret sharing: any `threshold` shares give the secret, fewer give nothing.

Shamir 1979, "How to share a secret", over the integers modulo the least prime over 2**256, so that
32 random bytes are one number. A share is the value at point 1, 2, ... of a random polynomial.
"""

import secrets
from collections.abc import Mapping

PRIME = 2**256 + 297
SECRET_BYTES = 32
SHARE_BYTES = 33


def split_secret(secret: bytes, threshold: int, points: int) -> list[bytes]:
    """Shares of 33 bytes at points 1, 2, ..., `points`.

    Raises:
        ValueError: if the secret has not 32 bytes, or the threshold is not within 1..points.
    """
    if len(secret) != SECRET_BYTES or not 1 <= threshold <= points:
        raise ValueError(f"{len(secret)} bytes, threshold {threshold} of {points}")
    coefficients = [int.from_bytes(secret, "big")]
    coefficients += [secrets.randbelow(PRIME) for _ in range(threshold - 1)]
    return [_value(coefficients, point).to_bytes(SHARE_BYTES, "big") for point in _points(points)]


def join_secret(shares: Mapping[int, bytes], threshold: int) -> bytes | None:
    """The secret that the shares at these points give; None if they give none of 32 bytes.

    Args:
        shares: point -> share; the first `threshold` by point are used.

    Raises:
        ValueError: if there are fewer than `threshold`.
    """
    if len(shares) < threshold:
        raise ValueError(f"{len(shares)} shares, {threshold} are needed")
    chosen = sorted(shares)[:threshold]
    total = 0
    for point in chosen:
        top = bottom = 1
        for other in chosen:
            if other != point:
                top = top * other % PRIME
                bottom = bottom * (other - point) % PRIME
        value = int.from_bytes(shares[point], "big")
        total = (total + value * top * pow(bottom, -1, PRIME)) % PRIME
    return total.to_bytes(SECRET_BYTES, "big") if total < 2 ** (8 * SECRET_BYTES) else None


def _points(count: int) -> range:
    return range(1, count + 1)


def _value(coefficients: list[int], point: int) -> int:
    total = 0
    for coefficient in reversed(coefficients):
        total = (total * point + coefficient) % PRIME
    return total
