"""Frames from a video file."""

import math
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from deepcity.city.errors import CameraError
from deepcity.city.regular_file import check_regular
from deepcity.vision.frames.frame import CameraFrame
from deepcity.vision.frames.pace import FramePace
from deepcity.vision.opencv import Video

_LACKING = 0.02
"""Share of the frames a file states that may be lacking: containers count with a small error."""


@dataclass(frozen=True)
class VideoFile:
    """A video file.

    Attributes:
        start_s: UTC seconds of its first frame.
        rate: frames a second; None: as the file itself says when each frame is shown.
    """

    path: Path
    camera: str
    start_s: float
    rate: float | None = None

    def length_s(self) -> float:
        """Seconds from its first frame to the last, as it states; 0: it does not.

        Raises:
            CameraError: as `frames`.
        """
        video = self._open()
        video.close()
        return max(0, video.count - 1) / (self.rate or video.rate)

    def frames(self, pace: FramePace) -> Generator[CameraFrame]:
        """Each frame that is due; those between are passed over.

        Raises:
            CameraError: if the file is not there, is no video, or ends before its time; the
                frames up to there have been given.
        """
        video = self._open()
        number, last_s = 0, -math.inf
        try:
            while video.skip():
                time_s = self._time_s(video, number)
                number += 1
                if time_s <= last_s or not pace.takes(time_s):
                    continue
                last_s = time_s
                held = [CameraFrame(self.camera, time_s, image) for image in video.images()]
                if held:
                    yield held.pop()  # nothing here holds it while it is looked at
        finally:
            video.close()
        self._check_end(number, video.count)

    def _time_s(self, video: Video, number: int) -> float:
        return self.start_s + (number / self.rate if self.rate else video.shown_s())

    def _open(self) -> Video:
        try:
            check_regular(self.path)
        except OSError as error:
            raise CameraError(f"{self.path}: {error.strerror}; give a video file") from error
        video = Video(str(self.path))
        if not video.opened:
            raise CameraError(
                f"{self.path}: no video that can be read: damaged, cut before its index was "
                f"written, or of an unknown kind. Copy it again, or write it anew, as "
                f"`ffmpeg -i FILE -c copy NEW.mp4` does"
            )
        if not video.rate and not self.rate:
            video.close()
            raise CameraError(f"{self.path}: it states no frames a second; give --rate")
        return video

    def _check_end(self, read: int, stated: int) -> None:
        if read < (1 - _LACKING) * stated - 1:
            raise CameraError(
                f"{self.path}: it ends after {read:,} of {stated:,} frames, cut or damaged; what "
                f"was read is kept. Copy it again if the rest is wanted"
            )
