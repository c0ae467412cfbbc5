"""JSON that may be anything, read into a model at a cost in proportion to what a model can hold.

A file of 46 MB may hold 23 million numbers, or as many faults, each of which would be listed.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel
from pydantic_core import SchemaValidator, from_json

Model = TypeVar("Model", bound=BaseModel)
_LEAST_BYTES = 12  # of a value, indented as we write them, on average
_FREE_VALUES = 10_000
_MOST_ENTRIES = 50_000  # of one list or object
_MANY_VALUES = 200_000  # fewer cannot cost much, whatever they are
_LISTS = frozenset({"list", "tuple", "set", "frozenset"})


class TooLongError(ValueError):
    """A list or an object is longer than any that we write."""


def crowded(data: bytes) -> bool:
    """Whether there are more values than a file that we wrote can have in so many bytes.

    >>> crowded(b"[" + b"1," * 100_000 + b"1]")
    True
    """
    return data.count(b",") > _FREE_VALUES + len(data) // _LEAST_BYTES


def validate_frugally(kind: type[Model], data: bytes) -> Model:
    """A model from its JSON; of a list that has faults, the first alone is reported.

    Raises:
        ValueError: if it does not fit, or something in it is longer than anything of ours.
    """
    if data.count(b",") > _MANY_VALUES and _too_long(from_json(data)):
        raise TooLongError(f"a list or an object of over {_MOST_ENTRIES:,} entries")
    found: Model = _validator(kind).validate_json(data)
    return found


def _too_long(found: object) -> bool:
    """Whether a list or an object in it has more entries than any of ours."""
    left = [found]
    while left:
        one = left.pop()
        if isinstance(one, dict | list):
            if len(one) > _MOST_ENTRIES:
                return True
            left += one.values() if isinstance(one, dict) else one
    return False


@cache
def _validator(kind: type[BaseModel]) -> SchemaValidator:
    schema = _failing_fast(kind.__pydantic_core_schema__)
    try:  # else those of the models in it are taken as they are
        return SchemaValidator(schema, _use_prebuilt=False)
    except TypeError:  # of before it took them
        return SchemaValidator(schema)


def _failing_fast(schema: Any) -> Any:  # noqa: ANN401 - a schema, or what stands in one
    """The same schema, whose lists end at their first fault."""
    if isinstance(schema, list):
        return [_failing_fast(one) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    found = {key: _failing_fast(one) for key, one in schema.items()}
    return found | {"fail_fast": True} if found.get("type") in _LISTS else found
