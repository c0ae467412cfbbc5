"""Routes for other systems: a warning as CAP, and values as a file."""

import re
from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from deepcity.applications.application import Task, applications
from deepcity.city.errors import LiveError
from deepcity.live.node.decision_book import DecisionStatus
from deepcity.live.node.issued_warnings import newest_decision_of, warnings_before
from deepcity.live.node.known import party_of
from deepcity.live.node.node import Node
from deepcity.web.api.refusals import Refusal
from deepcity.web.cap import MEDIA_TYPE, CapContext, cap_alert, reference
from deepcity.web.control.accounts.accounts import User
from deepcity.web.control.export import (
    MEDIA,
    ExportFormat,
    ExportKind,
    export_parts,
    export_values,
)

Asking = Callable[[Request], User]
Seconds = Annotated[int, Query(ge=0, le=1 << 40, description="seconds since 1970, UTC")]
Name = Annotated[str, Query(max_length=200)]
_EVER = 1 << 40


def offering_routes(node: Node, asking: Asking) -> APIRouter:
    """Routes for other systems.

    Args:
        asking: gives the person or program that asks, or refuses.
    """
    routes = APIRouter(prefix="/api", dependencies=[Depends(asking)])

    @routes.get("/decisions/{number}/cap")
    def cap(number: int) -> Response:
        """A warning as a message of CAP 1.2; a draft until somebody has confirmed it."""
        return Response(cap_message(node, number), media_type=MEDIA_TYPE)

    @routes.get("/alarms/{number}/cap")
    def cap_of_alarm(number: int) -> Response:
        """The newest message about an alarm: it begins, changes (Update) or is over (Cancel)."""
        made = newest_decision_of(node.alarms, node.decisions, number)
        return Response(cap_message(node, made.id), media_type=MEDIA_TYPE)

    @routes.get("/export")
    def export(
        service: Name,
        party: Name,
        what: ExportKind = ExportKind.MEASURED,
        since: Seconds = 0,
        until: Seconds = _EVER,
        format: ExportFormat = ExportFormat.CSV,  # noqa: A002 - what it is called elsewhere
        resolution: Annotated[int, Query(ge=0, le=15, description="of H3 cells")] = 8,
    ) -> StreamingResponse:
        """Measured values, or the newest forecast, of a party as a file."""
        key = party_of(node, service, party)
        found = export_values(node, key, what, since, until)
        ending = "csv" if format is ExportFormat.H3 else format.value
        name = re.sub(r"[^A-Za-z0-9.-]+", "-", f"{service}-{party}-{what.value}.{ending}")
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        parts = export_parts(found, format, resolution)
        return StreamingResponse(parts, media_type=MEDIA[format], headers=headers)

    return routes


def cap_message(node: Node, number: int) -> bytes:
    """A decision as a CAP message.

    It updates those of the warnings that stand when it is made, and cancels them where it warns of
    nothing any more.

    Raises:
        LiveError: if there is no such decision.
        Refusal: if it is no warning, or one that does not hold.
    """
    made = node.decisions.decisions.get(number)
    if made is None:
        right = "look at the newest decisions: GET /api/decisions"
        raise LiveError(f"decision {number}", "not among the newest ones", right)
    now = node.parties.get((made.service, made.party))
    application = None if now is None else applications().get(now.party.facts.application)
    what = f"decision {number}"
    if now is None or application is None:
        right = "ask for a decision of a party that takes part"
        raise Refusal(409, what, f"{made.party} takes part no longer", right)
    before = warnings_before(node.decisions, made)
    if made.task is not Task.ALERT or not (made.decision.actions or before):
        alert = made.task is Task.ALERT
        reason = "it warns of nothing" if alert else f"its task is {made.task.value}, not alert"
        raise Refusal(409, what, reason, "CAP is for warnings: ask for an alert with actions")
    status = made.status(node.clock.now())
    if status is DecisionStatus.REJECTED:
        raise Refusal(409, what, "a person rejected it", "ask for another decision")
    panel = node.panel(now.party.party.agency)
    field = panel.fields[panel.field_index(now.party.facts.field)]
    agency = node.city_file.city.agency(now.party.party.agency)
    sender = re.sub(r"[\s,<&]+", "_", f"{node.city_file.city.name}/{agency.name}")
    context = CapContext(
        application,
        field.unit,
        panel.clock.time_zone,
        panel.clock.step_s,
        now.party.facts.horizon,
    )
    zone = panel.clock.time_zone
    return cap_alert(
        made.decision,
        panel.places,
        sender,
        context,
        sent_s=made.made_s,
        confirmed=status in (DecisionStatus.CONFIRMED, DecisionStatus.ADVICE),
        supersedes=[reference(one.decision, sender, one.made_s, zone) for one in before],
        sender_name=agency.title,
    )
