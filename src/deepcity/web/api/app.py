"""The routes of an application's HTTP API."""

import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import FastAPI, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.background import BackgroundTask

from deepcity import __version__
from deepcity.applications.state import Request as PlanRequest
from deepcity.city.errors import DeepCityError
from deepcity.learning.split.fused_package import FusedFacts
from deepcity.live.access import Access
from deepcity.live.application import LiveApplication
from deepcity.live.arrow import ARROW
from deepcity.live.decisions import DecisionLog, decide
from deepcity.live.delivery import SENT_AT
from deepcity.live.intake import Intake
from deepcity.live.wire import BLOB, read_space, unpack_deep
from deepcity.store.deep_data.batch import moment
from deepcity.web.api import models
from deepcity.web.api.answers import agency_now, decision_answer, forecast_arrow, forecast_json
from deepcity.web.api.limits import Limits
from deepcity.web.api.refusals import Refusal, misread, problem_entries, refuse

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
_MOST_ASKED, _MOST_CARS = 100, 1000


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

    @app.post("/deep-data", responses={**_ERRORS, **_more()}, openapi_extra=_BODY)
    async def deep_data(
        request: Request,
        space: Annotated[str, _SPACE],
        revision: Annotated[int, _REVISION] = 0,
        sent_at: Annotated[int | None, Header(alias=SENT_AT)] = None,
    ) -> models.AcceptedRows:
        """Take deep data of the agency whose token it is; to send them twice changes nothing."""
        agency = access.agency_of(_token(request))
        if agency is None:
            raise _no_token("an agency's")
        named = read_space(space)
        receipt.check_space(agency, named)
        media_type = request.headers.get("Content-Type", "")
        body = await _body(request, limits.bytes_of(media_type))
        batch = await run_in_threadpool(unpack_deep, named, body, media_type, limits.max_rows)
        taken = await run_in_threadpool(
            receipt.accept, agency, batch, now=int(clock()), sent_at=sent_at, revision=revision
        )
        notices = [
            models.ErrorEntry(value=value, reason=reason, next=right)
            for value, reason, right in problem_entries(taken.why)
        ]
        return models.AcceptedRows(**asdict(taken.appended), expired=taken.expired, notices=notices)

    @app.get(
        "/forecast",
        response_model=models.ForecastAnswer,
        responses={**_ERRORS, 200: {"content": {ARROW: {}}}},
    )
    def forecast(
        request: Request,
        at: Annotated[list[str] | None, _AT] = None,
        place: Annotated[list[str] | None, Query(description="left out, all")] = None,
        steps: Annotated[int | None, Query(ge=1, description="left out, all trained")] = None,
    ) -> Response:
        """Forecast from what there is: own rows, and every agency that is not too late."""
        _may_ask(access, request)
        chosen, most = _places(facts.places, place), facts.settings.horizon
        if steps is not None and steps > most:
            reason = f"{facts.service} was trained for {most} steps of {facts.step_s} s"
            raise Refusal(422, f"{steps} steps", reason, f"ask for 1 to {most}")
        whole = application.forecast(_seconds(_one(at), clock))
        found = whole.first(steps or most)
        arrow = ARROW in request.headers.get("Accept", "")
        reply = forecast_arrow(found, chosen) if arrow else forecast_json(facts, found, chosen)
        if decisions is not None:  # once the answer is on its way
            reply.background = BackgroundTask(decisions.after_forecast, application, whole)
        return reply

    @app.get("/decision", responses=_ERRORS)
    def decision(
        request: Request,
        at: Annotated[str | None, _AT] = None,
        asked: Annotated[list[str] | None, _ASKED] = None,
    ) -> models.DecisionAnswer:
        """What the application recommends, how certain that is, and until when it holds."""
        _may_ask(access, request)
        wanted = _requests(asked or [], facts)
        made = decide(application, application.forecast(_seconds(at, clock)), wanted)
        if decisions is not None:
            decisions.keep(made)
        return decision_answer(facts, made)

    @app.get("/agencies", responses=_ERRORS)
    def agencies(request: Request, at: Annotated[str | None, _AT] = None) -> models.Agencies:
        """Status of each agency: whether its deep data are in use or late, and how old they are."""
        _may_ask(access, request)
        seconds = _seconds(at, clock)
        states = [models.AgencyNow(**agency_now(one)) for one in application.states(seconds)]
        return models.Agencies(at=moment(seconds), agencies=states)

    @app.get("/health", responses={503: {"model": models.Health}})
    def health() -> JSONResponse:
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


async def _body(request: Request, most: int) -> bytes:
    found, notices = bytearray(), request.headers.get("Content-Length", "")
    too_long = notices.isdigit() and int(notices) > most
    async for chunk in request.stream():
        if too_long or len(found) + len(chunk) > most:
            what = f"body of {notices if too_long else f'more than {most}'} bytes"
            raise Refusal(413, what, f"{most:,} bytes at most", "send fewer rows at once")
        found += chunk
    return bytes(found)


def _one(at: list[str] | None) -> str | None:
    if at is not None and len(at) > 1:
        raise Refusal(422, f"{len(at)} moments", "a request has one", "ask once for each")
    return None if at is None else at[0]


def _places(known: tuple[str, ...], asked: list[str] | None) -> list[int]:
    if not asked:
        return list(range(len(known)))
    if len(asked) > len(known):
        reason = f"there are {len(known)}"
        raise Refusal(422, f"{len(asked)} places", reason, "name each once, or none for all")
    where = {place: index for index, place in enumerate(known)}
    strange = [place for place in asked if place not in where]
    if strange:
        shown = ", ".join(known[:5])
        reason = f"none of the {len(known)} places"
        raise Refusal(404, ", ".join(strange)[:200], reason, f"ask for one such as {shown}")
    return [where[place] for place in asked]


def _requests(asked: list[str], facts: FusedFacts) -> list[PlanRequest]:
    """Requests of a plan as they were asked."""
    if len(asked) > _MOST_ASKED:
        reason = f"at most {_MOST_ASKED} at once"
        raise Refusal(422, f"{len(asked)} requests", reason, "ask for fewer at once")
    found = []
    for number, text in enumerate(asked):
        parts = text.split(",")
        try:
            lat, lon = map(float, parts[:2])
            step, count = int(parts[2]), int(parts[3]) if len(parts) == 4 else 1
            fits = abs(lat) <= 90 and abs(lon) <= 180 and len(parts) <= 4  # NaN fits nowhere
            fits &= 0 <= step < facts.settings.horizon and 1 <= count <= _MOST_CARS
        except (ValueError, IndexError):
            fits = False
        if not fits:
            steps, right = facts.settings.horizon, "write request=51.05,13.74,2,4"
            reason = f"not LAT,LON,STEP,CARS with a step of 0 to {steps - 1} and at most 1000 cars"
            raise Refusal(422, text[:100], reason, right)
        found.append(PlanRequest(f"request-{number + 1}", lat, lon, step, count))
    return found


def _seconds(at: str | None, clock: Callable[[], float]) -> int:
    if at is None:
        return int(clock())
    if at.isdigit() and len(at) < 12:
        return int(at)
    try:
        found = datetime.fromisoformat(at.replace(" ", "+"))  # a + that was not escaped
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        right = "write seconds since 1970, or ISO 8601 with its zone: 2024-05-01T10:00:00Z"
        raise Refusal(422, at[:100], "no moment, or without its time zone", right)
    return int(found.astimezone(UTC).timestamp())
