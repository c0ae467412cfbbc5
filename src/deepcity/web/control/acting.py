"""Routes by which people act: answers to decisions, alarms, incidents, notes to the next shift."""

import json
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, field_validator

from deepcity.city.errors import LiveError
from deepcity.live.node.alarm_book import AlarmChange
from deepcity.live.node.decision_book import AnswerKind
from deepcity.live.node.incidents import EntryKind, entry_draft, incident
from deepcity.live.node.node import Node
from deepcity.store.events.event import Event, EventDraft, EventKind
from deepcity.web.api.refusals import Refusal
from deepcity.web.control.accounts import User
from deepcity.web.control.answers import alarm_json, decision_json, incident_json
from deepcity.web.control.roles import Role

Asking = Callable[[Request], User]
_NUMBER = 1 << 60
_MOST_GEOMETRY, _DEEPEST = 200_000, 20


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AnswerAsked(_Asked):
    """An answer to a decision."""

    answer: AnswerKind
    comment: str = Field(default="", max_length=2000)


class ChangeAsked(_Asked):
    """A change of an alarm."""

    change: AlarmChange
    to: str = Field(default="", max_length=200)
    comment: str = Field(default="", max_length=2000)


class NoteAsked(_Asked):
    """A note for the next shift."""

    text: str = Field(min_length=1, max_length=4000)


class IncidentAsked(_Asked):
    """A new incident."""

    title: str = Field(min_length=1, max_length=200)
    service: str = Field(default="", max_length=200)
    party: str = Field(default="", max_length=200)


class EntryAsked(_Asked):
    """An entry of an incident."""

    kind: EntryKind
    text: str = Field(default="", max_length=4000)
    geometry: dict[str, Any] | None = None
    task: int | None = Field(default=None, ge=0, lt=_NUMBER)
    roles: list[Role] = Field(default=[], max_length=len(Role))

    @field_validator("geometry", mode="before")
    @classmethod
    def _storable(cls, geometry: object) -> object:
        """Bounded, finite, and text that UTF-8 can hold: it is shown to everyone from then on."""
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
        return geometry


def acting_routes(node: Node, asking: Asking) -> APIRouter:
    """Routes for those whose role may act.

    Args:
        asking: gives the person who asks, or refuses.
    """
    routes = APIRouter(prefix="/api")
    who = Annotated[User, Depends(asking)]

    @routes.post("/decisions/{number}/answers", status_code=201)
    def answer(number: int, asked: AnswerAsked, user: who) -> dict[str, Any]:
        """Confirm or reject a decision, or undo that."""
        now_s = node.clock.now()
        _kept(
            node,
            lambda: node.decisions.answer(number, asked.answer, user.name, now_s, asked.comment),
        )
        return decision_json(node, node.decisions.decisions[number], now_s)

    @routes.post("/alarms/{number}/changes", status_code=201)
    def change(number: int, asked: ChangeAsked, user: who) -> dict[str, Any]:
        """Acknowledge, assign, comment on, escalate or close an alarm."""
        now_s = node.clock.now()
        to, comment = asked.to, asked.comment
        _kept(
            node,
            lambda: node.alarms.change(number, asked.change, user.name, now_s, to, comment),
        )
        return alarm_json(node, node.alarms.alarms[number])

    @routes.post("/handover/notes", status_code=201)
    def note(asked: NoteAsked, user: who) -> dict[str, Any]:
        """Leave a note for the next shift."""
        now_s = node.clock.now()
        key = f"note/{now_s}/{user.name}/{asked.text}"
        body = {"text": asked.text}
        _kept(node, lambda: EventDraft(EventKind.NOTE, key, now_s, who=user.name, body=body))
        return {"who": user.name, "at_s": now_s, "text": asked.text}

    @routes.post("/incidents", status_code=201)
    def new_incident(asked: IncidentAsked, user: who) -> dict[str, Any]:
        """Open an incident."""
        body = {"text": asked.title, "service": asked.service, "party": asked.party}
        now_s = node.clock.now()
        made = _kept(
            node,
            lambda: entry_draft(None, EntryKind.OPEN, user.name, user.role.value, now_s, body),
        )
        return incident_json(incident(node, made.seq), user)

    @routes.post("/incidents/{number}/entries", status_code=201)
    def entry(number: int, asked: EntryAsked, user: who) -> dict[str, Any]:
        """Add a task, a note, a drawing, that one has seen it, that a task is done, or close it.

        An entry with `roles` is seen by people of these roles, by who wrote it, and by auditors
        and admins.
        """
        if asked.kind is EntryKind.OPEN:
            raise LiveError("open", "it is open", "open another incident: POST /api/incidents")
        body, now_s = asked.model_dump(mode="json", exclude={"kind"}), node.clock.now()
        _kept(
            node,
            lambda: entry_draft(
                incident(node, number), asked.kind, user.name, user.role.value, now_s, body
            ),
        )
        return incident_json(incident(node, number), user)

    return routes


def _kept(node: Node, draft: Callable[[], EventDraft]) -> Event:
    """The stored event.

    Raises:
        Refusal: if another person was quicker.
    """
    found = node.change(draft)
    if found is None:
        raise Refusal(409, "change", "the same was done a moment ago", "look at it anew")
    return found
