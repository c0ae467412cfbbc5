"""The two routes of a log-in by another provider: to it, and back from it.

What a log-in began with (state, nonce, PKCE's verifier) is in a signed cookie of the browser that
began it, for ten minutes, and counts once.
"""

import html
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from itsdangerous import BadSignature, URLSafeTimedSerializer

from deepcity.web.api.refusals import Refusal, answer
from deepcity.web.control.accounts.accounts import User
from deepcity.web.control.oidc.id_token import UnknownKeyError, checked_claims, person_of
from deepcity.web.control.oidc.issuer import Issuer
from deepcity.web.control.oidc.settings import OidcSettings

_COOKIE, _PATH, _KEPT_S = "deepcity-oidc", "/api/oidc", 600
_MOST_USED = 10_000
Begin = Callable[[dict[str, Any], User], None]
_Given = Annotated[str, Query(max_length=4096)]
_PAGE = """<!doctype html><meta charset="utf-8"><title>deepcity</title>
<main><h1>Not logged in · 로그인하지 못했습니다</h1><p>{value}: {reason}</p><p>{right}</p>
<p><a href="/">Back · 돌아가기</a></p></main>"""


@dataclass
class UsedStates:
    """Log-ins that have come back: none does so twice. Used in one event loop."""

    clock: Callable[[], float] = time.monotonic
    _until: dict[str, float] = field(default_factory=dict)

    def use(self, state: str) -> bool:
        """Whether this is the first time."""
        now = self.clock()
        while self._until and next(iter(self._until.values())) <= now:
            del self._until[next(iter(self._until))]
        if state in self._until:
            return False
        if len(self._until) >= _MOST_USED:
            raise Refusal(503, "log-in", "many are logging in", "try again in a few minutes")
        self._until[state] = now + _KEPT_S
        return True


def oidc_routes(settings: OidcSettings, secret: str, begin: Begin, *, secure: bool) -> APIRouter:
    """The routes.

    Args:
        secret: what cookies are signed with.
        begin: makes a session that of a person.
        secure: the connection is encrypted.
    """
    routes, issuer, used = APIRouter(), Issuer(settings), UsedStates()
    signer = URLSafeTimedSerializer(secret, salt="deepcity-oidc")

    @routes.get("/api/oidc", response_class=RedirectResponse, status_code=303)
    async def log_in(request: Request) -> Response:
        """Log in by the other provider: sends the browser there."""

        async def there() -> Response:
            from authlib.oauth2.rfc7636 import create_s256_code_challenge

            state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
            challenge = create_s256_code_challenge(verifier)
            to = await issuer.authorization_url(state, nonce, challenge)
            found = RedirectResponse(to, 303)
            found.set_cookie(
                _COOKIE,
                signer.dumps([state, nonce, verifier]),
                max_age=_KEPT_S,
                path=_PATH,
                secure=secure,
                httponly=True,
                samesite="lax",  # the way back comes from another site
            )
            return found

        return await _shown(request, there)

    @routes.get("/api/oidc/callback", response_class=RedirectResponse, status_code=303)
    async def back(
        request: Request,
        state: _Given = "",
        code: _Given = "",
        error: _Given = "",
        iss: _Given = "",
    ) -> Response:
        """Where the other provider sends a browser back to."""

        async def home() -> Response:
            nonce, verifier = _begun(signer, request.cookies.get(_COOKIE, ""), state)
            if not used.use(state):
                raise _again("this log-in has come back already")
            if error or not code:
                why = error if re.fullmatch(r"[a-z_]{1,40}", error) else "it gave no code"
                raise Refusal(401, settings.issuer, f"you were not let in: {why}", "log in anew")
            if iss and iss.rstrip("/") != settings.issuer:  # RFC 9207
                raise _again("another issuer answered")
            claims = await _claims(issuer, code, nonce, verifier)
            begin(request.session, person_of(claims, settings))
            return RedirectResponse("/", 303)

        found = await _shown(request, home)
        found.delete_cookie(_COOKIE, path=_PATH, secure=secure, httponly=True, samesite="lax")
        return found

    return routes


def _begun(signer: URLSafeTimedSerializer, cookie: str, state: str) -> tuple[str, str]:
    """Nonce and verifier that this browser began a log-in with.

    Raises:
        Refusal: if it began none, or long ago, or another.
    """
    try:
        known, nonce, verifier = signer.loads(cookie, max_age=_KEPT_S)
    except BadSignature as error:
        reason = "this browser did not begin it within the last ten minutes"
        raise _again(reason) from error
    if not compare_digest(str(known).encode(), state.encode("utf-8", "replace")):
        raise _again("this browser began another log-in")
    return str(nonce), str(verifier)


async def _claims(issuer: Issuer, code: str, nonce: str, verifier: str) -> dict[str, Any]:
    """Of the ID token for a code.

    Raises:
        Refusal: if there is none that fits.
    """
    given = await issuer.tokens(code, verifier)
    access = given.get("access_token")
    for anew in (False, True):  # a provider changes its keys now and then
        keys = await issuer.keys(anew=anew)
        try:
            return checked_claims(
                given["id_token"],
                keys,
                issuer.settings,
                nonce=nonce,
                access_token=access if isinstance(access, str) else "",
            )
        except UnknownKeyError:
            continue
    right = "log in anew; if it happens again, ask who runs the provider"
    raise Refusal(401, "ID token", "it is signed by a key that the provider does not name", right)


async def _shown(request: Request, work: Callable[[], Awaitable[Response]]) -> Response:
    """An answer; a refusal as a page where a browser asks for one."""
    try:
        return await work()
    except Refusal as error:
        if "text/html" not in request.headers.get("accept", ""):
            return answer(error.status, [(error.value, error.reason, error.right)])
        words = {key: html.escape(getattr(error, key)) for key in ("value", "reason", "right")}
        return HTMLResponse(_PAGE.format(**words).encode("utf-8", "replace"), error.status)


def _again(reason: str) -> Refusal:
    return Refusal(401, "log-in", reason, "log in anew, from the control room's page")
