"""Who may send deep data to an application, and what each agency grants: one TOML file.

    [[agency]]
    name = "weather"
    token = "${WEATHER_TOKEN}"     # from the environment, or the secret itself
    [agency.grant]
    service = "ridership"

    [[agency]]
    name = "gates"
    key = "3f…"                    # its public key: it signs its tokens itself (`signed_tokens`)
    [agency.grant]
    service = "ridership"

Where several services may have an agency's deep data, each has an `[[agency.grant]]` of its own.
An agency without an entry may send nothing, and none of its deep data are read.
"""

import hmac
import os
import re
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, PrivateAttr

from deepcity.city.errors import ConfigError, TokenError
from deepcity.city.problem import Problem
from deepcity.data.config.toml_file import Settings, read_toml, validate
from deepcity.live.signed_tokens import signer_of
from deepcity.privacy.deep_grant import LEAST_LEVEL, WIDEST, DeepGrant
from deepcity.store.deep_data.batch import Space
from deepcity.store.deep_data.store import MayRead
from deepcity.store.signatures.succession import PublicKey

_SHORTEST = 16
_SEND = "send Authorization: Bearer TOKEN, as the access file has it"
_ONE_OF_BOTH = (
    "it needs a token or a key, and not both",
    "give the agency a secret as token, or take its public key, which `deepcity keys show` prints",
)


class GrantEntry(Settings):
    """An agency's grant for a service; see `DeepGrant`."""

    service: str
    least_level: int = Field(default=LEAST_LEVEL, ge=1, le=5)
    widest: int = Field(default=WIDEST, ge=1)


def _as_list(written: object) -> object:
    """One table, or a list of them."""
    return written if isinstance(written, (list, tuple)) else (written,)


class AgencyEntry(Settings):
    """One agency: its name in the city, its token or public key, and a grant for each service."""

    name: str = Field(min_length=1)
    token: str | None = Field(default=None, min_length=1, repr=False)
    key: PublicKey | None = None
    grant: Annotated[tuple[GrantEntry, ...], BeforeValidator(_as_list), Field(min_length=1)]


class ReaderEntry(Settings):
    """A client that may request forecasts."""

    name: str = Field(min_length=1)
    token: str = Field(min_length=1, repr=False)


class Access(Settings):
    """Who may send deep data, and who may request forecasts; without readers, every client may."""

    agency: tuple[AgencyEntry, ...] = ()
    reader: tuple[ReaderEntry, ...] = ()
    _city: str = PrivateAttr(default="")

    def for_city(self, city: str) -> "Access":
        """The same where agencies sign their tokens for this city."""
        found = self.model_copy()
        found._city = city
        return found

    def agency_of(self, token: str) -> str:
        """The agency with this token, or that signed it.

        Raises:
            TokenError: if it is no agency's.
        """
        if (known := _find_owner(self.agency, token)) is not None:
            return known
        keys = {one.name: one.key for one in self.agency if one.key is not None}
        if not keys or not token:
            raise TokenError("no token, or not an agency's", _SEND)
        return signer_of(token, keys, self._city, time.time())

    def may_ask(self, token: str) -> bool:
        """Whether this token allows requests for forecasts."""
        return not self.reader or _find_owner(self.reader, token) is not None

    def grant_of(self, agency: str, service: str) -> DeepGrant | None:
        """What an agency grants a service; None: nothing."""
        grants = (one for entry in self.agency if entry.name == agency for one in entry.grant)
        found = next((one for one in grants if one.service == service), None)
        return None if found is None else DeepGrant(agency=agency, **found.model_dump())

    def may_read(self, city: str, widths: Mapping[Space, int] | None = None) -> MayRead:
        """A check for the store before every read; the reader is the service.

        Args:
            widths: space -> numbers a vector, of the spaces that may be read; None: any.
        """

        def allowed(reader: str, space: Space) -> bool:
            grant = self.grant_of(space.agency, reader)
            if grant is None or space.city != city:
                return False
            if widths is not None and not 0 < widths.get(space, 0) <= grant.widest:
                return False
            level = re.fullmatch(r"h([1-5])", space.layer)
            return level is not None and int(level[1]) >= grant.least_level

        return allowed


def load_access(path: Path) -> Access:
    """Read an access file.

    Raises:
        ConfigError: with every problem of it; tokens are never printed.
    """
    raw, problems = read_toml(path)
    if raw is None:
        raise ConfigError(problems)
    access, problems = validate(Access, raw, path.name)
    if access is None:
        raise ConfigError([_without_value(problem) for problem in problems])
    entries: list[AgencyEntry | ReaderEntry] = [*access.agency, *access.reader]
    tokens = [None if entry.token is None else _expanded(entry.token) for entry in entries]
    problems = [
        _problem(path, f"{entry.name}.token", reason, right)
        for entry, token in zip(entries, tokens, strict=True)
        if entry.token is not None and token is not None
        for reason, right in _token_problems(entry.token, token, tokens.count(token))
    ]
    problems += [
        _problem(path, f"agency[{entry.name}]", *_ONE_OF_BOTH)
        for entry in access.agency
        if (entry.token is None) == (entry.key is None)
    ]
    names = [entry.name for entry in access.agency]
    twice = sorted({name for name in names if names.count(name) > 1})
    problems += [
        _problem(path, f"agency[{name}]", "two entries have this name", "keep one of them")
        for name in twice
    ]
    problems += [
        _problem(path, f"agency[{name}].grant", f"two grants for {service}", "keep one of them")
        for name, service in _granted_twice(access.agency)
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


def _find_owner(
    entries: tuple[AgencyEntry, ...] | tuple[ReaderEntry, ...], token: str
) -> str | None:
    found = None
    for entry in entries:  # compare all, so that the time taken reveals nothing
        if entry.token and hmac.compare_digest(entry.token.encode(), token.encode()):
            found = entry.name
    return found


def _granted_twice(entries: tuple[AgencyEntry, ...]) -> list[tuple[str, str]]:
    granted = [(entry.name, one.service) for entry in entries for one in entry.grant]
    return sorted({one for one in granted if granted.count(one) > 1})


def _expanded(token: str) -> str:
    name = re.fullmatch(r"\$\{(\w+)\}", token)
    return os.environ.get(name[1], "") if name else token


def _token_problems(written: str, token: str, count: int) -> list[tuple[str, str]]:
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
    return replace(problem, value=None) if "token" in problem.key else problem
