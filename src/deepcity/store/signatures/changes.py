"""Changes of a keyring: keys trusted, revoked and changed, one change at a time."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from filelock import FileLock

from deepcity.city.errors import CheckpointError, KeyringError
from deepcity.store.atomic import write_error_text
from deepcity.store.signatures.ed25519 import is_public_key, public_hex, replace_key
from deepcity.store.signatures.keyring import IDENTITY, Keyring
from deepcity.store.signatures.succession import (
    TAKEN_DAYS,
    read_succession,
    sign_succession,
    write_succession,
)
from deepcity.store.signatures.trust_list import RevokedKey, TrustedKey, write_trust_list

SUCCESSOR = "successor-{}.json"
_LOCK, _WAIT_S = ".keys.lock", 10.0


class Rotated(NamedTuple):
    """The new key, and the file in which the former one signed it as its successor."""

    key: str
    statement: Path | None


def trust_key(keyring: Keyring, entry: TrustedKey) -> None:
    """Believe a key from now on.

    Raises:
        KeyringError: if it was revoked, or the list cannot be read or written.
    """
    with one_change(keyring):
        known = keyring.trust_list()
        if (gone := known.revocation(entry.key)) is not None:
            raise KeyringError(
                f"the key {entry.key} was revoked here on {gone.on}; a key that was revoked stays "
                f"so. Ask {entry.name} for its new key"
            )
        write_trust_list(keyring.folder, known.trusting(entry))


def revoke_key(keyring: Keyring, name_or_key: str, reason: str = "") -> list[str]:
    """Believe a key no more, or every key of a name, successors among them; returns the keys.

    Raises:
        KeyringError: if no such key is known, or the list cannot be read or written.
    """
    with one_change(keyring):
        known = keyring.trust_list()
        named = known.keys_of(name_or_key)
        keys = named or [name_or_key]
        if not named and not is_public_key(name_or_key):
            names = ", ".join(sorted({one.name for one in known.trusted})) or "nobody"
            raise KeyringError(
                f"{name_or_key!r} is no name or key of the trust list of {keyring.folder}, which "
                f"names {names}. A key is 64 digits of 0-9 and a-f, as `deepcity keys show` prints"
            )
        today = datetime.now(UTC).date()
        for key in keys:
            known = known.revoking(RevokedKey(key=key, on=today, reason=reason))
        write_trust_list(keyring.folder, known)
    return keys


def rotate_key(keyring: Keyring, days: int = TAKEN_DAYS, *, handing_on: bool = True) -> Rotated:
    """Sign with a new key from now on.

    What the former one signed is still believed here, by an entry of its own. It signs the new one
    as its successor, unless there was none or it is revoked here.

    Args:
        days: on which others may take that statement.
        handing_on: whether the former key signs one; not where somebody else may hold it.

    Raises:
        KeyringError: if the list or the key cannot be read or written; the former key stays.
    """
    with one_change(keyring):
        former, today = keyring.own_key(), datetime.now(UTC).date()
        new = Ed25519PrivateKey.generate()
        path: Path | None = None
        known = keyring.trust_list()
        if former is not None:
            entry = TrustedKey(name=f"this installation until {today}", key=former)
            write_trust_list(keyring.folder, known.trusting(entry))
        if former is not None and handing_on and known.revocation(former) is None:
            path = _hand_on(keyring, new, days)
        try:
            replace_key(keyring.folder / IDENTITY, new)
        except CheckpointError as error:
            if path is not None:
                path.unlink(missing_ok=True)
            raise KeyringError(f"{error}. The former key stays") from error
    return Rotated(public_hex(new), path)


def _hand_on(keyring: Keyring, new: Ed25519PrivateKey, days: int) -> Path:
    """Write the statement by which the own key signs its successor.

    It is written before the key is replaced, for afterwards nobody could sign it. One that a kill
    left there, of a successor that never was, goes: a second one would look like a thief's.
    """
    own = keyring.private_key()
    found = sign_succession(own, new, days)
    for former in keyring.folder.glob(SUCCESSOR.format("*")):
        with suppress(KeyringError):
            if read_succession(former).old == found.old:
                former.unlink(missing_ok=True)
    path = keyring.folder / SUCCESSOR.format(found.new[:16])
    write_succession(path, found)
    return path


@contextmanager
def one_change(keyring: Keyring) -> Iterator[None]:
    """One change at a time: two at once would lose one."""
    try:
        keyring.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(keyring.folder / _LOCK, timeout=_WAIT_S):
            yield
    except OSError as error:  # Timeout is one too
        path = keyring.folder / _LOCK
        raise KeyringError(
            f"the keys are not changed: {write_error_text(path, error, 0)}"
        ) from error
