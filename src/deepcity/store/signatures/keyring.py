"""The key of an installation and its trust list: all is signed when written, checked when read.

One folder an installation, apart from what it signs, so that whoever can write to a store of
packages can still not make one that is believed:

    $DEEPCITY_KEYS, or the user's data folder of the system
    ├── identity.pem     the own Ed25519 key, made at the first signature; it never leaves
    ├── trust.json       whose keys are believed, their successors, and which are revoked
    └── successor-*.json statements by which the own key signed its successor, to hand out

The own key is believed without an entry. A signature is over the kind of thing and the SHA-256 of
its content, so that it is the same for the same content (RFC 8032 has no randomness).
"""

import os
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypedDict

import platformdirs
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deepcity.city.errors import CheckpointError, KeyringError
from deepcity.store.blob import SIGNATURE, Arrays, BlobError, Header, canonical_json, content_hash
from deepcity.store.signatures.ed25519 import is_hex, public_hex, read_key, signing_key, verifies
from deepcity.store.signatures.trust_list import (
    TRUST_LIST,
    SignedKind,
    TrustList,
    read_trust_list,
)

IDENTITY = "identity.pem"
FOLDER_VARIABLE = "DEEPCITY_KEYS"
_AGAIN = "get it again from whose it is"


class SignatureError(BlobError):
    """Content without a signature that is believed here: why, and after a semicolon what to do."""

    def __init__(self, reason: str, right: str) -> None:
        super().__init__(f"{reason}; {right}")


class SignatureEntry(TypedDict):
    """A signature as it stands in a header: public key (64 hex digits), signature (128)."""

    key: str
    value: str


@dataclass(frozen=True)
class Keyring:
    """The keys in a folder; read at each use, so that a change of them holds at once."""

    folder: Path

    def own_key(self) -> str | None:
        """The own public key, 64 hex digits; None before the first signature.

        Raises:
            CheckpointError: if it cannot be read.
        """
        path = self.folder / IDENTITY
        return public_hex(read_key(path)) if path.exists() else None

    def trust_list(self) -> TrustList:
        """Whose keys are believed beside the own.

        Raises:
            KeyringError: if it cannot be read.
        """
        return read_trust_list(self.folder)

    def private_key(self) -> Ed25519PrivateKey:
        """The own key, made at its first use.

        Raises:
            KeyringError: if it can be neither read nor made.
        """
        try:
            return signing_key(self.folder / IDENTITY)
        except CheckpointError as error:
            raise KeyringError(
                f"nothing can be signed: {error}. The folder of keys is {self.folder}; "
                f"{FOLDER_VARIABLE} in the environment names another"
            ) from error

    def sign(self, kind: SignedKind, digest: str) -> SignatureEntry:
        """The own signature of content with this SHA-256.

        Raises:
            KeyringError: if the own key can be neither read nor made.
        """
        key = self.private_key()
        return {"key": public_hex(key), "value": key.sign(_statement(kind, digest)).hex()}

    def signed(self, kind: SignedKind, arrays: Arrays, header: Header) -> Header:
        """A header with the own signature of it and its arrays.

        Raises:
            BlobError: if the header cannot be written.
            KeyringError: if the own key can be neither read nor made.
        """
        return {**header, SIGNATURE: self.sign(kind, content_hash(arrays, header))}

    def check(self, kind: SignedKind, arrays: Arrays, header: Header) -> str:
        """See that content is signed by a key that is believed here; returns whose.

        Raises:
            SignatureError: if not, with the reason and the next step.
            KeyringError: if the trust list cannot be read.
        """
        entry = header.get(SIGNATURE)
        if entry is None:
            raise SignatureError(
                "it is not signed: it is older than signatures, or somebody took its signature off",
                "if you know where it comes from, sign it: deepcity keys sign FILE",
            )
        key, value = _parts(entry)
        if not verifies(key, value, _statement(kind, content_hash(arrays, header))):
            raise SignatureError(
                f"its signature is not that of key {key[:16]}… for this {kind}: it was edited "
                f"after it was signed",
                _AGAIN,
            )
        return self._believed(kind, key)

    def _believed(self, kind: SignedKind, key: str) -> str:
        trust = self.trust_list()
        if (gone := trust.revocation(key)) is not None:
            why = f" ({gone.reason})" if gone.reason else ""
            raise SignatureError(
                f"its key {key} was revoked here on {gone.on}{why}",
                "ask its maker for one that is signed with another key",
            )
        if key == self.own_key():
            return "this installation"
        entries, begins = trust.entries(key), [one.statement for one in trust.line(key)]
        first = max((one.valid_from for one in begins), default=date.min)
        if datetime.now(UTC).date() < first:
            raise SignatureError(
                f"its key {key} follows another of {entries[0].name} from {first} on alone",
                "wait until that day (UTC), or ask for one that is signed with the former key",
            )
        fit = [one for one in entries if not one.is_over() and (not one.kinds or kind in one.kinds)]
        if fit:
            return fit[0].name
        if not entries:
            raise SignatureError(
                f"it is signed with key {key}, which {self.folder / TRUST_LIST} does not name",
                f"if its maker's former key is trusted and signed this one as its successor, take "
                f"that statement: deepcity keys accept FILE. Else, if you have this key from its "
                f"maker by another way, trust it: "
                f"deepcity keys trust NAME {key}",
            )
        one = entries[0]
        reason = (
            f"is believed until {one.until} alone"
            if one.is_over()
            else f"may sign {', '.join(one.kinds)} alone, not {kind}"
        )
        raise SignatureError(
            f"it is signed with a key of {one.name} that {reason}",
            f"if that is to change: deepcity keys trust {one.name!r} {key}",
        )


def own_keyring() -> Keyring:
    """The keyring of this installation: in `$DEEPCITY_KEYS`, or in the user's data folder."""
    given = os.environ.get(FOLDER_VARIABLE)
    return Keyring(Path(given) if given else Path(platformdirs.user_data_dir("deepcity")) / "keys")


def _parts(entry: object) -> tuple[str, str]:
    if isinstance(entry, dict) and set(entry) == {"key", "value"}:
        key, value = entry["key"], entry["value"]
        if is_hex(key, 64) and is_hex(value, 128):
            return key, value
    raise SignatureError(
        "its signature is no Ed25519 key and signature in hexadecimal: it was edited", _AGAIN
    )


def _statement(kind: SignedKind, digest: str) -> bytes:
    return canonical_json({"states": f"deepcity {kind} 1", "sha256": digest}).encode()
