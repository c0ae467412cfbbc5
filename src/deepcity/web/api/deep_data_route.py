"""The route by which agencies' processes send deep data, to an application or to a node."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Header, Query, Request

from deepcity.live.access import Access
from deepcity.live.delivery import SENT_AT
from deepcity.live.intake import Intake, IntakeResult
from deepcity.live.wire import BLOB, read_space, unpack_deep
from deepcity.store.deep_data.batch import Space
from deepcity.web.api import models
from deepcity.web.api.limits import Limits
from deepcity.web.api.questions import LATEST, read_body
from deepcity.web.api.refusals import problem_entries
from deepcity.web.api.tokens import bearer_token

PATH = "/deep-data"
_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": models.ErrorList} for status in (401, 403, 404, 409, 412, 413, 422, 503, 507)
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
_UNPACKED_AT_ONCE = 2


def deep_data_route(
    access: Access,
    intake_of: Callable[[str, Space], Intake],
    clock: Callable[[], float],
    limits: Limits,
) -> APIRouter:
    """The route.

    Args:
        access: whose token is whose.
        intake_of: what checks and stores an agency's deep data of a space.
        clock: seconds since 1970.
        limits: what one request may cost.
    """
    routes, unpacking = APIRouter(), CapacityLimiter(_UNPACKED_AT_ONCE)

    @routes.post(PATH, responses=_ERRORS, openapi_extra=_BODY)
    async def deep_data(
        request: Request,
        space: Annotated[str, _SPACE],
        revision: Annotated[int, _REVISION] = 0,
        sent_at: Annotated[int | None, Header(alias=SENT_AT, ge=0, lt=LATEST)] = None,
    ) -> models.AcceptedRows:
        """Take deep data of the agency whose token it is; to send them twice changes nothing."""
        agency = access.agency_of(bearer_token(request))
        named = read_space(space)
        intake = intake_of(agency, named)
        intake.check_space(agency, named)
        media_type = request.headers.get("Content-Type", "")
        body = await read_body(request, limits.bytes_of(media_type))

        def take() -> IntakeResult:
            batch = unpack_deep(named, body, media_type, limits.max_rows)
            return intake.accept(
                agency, batch, now=int(clock()), sent_at=sent_at, revision=revision
            )

        # few at a time: a body grows when it is unpacked
        taken = await to_thread.run_sync(take, limiter=unpacking)
        notices = [
            models.ErrorEntry(value=value, reason=reason, next=right)
            for value, reason, right in problem_entries(taken.why)
        ]
        return models.AcceptedRows(**asdict(taken.appended), expired=taken.expired, notices=notices)

    return routes
