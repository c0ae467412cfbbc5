"""Numbers and truth values of settings: TOML writes them without quotes, so a text is none.

Pydantic would read "24" as 24 and "no" as false, and take true for the number 1.
"""

from typing import Any

import numpy as np
from pydantic_core import PydanticCustomError, core_schema

WRONG_TYPE = "wrong_type"
"""Type of the error; its context holds the reason and the next step."""


def exact_numbers(schema: Any) -> Any:  # noqa: ANN401 - a core schema, or a part of one
    """The schema, with numbers and truth values at any depth read from their own types alone.

    A whole number may stand for a float, and 24.0 for 24.
    """
    if isinstance(schema, list | tuple):
        return type(schema)(map(exact_numbers, schema))
    if not isinstance(schema, dict):
        return schema
    found = {key: exact_numbers(part) for key, part in schema.items()}
    match found.get("type"):
        case "int" | "float":
            return core_schema.no_info_before_validator_function(_number, found)
        case "bool":
            return core_schema.no_info_before_validator_function(_truth, found)
    return found


def _number(value: object) -> object:
    if isinstance(value, str | bytes):
        raise _refusal("a text, not a number", "write the number without quotes")
    if isinstance(value, bool | np.bool_):
        raise _refusal("true or false, not a number", "write a number")
    return value


def _truth(value: object) -> object:
    if isinstance(value, bool | np.bool_):
        return bool(value)
    reason = "a text, not true or false" if isinstance(value, str) else "not true or false"
    raise _refusal(reason, "write true or false, without quotes")


def _refusal(reason: str, right: str) -> PydanticCustomError:
    return PydanticCustomError(WRONG_TYPE, "{reason}", {"reason": reason, "right": right})
