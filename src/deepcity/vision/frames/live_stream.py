"""Frames from a camera's stream, by RTSP or HTTP: always the newest.

A thread takes every frame off the stream, or else they would queue up and grow old while one is
looked at; it keeps one. Frames are stamped by this machine's clock when they arrive.
"""

import math
import re
import threading
import time
from collections.abc import Generator
from dataclasses import dataclass

from deepcity.city.errors import CameraError
from deepcity.vision.frames.frame import CameraFrame
from deepcity.vision.frames.pace import FramePace
from deepcity.vision.opencv import Video, require_opencv

SCHEMES = ("rtsp://", "rtsps://", "http://", "https://")
_OPENING_S = 2.0
"""Beyond the wait for a frame: opening has its own wait, and is to say itself that it failed."""
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

    def length_s(self) -> float:
        """0: nobody knows."""
        return 0.0

    def frames(self, pace: FramePace) -> Generator[CameraFrame]:
        """The newest frame, each time one is asked for, no more often than is due.

        Raises:
            CameraError: if it cannot be opened, ends, or stalls.
        """
        require_opencv()
        newest = _Newest(self, pace)
        try:
            while newest.wait():
                yield newest.pop()  # nothing here holds it while it is looked at
        finally:
            newest.stop()
        raise CameraError(f"{self.shown}: {self._reason(newest)}")

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

    def __init__(self, stream: LiveStream, pace: FramePace) -> None:
        self.opened, self.ended, self.read = False, False, 0
        self._stream, self._pace = stream, pace
        self._held: list[CameraFrame] = []
        self._last_s = -math.inf
        self._change = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="camera stream", daemon=True)
        self._thread.start()

    def wait(self) -> bool:
        """Wait for a frame that was not taken yet; False: none came in time, or none will."""
        patience_s = self._stream.wait_s + (0 if self.opened else _OPENING_S)
        with self._change:
            self._change.wait_for(lambda: self._held or self._stopped, patience_s)
            return bool(self._held)

    def pop(self) -> CameraFrame:
        """The newest frame, which is not held any more."""
        with self._change:
            return self._held.pop()

    def stop(self) -> None:
        """End the thread and wait for it: one that still reads at the process's end aborts it."""
        with self._change:
            self._stopped = True
            self._held.clear()
        self._thread.join(self._stream.wait_s + _OPENING_S)

    def _run(self) -> None:
        video = Video(self._stream.address, self._stream.wait_s)
        self.opened = video.opened
        try:
            begun = time.monotonic()
            while not self._stopped and video.opened and video.skip():
                begun = time.monotonic()
                self.read += 1
                self._put(time.time(), video)
            self.ended = time.monotonic() - begun < 0.9 * self._stream.wait_s
        finally:
            video.close()
            with self._change:
                self._stopped = True
                self._change.notify_all()

    def _put(self, now_s: float, video: Video) -> None:
        """Hold the newest frame in place of the last; a clock that was set back waits."""
        if now_s <= self._last_s or not self._pace.takes(now_s):
            return
        self._last_s = now_s
        fresh = [CameraFrame(self._stream.camera, now_s, image) for image in video.images()]
        with self._change:
            if not self._stopped:
                self._held[:] = fresh
                self._change.notify_all()
