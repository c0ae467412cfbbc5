"""What people send: its form, and how it is kept."""

import re
from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from deepcity.live.node.node import Node
from deepcity.store.events.event import Event, EventDraft
from deepcity.web.api.refusals import Refusal

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class PostedBody(BaseModel):
    """A body of known fields."""

    model_config = ConfigDict(extra="forbid")


def _kept_text(text: str) -> str:
    """No control signs: PostgreSQL keeps no NUL, and a terminal obeys others."""
    if _CONTROL.search(text):
        raise ValueError("a control sign in it: send plain text")
    return text


PlainText = Annotated[str, AfterValidator(_kept_text)]


def kept(node: Node, draft: Callable[[], EventDraft]) -> Event:
    """The stored event.

    Raises:
        Refusal: if another person was quicker.
    """
    found = node.change(draft)
    if found is None:
        raise Refusal(409, "change", "the same was done a moment ago", "look at it anew")
    return found
