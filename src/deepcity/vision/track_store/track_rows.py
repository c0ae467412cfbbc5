"""What is kept of tracks so that they can be searched: columns, one row a track.

Of where in a picture somebody was and of their ground positions nothing is kept: no search asks.

An embedding becomes whole numbers from -127 to 127 and one factor by which they have length 1
again: a quarter of the bytes of float32, and cosines that change in the fourth decimal.

Shapes: R tracks, E numbers of an embedding.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcity.city.arrays import Doubles, Floats, Indices
from deepcity.vision.appearance import COLOURS
from deepcity.vision.described_track import DescribedTrack
from deepcity.vision.track_words import UNKNOWN, TrackWords

_OFF_UNIT = 1e-2
_MOST_CODE = 127


@dataclass(frozen=True, eq=False)
class TrackRows:
    """Tracks of some cameras.

    Attributes:
        cameras: ids, sorted.
        camera_R: which of them.
        first_s_R, last_s_R: UTC seconds.
        words: heights and clothes.
        code_RE: embeddings, times 1 / `scale_R`.
        scale_R: by which a row's codes have length 1.

    Raises:
        ValueError: with everything by which columns disagree or hold what no track has.
    """

    cameras: tuple[str, ...]
    camera_R: NDArray[np.uint32]
    first_s_R: Doubles
    last_s_R: Doubles
    words: TrackWords
    code_RE: NDArray[np.int8]
    scale_R: Floats

    def __post_init__(self) -> None:
        if problems := self._shape_problems() or self._value_problems():
            raise ValueError("; ".join(problems))

    def __len__(self) -> int:
        return len(self.camera_R)

    @property
    def size_bytes(self) -> int:
        """Bytes of all columns."""
        words = self.words
        columns = (self.camera_R, self.first_s_R, self.last_s_R, self.code_RE, self.scale_R)
        return sum(one.nbytes for one in (*columns, *vars(words).values()))

    def embedding_of(self, camera: str, time_s: int) -> Doubles | None:
        """(E,) that of the track by this camera whose middle is within that second; None: none."""
        if camera not in self.cameras or not self.code_RE.shape[1]:
            return None
        middle_s_R = np.floor((self.first_s_R + self.last_s_R) / 2)
        fits_R = (middle_s_R == time_s) & (self.camera_R == self.cameras.index(camera))
        row = int(np.argmax(fits_R))
        return self.code_RE[row] * float(self.scale_R[row]) if fits_R.any() else None

    @classmethod
    def of(cls, tracks: Sequence[DescribedTrack], width: int) -> "TrackRows":
        """Those of some tracks, in their order.

        Raises:
            ValueError: naming a track whose embedding has another width or is not of length 1.
        """
        cameras = tuple(sorted({one.track.camera for one in tracks}))
        number = {camera: row for row, camera in enumerate(cameras)}
        code_RE, scale_R = _codes(tracks, width)
        return cls(
            cameras,
            np.array([number[one.track.camera] for one in tracks], dtype=np.uint32),
            np.array([one.track.first_s for one in tracks], dtype=np.float64),
            np.array([one.track.last_s for one in tracks], dtype=np.float64),
            TrackWords.of(tracks),
            code_RE,
            scale_R,
        )

    def taken(self, row_N: Indices) -> "TrackRows":
        """Some rows, in the given order; of cameras that none of them names nothing stays."""
        used, camera_N = np.unique(self.camera_R[row_N], return_inverse=True)
        words = TrackWords(*(column[row_N] for column in vars(self.words).values()))
        return TrackRows(
            tuple(self.cameras[one] for one in used),
            camera_N.astype(np.uint32),
            self.first_s_R[row_N],
            self.last_s_R[row_N],
            words,
            self.code_RE[row_N],
            self.scale_R[row_N],
        )

    def _shape_problems(self) -> list[str]:
        rows = len(self.camera_R)
        shapes = {
            "times": (self.first_s_R.shape, (rows,)),
            "last times": (self.last_s_R.shape, (rows,)),
            "heights": (self.words.height_m_R.shape, (rows,)),
            "colours": (self.words.colour_R2.shape, (rows, 2)),
            "shares": (self.words.share_R2.shape, (rows, 2)),
            "embeddings": (self.code_RE.shape, (rows, *self.code_RE.shape[1:2])),
            "factors": (self.scale_R.shape, (rows,)),
        }
        wrong = [f"{name} of shape {has}" for name, (has, due) in shapes.items() if has != due]
        return [f"{', '.join(wrong)} for {rows} tracks"] if wrong else []

    def _value_problems(self) -> list[str]:
        words, found = self.words, []
        if tuple(sorted(set(self.cameras))) != self.cameras:
            found.append("cameras that are not sorted, or twice the same")
        if (self.camera_R >= len(self.cameras)).any():
            found.append(f"numbers of cameras beyond {len(self.cameras)}")
        if not (np.isfinite(self.last_s_R).all() and (self.first_s_R <= self.last_s_R).all()):
            found.append("times that are not finite, or end before they begin")
        if ((words.colour_R2 >= len(COLOURS)) & (words.colour_R2 != UNKNOWN)).any():
            found.append("numbers of colours that are none")
        if not ((words.share_R2 >= 0) & (words.share_R2 <= 1)).all():
            found.append("shares outside 0 to 1")
        if not ((self.scale_R > 0) & (self.scale_R <= 1)).all():
            found.append("factors outside 0 to 1")
        return found


def joined(parts: Sequence[TrackRows]) -> TrackRows:
    """All rows of at least one part, one part after the other; all of one width."""
    cameras = tuple(sorted({camera for part in parts for camera in part.cameras}))
    number = {camera: row for row, camera in enumerate(cameras)}
    own = [np.array([number[one] for one in part.cameras], dtype=np.uint32) for part in parts]
    words = zip(*(vars(part.words).values() for part in parts), strict=True)
    return TrackRows(
        cameras,
        np.concatenate([new[part.camera_R] for new, part in zip(own, parts, strict=True)]),
        np.concatenate([part.first_s_R for part in parts]),
        np.concatenate([part.last_s_R for part in parts]),
        TrackWords(*(np.concatenate(columns) for columns in words)),
        np.concatenate([part.code_RE for part in parts]),
        np.concatenate([part.scale_R for part in parts]),
    )


def codes_of(embedding_RE: Doubles | Floats) -> tuple[NDArray[np.int8], Floats]:
    """Embeddings of length 1 as whole numbers (R, E), and the factor (R,) of each row."""
    if not embedding_RE.shape[1]:
        return embedding_RE.astype(np.int8), np.ones(len(embedding_RE), dtype=np.float32)
    most_R1 = np.abs(embedding_RE).max(axis=1, keepdims=True)
    code_RE = np.rint(embedding_RE * (_MOST_CODE / most_R1)).astype(np.int8)
    length_R = np.linalg.norm(code_RE.astype(np.float32), axis=1)
    return code_RE, (1 / length_R).astype(np.float32)


def _codes(tracks: Sequence[DescribedTrack], width: int) -> tuple[NDArray[np.int8], Floats]:
    for one in tracks:
        track = one.track
        if track.embedding_E.size != width:
            raise ValueError(
                f"track {track.number} of camera {track.camera}: an embedding of "
                f"{track.embedding_E.size} numbers, and this store's have {width}; make it by the "
                f"store's network"
            )
        length = float(np.linalg.norm(track.embedding_E)) if width else 1.0
        if not abs(length - 1) <= _OFF_UNIT:  # NaN too
            raise ValueError(
                f"track {track.number} of camera {track.camera}: an embedding of length "
                f"{length:.3g}; divide it by its length"
            )
    rows = [one.track.embedding_E for one in tracks]
    return codes_of(np.stack(rows) if rows else np.zeros((0, width)))
