"""Errors as NGSI-LD has them: ProblemDetails with a type of the standard (5.5.2, 6.3.2)."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from deepcity.city.errors import DeepCityError, LiveError, StoreError
from deepcity.web.api.refusals import Refusal

_BASE = "https://uri.etsi.org/ngsi-ld/errors/"
_STATUS = {
    "InvalidRequest": 400,
    "BadRequestData": 400,
    "TooManyResults": 403,
    "ResourceNotFound": 404,
    "AlreadyExists": 409,
    "OperationNotSupported": 422,
    "InternalError": 500,
}
_KIND = {
    400: "BadRequestData",
    404: "ResourceNotFound",
    409: "AlreadyExists",
    422: "BadRequestData",
}
_MOST_SHOWN = 200
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class NgsiError(Exception):
    """A request that cannot be answered.

    Args:
        title: what is wrong, with the value.
        detail: what to do instead.
        kind: of the standard's errors.
    """

    def __init__(self, title: str, detail: str, kind: str = "BadRequestData") -> None:
        super().__init__(f"{title}. {detail}")
        self.title, self.detail, self.kind = title, detail, kind


def bad(name: str, value: object, reason: str, right: str) -> NgsiError:
    """A parameter that cannot be read: which, its value, why, and what to write."""
    return NgsiError(f"{name} {shown(value)}: {reason}", right)


def shown(value: object) -> str:
    """A value as a message shows it: not too long, and without half a surrogate pair."""
    text = value if isinstance(value, str) else repr(value)
    cut = text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
    return repr(cut).encode("utf-8", "replace").decode()


def problem(
    status: int, kind: str, title: str, detail: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    """The answer to a request that failed."""
    return JSONResponse(_details(status, kind, title, detail), status, headers)


def details(error: NgsiError) -> dict[str, Any]:
    """Why one of several could not be done, as a part of an answer."""
    return _details(_STATUS[error.kind], error.kind, error.title, error.detail)


def _details(status: int, kind: str, title: str, detail: str) -> dict[str, Any]:
    return {"type": f"{_BASE}{kind}", "title": title, "detail": detail, "status": status}


class NgsiRoute(APIRoute):
    """A route whose errors are ProblemDetails."""

    def get_route_handler(self) -> Handler:
        """The route's own handler, with its errors translated."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except (NgsiError, DeepCityError, Refusal, RequestValidationError) as error:
                return _answer(error)
            except HTTPException as error:  # a body too large, or too many at once
                kind = "InternalError" if error.status_code >= 500 else "InvalidRequest"
                more = dict(error.headers or {})
                return problem(
                    error.status_code, kind, str(error.detail), "send less at once", more
                )

        return handled


def _answer(error: Exception) -> JSONResponse:
    if isinstance(error, NgsiError):
        return problem(_STATUS[error.kind], error.kind, error.title, error.detail)
    if isinstance(error, Refusal):
        kind = _KIND.get(error.status, "InvalidRequest")
        headers = {"WWW-Authenticate": 'Basic realm="deepcity", charset="UTF-8"'}
        title = f"{error.value}: {error.reason}"
        more = headers if error.status == 401 else None
        return problem(error.status, kind, title, error.right, more)
    if isinstance(error, RequestValidationError):
        wrong = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
        return problem(400, "BadRequestData", "; ".join(wrong[:10]), "see /openapi.json")
    if isinstance(error, StoreError):
        return problem(503, "InternalError", str(error), "try again", {"Retry-After": "5"})
    if isinstance(error, LiveError):
        title = f"{error.value}: {error.reason}"
        return problem(404, "ResourceNotFound", title, error.right)
    return problem(500, "InternalError", str(error), "see the server's log")
