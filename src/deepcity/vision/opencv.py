"""What OpenCV does here: pictures decoded and resized, video opened. The one file that knows it.

Shapes: images are (H, W, 3), blue, green and red, uint8.
"""

import os
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcity.city.errors import CameraError

Image = NDArray[np.uint8]
_QUIET = "-8"
"""Of FFmpeg: what goes wrong is named here, and what it prints may hold a camera's password."""
MOST_PIXELS = 100_000_000
"""Of a picture; OpenCV itself would decode ten times as many, three bytes each."""


def require_opencv() -> None:
    """Refuse without OpenCV.

    Raises:
        CameraError: how to install it.
    """
    if find_spec("cv2") is None:
        raise CameraError(
            "frames of cameras are read by OpenCV, which is not installed here: "
            "pip install 'deepcity[vision]'"
        )


def decoded(data: bytes) -> Image | None:
    """A picture from the bytes of its file (JPEG, PNG and others); None: it is none."""
    cv2 = _cv2()
    try:
        found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_BGR)
    except cv2.error:  # no bytes, or a size that is refused
        return None
    return None if found is None or found.size > 3 * MOST_PIXELS else np.asarray(found, np.uint8)


def encoded(image: Image, suffix: str = ".png") -> bytes:
    """A picture as a file of that kind; for tests and benchmarks."""
    fine, data = _cv2().imencode(suffix, image)
    if not fine:
        raise ValueError(f"no picture can be written as {suffix!r}")
    return bytes(data)


def resized(image: Image, height: int, width: int) -> Image:
    """A picture of another size: averaged where it shrinks, else between four neighbours."""
    cv2 = _cv2()
    shrinks = height <= image.shape[0] and width <= image.shape[1]
    way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (width, height), interpolation=way), np.uint8)


class Video:
    """A video file or stream, frame by frame.

    Args:
        address: of a file, or rtsp, rtsps, http or https.
        wait_s: seconds without a frame after which a stream counts as stalled; None for files.

    Attributes:
        opened: whether there are frames to read.
        rate: frames a second as the video states; 0: it does not.
        count: frames as the video states; 0: it does not.
    """

    def __init__(self, address: str, wait_s: float | None = None) -> None:
        cv2 = _cv2()
        wait_ms = int(1000 * (wait_s or 0))
        waits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, wait_ms, cv2.CAP_PROP_READ_TIMEOUT_MSEC, wait_ms]
        self._capture = cv2.VideoCapture(address, cv2.CAP_FFMPEG, waits if wait_ms else [])
        self.opened: bool = self._capture.isOpened()
        self.rate = _positive(self._capture.get(cv2.CAP_PROP_FPS))
        self.count = int(_positive(self._capture.get(cv2.CAP_PROP_FRAME_COUNT)))

    def skip(self) -> bool:
        """Go to the next frame; False: there is none."""
        return bool(self._capture.grab())

    def images(self) -> list[Image]:
        """The frame last gone to; none if it is damaged."""
        fine, found = self._capture.retrieve()
        return [np.asarray(found, np.uint8)] if fine and found is not None else []

    def shown_s(self) -> float:
        """Seconds from the beginning at which the frame last gone to is shown."""
        return float(self._capture.get(_cv2().CAP_PROP_POS_MSEC)) / 1000

    def close(self) -> None:
        """Let go of the file or connection."""
        self._capture.release()


def _positive(value: Any) -> float:  # noqa: ANN401
    return float(value) if np.isfinite(value) and value > 0 else 0.0


def _cv2() -> Any:  # noqa: ANN401
    require_opencv()
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", _QUIET)
    os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")
    import cv2

    return cv2
