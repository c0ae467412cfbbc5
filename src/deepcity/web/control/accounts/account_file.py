"""Local accounts: one TOML file with names, roles and hashed passwords (argon2id, RFC 9106),
or public keys of those who sign their own tokens.

[[account]]
name = "kim"
role = "operator"
password = "$argon2id$v=19$…"     # written by `deepcity account kim`
disabled = true                    # may log in no more

[[account]]
name = "dashboard"
role = "analyst"
key = "3f…"                        # instead of a password, or beside one: `deepcity keys token`
"""

import hashlib
import json
from pathlib import Path
from typing import Self

from argon2 import PasswordHasher
from pydantic import Field, field_validator, model_validator

from deepcity.city.errors import ConfigError
from deepcity.city.problem import Problem
from deepcity.data.config.toml_file import Settings, read_toml, validate, wrong
from deepcity.store.signatures.ed25519 import public_key
from deepcity.store.signatures.succession import PublicKey
from deepcity.web.control.roles import Role

LEAST_SIGNS = 10
"""Signs that a password must have."""
OIDC_PREFIX = "oidc:"
"""What names of people begin with whom another provider knows; no local name does."""
HASHER = PasswordHasher()
"""Hashes and verifies passwords; slow by design."""


class AccountEntry(Settings):
    """One person or program: with a password, a public key, or both."""

    name: str = Field(min_length=1, max_length=64)
    role: Role
    password: str | None = Field(default=None, pattern=r"^\$argon2id\$", repr=False)
    key: PublicKey | None = None
    disabled: bool = False

    @field_validator("name")
    @classmethod
    def _local(cls, name: str) -> str:
        if name.startswith(OIDC_PREFIX):
            raise wrong("people of an OIDC provider are named so", "choose another name")
        return name

    @model_validator(mode="after")
    def _opened_by_something(self) -> Self:
        if self.password is None and self.key is None:
            raise wrong("neither a password nor a key", "write what `deepcity account NAME` prints")
        return self

    @property
    def stamp(self) -> str:
        """Another one for every password, also for the same one given anew."""
        return hashlib.sha256((self.password or "").encode()).hexdigest()[:32]


class AccountFile(Settings):
    """All accounts."""

    account: tuple[AccountEntry, ...] = Field(min_length=1)


def read_accounts(path: Path) -> dict[str, AccountEntry]:
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
    return _lines(name, role, f'password = "{HASHER.hash(password)}"')


def signing_entry(name: str, role: Role, key: str) -> str:
    """The lines of the file for who signs tokens instead of giving a password.

    Raises:
        ConfigError: if it is no public key.
    """
    try:
        public_key(key)
    except ValueError:
        reason, right = "no public key", "give the 64 digits that `deepcity keys show` prints"
        raise ConfigError([Problem(name, "key", key, reason, right)]) from None
    return _lines(name, role, f'key = "{key}"')


def _lines(name: str, role: Role, opened_by: str) -> str:
    quoted = json.dumps(name, ensure_ascii=False)  # JSON's texts are TOML's too
    return f'[[account]]\nname = {quoted}\nrole = "{role.value}"\n{opened_by}\n'


def _without_hash(problem: Problem) -> Problem:
    if "password" not in problem.key:
        return problem
    right = "write what `deepcity account NAME` prints"
    return Problem(problem.file, problem.key, None, "no argon2id hash", right)
