"""One track as one line of JSON, and back; a line is believed once every part of it fits.

Times are kept to 0.1 ms, boxes to 0.1 pixels, positions and heights to 1 cm; embeddings as float32
in Base64.
"""

import base64
import binascii
import math
from typing import Annotated

import numpy as np
from pydantic import Field, ValidationError

from deepcity.city.arrays import Doubles
from deepcity.city.frozen_model import FrozenModel
from deepcity.vision.appearance import COLOURS, Appearance, Clothing
from deepcity.vision.described_track import DescribedTrack
from deepcity.vision.track import Track

_OFF_UNIT = 1e-3
Finite = Annotated[float, Field(ge=-1e12, le=1e12, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Colour = tuple[Annotated[str, Field(max_length=20)], Share]


class TrackLine(FrozenModel):
    """What stands in a line: as of `DescribedTrack`, null where unknown."""

    number: Annotated[int, Field(ge=0, le=2**53)]
    time_s: list[Finite]
    box: list[tuple[Finite, Finite, Finite, Finite]]
    ground: list[tuple[Finite, Finite] | None] | None
    height_m: Finite | None
    upper: Colour | None
    lower: Colour | None
    embedding: Annotated[str, Field(max_length=100_000)]


def line_of(one: DescribedTrack) -> bytes:
    """A track's line, without its end."""
    track, seen = one.track, one.appearance
    line = TrackLine(
        number=track.number,
        time_s=[round(float(time_s), 4) for time_s in track.time_s_T],
        box=[_rounded(box_4, 1) for box_4 in track.box_T4],  # type: ignore[misc]
        ground=_ground(track.ground_T2),
        height_m=round(one.height_m, 2) if math.isfinite(one.height_m) else None,
        upper=None if seen is None else _colour(seen.upper),
        lower=None if seen is None else _colour(seen.lower),
        embedding=base64.b64encode(track.embedding_E.astype("<f4").tobytes()).decode(),
    )
    return line.model_dump_json().encode()


def track_of(camera: str, width: int, line: bytes) -> DescribedTrack:
    """The track of a line.

    Args:
        width: numbers that its embedding has, where there is one.

    Raises:
        ValueError: with the reason why it is none.
    """
    try:
        found = TrackLine.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ValueError(f"{where}: {first['msg']}" if where else first["msg"]) from error
    ground_T2 = np.zeros((0, 2))
    if found.ground is not None:
        ground_T2 = np.array([one or (math.nan, math.nan) for one in found.ground]).reshape(-1, 2)
    track = Track(
        camera,
        found.number,
        np.array(found.time_s),
        np.array(found.box).reshape(-1, 4),
        embedding_E=_embedding(found.embedding, width),
        ground_T2=ground_T2,
    )
    height_m = math.nan if found.height_m is None else found.height_m
    return DescribedTrack(track, height_m, _appearance(found))


def _rounded(values: Doubles, digits: int) -> tuple[float, ...]:
    return tuple(round(float(one), digits) for one in values)


def _ground(ground_T2: Doubles) -> list[tuple[float, float] | None] | None:
    if not len(ground_T2):
        return None
    return [
        (round(float(x), 2), round(float(y), 2)) if math.isfinite(x + y) else None
        for x, y in ground_T2
    ]


def _colour(clothing: Clothing) -> Colour:
    return clothing.colour, round(clothing.share, 3)


def _appearance(found: TrackLine) -> Appearance | None:
    if found.upper is None or found.lower is None:
        return None
    for name, _ in (found.upper, found.lower):
        if name not in COLOURS:
            raise ValueError(f"colour {name!r} is none of {', '.join(COLOURS)}")
    return Appearance(Clothing(*found.upper), Clothing(*found.lower))


def _embedding(text: str, width: int) -> Doubles:
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("the embedding is no Base64") from error
    if len(data) not in (0, 4 * width):
        raise ValueError(f"an embedding of {len(data)} bytes; the file's have {4 * width}")
    found = np.frombuffer(data, "<f4").astype(np.float64)
    if len(found) and not abs(float(np.linalg.norm(found)) - 1) <= _OFF_UNIT:
        raise ValueError("the embedding is not of unit length")
    return found
