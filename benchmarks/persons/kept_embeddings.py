"""Embeddings of the test's people by networks that took minutes to learn, in the user's cache.

They are of real people: never in the repository.

Shapes: I pictures, E numbers of an embedding.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import platformdirs

from deepcity.city.arrays import Floats


def kept(
    name: str, seed: int, row: str, make: Callable[[], Mapping[str, Floats]]
) -> dict[str, Floats]:
    """City -> (I, E), as an earlier run kept them; else made now, and kept."""
    path = _path(name, seed, row)
    if not path.exists():
        keep(name, seed, row, make())
    with np.load(path) as found:
        return {city: found[city] for city in found.files}


def keep(name: str, seed: int, row: str, embedded: Mapping[str, Floats]) -> None:
    """Keep embeddings for other rows; whole or not at all."""
    path = _path(name, seed, row)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".tmp.npz")
    np.savez(fresh, **embedded)
    fresh.replace(path)


def _path(name: str, seed: int, row: str) -> Path:
    plain = re.sub(r"[^a-z0-9]+", "-", f"{name}-{row}".lower())
    folder = Path(platformdirs.user_cache_dir("deepcity")) / "persons" / "learned"
    return folder / f"{plain}-{seed}.npz"
