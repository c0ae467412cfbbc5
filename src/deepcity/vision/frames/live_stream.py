"""Frames from a camera's stream, by RTSP or HTTP: always the newest.

A thread takes every frame off the stream, or else they would queue up and grow old while one is
looked at; it keeps one. Frames are stamped by this machine's clock when they arrive.
"""

import math
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from deepcity.city.errors import CameraError
from deepcity.vision.frames.frame import Frame
from deepcity.vision.frames.pace import Pace
from deepcity.vision.opencv import Image, Video, require_opencv

SCHEMES = ("rtsp://", "rtsps://", "http://", "https://")
_LOGIN = re.compile(r"(?<=//)[^/@]*@")


@dataclass(frozen=True)
class LiveStream:
    """A camera's stream.

    Attributes:
        address: rtsp, rtsps, http or https; a login in it is never printed.
        wait_s: seconds without a frame after which it counts as stalled.
    """

    address: str
    camera: str
    wait_s: float = 10.0

    @property
    def shown(self) -> str:
        """The address without a login."""
        return _LOGIN.sub("", self.address)

    def count(self) -> int:
        """0: nobody knows."""
        return 0

    def frames(self, pace: Pace) -> Iterator[Frame]:
        """The newest frame, each time one is asked for, no more often than is due.

        Raises:
            CameraError: if it cannot be opened, ends, or stalls.
        """
        require_opencv()
        newest = _Newest(self.address, pace, self.wait_s)
        last_s = -math.inf
        try:
            while True:
                found = newest.take()
                if found is None:
                    raise CameraError(f"{self.shown}: {self._reason(newest)}")
                time_s, image = found
                del found
                if time_s > last_s:  # a clock set back would make times fall
                    last_s = time_s
                    yield Frame(self.camera, time_s, image)
                del image
        finally:
            newest.stop()

    def _reason(self, newest: "_Newest") -> str:
        retry = "run the command again, which goes on with the same file of tracks"
        if not newest.opened:
            return (
                "no stream there within "
                f"{self.wait_s:g} s; see that the camera is on, that address, port and login are "
                "right, and that it sends a kind of video that OpenCV reads (H.264, H.265, MJPEG)"
            )
        if newest.ended:
            return f"the camera ended the stream after {newest.read:,} frames; {retry}"
        return (
            f"no frame for {self.wait_s:g} s after {newest.read:,} frames; look at the camera and "
            f"its network, then {retry}"
        )


class _Newest:
    """The newest frame of a stream: read in a thread, which ends with `stop` or the stream."""

    def __init__(self, address: str, pace: Pace, wait_s: float) -> None:
        self.opened, self.ended, self.read = False, False, 0
        self._address, self._pace, self._wait_s = address, pace, wait_s
        self._found: tuple[float, Image] | None = None
        self._change = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="camera stream", daemon=True)
        self._thread.start()

    def take(self) -> tuple[float, Image] | None:
        """The newest frame that was not taken yet; None: none came in time, or none will."""
        deadline = time.monotonic() + self._wait_s + (0 if self.opened else 2.0)
        with self._change:
            while self._found is None and not self._stopped:
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                self._change.wait(left)
            found, self._found = self._found, None
            return found

    def stop(self) -> None:
        """End the thread; it lets go of the stream once its reading returns."""
        with self._change:
            self._stopped = True
            self._found = None

    def _run(self) -> None:
        video = Video(self._address, self._wait_s)
        self.opened = video.opened
        try:
            begun = time.monotonic()
            while not self._stopped and video.opened and video.skip():
                begun = time.monotonic()
                self.read += 1
                now_s = time.time()
                if self._pace.takes(now_s):
                    self._put(now_s, video.image())
            self.ended = time.monotonic() - begun < self._wait_s * 0.9
        finally:
            video.close()
            with self._change:
                self._stopped = True
                self._change.notify_all()

    def _put(self, time_s: float, image: Image | None) -> None:
        with self._change:
            if image is not None and not self._stopped:
                self._found = time_s, image
                self._change.notify_all()
