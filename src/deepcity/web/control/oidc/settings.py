"""Which provider of people is trusted, and who of them may do what: one TOML file.

    issuer = "https://login.city.example/realms/city"
    client_id = "control-room"
    client_secret = "${CITY_OIDC_SECRET}"     # from the environment, never the secret itself
    address = "https://room.city.example"     # of the control room, as browsers reach it
    claim = "groups"
    [roles]
    traffic-desk = "operator"
    data-office = "analyst"

Whoever has no value of the claim that stands under `roles` is refused.
"""

import hashlib
import os
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator

from deepcity.city.errors import ConfigError
from deepcity.city.localized_text import LocalizedText
from deepcity.city.problem import Problem
from deepcity.data.config.toml_file import Settings, read_toml, validate, wrong
from deepcity.web.control.roles import Role

CALLBACK = "/api/oidc/callback"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_TITLE = LocalizedText("Log in with the city's account", "시 계정으로 로그인")


def origin_of(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of an address.

    Raises:
        ValueError: if it has none of them.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise ValueError(url)
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


def _address(url: str) -> str:
    right = "write e.g. https://login.city.example"
    try:
        scheme, host, _ = origin_of(url)
        parts = urlsplit(url)
    except ValueError:
        raise wrong("no address", right) from None
    if parts.query or parts.fragment or not url.isascii() or not url.isprintable() or " " in url:
        raise wrong("more than an address", right)
    if scheme == "http" and host not in _LOOPBACK:
        raise wrong("not encrypted, and not of this machine", right)
    return url.rstrip("/")


_Address = Annotated[str, AfterValidator(_address)]


class OidcSettings(Settings):
    """A provider of people.

    Attributes:
        client_secret: the secret itself, once it is loaded; empty: of a public client.
        claim: of the ID token; dots lead into tables within it, as in `realm_access.roles`.
        roles: value of the claim -> role; of several that fit the first counts.
        hours: that a session lasts.
    """

    issuer: _Address
    client_id: str = Field(min_length=1, max_length=200)
    client_secret: str = Field(default="", repr=False)
    address: _Address
    claim: str = Field(default="groups", min_length=1, max_length=200)
    scopes: tuple[str, ...] = ("openid", "profile")
    roles: dict[str, Role] = Field(min_length=1)
    title: LocalizedText = _TITLE
    hours: float = Field(default=12, gt=0, le=12)

    @field_validator("roles")
    @classmethod
    def _people(cls, roles: dict[str, Role]) -> dict[str, Role]:
        if Role.SOURCE in roles.values():
            raise wrong("the role source is for programs", "give them accounts of their own")
        return roles

    @field_validator("scopes")
    @classmethod
    def _openid(cls, scopes: tuple[str, ...]) -> tuple[str, ...]:
        if "openid" not in scopes or any(not re.fullmatch(r"[!#-\[\]-~]+", one) for one in scopes):
            raise wrong("not scopes of OpenID Connect", 'write e.g. ["openid", "profile"]')
        return scopes

    @property
    def callback(self) -> str:
        """Where the provider sends people back to; it must know this address."""
        return f"{self.address}{CALLBACK}"

    @property
    def stamp(self) -> str:
        """Another one for every provider, client and table of roles: sessions of before end."""
        what = repr((self.issuer, self.client_id, self.claim, sorted(self.roles.items())))
        return hashlib.sha256(what.encode("utf-8", "replace")).hexdigest()[:32]


def load_oidc(path: Path) -> OidcSettings:
    """Read the file.

    Raises:
        ConfigError: with every problem of it; the secret is never printed.
    """
    if any(find_spec(name) is None for name in ("authlib", "joserfc")):
        right = "run: pip install 'deepcity[oidc]'"
        raise ConfigError([Problem(path.name, "--oidc", None, "authlib is not installed", right)])
    raw, problems = read_toml(path)
    if raw is None:
        raise ConfigError(problems)
    found, problems = validate(OidcSettings, raw, path.name)
    if found is None:
        raise ConfigError(problems)
    if not found.client_secret:
        return found
    named = re.fullmatch(r"\$\{(\w+)\}", found.client_secret)
    secret = os.environ.get(named[1], "") if named else ""
    if not secret:
        lacking = f"the environment variable {named[1]} is not set" if named else "no variable"
        right = "export it" if named else 'write e.g. "${CITY_OIDC_SECRET}", and export that'
        raise ConfigError([Problem(path.name, "client_secret", None, lacking, right)])
    return found.model_copy(update={"client_secret": secret})
