"""Changes of a keyring: keys trusted, revoked and changed, one change at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from filelock import FileLock

from deepcity.city.errors import CheckpointError, KeyringError
from deepcity.store.atomic import write_error_text
from deepcity.store.signatures.ed25519 import is_public_key, public_hex, replace_key
from deepcity.store.signatures.keyring import IDENTITY, Keyring
from deepcity.store.signatures.trust_list import RevokedKey, TrustedKey, write_trust_list

_LOCK, _WAIT_S = ".keys.lock", 10.0


def trust_key(keyring: Keyring, entry: TrustedKey) -> None:
    """Believe a key from now on.

    Raises:
        KeyringError: if it was revoked, or the list cannot be read or written.
    """
    with _alone(keyring):
        known = keyring.trust_list()
        if (gone := known.revocation(entry.key)) is not None:
            raise KeyringError(
                f"the key {entry.key} was revoked here on {gone.on}; a key that was revoked stays "
                f"so. Ask {entry.name} for its new key"
            )
        write_trust_list(keyring.folder, known.trusting(entry))


def revoke_key(keyring: Keyring, name_or_key: str, reason: str = "") -> list[str]:
    """Believe a key no more, or every key of a name; returns the keys.

    Raises:
        KeyringError: if no such key is known, or the list cannot be read or written.
    """
    with _alone(keyring):
        known = keyring.trust_list()
        named = [one.key for one in known.trusted if one.name == name_or_key]
        keys = list(dict.fromkeys(named)) or [name_or_key]
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


def rotate_key(keyring: Keyring) -> str:
    """Sign with a new key from now on; returns its public half.

    What the former one signed is still believed here, by an entry of its own.

    Raises:
        KeyringError: if the list or the key cannot be read or written; the former key stays.
    """
    with _alone(keyring):
        former, today = keyring.own_key(), datetime.now(UTC).date()
        if former is not None:
            entry = TrustedKey(name=f"this installation until {today}", key=former)
            write_trust_list(keyring.folder, keyring.trust_list().trusting(entry))
        try:
            return public_hex(replace_key(keyring.folder / IDENTITY))
        except CheckpointError as error:
            raise KeyringError(f"{error}. The former key stays") from error


@contextmanager
def _alone(keyring: Keyring) -> Iterator[None]:
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
