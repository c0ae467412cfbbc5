"""Tokens that an agency signs itself: JSON Web Tokens (RFC 7519) with Ed25519 (RFC 9864).

    iss    the agency, by its name in the city
    aud    the city that is sent to
    iat    when it was signed, exp: when it ends, at most ten minutes later; UTC seconds

The private key stays with the agency, and the access file holds the public one: a copied access
file, or a token that is found later, lets nobody send. Within its minutes a token that is seen can
be used again, so it is sent over TLS alone, as any token.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from deepcity.store.signatures.ed25519 import public_key
from deepcity.store.signatures.keyring import Keyring

ALGORITHM = "Ed25519"
LONGEST_S, SKEW_S = 600, 60
_LASTS_S, _RENEWED_S = 300, 60
_MOST_SIGNS = 2_000


@dataclass
class TokenSigner:
    """Gives an agency's token, a new one before the last one ends.

    Attributes:
        agency: its name in the city.
        city: that it sends to.
        clock: seconds since 1970, of this machine.
    """

    keyring: Keyring
    agency: str
    city: str
    clock: Callable[[], float] = time.time
    _token: str = field(default="", repr=False)
    _until: float = 0.0

    def __call__(self) -> str:
        """A token that counts for minutes to come.

        Raises:
            KeyringError: if the key can be neither read nor made.
        """
        now = math.floor(self.clock())
        if not self._until - _LASTS_S <= now < self._until - _RENEWED_S:
            key = OKPKey.import_key(self.keyring.private_key())
            self._until = now + _LASTS_S
            claims = {"iss": self.agency, "aud": self.city, "iat": now, "exp": now + _LASTS_S}
            self._token = jwt.encode({"alg": ALGORITHM}, claims, key, algorithms=[ALGORITHM])
        return self._token


def signer_of(token: str, keys: Mapping[str, str], audience: str, now: float) -> str | None:
    """The agency that signed a token for an audience, if it counts now; else None.

    Args:
        keys: agency -> its public key, 64 hex digits.
        now: seconds since 1970.
    """
    if token.count(".") != 2 or len(token) > _MOST_SIGNS:
        return None
    for agency, key in keys.items():
        try:
            found = jwt.decode(
                token, OKPKey.import_key(public_key(key)), algorithms=[ALGORITHM]
            ).claims
        except (JoseError, ValueError, TypeError, LookupError, RecursionError):
            continue
        if (found.get("iss"), found.get("aud")) == (agency, audience) and _counts(found, now):
            return agency
    return None


def _counts(claims: Mapping[str, object], now: float) -> bool:
    begun, end = claims.get("iat"), claims.get("exp")
    if type(begun) is not int or type(end) is not int:
        return False
    return begun - SKEW_S <= now < end + SKEW_S and 0 < end - begun <= LONGEST_S
