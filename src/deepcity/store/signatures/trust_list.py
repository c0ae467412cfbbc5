"""Whose signatures an installation believes: a small file of public keys, and of revoked ones.

A trusted key may have named a successor (`deepcity.store.signatures.succession`): what is written
of it counts for that one too, over `MOST_CHAIN` successors at most.
"""

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
from deepcity.store.signatures.succession import MOST_CHAIN, PublicKey, Succession

TRUST_LIST = "trust.json"
_MOST_BYTES = 10_000_000
_Text = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class SignedKind(StrEnum):
    """What is signed."""

    LAYERS = "layers"
    ENCODER = "encoder"
    FUSED = "fused"
    CHECKPOINT = "checkpoint"
    CASE = "case"  # a search for a person, and what a city asks in it
    APPROVAL = "approval"  # of such a case, by a person
    WARRANT = "warrant"  # for such a case, by an authority


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

    def is_over(self, today: date | None = None) -> bool:
        """Whether its last day has passed."""
        return self.until is not None and (today or datetime.now(UTC).date()) > self.until


class RevokedKey(_Entry):
    """A key that is believed no more, whatever else is written of it.

    Attributes:
        on: the day (UTC) on which it was revoked here.
    """

    key: PublicKey
    on: date
    reason: _Text = ""


class AcceptedSuccessor(_Entry):
    """A statement by which a key signed its successor, as it was taken here.

    Attributes:
        on: the day (UTC) on which it was taken.
    """

    statement: Succession
    on: date


class TrustList(_Entry):
    """The keys that an installation trusts, and those that it does not trust any more."""

    trusted: Annotated[tuple[TrustedKey, ...], Field(max_length=100_000)] = ()
    revoked: Annotated[tuple[RevokedKey, ...], Field(max_length=100_000)] = ()
    accepted: Annotated[tuple[AcceptedSuccessor, ...], Field(max_length=100_000)] = ()

    def revocation(self, key: str) -> RevokedKey | None:
        """When and why a key was revoked; None if it was not."""
        return next((one for one in self.revoked if one.key == key), None)

    def entries(self, key: str) -> list[TrustedKey]:
        """What is written of a key; of a successor, what is written of the key before it."""
        line = self.line(key)
        root = line[-1].statement.old if line else key
        return [one.model_copy(update={"key": key}) for one in self.trusted if one.key == root]

    def line(self, key: str) -> tuple[AcceptedSuccessor, ...]:
        """The statements that lead from a key back to one that is trusted itself; none if it is so,
        or none does.
        """
        found: list[AcceptedSuccessor] = []
        own = {one.key for one in self.trusted}
        while key not in own:
            step = next((one for one in self.accepted if one.statement.new == key), None)
            if step is None or len(found) >= MOST_CHAIN or not self._holds(step):
                return ()
            found.append(step)
            key = step.statement.old
        return tuple(found)

    def _holds(self, one: AcceptedSuccessor) -> bool:
        """Whether a statement is genuine, and was taken before its old key was revoked."""
        gone = self.revocation(one.statement.old)
        return (gone is None or one.on <= gone.on) and not one.statement.faults()

    def successors(self, key: str) -> list[str]:
        """The keys that follow a key, next first."""
        found = [key]
        for _ in range(MOST_CHAIN):
            after = (one.statement for one in self.accepted if one.statement.old == found[-1])
            new = next((one.new for one in after if one.new not in found), None)
            if new is None:
                break
            found.append(new)
        return found[1:]

    def keys_of(self, name: str) -> list[str]:
        """Every key of a name, successors among them."""
        own = [one.key for one in self.trusted if one.name == name]
        return list(dict.fromkeys(key for one in own for key in (one, *self.successors(one))))

    def trusting(self, entry: TrustedKey) -> "TrustList":
        """The list with one more entry, in place of one with its name and key."""
        others = [one for one in self.trusted if (one.name, one.key) != (entry.name, entry.key)]
        return self.model_copy(update={"trusted": (*others, entry)})

    def accepting(self, entry: AcceptedSuccessor) -> "TrustList":
        """The list with one more successor."""
        return self.model_copy(update={"accepted": (*self.accepted, entry)})

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
