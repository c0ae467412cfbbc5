"""Asks a provider of people for its metadata, keys and tokens, and nobody else for anything.

Addresses that its metadata name must be its own; it is not followed elsewhere, and may not keep
the node waiting, nor fill its memory.
"""

import asyncio
import base64
import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus, urlencode

import httpx

from deepcity.web.api.refusals import Refusal
from deepcity.web.control.oidc.settings import OidcSettings, origin_of

METADATA = "/.well-known/openid-configuration"
_MOST_BYTES, _PATIENCE_S = 1_000_000, 10.0
_KEPT_S, _AGAIN_S = 600.0, 5.0
_AT_ONCE = 8
Json = dict[str, Any]


@dataclass(frozen=True)
class _Metadata:
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    basic: bool


@dataclass
class Issuer:
    """A provider of people. Used in one event loop.

    Attributes:
        settings: which.
    """

    settings: OidcSettings
    clock: Callable[[], float] = time.monotonic
    _kept: dict[str, tuple[float, Json]] = field(default_factory=dict)
    _failed_at: float = -_AGAIN_S
    _turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))
    _tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    async def authorization_url(self, state: str, nonce: str, challenge: str) -> str:
        """Where a person's browser is sent to.

        Args:
            challenge: of PKCE (RFC 7636), by SHA-256.

        Raises:
            Refusal: if the provider cannot be asked, or is another one than it should be.
        """
        found, settings = await self._metadata(), self.settings
        asked = {
            "response_type": "code",
            "client_id": settings.client_id,
            "redirect_uri": settings.callback,
            "scope": " ".join(settings.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        joint = "&" if "?" in found.authorization_endpoint else "?"
        return f"{found.authorization_endpoint}{joint}{urlencode(asked)}"

    async def tokens(self, code: str, verifier: str) -> Json:
        """What the provider gives for a code: an `id_token` among it.

        Raises:
            Refusal: if the provider cannot be asked, or does not take the code.
        """
        found, settings = await self._metadata(), self.settings
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": settings.callback,
            "code_verifier": verifier,
        }
        headers = {}
        if settings.client_secret and found.basic:  # RFC 6749, 2.3.1
            pair = f"{quote_plus(settings.client_id)}:{quote_plus(settings.client_secret)}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form["client_id"] = settings.client_id
            if settings.client_secret:
                form["client_secret"] = settings.client_secret
        status, answer = await self._ask("POST", found.token_endpoint, headers, form)
        if status == 200 and isinstance(answer.get("id_token"), str):
            return answer
        reason = f"the provider does not take the code (status {status})"
        right = "log in anew; if it happens again, compare client_id and client_secret with it"
        raise Refusal(401, "log-in", reason, right)

    async def keys(self, *, anew: bool = False) -> Json:
        """The provider's public keys (a JSON Web Key Set), known for ten minutes.

        Args:
            anew: not those that are known, unless they are a few seconds old.

        Raises:
            Refusal: if the provider cannot be asked.
        """
        url = (await self._metadata()).jwks_uri
        return await self._known(url, _AGAIN_S if anew else _KEPT_S)

    async def _metadata(self) -> _Metadata:
        found = await self._known(f"{self.settings.issuer}{METADATA}", _KEPT_S)
        if found.get("issuer") not in (self.settings.issuer, f"{self.settings.issuer}/"):
            raise self._refusal("it says that it is another issuer")
        methods = found.get("token_endpoint_auth_methods_supported")
        basic = not isinstance(methods, list) or "client_secret_basic" in methods
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        urls = [self._own(name, found.get(name)) for name in names]
        return _Metadata(urls[0], urls[1], urls[2], basic)

    def _own(self, name: str, url: object) -> str:
        """An address of the provider itself.

        Raises:
            Refusal: if it is another's.
        """
        try:
            own = isinstance(url, str) and origin_of(url) == origin_of(self.settings.issuer)
        except ValueError:
            own = False
        if not own or not isinstance(url, str):
            raise self._refusal(f"its {name} is at another host than it")
        return url

    async def _known(self, url: str, seconds: float) -> Json:
        at, found = self._kept.get(url, (0.0, None))
        if found is not None and self.clock() - at < seconds:
            return found
        status, answer = await self._ask("GET", url)
        if status != 200:
            raise self._refusal(f"status {status} at {url}")
        self._kept[url] = self.clock(), answer
        return answer

    async def _ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> tuple[int, Json]:
        """Status and JSON of an answer; an empty one where it failed with no JSON.

        Raises:
            Refusal: if there is none, or it cannot be used.
        """
        if self.clock() - self._failed_at < _AGAIN_S:
            raise self._refusal("it did not answer a moment ago")
        try:
            async with self._turns, asyncio.timeout(_PATIENCE_S):
                status, body = await self._answer(method, url, headers or {}, form)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
            self._failed_at = self.clock()
            raise self._refusal(f"it does not answer ({type(error).__name__})") from error
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict):
            return status, found
        if status == 200:
            raise self._refusal(f"no JSON at {url}")
        return status, {}

    async def _answer(
        self, method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None
    ) -> tuple[int, bytes]:
        plain = {"Accept": "application/json", "Accept-Encoding": "identity", **headers}
        async with (
            httpx.AsyncClient(
                trust_env=False, follow_redirects=False, verify=self._tls, timeout=_PATIENCE_S
            ) as client,
            client.stream(method, url, headers=plain, data=form) as answer,
        ):
            body = bytearray()
            async for chunk in answer.aiter_raw():  # nothing is unpacked
                body += chunk
                if len(body) > _MOST_BYTES:
                    raise self._refusal(f"over {_MOST_BYTES:,} bytes at {url}")
            return answer.status_code, bytes(body)

    def _refusal(self, reason: str) -> Refusal:
        right = "log in with a local account, or try again; see issuer in the file of --oidc"
        return Refusal(502, self.settings.issuer, reason, right)
