"""Checks an ID token (OpenID Connect Core 1.0, 3.1.3.7), and says whom it is of."""

import time
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from deepcity.web.api.refusals import Refusal
from deepcity.web.control.accounts.account_file import OIDC_PREFIX
from deepcity.web.control.accounts.accounts import User
from deepcity.web.control.oidc.settings import OidcSettings
from deepcity.web.control.roles import Role

_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
ALGORITHMS = (*_RSA, "ES256", "ES384", "ES512", "Ed25519", "EdDSA")
"""Signatures by keys that the provider alone holds: neither `none` nor a shared secret."""
SKEW_S = 60
"""How far the clocks of provider and node may be apart."""
_MOST_TOKEN, _MOST_SUBJECT, _MOST_NAME = 100_000, 255, 100


class UnknownKeyError(Exception):
    """The token is signed by a key that is not among those known."""


def checked_claims(
    token: str,
    keys: Mapping[str, Any],
    settings: OidcSettings,
    *,
    nonce: str,
    access_token: str = "",
) -> dict[str, Any]:
    """The claims of a token that this provider made for this client, this log-in, and now.

    Args:
        keys: a JSON Web Key Set.
        nonce: what the log-in began with.

    Raises:
        UnknownKeyError: if none of the keys has its name.
        Refusal: if its signature, issuer, audience, times or nonce do not fit.
    """
    from authlib.oidc.core import CodeIDToken
    from joserfc import jwt
    from joserfc.errors import InvalidKeyIdError, JoseError, SecurityWarning
    from joserfc.jwk import KeySet

    # RFC 9864 renamed it Ed25519, and most providers sign by the name of before
    warnings.filterwarnings("ignore", "EdDSA is deprecated", SecurityWarning)
    if len(token) > _MOST_TOKEN:
        raise _refused(f"over {_MOST_TOKEN:,} bytes")
    try:
        found = jwt.decode(token, KeySet.import_key_set(keys), algorithms=ALGORITHMS)  # type: ignore[arg-type]
        claims = CodeIDToken(
            found.claims,
            found.header,
            options={
                "iss": {"essential": True, "values": [settings.issuer, f"{settings.issuer}/"]},
                "aud": {"essential": True, "value": settings.client_id},
            },
            params={
                "nonce": nonce,
                "client_id": settings.client_id,
                "access_token": access_token,
            },
        )
        claims.validate(now=int(time.time()), leeway=SKEW_S)
    except InvalidKeyIdError as error:
        raise UnknownKeyError from error
    except JoseError as error:
        raise _refused(f"{error.error}: {error.description}"[:200]) from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _refused(f"it cannot be read ({type(error).__name__})") from error
    return dict(claims)


def person_of(claims: Mapping[str, Any], settings: OidcSettings) -> User:
    """The person that a token is of, named by its subject and name.

    Raises:
        Refusal: if no role is for this person, or the subject is none.
    """
    subject, shown = claims.get("sub"), claims.get("name") or claims.get("preferred_username")
    if not isinstance(subject, str) or not 0 < len(subject) <= _MOST_SUBJECT:
        raise _refused("its subject is none")
    if not (subject.isascii() and subject.isprintable()) or " " in subject:
        raise _refused("its subject is none")
    name = f"{OIDC_PREFIX}{subject}"
    if isinstance(shown, str) and (kept := _printable(shown)):
        name += f" {kept}"
    role = _role_of(claims, settings)
    if role is None:
        right = f"ask an admin: none of your {settings.claim} stands under [roles]"
        raise Refusal(403, name, "no role of this control room is for you", right)
    return User(name, role, settings.stamp)


def _role_of(claims: Mapping[str, Any], settings: OidcSettings) -> Role | None:
    found = claims.get(settings.claim)
    if found is None:
        found = claims
        for part in settings.claim.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    values: Sequence[object] = found if isinstance(found, list) else [found]
    given = {one for one in values if isinstance(one, str)}
    return next((role for value, role in settings.roles.items() if value in given), None)


def _printable(text: str) -> str:
    return "".join(one for one in text if one.isprintable())[:_MOST_NAME].strip()


def _refused(reason: str) -> Refusal:
    right = "log in anew; if it happens again, compare issuer, client_id and clocks with it"
    return Refusal(401, "ID token", reason, right)
