"""Who asks: the person of a session cookie or a program's account, and whether that role may."""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.middleware.sessions import SessionMiddleware

from deepcity.store.run_folder import ensure_folder
from deepcity.web.api.refusals import Refusal
from deepcity.web.control.accounts import LOCAL, Accounts, User
from deepcity.web.control.basic_auth import BasicAuth
from deepcity.web.control.roles import may

_NAME = "name"
_HOURS = 12
Asking = Callable[[Request], User]


@dataclass(frozen=True)
class Askers:
    """Dependencies that give who asks, or refuse.

    Attributes:
        person: by the cookie of a session.
        program: by HTTP Basic too, for routes that other systems use.
    """

    person: Asking
    program: Asking


class LogIn(BaseModel):
    """A name and its password."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=64)
    password: str = Field(max_length=1024)


def add_sessions(
    app: FastAPI, accounts: Accounts | None, secret_file: Path, *, secure: bool
) -> Askers:
    """Sessions as signed cookies, and the routes to log in and out.

    Args:
        accounts: None: whoever asks sits at this machine.
        secret_file: what cookies are signed with; made if it is not there.
        secure: the connection is encrypted.

    Returns:
        the dependencies that give who asks, or refuse.
    """
    app.add_middleware(
        SessionMiddleware,
        secret_key=_secret(secret_file),
        session_cookie="deepcity",
        max_age=_HOURS * 3600,
        same_site="strict",
        https_only=secure,
    )

    basic = None if accounts is None else BasicAuth(accounts)

    def person(request: Request) -> User:
        user = LOCAL if accounts is None else accounts.user(str(request.session.get(_NAME, "")))
        return _allowed(user, request)

    def program(request: Request) -> User:
        header = request.headers.get("authorization", "")
        if basic is None or not header:
            return person(request)
        return _allowed(basic.user(header), request)

    @app.post("/api/session")
    def log_in(request: Request, asked: LogIn) -> dict[str, str]:
        """Log in."""
        user = LOCAL if accounts is None else accounts.check(asked.name, asked.password)
        if user is None:
            reason = "name and password do not fit, or were tried too often"
            raise Refusal(401, asked.name, reason, "wait half a minute, then try again")
        request.session[_NAME] = user.name
        return {"name": user.name, "role": user.role.value}

    @app.delete("/api/session", status_code=204)
    def log_out(request: Request) -> Response:
        """Log out."""
        request.session.clear()
        return Response(status_code=204)

    return Askers(person, program)


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
    with suppress(FileExistsError):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
    return path.read_text(encoding="ascii")
