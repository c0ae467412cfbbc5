"""Local accounts: one TOML file with names, roles and hashed passwords (argon2id, RFC 9106).

[[account]]
name = "kim"
role = "operator"
password = "$argon2id$v=19$…"     # written by `deepcity account kim`
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from pydantic import Field

from deepcity.city.errors import ConfigError
from deepcity.city.problem import Problem
from deepcity.data.config.toml_file import Settings, read_toml, validate
from deepcity.web.api.refusals import Refusal
from deepcity.web.control.roles import Role

LEAST_SIGNS = 10
"""Signs that a password must have."""
_MOST_FAILURES, _PAUSE_S = 5, 30.0
_MOST_AT_ONCE, _WAIT_S = 2, 5.0  # a verification takes 64 MB
_hasher = PasswordHasher()
_NOBODY = _hasher.hash("a password of nobody")  # so that an unknown name takes as long


@dataclass(frozen=True)
class User:
    """A person who is logged in."""

    name: str
    role: Role


LOCAL = User("local", Role.ADMIN)
"""Whoever sits at the machine, where there are no accounts."""


class AccountEntry(Settings):
    """One person."""

    name: str = Field(min_length=1, max_length=64)
    role: Role
    password: str = Field(pattern=r"^\$argon2id\$", repr=False)


class AccountFile(Settings):
    """All accounts."""

    account: tuple[AccountEntry, ...] = Field(min_length=1)


@dataclass
class Accounts:
    """Who may log in. Threads may share it.

    Attributes:
        entries: by name.
    """

    entries: Mapping[str, AccountEntry]
    clock: Callable[[], float] = time.monotonic
    _failures: dict[str, tuple[int, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _turn: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(_MOST_AT_ONCE))

    def check(self, name: str, password: str) -> User | None:
        """The person of a name and password; None if they do not fit, or were tried too often.

        After five failures the name is closed for half a minute.

        Raises:
            Refusal: if too many are being verified.
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
        entry = self.entries.get(name)
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
        return User(entry.name, entry.role)

    def user(self, name: str) -> User | None:
        """The person of a name, as the file has it now."""
        entry = self.entries.get(name)
        return None if entry is None else User(entry.name, entry.role)


def load_accounts(path: Path) -> Accounts:
    """Read a file of accounts.

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
    return Accounts({one.name: one for one in found.account})


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
