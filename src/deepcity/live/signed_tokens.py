"""Tokens that whoever sends signs: JSON Web Tokens (RFC 7519) with Ed25519 (RFC 9864).

    iss    the agency by its name in the city, or the account by its name in the control room
    aud    the city that is sent to
    iat    when it was signed, exp: when it ends, at most ten minutes later; UTC seconds
    nbf    from when it counts, where one is written

The private key stays with its owner, and the access file or the file of accounts holds the public
one: a copied file, or a token that is found later, lets nobody in. Within its minutes a token
that is seen can be used again, so it is sent over TLS alone, as any token.
"""

import base64
import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from deepcity.city.errors import TokenError
from deepcity.store.signatures.ed25519 import public_key
from deepcity.store.signatures.keyring import Keyring

ALGORITHM = "Ed25519"
LONGEST_S, SKEW_S = 600, 60
_LASTS_S, _RENEWED_S = 300, 60
_MOST_SIGNS = 2_000
_SIGNED = "sign one: agencies by `deepcity agent --sign`, accounts by `deepcity keys token`"
_LISTED = "give the city the public key that `deepcity keys show` prints where it is signed"


@dataclass
class TokenSigner:
    """Gives tokens of one name, a new one before the last one ends.

    Attributes:
        name: of the agency or account.
        city: that is sent to.
        clock: seconds since 1970, of this machine.
    """

    keyring: Keyring
    name: str
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
            claims = {"iss": self.name, "aud": self.city, "iat": now, "exp": now + _LASTS_S}
            self._token = jwt.encode({"alg": ALGORITHM}, claims, key, algorithms=[ALGORITHM])
        return self._token


def signer_of(token: str, keys: Mapping[str, str], audience: str, now: float) -> str:
    """Whoever signed a token for an audience, if it counts now.

    The token's `iss` chooses the one key that may have signed it, so that a request costs one
    check of a signature, however many keys there are. What lies in a token is believed after
    that check only; names that stand twice in it are refused (RFC 7519, section 4).

    Args:
        keys: name -> its public key, 64 hex digits.
        now: seconds since 1970.

    Raises:
        TokenError: why it counts for nothing; of a token that its issuer signed, which claim.
    """
    issuer = _issuer(token)
    if issuer not in keys:
        raise TokenError("signed by nobody whose key is known here", _LISTED)
    try:
        key = OKPKey.import_key(public_key(keys[issuer]))
        found = jwt.decode(token, key, algorithms=[ALGORITHM]).claims
    except (JoseError, ValueError, TypeError, LookupError, RecursionError):
        raise TokenError(f"not signed by the key of {issuer!r} ({ALGORITHM})", _LISTED) from None
    if found.get("iss") != issuer:
        raise TokenError(f"its issuer is another one than {issuer!r}", _SIGNED)
    if found.get("aud") != audience:
        raise TokenError(f"not for {audience!r}, the city here", "sign it for this city")
    _check_times(found, now)
    return issuer


def _issuer(token: str) -> str:
    """Who a token says that it is of, by its text alone.

    Raises:
        TokenError: if it is no JSON Web Token.
    """
    if len(token) > _MOST_SIGNS:
        raise TokenError(f"a token of {len(token):,} signs, at most {_MOST_SIGNS:,}", _SIGNED)
    try:
        _, payload, _ = token.split(".")
        raw = base64.b64decode(payload + "=" * (-len(payload) % 4), b"-_", validate=True)
        found = json.loads(raw.decode(), object_pairs_hook=_once, parse_constant=_refuse)
        issuer = found["iss"]
    except (ValueError, TypeError, LookupError, RecursionError):
        issuer = None
    if not isinstance(issuer, str):
        raise TokenError("neither a signed token nor one that is known here", _SIGNED)
    return issuer


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is no number")


def _check_times(claims: Mapping[str, object], now: float) -> None:
    begun, end = claims.get("iat"), claims.get("exp")
    valid = claims.get("nbf", begun)
    if type(begun) is not int or type(end) is not int or type(valid) is not int:
        raise TokenError("its iat, nbf or exp is no whole number", "write UTC seconds since 1970")
    if not 0 < end - begun <= LONGEST_S:
        raise TokenError(f"not for 1 to {LONGEST_S} s", f"let it last {LONGEST_S} s at most")
    if max(begun, valid) - SKEW_S > now:
        raise TokenError("signed in the future", "set the clock of the machine that signs")
    if now >= end + SKEW_S:
        raise TokenError(
            "it has ended", "sign a new one, and check the clock of the machine that signs"
        )
