"""Who may log in by a local account, as its file has them now; guessing is slowed down.

The file is read anew whenever it changes, so that what an admin takes away is gone at once.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from argon2.exceptions import Argon2Error, InvalidHashError

from deepcity.city.errors import ConfigError, TokenError
from deepcity.live.signed_tokens import signer_of
from deepcity.web.api.refusals import Refusal
from deepcity.web.control.accounts.account_file import HASHER, AccountEntry, read_accounts
from deepcity.web.control.roles import Role

_MOST_FAILURES, _PAUSE_S = 5, 30.0
_MOST_AT_ONCE, _WAIT_S = 2, 5.0  # a verification takes 64 MB
_NOBODY = HASHER.hash("a password of nobody")  # so that an unknown name takes as long
_log = logging.getLogger(__name__)
_Version = tuple[int, int, int, int] | None  # of a file: when changed, how long, which


@dataclass(frozen=True)
class User:
    """A person who is logged in.

    Attributes:
        stamp: changes with the password; a session holds it, and ends when it is another one.
    """

    name: str
    role: Role
    stamp: str = field(default="", compare=False, repr=False)


LOCAL = User("local", Role.ADMIN)
"""Whoever sits at the machine, where there are no accounts."""


@dataclass
class Accounts:
    """Who may log in. Threads may share it.

    Attributes:
        entries: by name.
        path: the file that they are from, read anew when it changes; None: they stay.
    """

    entries: Mapping[str, AccountEntry]
    clock: Callable[[], float] = time.monotonic
    path: Path | None = None
    _seen: _Version = None
    _failures: dict[str, tuple[int, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _turn: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(_MOST_AT_ONCE))

    def check(self, name: str, password: str) -> User | None:
        """The person of a name and password; None if they do not fit, or were tried too often.

        After five failures the name is closed for half a minute.

        Raises:
            Refusal: if too many are being verified, or the account is disabled.
        """
        with self._lock:
            failed, since = self._failures.get(name, (0, 0.0))
            if failed >= _MOST_FAILURES and self.clock() - since < _PAUSE_S:
                return None
            if len(self._failures) > 10_000:  # names are free to invent
                self._failures.clear()
            self._failures[name] = (
                failed + 1,
                self.clock(),
            )  # counted first: many may guess at once
        entry = self._current().get(name)
        if not self._turn.acquire(timeout=_WAIT_S):
            raise Refusal(503, "log-in", "many are logging in", "try again in a few seconds")
        try:
            known = None if entry is None else entry.password
            HASHER.verify(known or _NOBODY, password)
            entry = entry if known else None
        except (Argon2Error, InvalidHashError):
            entry = None
        finally:
            self._turn.release()
        if entry is None:
            return None
        with self._lock:
            self._failures.pop(name, None)
        if entry.disabled:
            raise _disabled(name)
        return User(entry.name, entry.role, entry.stamp)

    def user(self, name: str, stamp: str) -> User | None:
        """The person of a name, as the file has it now.

        Args:
            stamp: of the password that was given; None comes back if it is another one by now, or
                the account is disabled or gone.
        """
        entry = self._current().get(name)
        if entry is None or entry.disabled or entry.stamp != stamp:
            return None
        return User(entry.name, entry.role, entry.stamp)

    def signer(self, token: str, city: str, now: float) -> User:
        """The person or program that signed a token for a city (`live.signed_tokens`).

        Args:
            now: seconds since 1970.

        Raises:
            Refusal: if the token counts for nothing, or the account is disabled.
        """
        entries = self._current()
        keys = {name: one.key for name, one in entries.items() if one.key is not None}
        try:
            entry = entries[signer_of(token, keys, city, now)]
        except TokenError as error:
            raise Refusal(401, error.value, error.reason, error.right) from error
        if entry.disabled:
            raise _disabled(entry.name)
        return User(entry.name, entry.role, entry.stamp)

    def stamp(self, name: str) -> str:
        """Of the password of a name now; empty: there is no such account."""
        entry = self._current().get(name)
        return "" if entry is None else entry.stamp

    def _current(self) -> Mapping[str, AccountEntry]:
        """The accounts of the file as it is now: none where it is gone, else those of before where
        it has faults.
        """
        if self.path is None:
            return self.entries
        version = _version(self.path)
        if version != self._seen:
            with self._lock:
                if version != self._seen:
                    self._reload(self.path, version)
        return self.entries

    def _reload(self, path: Path, version: _Version) -> None:
        try:
            self.entries = {} if version is None else read_accounts(path)
            if version is None:
                _log.warning("%s is gone: nobody of it may come in until it is back", path)
        except ConfigError as error:
            _log.warning("the accounts of before stay in force, as the file has faults: %s", error)
        self._seen = version


def load_accounts(path: Path) -> Accounts:
    """Read a file of accounts, and follow what becomes of it.

    Raises:
        ConfigError: with every problem of it; hashes are never printed.
    """
    version = _version(path)
    return Accounts(read_accounts(path), path=path, _seen=version)


def _version(path: Path) -> _Version:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_ctime_ns


def _disabled(name: str) -> Refusal:
    return Refusal(403, name, "this account is disabled", "ask an admin of the city")
