"""A camera's source by what was written: a folder of pictures, a video file, or an address."""

import math
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Protocol

from deepcity.city.errors import CameraError
from deepcity.city.given_path import did_you_mean_path
from deepcity.vision.frames.frame import CameraFrame
from deepcity.vision.frames.image_folder import ImageFolder
from deepcity.vision.frames.live_stream import SCHEMES, LiveStream
from deepcity.vision.frames.pace import FramePace
from deepcity.vision.frames.video_file import VideoFile


class FrameSource(Protocol):
    """Where frames come from."""

    def length_s(self) -> float:
        """Seconds from the first frame to the last; 0: nobody knows.

        Raises:
            CameraError: if they cannot be read.
        """
        ...

    def frames(self, pace: FramePace) -> Generator[CameraFrame]:
        """Frames in the order of their times, as many as are due; none is kept.

        Raises:
            CameraError: if they cannot be read, or end before their time.
        """
        ...


@dataclass(frozen=True)
class FrameTimes:
    """When frames were taken.

    Attributes:
        start_s: UTC seconds of the first; None: by the names of pictures.
        rate: frames a second; None: as a video file says, and 1 for pictures.
        zone: of times in names that state none.
        wait_s: seconds without a frame after which a stream counts as stalled.
    """

    start_s: float | None = None
    rate: float | None = None
    zone: tzinfo = UTC
    wait_s: float = 10.0

    def __post_init__(self) -> None:
        if self.rate is not None and not 0 < self.rate < math.inf:
            raise ValueError(f"{self.rate} frames a second; give a number above 0")
        if not 0 < self.wait_s < math.inf:
            raise ValueError(f"{self.wait_s} s to wait; give a number above 0")


def open_source(source: str, camera: str, times: FrameTimes) -> FrameSource:
    """The source that a path or address stands for; nothing is read yet.

    Raises:
        CameraError: if there is none, or it needs a start that is not given.
    """
    if source.lower().startswith(SCHEMES):
        return LiveStream(source, camera, times.wait_s)
    if "://" in source:
        kind = source.partition("://")[0]
        raise CameraError(f"{kind}://: give rtsp, rtsps, http or https, a file, or a folder")
    path = Path(source)
    if path.is_dir():
        rate = 1.0 if times.rate is None else times.rate
        return ImageFolder(path, camera, times.start_s, rate, times.zone)
    if not path.exists():
        hint = did_you_mean_path(path)
        raise CameraError(
            f"{source}: no such file or folder; {hint}"
            f"{'Give' if hint else 'give'} a folder of pictures, a video file, or rtsp://…"
        )
    if times.start_s is None:
        raise CameraError(f"{source}: a video does not say when it was taken; give --start")
    return VideoFile(path, camera, times.start_s, times.rate)
