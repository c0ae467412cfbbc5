"""The adversaries of the threat model, one file each; the folder is the registry of plays."""

import importlib
import pkgutil
from collections.abc import Mapping

from benchmarks.red_team.play import PLAYS, Play

ORDER = (
    "curious_city",
    "hostile_city",
    "curious_coordinator",
    "hostile_coordinator",
    "curious_application",
    "store_thief",
    "outsider",
    "insider",
)
"""As the threat model has them."""


def load_plays() -> Mapping[str, Play]:
    """All plays by name, in the order of the threat model.

    Raises:
        ValueError: if a file of this folder is no adversary of the order, or one is missing.
    """
    files = {one.name for one in pkgutil.iter_modules(__path__)}
    if files != {*ORDER}:
        msg = f"adversaries {sorted(files)} are not {sorted(ORDER)}"
        raise ValueError(msg)
    for name in ORDER:
        importlib.import_module(f"{__name__}.{name}")
    return PLAYS
