"""Keys of map files renamed in 0.2: the old ones are read for one version more, with a warning.

They are replaced before a map is checked, so that every problem names the key as it is now.
"""

import copy
import warnings
from collections.abc import Iterator, Mapping, Sequence

from deepcity.city.problem import Problem
from deepcity.data.config.toml_file import Location, Raw, key_text

GOES_WITH = "0.3"
"""The version that no longer accepts old keys, values, verbs and options."""

RENAMED_KEYS: Mapping[str, Mapping[str, str]] = {
    "service": {"meeting": "vertical", "attendance": "participation"},
    "service.training": {
        "absolute_share": "mae_weight",
        "averaging": "ema_decay",
        "batch_rows": "batch_size",
    },
    "service.vertical": {
        "own_steps": "pretrain_steps",
        "silence": "agency_dropout",
        "own_deep": "own_width",
    },
    "service.vertical.agency": {"deep": "width"},
}
"""Table, by its new name -> old key -> new key; a table stands before the tables in it."""

RENAMED_VALUES: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("service.strategy", "name"): {"personal": "fedamp"},
}
"""(Table, key) -> old value -> new value."""


class RenamedWarning(FutureWarning):
    """A map file has an old key or value, which a later version will not read."""


def with_new_keys(raw: Raw, file: str) -> tuple[Raw, list[Problem]]:
    """A map's raw content under the new names; warns once of each old one.

    Returns:
        The new content, and a problem for each key given under both names.
    """
    new = copy.deepcopy(raw)
    problems, renamed = [], dict[str, None]()
    for table, keys in RENAMED_KEYS.items():
        for place, entry in _entries(new, table.split(".")):
            for old in [key for key in keys if key in entry]:
                if keys[old] in entry:
                    problems.append(_both(file, key_text(new, (*place, old)), keys[old]))
                    del entry[old]
                else:
                    entry[keys[old]] = entry.pop(old)
                    renamed[f"[{table}] {old} is now {keys[old]}"] = None
    for (table, key), values in RENAMED_VALUES.items():
        for _, entry in _entries(new, table.split(".")):
            value = entry.get(key)
            if isinstance(value, str) and value in values:
                entry[key] = values[value]
                renamed[f'[{table}] {key} = "{value}" is now "{values[value]}"'] = None
    for text in renamed:
        words = f"{text}; the old name goes with deepcity {GOES_WITH}"
        warnings.warn(words, RenamedWarning, stacklevel=3)
    return new, problems


def _both(file: str, key: str, new: str) -> Problem:
    reason = f"the old name of {new}, which is given too"
    return Problem(file, key, None, reason, f"take it out, and keep {new}")


def _entries(
    node: object, table: Sequence[str], place: Location = ()
) -> Iterator[tuple[Location, Raw]]:
    """Every table of a dotted name, with its location; lists of tables one by one."""
    if isinstance(node, list):
        for index, entry in enumerate(node):
            yield from _entries(entry, table, (*place, index))
    elif isinstance(node, dict) and table:
        yield from _entries(node.get(table[0]), table[1:], (*place, table[0]))
    elif isinstance(node, dict):
        yield place, node
