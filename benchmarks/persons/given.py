"""Embeddings of the crops by given networks (Intel Open Model Zoo), computed once.

They are kept in the user's cache folder, never in the repository. Their makers report figures on
Market-1501's test split, so that they most probably trained on its training split: the 200 people
of the test here are then not new to them.

Shapes: I pictures, E numbers of an embedding.
"""

from pathlib import Path

import numpy as np
import platformdirs

from benchmarks.persons.pictures import pictures
from deepcity.city.arrays import Floats

MODELS = Path(__file__).parents[3] / "shared" / "models"
GIVEN = ("0288", "0287", "0286", "0277")
"""From the fastest to the slowest."""
_CHUNK = 256


def embeddings(network: str, files: tuple[str, ...]) -> Floats:
    """The network's embeddings of these files, (I, E), of unit length."""
    known = _load(network)
    missing = tuple(name for name in files if name not in known)
    for start in range(0, len(missing), _CHUNK):
        some = missing[start : start + _CHUNK]
        known |= dict(zip(some, _embed(network, some), strict=True))
        _save(network, known)
    found = np.stack([known[name] for name in files])
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


def _embed(network: str, files: tuple[str, ...]) -> Floats:
    import openvino  # heavy, and not among the project's dependencies

    core = openvino.Core()
    model = core.read_model(MODELS / f"person-reidentification-retail-{network}.xml")
    threads = {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY"}
    compiled = core.compile_model(model, "CPU", threads)
    bgr = pictures(files, 128, 256)[:, ::-1].astype(np.float32)
    return np.concatenate([np.array(compiled([one[None]])[0]).reshape(1, -1) for one in bgr])


def _path(network: str) -> Path:
    return Path(platformdirs.user_cache_dir("deepcity")) / "persons" / f"{network}.npz"


def _load(network: str) -> dict[str, Floats]:
    path = _path(network)
    if not path.exists():
        return {}
    with np.load(path) as kept:
        return dict(zip(kept["files"], kept["embedding_IE"], strict=True))


def _save(network: str, known: dict[str, Floats]) -> None:
    path = _path(network)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".tmp.npz")
    np.savez(fresh, files=np.array(list(known)), embedding_IE=np.stack(list(known.values())))
    fresh.replace(path)
