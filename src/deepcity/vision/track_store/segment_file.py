"""One file of tracks: columns as a sealed blob, encrypted where the environment names a key.

The format is `deepcity.store.blob`'s, its seal a SHA-256 of the content, and the encryption that of
`deepcity.store.at_rest.encrypted`. Codes of embeddings stand in it as bytes (uint8).
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcity.city.errors import StorageKeyError, StoreError, StoreFullError
from deepcity.store.at_rest.encrypted import for_disk
from deepcity.store.at_rest.private_file import read_private
from deepcity.store.atomic import write_atomic, write_error_text
from deepcity.store.blob import SEAL, BlobError, Header, seal, unseal
from deepcity.vision.track_store.segment_name import SegmentName, parsed
from deepcity.vision.track_store.track_rows import TrackRows
from deepcity.vision.track_words import TrackWords

MOST_ROWS = 250_000
"""In one file: 72 MB with 256 numbers a track."""
_MOST_BYTES = 1_100_000_000
_GROUP, _FORMAT = "tracks", 1
_COLUMNS = {
    "camera": "uint32",
    "first_s": "float64",
    "last_s": "float64",
    "height_m": "float32",
    "colour": "uint8",
    "share": "float32",
    "code": "uint8",
    "scale": "float32",
}


def write_segment(path: Path, rows: TrackRows, network: str) -> None:
    """Write tracks whole or not at all, readable by their owner alone.

    Raises:
        StorageKeyError: if a key is named that cannot be had; nothing is written.
        StoreFullError: if the disk is full.
        StoreError: if it refuses.
    """
    words = rows.words
    columns = (
        *(rows.camera_R, rows.first_s_R, rows.last_s_R),
        *(words.height_m_R, words.colour_R2, words.share_R2),
        *(rows.code_RE.view(np.uint8), rows.scale_R),
    )
    header = {"format": _FORMAT, "network": network, "cameras": list(rows.cameras)}
    sealed = seal({_GROUP: dict(zip(_COLUMNS, columns, strict=True))}, header)
    try:
        write_atomic(path, for_disk(sealed), private=True)
    except StorageKeyError as error:
        raise StorageKeyError(f"{path} is not written: {error}") from error
    except OSError as error:
        kind = StoreFullError if error.errno in (28, 122) else StoreError  # ENOSPC, EDQUOT
        raise kind(write_error_text(path, error, len(sealed))) from error


def read_segment(path: Path, network: str, width: int) -> TrackRows:
    """The tracks of a file.

    Raises:
        FileNotFoundError: if it is not there (any more).
        StorageKeyError: if no key of the environment opens it.
        StoreError: naming the file, if it was changed, cut or renamed, or is of another network.
    """
    try:
        columns, header = _content(path)
        if (found := header["network"]) != network:
            raise ValueError(f"its embeddings are by {found!r}, and this store's by {network!r}")
        rows = _rows(columns, header)
        _check_fits(rows, parsed(path.name), width)
    except FileNotFoundError:
        raise
    except (BlobError, LookupError, TypeError, ValueError, OSError) as error:
        reason = f"{type(error).__name__} {error}" if isinstance(error, LookupError) else error
        raise StoreError(
            f"{path} holds no tracks that can be believed: {reason}. Put a whole copy in its "
            f"place, or delete it: its tracks are then not searched"
        ) from error
    return rows


def segment_width(path: Path) -> int:
    """How many numbers the embeddings of a file have.

    Raises:
        FileNotFoundError, StorageKeyError, StoreError: as `read_segment`.
    """
    try:
        columns, _ = _content(path)
    except (BlobError, ValueError) as error:
        raise StoreError(f"{path}: {error}; delete it, its tracks are lost") from error
    return int(columns["code"].shape[1])


def _content(path: Path) -> tuple[dict[str, NDArray[Any]], Header]:
    arrays, header = unseal(read_private(path, _MOST_BYTES))
    if set(header) != {"format", "network", "cameras", SEAL} or header["format"] != _FORMAT:
        raise ValueError(f"it is not of format {_FORMAT}")
    columns = arrays[_GROUP]
    found = {name: str(column.dtype) for name, column in columns.items()}
    if found != _COLUMNS:
        raise ValueError(f"its columns are {found}, not {_COLUMNS}")
    return columns, header


def _rows(columns: dict[str, NDArray[Any]], header: Header) -> TrackRows:
    cameras = header["cameras"]
    if not (isinstance(cameras, list) and all(isinstance(one, str) for one in cameras)):
        raise ValueError("its cameras are no list of ids")
    return TrackRows(
        tuple(cameras),
        columns["camera"],
        columns["first_s"],
        columns["last_s"],
        TrackWords(columns["height_m"], columns["colour"], columns["share"]),
        columns["code"].view(np.int8),
        columns["scale"],
    )


def _check_fits(rows: TrackRows, name: SegmentName | None, width: int) -> None:
    if name is None:
        raise ValueError("its name is not that of a file of tracks")
    if rows.code_RE.shape[1:] != (width,):
        raise ValueError(
            f"its embeddings have {rows.code_RE.shape[1:]} numbers, and this store's {width}"
        )
    if not ((rows.last_s_R >= name.start_s) & (rows.last_s_R < name.until_s)).all():
        raise ValueError("its tracks ended at other times than its name says")
