"""The routes of an application's HTTP API."""

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from deepcity import __version__
from deepcity.city.errors import DeepCityError
from deepcity.live.access import Access
from deepcity.live.application import LiveApplication
from deepcity.live.arrow import ARROW
from deepcity.live.decisions import DecisionLog, decide
from deepcity.live.delivery import SENT_AT
from deepcity.live.intake import Intake, IntakeResult
from deepcity.live.wire import BLOB, read_space, unpack_deep
from deepcity.store.deep_data.batch import moment
from deepcity.web.api import models
from deepcity.web.api.answers import agency_now, decision_answer
from deepcity.web.api.forecast_answers import ForecastAnswers
from deepcity.web.api.limits import Limits
from deepcity.web.api.questions import (
    LATEST,
    one_moment,
    plan_requests,
    read_body,
    seconds_of,
)
from deepcity.web.api.refusals import Refusal, answer, misread, problem_entries, refuse

_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": models.ErrorList} for status in (401, 403, 404, 422, 503)
}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            BLOB: {"schema": {"type": "string", "format": "binary"}},
            "application/json": {
                "schema": models.DeepRows.model_json_schema(ref_template="#/$defs/{model}"),
                "example": {
                    "rows": [{"time": 1714521600, "cell": "8930e1d8c4fffff", "vector": [0.1, -0.8]}]
                },
            },
        },
    }
}
_SPACE = Query(
    description="city/domain/agency/layer@version, as the encoder's package names it",
    examples=["seoul/environment/weather/h3@0123456789abcdef"],
)
_REVISION = Query(
    ge=0,
    lt=1 << 62,
    description="higher after a correction of the records: it replaces lower ones, never higher",
    examples=[1714521600],
)
_AT = Query(
    description="the moment: seconds since 1970, or ISO 8601 with its zone; left out, now",
    examples=["2024-05-01T10:00:00Z"],
)
_ASKED = Query(
    alias="request",
    description="for a plan: LAT,LON,STEP of arrival from 0 on, and maybe how many cars: 1 if "
    "left out; may be repeated",
    examples=["51.05,13.74,2,4"],
)
_UNITS = Query(
    ge=0,
    le=100_000,
    description="for patrols: how many there are; left out, the application's own number",
    examples=[12],
)

_UNPACKED_AT_ONCE = 2


def create_app(
    application: LiveApplication,
    access: Access,
    *,
    clock: Callable[[], float] = time.time,
    limits: Limits = Limits(),  # noqa: B008 - it is frozen
    decisions: DecisionLog | None = None,
) -> FastAPI:
    """The API of one application.

    Args:
        application: what answers.
        access: who may send and who may ask.
        clock: seconds since 1970.
        limits: what one request may cost.
        decisions: where the decision after each forecast is kept; None: nowhere.
    """
    facts = application.package.facts
    receipt = Intake(application.package, access, application.store)
    forecasts = ForecastAnswers(application, clock, decisions)
    unpacking = CapacityLimiter(_UNPACKED_AT_ONCE)
    app = FastAPI(
        title=f"deepcity: {facts.service} of {facts.city}/{facts.agency}",
        version=__version__,
        description="Deep data come in, forecasts go out; raw rows never pass here.",
        docs_url=None,  # these pages would load scripts from elsewhere
        redoc_url=None,
    )
    app.add_exception_handler(DeepCityError, refuse)
    app.add_exception_handler(Refusal, refuse)
    app.add_exception_handler(RequestValidationError, misread)
    app.add_exception_handler(HTTPException, _refuse_plainly)

    @app.post("/deep-data", responses={**_ERRORS, **_more()}, openapi_extra=_BODY)
    async def deep_data(
        request: Request,
        space: Annotated[str, _SPACE],
        revision: Annotated[int, _REVISION] = 0,
        sent_at: Annotated[int | None, Header(alias=SENT_AT, ge=0, lt=LATEST)] = None,
    ) -> models.AcceptedRows:
        """Take deep data of the agency whose token it is; to send them twice changes nothing."""
        agency = access.agency_of(_token(request))
        if agency is None:
            raise _no_token("an agency's")
        named = read_space(space)
        receipt.check_space(agency, named)
        media_type = request.headers.get("Content-Type", "")
        body = await read_body(request, limits.bytes_of(media_type))

        def take() -> IntakeResult:
            batch = unpack_deep(named, body, media_type, limits.max_rows)
            found = receipt.accept(
                agency, batch, now=int(clock()), sent_at=sent_at, revision=revision
            )
            if found.appended.new or found.appended.revised:
                application.deep_data_changed()
            return found

        # few at a time: a body grows when it is unpacked
        taken = await to_thread.run_sync(take, limiter=unpacking)
        notices = [
            models.ErrorEntry(value=value, reason=reason, next=right)
            for value, reason, right in problem_entries(taken.why)
        ]
        return models.AcceptedRows(**asdict(taken.appended), expired=taken.expired, notices=notices)

    @app.get(
        "/forecast",
        response_model=models.ForecastAnswer,
        responses={**_ERRORS, 200: {"content": {ARROW: {}}}, 304: {"description": "it is as held"}},
    )
    async def forecast(
        request: Request,
        at: Annotated[list[str] | None, _AT] = None,
        place: Annotated[list[str] | None, Query(description="left out, all")] = None,
        steps: Annotated[int | None, Query(ge=1, description="left out, all trained")] = None,
    ) -> Response:
        """Forecast from what there is: own rows, and every agency that is not too late."""
        _may_ask(access, request)
        query = forecasts.read(request, one_moment(at), place, steps)
        return await forecasts.answer(request, query)

    @app.get("/decision", responses=_ERRORS)
    def decision(
        request: Request,
        at: Annotated[str | None, _AT] = None,
        asked: Annotated[list[str] | None, _ASKED] = None,
        units: Annotated[int | None, _UNITS] = None,
    ) -> models.DecisionAnswer:
        """What the application recommends, how certain that is, and until when it holds."""
        _may_ask(access, request)
        wanted = plan_requests(asked or [], facts)
        made = decide(application, application.forecast(seconds_of(at, clock)), wanted, units)
        if decisions is not None:
            decisions.keep(made)
        return decision_answer(facts, made)

    @app.get("/agencies", responses=_ERRORS)
    def agencies(request: Request, at: Annotated[str | None, _AT] = None) -> models.Agencies:
        """Status of each agency: whether its deep data are in use or late, and how old they are."""
        _may_ask(access, request)
        seconds = seconds_of(at, clock)
        states = [models.AgencyNow(**agency_now(one)) for one in application.states(seconds)]
        return models.Agencies(at=moment(seconds), agencies=states)

    @app.get("/health", responses={503: {"model": models.Health}})
    async def health() -> JSONResponse:
        """Whether forecasts can be made; 503 where not."""
        ready = application.ready
        body = models.Health(
            ready=ready,
            service=facts.service,
            package=application.package.version,
            reason="" if ready else f"no rows of {facts.agency} have come yet",
        )
        return JSONResponse(body.model_dump(), 200 if ready else 503)

    return app


def _more() -> dict[int | str, dict[str, Any]]:
    return {status: {"model": models.ErrorList} for status in (409, 412, 413, 507)}


def _token(request: Request) -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _no_token(whose: str) -> Refusal:
    right = "send Authorization: Bearer TOKEN, as the access file has it"
    return Refusal(401, "Authorization", f"no token, or not {whose}", right)


def _may_ask(access: Access, request: Request) -> None:
    if not access.may_ask(_token(request)):
        raise _no_token("a reader's")


async def _refuse_plainly(request: Request, error: Exception) -> JSONResponse:
    """What the framework refuses: unknown routes and verbs, too many bodies."""
    assert isinstance(error, HTTPException)
    right = "see /openapi.json" if error.status_code < 500 else "try again in a second"
    reply = answer(error.status_code, [(request.url.path[:100], str(error.detail), right)])
    reply.headers.update(error.headers or {})
    return reply
