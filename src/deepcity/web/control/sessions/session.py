"""Who asks, by a session cookie, a signed token or a program's password, and whether they may."""

import hmac
import os
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.middleware.sessions import SessionMiddleware

from deepcity.store.run_folder import ensure_folder
from deepcity.web.api.refusals import Refusal
from deepcity.web.api.tokens import bearer_token
from deepcity.web.control.accounts.account_file import OIDC_PREFIX
from deepcity.web.control.accounts.accounts import LOCAL, Accounts, User
from deepcity.web.control.oidc.routes import oidc_routes
from deepcity.web.control.oidc.settings import OidcSettings
from deepcity.web.control.roles import Role, may
from deepcity.web.control.sessions.basic_auth import BasicAuth
from deepcity.web.control.sessions.ended_sessions import EndedSessions

_NAME, _STAMP, _SINCE, _ROLE, _ID = "name", "stamp", "since", "role", "id"
_HOURS, _SKEW_S = 12, 60  # how far this machine's clock may be set back
_SECRET_SIGNS, _ID_BYTES = 64, 16
Asking = Callable[[Request], User]


@dataclass(frozen=True)
class Askers:
    """Dependencies that give who asks, or refuse.

    Attributes:
        person: by the cookie of a session, or a token that they signed.
        program: by HTTP Basic too, for routes that other systems use.
    """

    person: Asking
    program: Asking


class LogIn(BaseModel):
    """A name and its password."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=64)
    password: str = Field(max_length=1024)


@dataclass(frozen=True)
class Sessions:
    """Who is behind a session, and whether it goes on.

    A session ends after twelve hours, when its person logs out, and at once when its account
    changes: its password, that it is disabled, that it is gone. A role is looked up at every
    request.

    Attributes:
        accounts: of this node; None: there are none.
        oidc: another provider of people; None: there is none.
        ended: sessions that were logged out.
    """

    accounts: Accounts | None
    oidc: OidcSettings | None
    wall: Callable[[], float] = time.time
    ended: EndedSessions = field(default_factory=EndedSessions)

    @property
    def open(self) -> bool:
        """Whoever asks sits at this machine."""
        return self.accounts is None and self.oidc is None

    def begin(self, session: dict[str, Any], user: User, *, oidc: bool = False) -> None:
        """A person has logged in."""
        session.clear()
        session |= {_NAME: user.name, _STAMP: user.stamp, _SINCE: int(self.wall())}
        session[_ID] = secrets.token_urlsafe(_ID_BYTES)
        if oidc:
            session[_ROLE] = user.role.value

    def end(self, session: dict[str, Any]) -> None:
        """A person has logged out: their cookie counts no more, also where somebody kept it."""
        if self.user(session) is not None and _ID in session:
            until = session[_SINCE] + self._hours(session) * 3600 + _SKEW_S
            self.ended.end(str(session[_ID]), until, self.wall())
        session.clear()

    def user(self, session: Mapping[str, Any]) -> User | None:
        """The person of a session; None: it is over, or was none."""
        if self.open:
            return LOCAL
        name, stamp = str(session.get(_NAME, "")), str(session.get(_STAMP, ""))
        of_oidc = name.startswith(OIDC_PREFIX)
        age_s = self.wall() - session.get(_SINCE, 0)
        if not name or not 0 <= age_s + _SKEW_S < self._hours(session) * 3600 + _SKEW_S:
            return None
        if _ID not in session or str(session[_ID]) in self.ended:
            return None
        if not of_oidc:
            return None if self.accounts is None else self.accounts.user(name, stamp)
        if self.oidc is None or not hmac.compare_digest(stamp, self.oidc.stamp):
            return None
        return User(name, Role(session[_ROLE]), stamp)

    def _hours(self, session: Mapping[str, Any]) -> float:
        of_oidc = str(session.get(_NAME, "")).startswith(OIDC_PREFIX)
        return self.oidc.hours if of_oidc and self.oidc is not None else _HOURS


def add_sessions(
    app: FastAPI,
    accounts: Accounts | None,
    secret_file: Path,
    oidc: OidcSettings | None = None,
    *,
    city: str,
    secure: bool,
) -> Askers:
    """Sessions as signed cookies, and the routes to log in and out.

    Args:
        accounts: None, as `oidc` is: whoever asks sits at this machine.
        secret_file: what cookies are signed with; made if it is not there.
        oidc: another provider of people.
        city: that signed tokens must be for.
        secure: the connection is encrypted.

    Returns:
        the dependencies that give who asks, or refuse.
    """
    secret = _secret(secret_file)
    sessions = Sessions(accounts, oidc, ended=EndedSessions(secret_file.parent))
    app.add_middleware(
        SessionMiddleware,
        secret_key=secret,
        session_cookie="deepcity",
        max_age=_HOURS * 3600,
        same_site="strict",
        https_only=secure,
    )
    basic = None if accounts is None else BasicAuth(accounts)

    def person(request: Request) -> User:
        token = bearer_token(request)
        if accounts is None or not token:
            return _allowed(sessions.user(request.session), request)
        return _allowed(accounts.signer(token, city, sessions.wall()), request)

    def program(request: Request) -> User:
        header = request.headers.get("authorization", "")
        if basic is None or not header or bearer_token(request):
            return person(request)
        return _allowed(basic.user(header), request)

    app.include_router(_session_routes(sessions))
    if oidc is not None:
        begin = partial(sessions.begin, oidc=True)
        app.include_router(oidc_routes(oidc, secret, begin, secure=secure))
    return Askers(person, program)


def _session_routes(sessions: Sessions) -> APIRouter:
    routes = APIRouter(prefix="/api")

    @routes.get("/session")
    def ways() -> dict[str, Any]:
        """How people may log in: by a password, by another provider."""
        oidc = sessions.oidc
        other = None if oidc is None else {"title": asdict(oidc.title), "href": "/api/oidc"}
        return {"password": sessions.accounts is not None, "oidc": other}

    @routes.post("/session")
    def log_in(request: Request, asked: LogIn) -> dict[str, str]:
        """Log in."""
        accounts = sessions.accounts
        if accounts is None:
            user = LOCAL if sessions.open else None
        else:
            user = accounts.check(asked.name, asked.password)
        if user is None:
            reason = "name and password do not fit, or were tried too often"
            raise Refusal(401, asked.name, reason, "wait half a minute, then try again")
        sessions.begin(request.session, user)
        return {"name": user.name, "role": user.role.value}

    @routes.delete("/session", status_code=204)
    def log_out(request: Request) -> Response:
        """Log out."""
        sessions.end(request.session)
        return Response(status_code=204)

    return routes


def _allowed(user: User | None, request: Request) -> User:
    """A user, if the role may use the route.

    Raises:
        Refusal: if not, or nobody asks.
    """
    route = request.scope["route"].path
    if user is None:
        raise Refusal(401, "session", "nobody is logged in", "log in: POST /api/session")
    if not may(user.role, request.method, route):
        reason = f"not with the role {user.role.value}"
        raise Refusal(403, f"{request.method} {route}", reason, "ask an admin for the right")
    return user


def _secret(path: Path) -> str:
    """What cookies are signed with: readable by the owner alone from its first moment on.

    Raises:
        CheckpointError: if it cannot be written.
    """
    ensure_folder(path.parent)
    with suppress(FileNotFoundError):
        known = path.read_bytes()
        if len(known) >= _SECRET_SIGNS and known.isascii():
            return known.decode("ascii")
        path.unlink()  # its writer was killed; cookies signed with nothing could be forged
    with suppress(FileExistsError):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(_SECRET_SIGNS // 2))
    return path.read_text(encoding="ascii")
