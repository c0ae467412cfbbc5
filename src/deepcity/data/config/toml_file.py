"""Reads TOML files into typed settings; reports every problem at once and in plain words."""

import copy
import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError

from deepcity.city.frozen_model import FrozenModel
from deepcity.city.given_path import did_you_mean_path
from deepcity.city.problem import Problem
from deepcity.city.regular_file import check_regular
from deepcity.data.config.toml_bounds import MOST_BYTES, parse_toml
from deepcity.data.config.toml_numbers import WRONG_TYPE, exact_numbers

Raw = dict[str, Any]
Location = tuple[str | int, ...]
ModelT = TypeVar("ModelT", bound=BaseModel)


class Settings(FrozenModel):
    """Base of all settings; a text is never read as a number or a truth value."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401
        """Pydantic's own schema with numbers of their own types (`toml_numbers`)."""
        found: CoreSchema = exact_numbers(handler(source))
        return found


_KNOWN_SHOWN = 20
_COMPARED = 5_000


def wrong(reason: str, right: str, key: str = "") -> PydanticCustomError:
    """An error for validators to raise: the reason, the next step, and the key within the table."""
    context = {"reason": reason, "right": right, "key": key}
    return PydanticCustomError("wrong", "{reason}", context)


def read_toml(path: Path) -> tuple[Raw | None, list[Problem]]:
    """The file's content, or why it cannot be read (with the line of a syntax error)."""
    try:
        if path.stat().st_size > MOST_BYTES:
            reason = f"over {MOST_BYTES:,} bytes, which no settings need"
            right = "give a city, map or access file; for records name them as raw records"
            return None, [Problem(path.name, "path", str(path), reason, right)]
        check_regular(path)
        return parse_toml(path.read_text(encoding="utf-8"), path.name)
    except OSError as error:
        hint = did_you_mean_path(path, lambda one: one.is_file() and one.suffix == ".toml")
        right = f"{hint}{'Give' if hint else 'give'} the path of an existing TOML file"
        reason = "no such file" if isinstance(error, FileNotFoundError) else str(error.strerror)
        return None, [Problem(path.name, "path", str(path), reason, right)]
    except UnicodeDecodeError as error:
        reason = f"not UTF-8 text (byte {error.start})"
        return None, [Problem(path.name, "text", None, reason, "save the file as UTF-8")]
    except tomllib.TOMLDecodeError as error:
        return None, [_syntax_problem(path, str(error))]


def _syntax_problem(path: Path, message: str) -> Problem:
    found = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", message)
    reason = (found[1] if found else message).lower()
    where = f"line {found[2]}, column {found[3]}" if found and found[2] else "the last line"
    right = "correct the TOML there: text in quotes, lists in [ ], inline tables on one line"
    return Problem(path.name, where, None, f"not TOML: {reason}", right)


def validate(
    model: type[ModelT], raw: object, file: str, prefix: str = ""
) -> tuple[ModelT | None, list[Problem]]:
    """Settings from a raw table, or None with every problem of it.

    `prefix` is the table's own key in its file.
    """
    try:
        return model.model_validate(raw), []
    except ValidationError as error:
        details = [detail for detail in error.errors() if not _follows(detail)]
        return None, [_problem(model, raw, file, prefix, detail) for detail in details]


_TRIES = 20  # removing one invalid entry may reveal another


def salvage(model: type[ModelT], raw: Raw) -> ModelT | None:
    """Settings from the valid parts of an invalid raw table, so that these can be checked too.

    An invalid key is removed, so that its default applies; where a required key is missing,
    the whole table it belongs to is removed. None if nothing is left.
    """
    left = copy.deepcopy(raw)
    for _ in range(_TRIES):
        try:
            return model.model_validate(left)
        except ValidationError as error:
            reported = [detail for detail in error.errors() if not _follows(detail)]
            places = [_at_fault(detail) for detail in reported]
        # from the back, so that the indices of earlier list entries stay valid
        for place in sorted(set(places), key=_from_the_back, reverse=True):
            if not place:
                return None
            _leave_out(left, place)
    return None


def _at_fault(detail: ErrorDetails) -> Location:
    """The location to remove so that an error disappears."""
    place, below = detail["loc"], detail.get("ctx", {}).get("key")
    if detail["type"] == "missing":
        return place[:-1]
    if detail["type"] == "wrong" and below and _below(detail["input"], below) is not None:
        return (*place, below)
    return place


def _from_the_back(place: Location) -> list[tuple[int, str]]:
    return [(part, "") if isinstance(part, int) else (0, part) for part in place]


def _leave_out(raw: Raw, place: Location) -> None:
    """Remove one key or list entry, if it still exists."""
    node: object = raw
    for part in place[:-1]:
        node = _inside(node, part)
    last = place[-1]
    if isinstance(node, dict):
        node.pop(last, None)
    elif isinstance(node, list) and isinstance(last, int) and last < len(node):
        del node[last]


def _inside(node: object, part: str | int) -> object:
    if isinstance(node, dict):
        return node.get(part)
    if isinstance(node, list) and isinstance(part, int) and part < len(node):
        return node[part]
    return None


def _follows(detail: ErrorDetails) -> bool:
    """Whether a list is empty only because its entries are invalid, which is reported already."""
    return detail["type"] == "too_short" and bool(detail["input"])


def _problem(
    model: type[BaseModel], raw: object, file: str, prefix: str, detail: ErrorDetails
) -> Problem:
    key = key_text(raw, detail["loc"], prefix)
    value = None if isinstance(detail["input"], dict | list) else detail["input"]
    below = detail.get("ctx", {}).get("key")
    if detail["type"] == "wrong" and below:
        key, value = f"{key}.{below}", _below(detail["input"], below)
    if detail["type"] in {"extra_forbidden", "missing"}:
        value = None
    reason, right = _in_words(model, detail)
    return Problem(file, key, value, reason, right)


def _in_words(model: type[BaseModel], detail: ErrorDetails) -> tuple[str, str]:
    """Reason and next step of one error, in plain words."""
    context, message = detail.get("ctx", {}), detail["msg"]
    words = {
        "missing": ("missing", "add this key"),
        "string_pattern_mismatch": ("not a plain name", "use only a-z, 0-9, - and _"),
        "too_short": ("empty", "give at least one entry"),
        "string_too_short": ("empty", "give at least one character"),
        "greater_than_equal": (message.replace("Input should be", "not"), "correct the number"),
        "less_than_equal": (message.replace("Input should be", "not"), "correct the number"),
    }
    match detail["type"]:
        case kind if kind in ("wrong", WRONG_TYPE):
            return context["reason"], context["right"]
        case "extra_forbidden":
            return "unknown key", _did_you_mean(model, detail["loc"])
        case "enum" | "literal_error":
            known = re.findall(r"'([^']*)'", context["expected"])
            return "not one of the known values", did_you_mean(str(detail["input"]), known)
        case "model_type":
            return "not a table of keys", f"write {_example(model, detail['loc'])}"
        case kind:
            reported = message[:1].lower() + message[1:]
            return words.get(kind, (reported, "give a value of that type"))


def _below(raw: object, key: str) -> object:
    return raw.get(key) if isinstance(raw, Mapping) else getattr(raw, key, None)


def key_text(raw: object, location: Location, prefix: str = "") -> str:
    """A location as a dotted key, with list entries by their name where they have one.

    >>> key_text({"agency": [{"name": "police"}]}, ("agency", 0, "kind"))
    'agency[police].kind'
    """
    text, node = prefix, raw
    for part in location:
        if isinstance(part, int) and isinstance(node, Mapping):
            continue  # one table, written where a list of them may be
        if isinstance(part, int):
            node = node[part] if isinstance(node, list) and part < len(node) else None
            text += f"[{entry_name(node, part)}]"
        elif isinstance(node, Mapping) or node is None:
            node = node.get(part) if isinstance(node, Mapping) else None
            text += f".{part}" if text else part
    return text


def entry_name(entry: object, index: int) -> str:
    """The name (or id) of a list entry, else its position in the list, counted from 1."""
    named = entry.get("name", entry.get("id")) if isinstance(entry, Mapping) else None
    return named if isinstance(named, str) else str(index + 1)


def _did_you_mean(model: type[BaseModel], location: Location) -> str:
    parent: type[BaseModel] = model
    for part in location[:-1]:
        if isinstance(part, str) and part in parent.model_fields:
            parent = _model_within(parent.model_fields[part].annotation) or parent
    known = [field.alias or name for name, field in parent.model_fields.items()]
    return did_you_mean(str(location[-1]), known)


def _example(model: type[BaseModel], location: Location) -> str:
    """A table as it is written, with the keys that it must have, else with all."""
    wanted: type[BaseModel] | None = model
    name = next((part for part in reversed(location) if isinstance(part, str)), "")
    for part in location:
        if isinstance(part, str) and wanted is not None and part in wanted.model_fields:
            wanted = _model_within(wanted.model_fields[part].annotation) or wanted
    fields = {} if wanted is None else wanted.model_fields
    needed = [one for one, field in fields.items() if field.is_required()] or [*fields][:1]
    return f"{name} = {{ {', '.join(f'{one} = ...' for one in needed)} }}"


def _model_within(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inside = (_model_within(argument) for argument in get_args(annotation))
    return next((found for found in inside if found is not None), None)


def near_name(word: str, known: Iterable[str]) -> str | None:
    """The most similar known name, if one is like it; letters' case does not matter."""
    lower = {one.lower(): one for one in known}
    if len(lower) > _COMPARED:  # bounded: whoever asks may send any word
        alike = (one for one in lower if one[:1] == word[:1].lower())
        lower = {one: lower[one] for one in islice(alike, _COMPARED)}
    found = difflib.get_close_matches(word.lower(), lower, n=1, cutoff=0.6)
    return lower[found[0]] if found else None


def did_you_mean(word: str, known: list[str]) -> str:
    """A hint for an unknown word: the most similar known one, and the known ones, up to twenty.

    >>> did_you_mean("inflw", ["inflow", "rain"])
    "did you mean 'inflow'? Known are inflow, rain"
    """
    if not known:
        return "none is defined yet: add one"
    near = near_name(word, known)
    hint = f"did you mean {near!r}? " if near else ""
    more = len(known) - _KNOWN_SHOWN
    listed = ", ".join(known[:_KNOWN_SHOWN]) + (f" and {more} more" if more > 0 else "")
    return f"{hint}{'Known' if near else 'known'} are {listed}"
