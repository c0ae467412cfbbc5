"""Subscriptions (NGSI-LD 5.2.12) and where each stands; kept as events, so a restart goes on."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from deepcity.live.node.node import Node
from deepcity.store.events.event import Event, EventDraft, EventKind, EventQuery
from deepcity.web.ngsi.problems import NgsiError
from deepcity.web.ngsi.query_document import Asked, EntitySelector, GeoQuery
from deepcity.web.ngsi.temporal.temporal_query import second_of

_ID = r"^[A-Za-z][A-Za-z0-9_.+-]*:[A-Za-z0-9_:.@-]+$"  # it stands in a path and a header
MOST = 100
"""Subscriptions of a node."""


class Endpoint(Asked):
    """Where notifications are sent (5.2.15)."""

    uri: str = Field(max_length=500)
    accept: Literal["application/json", "application/ld+json", "application/geo+json"] = (
        "application/json"
    )
    timeout: int = Field(default=5_000, ge=100, le=10_000, description="ms for one delivery")


class NotificationParameters(Asked):
    """What is sent (5.2.14)."""

    endpoint: Endpoint
    attributes: list[str] = Field(default_factory=list, max_length=100)
    format: Literal["normalized", "concise", "simplified", "keyValues"] = "normalized"


class SubscriptionDocument(Asked):
    """A subscription as it is asked for."""

    id: str | None = Field(default=None, max_length=200, pattern=_ID)
    type: Literal["Subscription"]
    subscriptionName: str = Field(default="", max_length=200)
    name: str = Field(default="", max_length=200)
    description: str = Field(default="", max_length=2_000)
    entities: list[EntitySelector] = Field(default_factory=list, max_length=100)
    watchedAttributes: list[str] = Field(default_factory=list, max_length=100)
    q: str | None = Field(default=None, max_length=2_000)
    geoQ: GeoQuery | None = None
    isActive: bool = True
    expiresAt: str | None = Field(default=None, max_length=40)
    throttling: float = Field(default=0, ge=0, le=1e9, description="least seconds between two")
    notification: NotificationParameters
    context: Any = Field(default=None, alias="@context")

    def written(self) -> dict[str, Any]:
        """As it was asked for, without what is not set."""
        found = self.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True)
        return {**found, "type": "Subscription", "isActive": self.isActive}


class SubscriptionChange(StrEnum):
    """What happens to a subscription."""

    CREATED = "created"
    CHANGED = "changed"
    DELETED = "deleted"
    FAILED = "failed"  # disabled, as its endpoint could not be reached


@dataclass(frozen=True)
class Subscription:
    """A subscription and where it stands.

    Attributes:
        document: what was asked for.
        context: address of the @context, as whoever subscribed reached it.
        cursor: number of the newest event that it was notified of.
        failed: why it was disabled; empty: it was not.
        sent, failures: notifications since the node started; failures that came one after another.
        last_s, success_s, failure_s: seconds since 1970; None: never.
        next_try: on the monotonic clock.
    """

    id: str
    document: SubscriptionDocument
    context: str
    cursor: int
    failed: str = ""
    sent: int = 0
    failures: int = 0
    last_s: float | None = None
    success_s: float | None = None
    failure_s: float | None = None
    next_try: float = 0.0

    def expired(self, now_s: float) -> bool:
        """Whether its time is over."""
        until = self.document.expiresAt
        return until is not None and second_of(until, "expiresAt") <= now_s

    def active(self, now_s: float) -> bool:
        """Whether it is to be notified."""
        return self.document.isActive and not self.failed and not self.expired(now_s)


@dataclass
class SubscriptionBook:
    """A node's subscriptions. Threads may share it.

    Attributes:
        node: whose events they are kept in.
        wall: seconds since 1970.
    """

    node: Node
    wall: Callable[[], float] = time.time
    _known: dict[str, Subscription] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        query = EventQuery((EventKind.SUBSCRIPTION,), data=False)
        for event in self.node.events.read(query):
            self._apply(event)

    def all(self) -> list[Subscription]:
        """All of them, oldest first."""
        with self._lock:
            return list(self._known.values())

    def get(self, name: str) -> Subscription:
        """One of them.

        Raises:
            NgsiError: if there is none of that id.
        """
        with self._lock:
            found = self._known.get(name)
        if found is None:
            right = "see /ngsi-ld/v1/subscriptions"
            raise NgsiError(f"no subscription {name[:200]!r}", right, "ResourceNotFound")
        return found

    def keep(
        self,
        change: SubscriptionChange,
        name: str,
        who: str,
        document: SubscriptionDocument | None = None,
        context: str = "",
        reason: str = "",
    ) -> None:
        """Keep a change as an event, and let it count.

        Raises:
            NgsiError: if the id is taken, unknown, or there are too many.
            StoreError: if it cannot be kept.
        """
        with self._lock:
            if change is SubscriptionChange.CREATED:
                self._check_room(name)
            else:
                self.get(name)
            body: dict[str, Any] = {"change": change.value, "subscription": name, "reason": reason}
            if document is not None:
                body["document"] = document.model_dump(by_alias=True)
                body["context"] = context
            key = f"subscription/{name}/{time.time_ns()}"
            now_s = self.node.clock.now()
            draft = EventDraft(EventKind.SUBSCRIPTION, key, now_s, who=who, body=body)
            for event in self.node.keep([draft]):
                self._apply(event)

    def note(self, name: str, **changes: Any) -> None:  # noqa: ANN401 - fields of `Subscription`
        """Where a subscription stands now; of one that is gone nothing is kept."""
        with self._lock:
            if name in self._known:
                self._known[name] = replace(self._known[name], **changes)

    def _check_room(self, name: str) -> None:
        if name in self._known:
            right = "give another id, or PATCH this one"
            raise NgsiError(f"there is a subscription {name!r}", right, "AlreadyExists")
        if len(self._known) >= MOST:
            raise NgsiError(f"{MOST} subscriptions", "delete one first", "TooManyResults")

    def _apply(self, event: Event) -> None:
        change = SubscriptionChange(event.body["change"])
        name = str(event.body["subscription"])
        if change is SubscriptionChange.DELETED:
            self._known.pop(name, None)
            return
        known = self._known.get(name)
        if change is SubscriptionChange.FAILED:
            if known is not None:
                self._known[name] = replace(known, failed=str(event.body["reason"]))
            return
        document = SubscriptionDocument.model_validate(event.body["document"])
        context = str(event.body["context"])
        if known is None or known.failed or not known.document.isActive:
            self._known[name] = Subscription(name, document, context, event.seq)
        else:
            self._known[name] = replace(known, document=document, context=context)
