"""Who may send deep data to an application, and what each agency grants: one TOML file.

    [[agency]]
    name = "weather"
    token = "${WEATHER_TOKEN}"     # from the environment, or the secret itself
    [agency.grant]
    service = "ridership"

An agency without an entry may send nothing, and nothing of it is read.
"""

import hmac
import os
import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from deepcity.city.errors import ConfigError
from deepcity.city.problem import Problem
from deepcity.data.toml_file import read_toml, validate
from deepcity.privacy.deep_grant import LEAST_LEVEL, WIDEST, DeepGrant
from deepcity.store.deep_data import Space
from deepcity.store.deep_data_store import MayRead

_SHORTEST = 16


class GrantEntry(BaseModel):
    """What an agency lets a service hear; see `DeepGrant`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    service: str
    least_level: int = Field(default=LEAST_LEVEL, ge=1, le=5)
    widest: int = Field(default=WIDEST, ge=1)


class AgencyEntry(BaseModel):
    """One agency: its name in the city, its token, its grant."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    token: str = Field(min_length=1, repr=False)
    grant: GrantEntry


class ReaderEntry(BaseModel):
    """Somebody who may ask for forecasts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    token: str = Field(min_length=1, repr=False)


class Access(BaseModel):
    """Who may send, and who may ask; without readers anybody who reaches the server may ask."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    agency: tuple[AgencyEntry, ...] = ()
    reader: tuple[ReaderEntry, ...] = ()

    def agency_of(self, token: str) -> str | None:
        """Whose token it is; None: nobody's."""
        return _whose(self.agency, token)

    def may_ask(self, token: str) -> bool:
        """Whether a forecast may be asked for with it."""
        return not self.reader or _whose(self.reader, token) is not None

    def grant_of(self, agency: str) -> DeepGrant | None:
        """What an agency grants; None: nothing."""
        for entry in self.agency:
            if entry.name == agency:
                return DeepGrant(agency=agency, **entry.grant.model_dump())
        return None

    def may_read(self, city: str, widths: Mapping[Space, int] | None = None) -> MayRead:
        """What a store asks before every read: the reader is the service.

        Args:
            city: whose agencies these are.
            widths: of the spaces that may be read at all, numbers a vector; None: not asked.
        """

        def allowed(reader: str, space: Space) -> bool:
            grant = self.grant_of(space.agency)
            if grant is None or space.city != city or grant.service != reader:
                return False
            if widths is not None and not 0 < widths.get(space, 0) <= grant.widest:
                return False
            level = re.fullmatch(r"h([1-5])", space.layer)
            return level is not None and int(level[1]) >= grant.least_level

        return allowed


def load_access(path: Path) -> Access:
    """Read an access file.

    Raises:
        ConfigError: with every problem of it; no token is ever told.
    """
    raw, problems = read_toml(path)
    if raw is None:
        raise ConfigError(problems)
    access, problems = validate(Access, raw, path.name)
    if access is None:
        raise ConfigError([_without_value(problem) for problem in problems])
    entries: list[AgencyEntry | ReaderEntry] = [*access.agency, *access.reader]
    tokens = [_expanded(entry.token) for entry in entries]
    problems = [
        _problem(path, f"{entry.name}.token", reason, right)
        for entry, token in zip(entries, tokens, strict=True)
        for reason, right in _doubts(entry.token, token, tokens.count(token))
    ]
    names = [entry.name for entry in access.agency]
    twice = sorted({name for name in names if names.count(name) > 1})
    problems += [
        _problem(path, f"agency[{name}]", "two entries claim this name", "keep one of them")
        for name in twice
    ]
    if problems:
        raise ConfigError(problems)
    known = iter(tokens)
    return access.model_copy(
        update={
            "agency": tuple(e.model_copy(update={"token": next(known)}) for e in access.agency),
            "reader": tuple(e.model_copy(update={"token": next(known)}) for e in access.reader),
        }
    )


def _whose(entries: tuple[AgencyEntry, ...] | tuple[ReaderEntry, ...], token: str) -> str | None:
    found = None
    for entry in entries:  # all of them, so that the time taken tells nothing
        if hmac.compare_digest(entry.token.encode(), token.encode()):
            found = entry.name
    return found


def _expanded(token: str) -> str:
    name = re.fullmatch(r"\$\{(\w+)\}", token)
    return os.environ.get(name[1], "") if name else token


def _doubts(written: str, token: str, count: int) -> list[tuple[str, str]]:
    if not token:
        return [(f"the environment variable {written[2:-1]} is not set", "export it")]
    if len(token) < _SHORTEST:
        right = 'take one of `python -c "import secrets; print(secrets.token_urlsafe(32))"`'
        return [(f"shorter than {_SHORTEST} characters", right)]
    if count > 1:
        return [("two entries have the same token", "give each one of its own")]
    return []


def _problem(path: Path, key: str, reason: str, right: str) -> Problem:
    return Problem(path.name, key, None, reason, right)


def _without_value(problem: Problem) -> Problem:
    secret = "token" in problem.key
    return Problem(
        problem.file, problem.key, None if secret else problem.value, problem.reason, problem.right
    )
