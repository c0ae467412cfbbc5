"""Routes to subscriptions (NGSI-LD 6.10, 6.11)."""

import uuid
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import ValidationError

from deepcity.web.control.accounts.accounts import User
from deepcity.web.ngsi.entity import Json, moment
from deepcity.web.ngsi.problems import NgsiError, bad
from deepcity.web.ngsi.query_document import json_body, wrong_document
from deepcity.web.ngsi.requests import JSON, LD, context_url, media_type, respond
from deepcity.web.ngsi.subscriptions.endpoints import check_endpoint
from deepcity.web.ngsi.subscriptions.notifications import document_selection
from deepcity.web.ngsi.subscriptions.notifier import Notifier
from deepcity.web.ngsi.subscriptions.subscription import (
    Subscription,
    SubscriptionChange,
    SubscriptionDocument,
)
from deepcity.web.ngsi.temporal.temporal_query import second_of

_FIXED = ("id", "type")


def add_subscription_routes(
    routes: APIRouter, notifier: Notifier, asking: Callable[[Request], User]
) -> None:
    """Add them to a router."""
    book = notifier.book
    who = Annotated[User, Depends(asking)]

    @routes.post("/subscriptions/", include_in_schema=False)  # some clients write it so
    @routes.post("/subscriptions", status_code=201)
    async def subscribe(request: Request, user: who) -> Response:
        """Subscribe to what changes."""
        raw = await json_body(request)
        document = _document(raw, notifier)
        name = document.id or f"urn:ngsi-ld:Subscription:{uuid.uuid4()}"
        await run_in_threadpool(
            book.keep, SubscriptionChange.CREATED, name, user.name, document, context_url(request)
        )
        return Response(status_code=201, headers={"Location": f"/ngsi-ld/v1/subscriptions/{name}"})

    @routes.get("/subscriptions")
    def subscriptions(
        request: Request,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
        offset: Annotated[int, Query(ge=0, lt=1 << 40)] = 0,
        count: bool = False,
    ) -> Response:
        """All subscriptions, and how each stands."""
        found = book.all()
        body = [_json(one, notifier) for one in found[offset : offset + limit]]
        total = len(found) if count else None
        return respond(request, body, media_type(request, JSON, LD), count=total)

    @routes.get("/subscriptions/{name}")
    def subscription(request: Request, name: str) -> Response:
        """A subscription, and how it stands."""
        return respond(request, _json(book.get(name), notifier), media_type(request, JSON, LD))

    @routes.patch("/subscriptions/{name}", status_code=204)
    async def change(request: Request, name: str, user: who) -> Response:
        """Change parts of a subscription; `isActive: true` lets a disabled one go on."""
        asked = await json_body(request)
        known = book.get(name).document.model_dump(by_alias=True)
        fixed = [key for key in _FIXED if key in asked and asked[key] != (known[key] or name)]
        if fixed:
            raise bad(fixed[0], asked[fixed[0]], "cannot be changed", "make another subscription")
        document = _document(_merged(known, asked), notifier)
        await run_in_threadpool(
            book.keep, SubscriptionChange.CHANGED, name, user.name, document, context_url(request)
        )
        return Response(status_code=204)

    @routes.delete("/subscriptions/{name}", status_code=204)
    def unsubscribe(name: str, user: who) -> Response:
        """End a subscription."""
        book.keep(SubscriptionChange.DELETED, name, user.name)
        return Response(status_code=204)


def _merged(known: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    """A document with parts changed; null takes one away (RFC 7396)."""
    found = {**known, **{key: value for key, value in asked.items() if value is not None}}
    if isinstance(asked.get("notification"), dict):
        found["notification"] = {**known["notification"], **asked["notification"]}
    for key, value in asked.items():
        if value is None:
            found.pop(key, None)
    return found


def _document(raw: dict[str, Any], notifier: Notifier) -> SubscriptionDocument:
    """A document that can be used.

    Raises:
        NgsiError: with all that is wrong.
    """
    if "timeInterval" in raw:
        right = "leave it out: notifications come when something changes"
        raise NgsiError("timeInterval is not offered", right, "OperationNotSupported")
    try:
        found = SubscriptionDocument.model_validate(raw)
    except ValidationError as error:
        raise wrong_document(error) from error
    if not (found.entities or found.watchedAttributes):
        raise NgsiError("to all entities", "give entities or watchedAttributes")
    if found.expiresAt is not None:
        second_of(found.expiresAt, "expiresAt")
    document_selection(found)
    check_endpoint(found.notification.endpoint.uri, notifier.allowed)
    return found


def _json(one: Subscription, notifier: Notifier) -> Json:
    found = {"id": one.id, **one.document.written()}
    found.pop("@context", None)
    found["id"] = one.id
    now_s = notifier.book.wall()
    state = "expired" if one.expired(now_s) else "active"
    paused = not one.document.isActive or one.failed
    found["status"] = "paused" if paused and state == "active" else state
    found["isActive"] = bool(one.document.isActive and not one.failed)
    sent = found["notification"]
    sent["status"] = "failed" if one.failed or one.failures else "ok"
    sent["timesSent"], sent["timesFailed"] = one.sent, one.failures
    if one.failed:
        sent["lastError"] = one.failed
    for key, at in (
        ("lastNotification", one.last_s),
        ("lastSuccess", one.success_s),
        ("lastFailure", one.failure_s),
    ):
        if at is not None:
            sent[key] = moment(at)
    return found
