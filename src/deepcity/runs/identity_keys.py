"""Which keys of a map differ from those that a run began with.

The settings of the map stand in the run's folder by key. Those of city files, which are their
parties' own, stand there as digests: enough to tell which of them has changed.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence

_SHOWN = 8  # differences named in a message
_OF_DIGEST = 12

FlatSettings = Mapping[str, object]


def flatten(content: object, prefix: str = "") -> dict[str, object]:
    """Nested tables as one, by dotted keys; lists stay whole.

    >>> flatten({"window": {"history": 6}, "levels": [2]}, "water.")
    {'water.window.history': 6, 'water.levels': [2]}
    """
    return dict(_leaves(content, prefix))


def _leaves(content: object, prefix: str) -> Iterator[tuple[str, object]]:
    if not isinstance(content, Mapping) or not content:
        yield prefix.removesuffix("."), content
        return
    for key, value in content.items():
        yield from _leaves(value, f"{prefix}{key}.")


def hashed(settings: FlatSettings) -> dict[str, object]:
    """The same keys with digests of their values."""
    return {
        key: "sha256:" + hashlib.sha256(json.dumps(value).encode()).hexdigest()[:_OF_DIGEST]
        for key, value in settings.items()
    }


def differences(was: FlatSettings, now: FlatSettings) -> list[str]:
    """Each key that differs, with both values where they are shown, in order."""
    keys = [*now, *(key for key in was if key not in now)]
    return [_difference(key, was, now) for key in keys if was.get(key) != now.get(key)]


def differences_text(found: Sequence[str]) -> str:
    """The first of them in a sentence."""
    rest = len(found) - _SHOWN
    return ", ".join(found[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _difference(key: str, was: FlatSettings, now: FlatSettings) -> str:
    before, after = (json.dumps(one.get(key), ensure_ascii=False) for one in (was, now))
    if "sha256:" in before + after:
        return f"{key} (in the city file)"
    return f"{key} ({before} in the run, {after} now)"
