"""One run of the pipeline over a video, with the seconds of each part.

Shapes: K people, E numbers of an embedding.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cameras.street import FRAMES, RATE, Walkers, place_of
from deepcity.vision.described_track import DescribedTrack
from deepcity.vision.detection import PersonDetector
from deepcity.vision.embedding import PersonEmbedder
from deepcity.vision.frames.pace import FramePace
from deepcity.vision.frames.video_file import VideoFile
from deepcity.vision.pipeline import Pipeline

PARTS = ("decode", "detect", "embed", "follow and describe")


class Timed:
    """Something whose methods are timed together."""

    def __init__(self, inner: Any) -> None:
        self._inner, self.seconds = inner, 0.0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)

        def timed(*given: Any) -> Any:
            begun = time.process_time()
            try:
                return method(*given)
            finally:
                self.seconds += time.process_time() - begun

        return timed


@dataclass(frozen=True)
class Run:
    """What one run took, and found.

    Attributes:
        seconds: of the processor, by part, in the order of `PARTS`.
        tracks: how many there were.
        found_again: people whose picture by another camera is nearest to their own track.
    """

    seconds: tuple[float, ...]
    tracks: int
    found_again: int

    @property
    def per_s(self) -> float:
        """Frames a second of one processor core."""
        return FRAMES / sum(self.seconds)


def measure(
    video: Path, people: Walkers, detector: PersonDetector, embedder: PersonEmbedder
) -> Run:
    """Run once; networks have run before, so that nothing is compiled meanwhile."""
    find, tell = Timed(detector), Timed(embedder)
    pipeline = Pipeline("street", find, tell)
    frames, decoding, looking = VideoFile(video, "street", 0.0).frames(FramePace(RATE)), 0.0, 0.0
    tracks: list[DescribedTrack] = []
    while True:
        begun = time.process_time()
        frame = next(frames, None)
        decoding += time.process_time() - begun
        if frame is None:
            break
        begun = time.process_time()
        tracks += pipeline.see(frame)
        looking += time.process_time() - begun
    tracks += pipeline.end()
    rest = looking - find.seconds - tell.seconds
    seconds = (decoding, find.seconds, tell.seconds, rest)
    return Run(seconds, len(tracks), _found_again(tracks, people, embedder))


def warm(detector: PersonDetector, embedder: PersonEmbedder) -> None:
    """Run networks once; one for crops is compiled for each number of them."""
    blank = np.zeros((64, 32, 3), np.uint8)
    detector.find(blank)
    for count in range(1, 9):
        embedder.embed([blank] * count)


def _found_again(tracks: list[DescribedTrack], people: Walkers, embedder: PersonEmbedder) -> int:
    """The track of a person is the one of the same row and place, by its first box."""
    if not tracks or not people.other:
        return 0
    track_KE = np.array([one.track.embedding_E for one in tracks])
    other_KE = embedder.embed(list(people.other))
    nearest = np.argmax(other_KE @ track_KE.T, axis=1)
    return sum(_is_of(tracks[at], who) for who, at in enumerate(nearest))


def _is_of(one: DescribedTrack, who: int) -> bool:
    left, top = place_of(who, round(float(one.track.time_s_T[0]) * RATE))
    box_4 = one.track.box_T4[0]
    return bool(abs(box_4[0] - left) < 95 and abs(box_4[1] - top) < 120)
