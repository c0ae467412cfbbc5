"""One mutation of a JSON value, or of arrays, drawn from a seed."""

import copy
import json
import random
from typing import Any

import numpy as np
from numpy.typing import NDArray

Groups = dict[str, dict[str, NDArray[Any]]]
_WRONG: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**63,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "x" * 10_000,
    "\x1b[31m",
    "../../etc",
    "\ud7ff한",
    [],
    {},
    [[[[[]]]]],
)
_NUMBERS = (float("nan"), float("inf"), -float("inf"), 1e30, -1e30, 1e6, -1e3, 0.0)


def of_json(value: Any, draw: random.Random) -> Any:
    """A copy with one value replaced, dropped, doubled, nudged or renamed, at any depth."""
    mutated = copy.deepcopy(value)
    holders = [one for one in _containers(mutated) if one]
    if not holders:
        return draw.choice(_WRONG)
    holder = draw.choice(holders)
    key = draw.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    how = draw.choice(("replace", "replace", "drop", "nudge", "rename", "deep"))
    if how == "drop":
        del holder[key]
    elif how == "nudge":
        holder[key] = _nudged(holder[key], draw)
    elif how == "rename" and isinstance(holder, dict):
        holder[draw.choice(("surprise", "", str(key).upper(), str(key) + " "))] = holder.pop(key)
    elif how == "deep":
        holder[key] = json.loads("[" * 300 + "]" * 300)
    else:
        holder[key] = draw.choice(_WRONG)
    return mutated


def of_arrays(arrays: Groups, draw: random.Random) -> Groups:
    """A copy with a number changed, an array dropped, reshaped, retyped, renamed or swapped."""
    mutated = {group: dict(members) for group, members in arrays.items()}
    group = draw.choice([name for name, members in mutated.items() if members])
    members = mutated[group]
    name = draw.choice(list(members))
    array = members[name]
    how = draw.choice(("number", "number", "number", "drop", "shape", "type", "rename", "group"))
    if how == "number" and array.size and array.dtype.kind == "f":
        flat = array.copy().reshape(-1)
        flat[draw.randrange(flat.size)] = draw.choice(_NUMBERS)
        members[name] = flat.reshape(array.shape)
    elif how == "drop":
        del members[name]
    elif how == "shape":
        members[name] = array.reshape(-1)[: max(0, array.size - 1)]
    elif how == "type":
        with np.errstate(all="ignore"):  # what overflows is a number as wrong as any
            members[name] = array.astype(draw.choice(("<f8", "<f2", "<i8", "|u1", "|b1")))
    elif how == "rename":
        members[draw.choice(("surprise", name + "x"))] = members.pop(name)
    else:
        mutated[draw.choice(("other", group + "1"))] = mutated.pop(group)
    return mutated


def _containers(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    held = [value] if isinstance(value, (dict, list)) else []
    return held + [one for part in inner for one in _containers(part)]


def _nudged(value: Any, draw: random.Random) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + draw.choice((1, -1, 1e-9, 1e9))
    if isinstance(value, str):
        at = draw.randrange(len(value) + 1)
        return value[:at] + draw.choice(("0", "f", " ", "\n", "é")) + value[at + 1 :]
    return [value]
