"""Routes of incident rooms: what those do who act, and that a reader of any role has looked."""

import json
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import Field, field_validator

from deepcity.city.errors import LiveError
from deepcity.live.node.incidents import (
    EntryKind,
    entry_draft,
    incident,
    incidents,
    look_draft,
    opening_draft,
)
from deepcity.live.node.node import Node
from deepcity.web.control.accounts.accounts import User
from deepcity.web.control.asked import PlainText, PostedBody, kept
from deepcity.web.control.incidents.answer import incident_json, sees
from deepcity.web.control.incidents.geometry import check_drawing
from deepcity.web.control.roles import Role

Asking = Callable[[Request], User]
_NUMBER = 1 << 60
_MOST_GEOMETRY, _DEEPEST = 200_000, 20


class IncidentAsked(PostedBody):
    """A new incident."""

    title: PlainText = Field(min_length=1, max_length=200)
    service: PlainText = Field(default="", max_length=200)
    party: PlainText = Field(default="", max_length=200)


class EntryAsked(PostedBody):
    """An entry of an incident.

    `agency` is whom a task is given to: the name of one that the city knows, or any other.
    """

    kind: EntryKind
    text: PlainText = Field(default="", max_length=4000)
    geometry: dict[str, Any] | None = None
    task: int | None = Field(default=None, ge=0, lt=_NUMBER)
    agency: PlainText = Field(default="", max_length=200)
    roles: list[Role] = Field(default=[], max_length=len(Role))

    @field_validator("geometry", mode="before")
    @classmethod
    def _storable(cls, geometry: object) -> object:
        """Bounded, finite, text that UTF-8 can hold, and GeoJSON: everyone's map shows it."""
        level = [geometry]
        for _ in range(_DEEPEST):
            level = [
                part
                for one in level
                if isinstance(one, dict | list)
                for part in (one.values() if isinstance(one, dict) else one)
            ]
        if level:
            raise ValueError(f"nested deeper than {_DEEPEST} levels: send GeoJSON")
        text = json.dumps(geometry, ensure_ascii=False, allow_nan=False).encode()
        if len(text) > _MOST_GEOMETRY:
            raise ValueError(f"{len(text):,} bytes: send GeoJSON of at most {_MOST_GEOMETRY:,}")
        if geometry is not None:
            check_drawing(geometry)
        return geometry


class LookAsked(PostedBody):
    """That a person has an incident before them, up to an entry."""

    entry: int = Field(ge=0, lt=_NUMBER, strict=True)


def incident_routes(node: Node, asking: Asking) -> APIRouter:
    """Routes of incident rooms.

    Args:
        asking: gives the person who asks, or refuses.
    """
    routes = APIRouter(prefix="/api/incidents")
    who = Annotated[User, Depends(asking)]

    @routes.get("")
    def all_incidents(user: who) -> list[dict[str, Any]]:
        """All incidents, newest first."""
        return [incident_json(node, one, user) for one in incidents(node)]

    @routes.get("/{number}")
    def one_incident(number: int, user: who) -> dict[str, Any]:
        """An incident with those of its entries that are for who asks, and who saw each."""
        return incident_json(node, incident(node, number), user)

    @routes.post("", status_code=201)
    def new_incident(asked: IncidentAsked, user: who) -> dict[str, Any]:
        """Open an incident."""
        body = {"text": asked.title, "service": asked.service, "party": asked.party}
        now_s = node.clock.now()
        made = kept(
            node,
            lambda: opening_draft(incidents(node), user.name, user.role.value, now_s, body),
        )
        return incident_json(node, incident(node, made.seq), user)

    @routes.post("/{number}/entries", status_code=201)
    def entry(number: int, asked: EntryAsked, user: who) -> dict[str, Any]:
        """Add a task, a note, a drawing, that a task is done, or close it.

        An entry with `roles` is seen by people of these roles, by who wrote it, and by auditors
        and admins.
        """
        if asked.kind is EntryKind.OPEN:
            raise LiveError("open", "it is open", "open another incident: POST /api/incidents")
        if asked.kind is EntryKind.SEEN:
            right = f"POST /api/incidents/{number}/seen with the number of the newest entry"
            raise LiveError("seen", "a look is no entry", right)
        body, now_s = asked.model_dump(mode="json", exclude={"kind"}), node.clock.now()
        kept(
            node,
            lambda: entry_draft(
                incident(node, number),
                asked.kind,
                user.name,
                user.role.value,
                now_s,
                body,
                partial(sees, user),
            ),
        )
        return incident_json(node, incident(node, number), user)

    @routes.post("/{number}/seen")
    def seen(number: int, asked: LookAsked, user: who) -> dict[str, Any]:
        """Note that who asks has an incident before them up to an entry; nothing else is done.

        The first look counts: what was noted before changes nothing.
        """
        now_s = node.clock.now()
        node.change(
            lambda: look_draft(
                incident(node, number),
                asked.entry,
                user.name,
                user.role.value,
                now_s,
                partial(sees, user),
            )
        )
        return incident_json(node, incident(node, number), user)

    return routes
