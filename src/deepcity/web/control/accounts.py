"""Local accounts: one TOML file with names, roles and hashed passwords (argon2id, RFC 9106).

[[account]]
name = "kim"
role = "operator"
password = "$argon2id$v=19$…"     # written by `deepcity account kim`
disabled = true                    # may log in no more

The file is read anew whenever it changes, so that what an admin takes away is gone at once.
"""

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from pydantic import Field, field_validator

from deepcity.city.errors import ConfigError
from deepcity.city.problem import Problem
from deepcity.data.config.toml_file import Settings, read_toml, validate, wrong
from deepcity.web.api.refusals import Refusal
from deepcity.web.control.roles import Role

LEAST_SIGNS = 10
"""Signs that a password must have."""
OIDC_PREFIX = "oidc:"
"""What names of people begin with whom another provider knows; no local name does."""
_MOST_FAILURES, _PAUSE_S = 5, 30.0
_MOST_AT_ONCE, _WAIT_S = 2, 5.0  # a verification takes 64 MB
_hasher = PasswordHasher()
_NOBODY = _hasher.hash("a password of nobody")  # so that an unknown name takes as long
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


class AccountEntry(Settings):
    """One person."""

    name: str = Field(min_length=1, max_length=64)
    role: Role
    password: str = Field(pattern=r"^\$argon2id\$", repr=False)
    disabled: bool = False

    @field_validator("name")
    @classmethod
    def _local(cls, name: str) -> str:
        if name.startswith(OIDC_PREFIX):
            raise wrong("people of an OIDC provider are named so", "choose another name")
        return name

    @property
    def stamp(self) -> str:
        """Another one for every password, also for the same one given anew."""
        return hashlib.sha256(self.password.encode()).hexdigest()[:32]


class AccountFile(Settings):
    """All accounts."""

    account: tuple[AccountEntry, ...] = Field(min_length=1)


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
            _hasher.verify(_NOBODY if entry is None else entry.password, password)
        except (Argon2Error, InvalidHashError):
            entry = None
        finally:
            self._turn.release()
        if entry is None:
            return None
        with self._lock:
            self._failures.pop(name, None)
        if entry.disabled:
            raise Refusal(403, name, "this account is disabled", "ask an admin of the city")
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
            self.entries = {} if version is None else _read(path)
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
    return Accounts(_read(path), path=path, _seen=version)


def _version(path: Path) -> _Version:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_ctime_ns


def _read(path: Path) -> dict[str, AccountEntry]:
    """Every account of a file, by name.

    Raises:
        ConfigError: with every problem of it; hashes are never printed.
    """
    raw, problems = read_toml(path)
    if raw is None:
        raise ConfigError(problems)
    found, problems = validate(AccountFile, raw, path.name)
    if found is None:
        raise ConfigError([_without_hash(one) for one in problems])
    names = [one.name for one in found.account]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        reason = "two entries have this name"
        raise ConfigError(
            [Problem(path.name, f"account[{name}]", None, reason, "keep one") for name in twice]
        )
    return {one.name: one for one in found.account}


def account_entry(name: str, role: Role, password: str) -> str:
    """The lines of the file for one person.

    Raises:
        ConfigError: if the password is too short.
    """
    if len(password) < LEAST_SIGNS:
        reason = f"{len(password)} signs, at least {LEAST_SIGNS} are needed"
        raise ConfigError([Problem(name, "password", None, reason, "choose a longer one")])
    import json  # its texts are TOML's too

    lines = [
        "[[account]]",
        f"name = {json.dumps(name, ensure_ascii=False)}",
        f'role = "{role.value}"',
        f'password = "{_hasher.hash(password)}"',
    ]
    return "\n".join(lines) + "\n"


def _without_hash(problem: Problem) -> Problem:
    if "password" not in problem.key:
        return problem
    right = "write what `deepcity account NAME` prints"
    return Problem(problem.file, problem.key, None, "no argon2id hash", right)
