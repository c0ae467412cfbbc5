"""Whose signatures an installation believes: a small file of public keys, and of revoked ones."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field, ValidationError

from deepcity.city.errors import KeyringError
from deepcity.city.frozen_model import FrozenModel
from deepcity.city.regular_file import read_regular
from deepcity.store.atomic import write_atomic, write_error_text

TRUST_LIST = "trust.json"
_MOST_BYTES = 10_000_000
PublicKey = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Text = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class SignedKind(StrEnum):
    """What is signed."""

    LAYERS = "layers"
    ENCODER = "encoder"
    FUSED = "fused"
    CHECKPOINT = "checkpoint"


class _Entry(FrozenModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TrustedKey(_Entry):
    """A key whose signatures are believed.

    Attributes:
        name: whose it is; one name may have several keys, as while they are changed.
        kinds: what it may sign; empty: all.
        until: the last day (UTC) on which it is believed; None: no end.
    """

    name: Annotated[_Text, Field(min_length=1)]
    key: PublicKey
    kinds: tuple[SignedKind, ...] = ()
    until: date | None = None

    def is_over(self, now: datetime | None = None) -> bool:
        """Whether its last day has passed."""
        today = (now or datetime.now(UTC)).date()
        return self.until is not None and today > self.until


class RevokedKey(_Entry):
    """A key that is believed no more, whatever else is written of it.

    Attributes:
        on: the day (UTC) on which it was revoked here.
    """

    key: PublicKey
    on: date
    reason: _Text = ""


class TrustList(_Entry):
    """The keys that an installation trusts, and those that it does not trust any more."""

    trusted: Annotated[tuple[TrustedKey, ...], Field(max_length=100_000)] = ()
    revoked: Annotated[tuple[RevokedKey, ...], Field(max_length=100_000)] = ()

    def revocation(self, key: str) -> RevokedKey | None:
        """When and why a key was revoked; None if it was not."""
        return next((one for one in self.revoked if one.key == key), None)

    def entries(self, key: str) -> list[TrustedKey]:
        """What is written of a key."""
        return [one for one in self.trusted if one.key == key]

    def trusting(self, entry: TrustedKey) -> "TrustList":
        """The list with one more entry, in place of one with its name and key."""
        others = [one for one in self.trusted if (one.name, one.key) != (entry.name, entry.key)]
        return self.model_copy(update={"trusted": (*others, entry)})

    def revoking(self, entry: RevokedKey) -> "TrustList":
        """The list with a key revoked; of one that is revoked already, the first day stays."""
        if self.revocation(entry.key) is not None:
            return self
        return self.model_copy(update={"revoked": (*self.revoked, entry)})


def read_trust_list(folder: Path) -> TrustList:
    """The trust list in a folder; an empty one where there is no file.

    Raises:
        KeyringError: with every problem of the file.
    """
    path = folder / TRUST_LIST
    try:
        data = read_regular(path, _MOST_BYTES + 1)
    except FileNotFoundError:
        return TrustList()
    except OSError as error:
        raise KeyringError(
            f"{path} cannot be read ({error.strerror or error}), so nobody's signature is "
            f"believed. Make it readable, or put back a copy"
        ) from error
    if len(data) > _MOST_BYTES:
        raise KeyringError(f"{path} has over {_MOST_BYTES:,} bytes: it is no trust list")
    try:
        return TrustList.model_validate_json(data)
    except ValidationError as error:
        raise KeyringError(
            f"{path} is no trust list, so nobody's signature is believed: {_reasons(error)}. "
            f"Correct these entries, or put back a copy"
        ) from None


def write_trust_list(folder: Path, found: TrustList) -> Path:
    """Write a folder's trust list, whole or not at all.

    Raises:
        KeyringError: if it cannot be written; the former one is kept.
    """
    path, data = folder / TRUST_LIST, found.model_dump_json(indent=1).encode() + b"\n"
    try:
        write_atomic(path, data)
    except OSError as error:
        raise KeyringError(write_error_text(path, error, len(data))) from error
    return path


def _reasons(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_context=False)
    shown = [f"{'.'.join(map(str, one['loc'])) or 'the file'}: {one['msg']}" for one in found[:8]]
    more = f" and {len(found) - 8} more" if len(found) > 8 else ""
    return "; ".join(shown) + more


def checked_entry(name: str, key: str, kinds: Sequence[str], until: date | None) -> TrustedKey:
    """An entry of what somebody typed.

    Raises:
        KeyringError: with everything that is wrong with it.
    """
    try:
        return TrustedKey.model_validate(
            {"name": name, "key": key, "kinds": tuple(kinds), "until": until}
        )
    except ValidationError as error:
        raise KeyringError(
            f"this key is not trusted: {_reasons(error)}. A key is 64 digits of 0-9 and a-f, as "
            f"its owner's `deepcity keys show` prints"
        ) from None
