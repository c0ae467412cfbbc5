"""A key signs its successor: who trusts the old key believes the new one, without another word.

A statement names the old key, the new one, the day from which the new one signs, and the last day
on which the statement may be taken, so that one that lay about for years is of no use. Both keys
sign it: the old one hands its trust on, the new one shows that its owner wants it. What is signed
names what it is, so that no signature of a package or a ledger's head passes for it.
"""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ConfigDict, Field

from deepcity.city.errors import KeyringError
from deepcity.city.frozen_model import FrozenModel
from deepcity.city.regular_file import read_regular
from deepcity.store.atomic import write_atomic, write_error_text
from deepcity.store.blob import canonical_json
from deepcity.store.canonical_text import CanonicalTextError, canonical_text, parse_canonical
from deepcity.store.signatures.ed25519 import public_hex, verifies

MOST_CHAIN = 8
"""Successors in a row that are followed from a key that is trusted itself."""
TAKEN_DAYS = 90
"""Days on which a statement may be taken, unless its owner says otherwise."""
_SIGNED, _MOST_BYTES = "deepcity key succession 1", 10_000
PublicKey = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Signature = Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]


class Succession(FrozenModel):
    """That a key follows another.

    Attributes:
        old, new: public keys (64 hex digits).
        signed_on: the day (UTC) on which it was signed, as its owner's clock had it.
        valid_from: the first day (UTC) on which the new key is believed.
        until: the last day (UTC) on which this may be taken; what was taken holds on.
        by_old, by_new: signatures of both (128 hex digits).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Annotated[str, Field(pattern=r"^deepcity key succession$")] = "deepcity key succession"
    old: PublicKey
    new: PublicKey
    signed_on: date
    valid_from: date
    until: date
    by_old: _Signature
    by_new: _Signature

    def faults(self) -> list[str]:
        """All that is wrong with it by itself."""
        signed = _statement(self.old, self.new, self.signed_on, self.valid_from, self.until)
        found = [
            f"it is not signed by the {which} key {key[:16]}…"
            for which, key, value in (
                ("old", self.old, self.by_old),
                ("new", self.new, self.by_new),
            )
            if not verifies(key, value, signed)
        ]
        return found + (["its new key is the old one"] if self.old == self.new else [])

    def to_bytes(self) -> bytes:
        """Its one text."""
        return canonical_text(self) + b"\n"


def sign_succession(
    old: Ed25519PrivateKey,
    new: Ed25519PrivateKey,
    days: int = TAKEN_DAYS,
    today: date | None = None,
    valid_from: date | None = None,
) -> Succession:
    """A statement under both keys.

    Args:
        days: after today on which it may be taken.
        valid_from: the first day of the new key; left out, today.
    """
    signed_on = today or datetime.now(UTC).date()
    begins, until = valid_from or signed_on, signed_on + timedelta(days=days)
    names = public_hex(old), public_hex(new)
    signed = _statement(*names, signed_on, begins, until)
    return Succession(
        old=names[0],
        new=names[1],
        signed_on=signed_on,
        valid_from=begins,
        until=until,
        by_old=old.sign(signed).hex(),
        by_new=new.sign(signed).hex(),
    )


def write_succession(path: Path, found: Succession) -> None:
    """Write a statement, whole or not at all.

    Raises:
        KeyringError: if it cannot be written.
    """
    data = found.to_bytes()
    try:
        write_atomic(path, data)
    except OSError as error:
        raise KeyringError(write_error_text(path, error, len(data))) from error


def read_succession(path: Path) -> Succession:
    """The statement in a file that is another's; its signatures are not checked here.

    Raises:
        KeyringError: if there is none.
    """
    try:
        data = read_regular(path, _MOST_BYTES + 1)
    except OSError as error:
        raise KeyringError(f"{path} cannot be read ({error.strerror or error})") from error
    return parse_succession(data, str(path))


def parse_succession(data: bytes, where: str) -> Succession:
    """The statement in bytes that are another's.

    Raises:
        KeyringError: if there is none, or not in its one text.
    """
    again = "Ask the owner of the key for the file again"
    if len(data) > _MOST_BYTES:
        raise KeyringError(f"{where} has over {_MOST_BYTES:,} bytes: it is no statement. {again}")
    if not data.endswith(b"\n"):  # a statement has one text, and this is its end
        raise KeyringError(
            f"{where} is no statement by which a key signs its successor: it was cut. {again}"
        )
    try:
        return parse_canonical(data.removesuffix(b"\n"), Succession)
    except CanonicalTextError as error:
        if error.rewritten:
            raise KeyringError(f"{where} was edited: {error}. {again}") from None
        raise KeyringError(
            f"{where} is no statement by which a key signs its successor "
            f"({error.at or 'it'}: {error.reason}). {again}"
        ) from None


def _statement(old: str, new: str, signed_on: date, valid_from: date, until: date) -> bytes:
    days = {"signed_on": signed_on, "valid_from": valid_from, "until": until}
    texts = {name: day.isoformat() for name, day in days.items()}
    return canonical_json({"states": _SIGNED, "old": old, "new": new, **texts}).encode()
