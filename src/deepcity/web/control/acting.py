"""Routes by which people act: answers to decisions, alarms, notes to the next shift."""

import hashlib
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import Field

from deepcity.city.errors import DecisionClosedError
from deepcity.live.node.alarm_book import AlarmChange
from deepcity.live.node.decision_book import AnswerKind
from deepcity.live.node.node import Node
from deepcity.store.events.event import EventDraft, EventKind
from deepcity.web.api.refusals import Refusal
from deepcity.web.control.accounts.accounts import User
from deepcity.web.control.answers import alarm_json, decision_json
from deepcity.web.control.asked import PlainText, PostedBody, kept

Asking = Callable[[Request], User]


class AnswerAsked(PostedBody):
    """An answer to a decision."""

    answer: AnswerKind
    comment: PlainText = Field(default="", max_length=2000)


class ChangeAsked(PostedBody):
    """A change of an alarm."""

    change: AlarmChange
    to: PlainText = Field(default="", max_length=200)
    comment: PlainText = Field(default="", max_length=2000)


class NoteAsked(PostedBody):
    """A note for the next shift."""

    text: PlainText = Field(min_length=1, max_length=4000)


def acting_routes(node: Node, asking: Asking) -> APIRouter:
    """Routes for those whose role may act.

    Args:
        asking: gives the person who asks, or refuses.
    """
    routes = APIRouter(prefix="/api")
    who = Annotated[User, Depends(asking)]

    @routes.post("/decisions/{number}/answers", status_code=201)
    def answer(number: int, asked: AnswerAsked, user: who, response: Response) -> dict[str, Any]:
        """Confirm or reject a decision, or undo that.

        An answer that comes too late is refused (409), with the decision as it is now.
        """
        try:
            kept(node, partial(_answer, node, number, asked, user))
        except (DecisionClosedError, Refusal) as error:
            response.status_code = 409
            entry = {"value": error.value, "reason": error.reason, "next": error.right}
            return {"errors": [entry], "decision": _decision(node, number)}
        return _decision(node, number)

    @routes.post("/alarms/{number}/changes", status_code=201)
    def change(number: int, asked: ChangeAsked, user: who) -> dict[str, Any]:
        """Acknowledge, assign, comment on, escalate or close an alarm."""
        now_s = node.clock.now()
        to, comment = asked.to, asked.comment
        kept(
            node,
            lambda: node.alarms.change(number, asked.change, user.name, now_s, to, comment),
        )
        return alarm_json(node, node.alarms.alarms[number])

    @routes.post("/handover/notes", status_code=201)
    def note(asked: NoteAsked, user: who) -> dict[str, Any]:
        """Leave a note for the next shift."""
        now_s = node.clock.now()
        digest = hashlib.sha256(asked.text.encode()).hexdigest()  # an index holds no long text
        key = f"note/{now_s}/{user.name}/{digest}"
        body = {"text": asked.text}
        kept(node, lambda: EventDraft(EventKind.NOTE, key, now_s, who=user.name, body=body))
        return {"who": user.name, "at_s": now_s, "text": asked.text}

    return routes


def _answer(node: Node, number: int, asked: AnswerAsked, user: User) -> EventDraft:
    """Of the time at which it is kept: it may have waited for the node's work."""
    now_s = node.clock.now()
    return node.decisions.answer(number, asked.answer, user.name, now_s, asked.comment)


def _decision(node: Node, number: int) -> dict[str, Any]:
    return decision_json(node, node.decisions.decisions[number], node.clock.now())
