"""Frames from a folder of pictures, as recorders and trap cameras leave them."""

from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, tzinfo
from itertools import pairwise
from pathlib import Path

from deepcity.city.errors import CameraError
from deepcity.city.regular_file import read_bounded
from deepcity.vision.frames.frame import CameraFrame
from deepcity.vision.frames.name_times import time_in_name
from deepcity.vision.frames.pace import FramePace
from deepcity.vision.opencv import Image, decoded

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
_MOST_BYTES = 200_000_000


@dataclass(frozen=True)
class ImageFolder:
    """A folder of pictures; other files in it are left alone.

    Attributes:
        start_s: UTC seconds of the first picture by name, and rate, pictures a second after it;
            None: the names say when each was taken.
        zone: of times in names that state none.
    """

    folder: Path
    camera: str
    start_s: float | None = None
    rate: float = 1.0
    zone: tzinfo = UTC

    def length_s(self) -> float:
        """Seconds from the first picture to the last.

        Raises:
            CameraError: as `frames`.
        """
        times = self._timed()
        return times[-1][0] - times[0][0]

    def frames(self, pace: FramePace) -> Generator[CameraFrame]:
        """Each picture that is due, decoded when it is asked for; none is kept.

        Raises:
            CameraError: if there is none, times are unknown or of two pictures the same, or a
                picture is damaged.
        """
        for time_s, path in self._timed():
            if pace.takes(time_s):
                yield CameraFrame(self.camera, time_s, _decoded(path))

    def _paths(self) -> list[Path]:
        try:
            found = [one for one in self.folder.iterdir() if one.suffix.lower() in SUFFIXES]
        except OSError as error:
            raise CameraError(f"{self.folder}: {error.strerror}; give a folder of pictures") from (
                error
            )
        return sorted(found, key=lambda one: one.name)

    def _timed(self) -> list[tuple[float, Path]]:
        paths = self._paths()
        if not paths:
            raise CameraError(
                f"{self.folder}: no pictures there ({', '.join(sorted(SUFFIXES))}); give the "
                f"folder that holds them"
            )
        if self.start_s is not None:
            return [(self.start_s + n / self.rate, path) for n, path in enumerate(paths)]
        times = [(time_in_name(path.stem, self.zone), path) for path in paths]
        unknown = [path.name for time_s, path in times if time_s is None]
        if unknown:
            raise CameraError(
                f"{self.folder}: {len(unknown):,} of {len(paths):,} names hold no time, such as "
                f"{unknown[0]!r}; name pictures like 20261201_041500.jpg, or give --start and "
                f"--rate"
            )
        return self._increasing(sorted((float(time_s or 0), path) for time_s, path in times))

    def _increasing(self, times: list[tuple[float, Path]]) -> list[tuple[float, Path]]:
        for (before_s, before), (time_s, path) in pairwise(times):
            if not before_s < time_s:
                raise CameraError(
                    f"{self.folder}: {before.name!r} and {path.name!r} are of one time; keep one "
                    f"camera's pictures in a folder, or give --start and --rate"
                )
        return times


def _decoded(path: Path) -> Image:
    try:
        image = decoded(read_bounded(path, _MOST_BYTES))
    except OSError as error:
        raise CameraError(f"{path}: {error.strerror}; remove it or make it readable") from error
    if image is None:
        raise CameraError(
            f"{path}: no picture that can be decoded, cut or damaged; remove it from the folder, "
            f"or copy it again"
        )
    return image
