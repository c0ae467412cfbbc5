"""From frames to tracks: find persons, follow them, describe them, forget the picture.

A frame is looked at once. Crops are described within its turn and only sums stay: of colours and
of embeddings, weighted by how clearly the crop shows one person. Memory is bounded by the persons
in view: a track ends when its person is lost, and after `longest_s` at the latest.

Shapes: images (H, W, 3); N boxes of a frame; 4: left, top, right, bottom, pixels.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from deepcity.city.arrays import Bools, Doubles, Ints
from deepcity.city.errors import CameraError
from deepcity.vision.appearance import LEAST_SIDE
from deepcity.vision.calibration.calibration import Calibration
from deepcity.vision.calibration.camera_view import CameraView
from deepcity.vision.described_track import DescribedTrack
from deepcity.vision.frames.frame import CameraFrame
from deepcity.vision.open_track import OpenTrack
from deepcity.vision.opencv import Image
from deepcity.vision.tracking import Tracker, TrackingRules, overlaps

_EDGE = 0.005
"""Share of the picture's side within which a box touches its edge, and may be cut by it."""
_LEAST_CLEAR = 0.05
"""Weight of a crop that shows hardly anything: with no better one it still counts."""


class BoxFinder(Protocol):
    """Finds persons, as `PersonDetector`."""

    def find(self, image_HWC: Image) -> tuple[Doubles, Doubles]:
        """((N, 4), (N,)) boxes and confidences."""
        ...


class CropEmbedder(Protocol):
    """Makes embeddings, as `PersonEmbedder`."""

    def embed(self, crops: list[Image]) -> Doubles:
        """(B, E) of unit length."""
        ...


@dataclass(frozen=True)
class PipelineRules:
    """What becomes a track, and how often it is described.

    Attributes:
        tracking: which box is whose.
        least_seen: sightings below which a track is taken for a mistake and dropped.
        look_every_s: seconds between two crops of one person that are described.
        most_looks: crops of one track that are described.
        longest_s: seconds after which a track is closed, and goes on under a new number.

    Raises:
        ValueError: if a number is not positive.
    """

    tracking: TrackingRules = field(default_factory=TrackingRules)
    least_seen: int = 3
    look_every_s: float = 0.5
    most_looks: int = 8
    longest_s: float = 600.0

    def __post_init__(self) -> None:
        if min(self.least_seen, self.most_looks) < 1:
            raise ValueError("least_seen and most_looks must be 1 or more")
        if not (0 <= self.look_every_s < np.inf and 0 < self.longest_s < np.inf):
            raise ValueError("look_every_s must be 0 or more seconds, longest_s more than 0")


class Pipeline:
    """Turns the frames of one camera into tracks; holds no picture.

    Args:
        camera: its id; frames of another are refused.
        embedder: None: tracks have colours but no embedding.
        calibration: None: no ground positions and heights.
        first_number: of the first track.
    """

    def __init__(
        self,
        camera: str,
        detector: BoxFinder,
        embedder: CropEmbedder | None = None,
        *,
        calibration: Calibration | None = None,
        rules: PipelineRules | None = None,
        first_number: int = 0,
    ) -> None:
        self._camera, self._calibration = camera, calibration
        self._view: CameraView | None = None
        self._size: tuple[int, ...] = ()
        self._detector, self._embedder = detector, embedder
        self._rules = rules or PipelineRules()
        self._tracker = Tracker(self._rules.tracking)
        self._open: dict[int, OpenTrack] = {}
        self._next = first_number
        self.seen_frames = 0

    @property
    def in_view(self) -> int:
        """Persons who are followed now."""
        return len(self._open)

    def see(self, frame: CameraFrame) -> list[DescribedTrack]:
        """Look at the next frame; the tracks that ended before it.

        Raises:
            ValueError: if it is another camera's, or not later than the one before.
            CameraError: if it is of another size than the first, or of another shape than the
                calibration's pictures.
        """
        self._check(frame)
        box_N4, confidence_N = self._detector.find(frame.image_HWC)
        number_N = self._tracker.follow(frame.time_s, box_N4, confidence_N)
        self.seen_frames += 1
        ended = self._close(set(self._open) - self._tracker.numbers())
        ended += self._close({n for n in number_N if self._is_long(int(n), frame.time_s)})
        followed_N = number_N >= 0
        self._add(frame, box_N4[followed_N], confidence_N[followed_N], number_N[followed_N])
        return ended

    def end(self) -> list[DescribedTrack]:
        """Close the tracks of those who are still in view."""
        return self._close(set(self._open))

    def _check(self, frame: CameraFrame) -> None:
        if frame.camera != self._camera:
            raise ValueError(f"a frame of camera {frame.camera!r}; this one is {self._camera!r}")
        height, width = frame.image_HWC.shape[:2]
        if not self._size:
            self._size = (width, height)
            if self._calibration is not None:
                self._view = self._view_for(self._calibration, width, height)
        elif self._size != (width, height):
            raise CameraError(
                f"camera {self._camera}: a picture of {width} x {height} after ones of "
                f"{self._size[0]} x {self._size[1]}; give pictures of one size"
            )

    def _view_for(self, calibration: Calibration, width: int, height: int) -> CameraView:
        try:
            return calibration.for_pictures(width, height)
        except ValueError as error:
            raise CameraError(f"camera {self._camera}: {error}") from error

    def _add(
        self, frame: CameraFrame, box_N4: Doubles, confidence_N: Doubles, number_N: Ints
    ) -> None:
        whole_N = _whole(box_N4, *frame.image_HWC.shape[:2])
        clear_N = np.maximum(confidence_N * (1 - _hidden(box_N4)), _LEAST_CLEAR)
        due: list[tuple[OpenTrack, Image, float]] = []
        for box_4, whole, clear, number in zip(box_N4, whole_N, clear_N, number_N, strict=True):
            track = self._track_of(int(number))
            track.see(frame.time_s, box_4, bool(whole))
            crop = _crop(frame.image_HWC, box_4)
            if self._is_due(track, frame.time_s) and min(crop.shape[:2]) >= LEAST_SIDE:
                due.append((track, crop, float(clear) * (1.0 if whole else 0.5)))
        self._look(due, frame.time_s)

    def _look(self, due: list[tuple[OpenTrack, Image, float]], time_s: float) -> None:
        for track, crop, weight in due:
            track.describe(crop, weight)
            track.looks, track.looked_s = track.looks + 1, time_s
        if self._embedder is None or not due:
            return
        rows_BE = self._embedder.embed([crop for _, crop, _ in due])
        for (track, _, weight), row_E in zip(due, rows_BE, strict=True):
            track.point(row_E, weight)

    def _track_of(self, number: int) -> OpenTrack:
        if number not in self._open:
            self._open[number] = OpenTrack(self._next)
            self._next += 1
        return self._open[number]

    def _is_due(self, track: OpenTrack, time_s: float) -> bool:
        """Looked at once it is no mistake, and then now and then."""
        rules = self._rules
        if len(track.time_s) < rules.least_seen or track.looks >= rules.most_looks:
            return False
        return time_s - track.looked_s >= rules.look_every_s

    def _is_long(self, number: int, time_s: float) -> bool:
        track = self._open.get(number)
        return track is not None and time_s - track.time_s[0] > self._rules.longest_s

    def _close(self, numbers: set[int]) -> list[DescribedTrack]:
        ended = [self._open.pop(number) for number in sorted(numbers)]
        return [
            one.close(self._camera, self._view)
            for one in ended
            if len(one.time_s) >= self._rules.least_seen
        ]


def tracks_of(frames: Iterable[CameraFrame], pipeline: Pipeline) -> Iterator[DescribedTrack]:
    """The tracks of all frames, each as soon as its person is gone, and those open at the end.

    Where frames break off by an error, or one cannot be used, open tracks are given first and the
    error is raised then.
    """
    broken: Exception | None = None
    turn = iter(frames)
    while broken is None:
        try:
            frame = next(turn, None)
            if frame is None:
                break
            ended = pipeline.see(frame)
            del frame  # before the next one is read
        except Exception as error:  # whatever it is: who was seen until then was seen
            broken, ended = error, []
        yield from ended
    yield from pipeline.end()
    if broken is not None:
        raise broken


def _crop(image: Image, box_4: Doubles) -> Image:
    height, width = image.shape[:2]
    left, top = (max(0, int(one)) for one in np.floor(box_4[:2]))
    right, bottom = (int(one) for one in np.ceil(box_4[2:]))
    return image[top : min(bottom, height), left : min(right, width)]


def _whole(box_N4: Doubles, height: int, width: int) -> Bools:
    """(N,) whether boxes lie within the picture."""
    inside_N = (box_N4[:, 0] > _EDGE * width) & (box_N4[:, 2] < (1 - _EDGE) * width)
    return np.asarray(
        inside_N & (box_N4[:, 1] > _EDGE * height) & (box_N4[:, 3] < (1 - _EDGE) * height)
    )


def _hidden(box_N4: Doubles) -> Doubles:
    """(N,) the largest overlap of each box with another: how much of it may be somebody else."""
    share_NN = overlaps(box_N4, box_N4)
    np.fill_diagonal(share_NN, 0.0)
    return np.asarray(share_NN.max(axis=1, initial=0.0))
