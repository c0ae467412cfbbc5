"""The one text of a checked value, and the one way of reading it back.

What is signed or hashed is a text, so a value may have one alone: canonical JSON of its fields.
Bytes that hold the same value otherwise (spacing, order, a key twice) are refused, for two readers
might take two values from them.
"""

from typing import TypeVar

from pydantic import ValidationError

from deepcity.city.frozen_model import FrozenModel
from deepcity.store.blob import canonical_json

Value = TypeVar("Value", bound=FrozenModel)
_MOST_PARTS, _MOST_SIGNS = 8, 60


class CanonicalTextError(ValueError):
    """Bytes that are not the one text of a value of that kind.

    Attributes:
        at: the field that is wrong, shortened; empty: the whole.
        reason: what is wrong there.
        rewritten: they hold such a value, in another text.
    """

    def __init__(self, at: str, reason: str, *, rewritten: bool = False) -> None:
        super().__init__(f"{at}: {reason}" if at else reason)
        self.at, self.reason, self.rewritten = at, reason, rewritten


def canonical_text(value: FrozenModel) -> bytes:
    """Its one text, without an end of the line."""
    return canonical_json(value.model_dump(mode="json")).encode()


def parse_canonical(data: bytes, kind: type[Value]) -> Value:
    """The value of which these bytes, which may be another's, are the one text.

    Raises:
        CanonicalTextError: if they are of none; no value of theirs is in its words.
    """
    try:
        found = kind.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        at = ".".join(str(part)[:_MOST_SIGNS] for part in first["loc"][:_MOST_PARTS])
        raise CanonicalTextError(at, first["msg"]) from None
    if canonical_text(found) != data:
        reason = "it is not the canonical JSON of what it holds (spacing, order, a key twice)"
        raise CanonicalTextError("", reason, rewritten=True)
    return found
