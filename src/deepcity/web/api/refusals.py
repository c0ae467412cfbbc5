"""Errors of the house as answers: a status, and for each problem value, reason, next step."""

from collections.abc import Iterable

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from deepcity.city.errors import (
    CaseError,
    DecisionClosedError,
    DeepCityError,
    GrantError,
    LiveError,
    ProblemsError,
    RequestTooLargeError,
    StoreError,
    StoreFullError,
    TokenError,
    VersionError,
)
from deepcity.city.problem import Problem
from deepcity.live.intake import ClockError

_STATUS: tuple[tuple[type[DeepCityError], int], ...] = (
    (StoreFullError, 507),
    (StoreError, 503),
    (TokenError, 401),
    (GrantError, 403),
    (CaseError, 403),
    (VersionError, 409),
    (DecisionClosedError, 409),
    (ClockError, 412),
    (RequestTooLargeError, 413),
    (LiveError, 404),
    (ProblemsError, 422),
)
_RIGHT = {413: "send less at once", 503: "try again in a second", 500: "try again in a second"}
_RETRY_S = {429: "10", 503: "5", 507: "30"}


class Refusal(Exception):  # noqa: N818 - it is an answer
    """A request that cannot be taken, before the application is asked."""

    def __init__(self, status: int, value: str, reason: str, right: str) -> None:
        super().__init__(reason)
        self.status, self.value, self.reason, self.right = status, value, reason, right


async def refuse(_request: Request, error: Exception) -> JSONResponse:
    """The answer to a request that was refused."""
    if isinstance(error, Refusal):
        return answer(error.status, [(error.value, error.reason, error.right)])
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
    return answer(status, _error_entries(error))


async def misread(_request: Request, error: Exception) -> JSONResponse:
    """The answer to a request that is not of the form that its route takes."""
    assert isinstance(error, RequestValidationError)
    notices = [
        (".".join(map(str, one["loc"])), str(one["msg"]), "see /openapi.json")
        for one in error.errors()
    ]
    return answer(422, notices)


async def refuse_plainly(request: Request, error: Exception) -> JSONResponse:
    """The answer to what the framework refuses: unknown routes and verbs, bodies too large."""
    assert isinstance(error, HTTPException)
    right = _RIGHT.get(error.status_code, "see /openapi.json")
    reply = answer(error.status_code, [(request.url.path[:100], str(error.detail), right)])
    reply.headers.update(error.headers or {})
    return reply


def answer(status: int, entries: list[tuple[str, str, str]]) -> JSONResponse:
    """Problems as (value, reason, next step)."""
    errors = [
        {"value": _sendable(value), "reason": _sendable(why), "next": _sendable(right)}
        for value, why, right in entries
    ]
    headers = {"Retry-After": _RETRY_S[status]} if status in _RETRY_S else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse({"errors": errors}, status, headers)


def _sendable(text: str) -> str:
    """Half a surrogate pair, which JSON can name and UTF-8 cannot hold, as a question mark."""
    return text.encode("utf-8", "replace").decode()


def problem_entries(problems: Iterable[Problem]) -> list[tuple[str, str, str]]:
    """Each problem as (value, reason, next step)."""
    return [
        (f"{one.key} {'' if one.value is None else one.value}".strip(), one.reason, one.right)
        for one in problems
    ]


def _error_entries(error: Exception) -> list[tuple[str, str, str]]:
    if isinstance(error, ProblemsError):
        return problem_entries(error.problems)
    if isinstance(error, LiveError):
        return [(error.value, error.reason, error.right)]
    reason, _, right = str(error).rpartition(". ")  # the house ends with the next step
    reason, right = (reason, right) if reason else (right, "see the server's log")
    return [(type(error).__name__, reason, right.removeprefix("Next: "))]
