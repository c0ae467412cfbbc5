"""Certificates of a federation: when each ends, and how the authority gives new ones in time.

A new certificate comes from the same authority, with a new key; who trusts the authority trusts it
at once. The authority's own certificate is made anew, with the key it has, once it would end before
those that it signs: who holds the older one trusts what is signed until that one ends.
"""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from deepcity.city.errors import CheckpointError
from deepcity.store.atomic import write_atomic

WARN_DAYS = 30
"""Days before its end from which on a certificate is named."""
MEMBER_DAYS = 360
"""That the engine gives a member's certificate."""
AUTHORITY_DAYS = 3600
"""Of the authority's own certificate."""
_ID_DIGITS = 32  # of a federation's
_STATE, _ROOT, _ROOT_KEY = "state/cert.json", "root_cert", "root_pri_key"


@dataclass(frozen=True)
class Certificate:
    """Whose it is, and the times between which it counts."""

    name: str
    begins: datetime
    ends: datetime

    def expired(self, now: datetime | None = None) -> bool:
        """Whether it has ended."""
        return self.ends <= (now or datetime.now(UTC))

    def days_left(self, now: datetime | None = None) -> int:
        """Whole days until it ends; 0 in the last one, and after it."""
        return max(0, (self.ends - (now or datetime.now(UTC))).days)


def remark(certificate: Certificate, now: datetime | None = None) -> str:
    """When a certificate ends, in words; with the next step if that is soon, or was."""
    day = f"{certificate.ends:%Y-%m-%d %H:%M} UTC"
    if certificate.expired(now):
        text = f"the certificate of {certificate.name} expired on {day}, and is refused"
    elif (days := certificate.days_left(now)) < WARN_DAYS:
        text = f"the certificate of {certificate.name} ends on {day}, in {days} days"
    else:
        return f"the certificate of {certificate.name} ends on {day}"
    return f"{text}. Renew it at the operator's: deepcity federation renew FEDERATION"


def soon(certificate: Certificate, now: datetime | None = None) -> bool:
    """Whether a certificate has ended or will within `WARN_DAYS`."""
    return certificate.expired(now) or certificate.days_left(now) < WARN_DAYS


def kit_certificate(kit: Path) -> Certificate:
    """The certificate of the hub's, the operator's or a site's kit.

    Raises:
        CheckpointError: if it has none, or it cannot be read.
    """
    names = ("server.crt", "client.crt")
    path = next((kit / "startup" / one for one in names if (kit / "startup" / one).exists()), None)
    if path is None:
        raise CheckpointError(f"{kit} holds no certificate in startup/. Put back the whole kit")
    try:
        return _certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}. Put back the kit") from error


def known_certificates(authority: Path) -> dict[str, Certificate]:
    """The newest certificate of every participant by its name, and the authority's under ``""``.

    None where the authority is not on this machine.

    Raises:
        CheckpointError: if the authority's state cannot be read.
    """
    if (path := _state(authority)) is None:
        return {}
    try:
        state = json.loads(path.read_bytes())
        members = {
            name: one["cert"] for name, one in state.items() if name not in {_ROOT, _ROOT_KEY}
        }
        own = replace(_certificate(state[_ROOT].encode()), name="the authority")
        return {"": own} | {name: _certificate(text.encode()) for name, text in members.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}. Put back a copy") from error


def authority_days(authority: Path) -> int:
    """Days of the authority's certificate: those that it has, else `AUTHORITY_DAYS`."""
    own = known_certificates(authority).get("")
    return AUTHORITY_DAYS if own is None else (own.ends - own.begins).days


def forget(authority: Path, names: Collection[str], now: datetime | None = None) -> None:
    """Forget members' certificates, so that the next provisioning gives new ones.

    The authority's own certificate is made anew, with its key and name, where it ends before
    they would.

    Raises:
        CheckpointError: if the authority is not on this machine, or cannot be read.
    """
    path, now = _state(authority), now or datetime.now(UTC)
    if path is None:
        raise CheckpointError(
            f"{authority} holds no authority: certificates are renewed where it is kept"
        )
    own = known_certificates(authority)[""]
    state = {name: one for name, one in json.loads(path.read_bytes()).items() if name not in names}
    if own.ends < now + timedelta(days=MEMBER_DAYS):
        state[_ROOT] = _again(state[_ROOT], state[_ROOT_KEY], now)
    write_atomic(path, json.dumps(state).encode(), private=True)


def _again(text: str, key_text: str, now: datetime) -> str:
    """An authority's certificate with other dates, and all else as it was."""
    old = x509.load_pem_x509_certificate(text.encode())
    key = load_pem_private_key(key_text.encode(), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise CheckpointError("the authority's key is no RSA key. Make the federation anew")
    builder = (
        x509.CertificateBuilder()
        .subject_name(old.subject)
        .issuer_name(old.issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now.replace(microsecond=0))
        .not_valid_after(now.replace(microsecond=0) + timedelta(days=AUTHORITY_DAYS))
    )
    for one in old.extensions:
        builder = builder.add_extension(one.value, one.critical)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def _state(authority: Path) -> Path | None:
    """The file of certificates and keys, in a folder of the federation's name."""
    return next(iter(sorted(authority.glob(f"*/{_STATE}"))), None)


def authority_id(kit: Path) -> str:
    """A federation as every kit of it knows it: SHA-256 of its authority's public key, shortened.

    The authority's certificate may be made anew; its key stays. Empty where a kit has none.

    Raises:
        CheckpointError: if it cannot be read.
    """
    path = kit / "startup" / "rootCA.pem"
    try:
        root = x509.load_pem_x509_certificate(path.read_bytes())
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}. Put back the kit") from error
    key = root.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"sha256:{hashlib.sha256(key).hexdigest()[:_ID_DIGITS]}"


def _certificate(pem: bytes) -> Certificate:
    found = x509.load_pem_x509_certificate(pem)
    names = found.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    name = str(names[0].value) if names else "?"
    return Certificate(name, found.not_valid_before_utc, found.not_valid_after_utc)
