"""Tracks of made-up people, and a store whose clock stands still."""

import math
from pathlib import Path

import numpy as np

from deepcity.vision.appearance import Appearance, Clothing
from deepcity.vision.described_track import DescribedTrack
from deepcity.vision.track import Track
from deepcity.vision.track_store.track_store import TrackStore

NOW_S = 1_700_000_400.0
"""The first second of ten minutes."""
NETWORK, WIDTH = "net", 4


def store(folder: Path, hours: int = 24, now_s: float = NOW_S + 3000) -> TrackStore:
    return TrackStore(folder, NETWORK, WIDTH, hours, lambda: now_s)


def person(number: float) -> np.ndarray:
    """An embedding, one of any number of people."""
    row = np.sin(np.arange(1, WIDTH + 1) * (number + 1))
    return row / np.linalg.norm(row)


def seen(
    number: float = 0,
    last_s: float = NOW_S,
    *,
    camera: str = "gate",
    lasts_s: float = 10,
    height_m: float = math.nan,
    wears: tuple[str, str] | None = None,
    share: float = 0.9,
    embedding_E: np.ndarray | None = None,
) -> DescribedTrack:
    time_s_T = np.array([last_s - lasts_s, last_s])
    row = person(number) if embedding_E is None else embedding_E
    track = Track(camera, 1, time_s_T, np.ones((2, 4)), row)
    clothes = None if wears is None else Appearance(*(Clothing(one, share) for one in wears))
    return DescribedTrack(track, height_m, clothes)
