"""The routes of an application's HTTP API."""

import time
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from deepcity import __version__
from deepcity.city.errors import DeepCityError
from deepcity.live.access import Access
from deepcity.live.application import LiveApplication
from deepcity.live.arrow import ARROW
from deepcity.live.decisions import DecisionLog, decide, decision_steps
from deepcity.live.intake import Intake
from deepcity.store.deep_data.batch import moment
from deepcity.web.api import models
from deepcity.web.api.answers import agency_now, decision_answer
from deepcity.web.api.deep_data_route import deep_data_route
from deepcity.web.api.forecast_answers import ForecastAnswers
from deepcity.web.api.limits import Limits
from deepcity.web.api.questions import REQUESTS, UNITS, one_moment, plan_requests, seconds_of
from deepcity.web.api.refusals import Refusal, misread, refuse, refuse_plainly
from deepcity.web.api.tokens import bearer_token, no_token

_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": models.ErrorList} for status in (401, 403, 404, 422, 503)
}
_AT = Query(
    description="the moment: seconds since 1970, or ISO 8601 with its zone; left out, now",
    examples=["2024-05-01T10:00:00Z"],
)


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
    forecasts = ForecastAnswers(application, clock, decisions)
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
    app.add_exception_handler(HTTPException, refuse_plainly)

    changed = application.deep_data_changed
    intake = Intake(application.package, access, application.store, changed)
    app.include_router(deep_data_route(access, lambda _agency, _space: intake, clock, limits))

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
        asked: Annotated[list[str] | None, REQUESTS] = None,
        units: Annotated[int | None, UNITS] = None,
    ) -> models.DecisionAnswer:
        """What the application recommends, how certain that is, and until when it holds."""
        _may_ask(access, request)
        wanted = plan_requests(asked or [], decision_steps(application.package))
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


def _may_ask(access: Access, request: Request) -> None:
    if not access.may_ask(bearer_token(request)):
        raise no_token("a reader's")
