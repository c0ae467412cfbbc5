"""A text file as UTF-8: the file itself, or a copy of it written while it is decoded.

The copy is made in blocks, so that memory stays bounded, and kept for as long as the process
runs and the file does not change: a table is opened several times.
"""

import atexit
import shutil
import tempfile
from functools import cache, lru_cache
from pathlib import Path

from deepcity.data.encodings.detect import head_encoding, mixed_row
from deepcity.data.encodings.names import LOSSY, UTF8, codec_of, is_wide
from deepcity.data.encodings.scan import EncodingError, decoded, lines_of
from deepcity.data.errors import ReadError
from deepcity.data.file_state import FileState, file_state
from deepcity.data.remedies.encoding import Undecodable, mixture_text, right_for
from deepcity.data.tables.disk_space import report_full_disk

_copies: dict[tuple[Path, str], tuple[FileState, Path]] = {}


def utf8_file(path: Path, codec: str) -> Path:
    """A file with the same text in UTF-8.

    Args:
        path: the file; may be gzip.
        codec: what it is read with.

    Raises:
        ReadError: at text in another encoding, with its row and the encoding that fits.
        OSError, EOFError, zlib.error: if it cannot be read or unpacked.
    """
    state = file_state(path)
    if codec in (UTF8, LOSSY):
        _check_head(path, state, codec)
        return path
    if codec == "utf_16" and (head := head_encoding(path)) not in (None, "utf-16"):
        codec = codec_of(head or "") or codec  # no byte order mark: the zeros show the order
    key = path.absolute(), codec
    if key not in _copies or _copies[key][0] != state:
        copy = _copies[key][1] if key in _copies else _folder() / f"{len(_copies)}.csv"
        _write(path, codec, copy)
        _copies[key] = state, copy
    return _copies[key][1]


@lru_cache(maxsize=1000)
def _check_head(path: Path, _state: FileState, codec: str) -> None:
    """Refuse a file whose first block is not UTF-8: readers of tables do not look at headers."""
    head = head_encoding(path)
    if head not in (None, UTF8):
        raise not_encoded(path, codec, f"it begins as {head} does")
    if codec == LOSSY:
        return
    try:
        next(decoded(path, UTF8), "")
    except EncodingError as error:
        raise not_encoded(path, codec, str(error.place)) from error


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="deepcity-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _write(path: Path, codec: str, copy: Path) -> None:
    if not is_wide(codec):
        row = mixed_row(lines_of(path), codec)
        if row is not None:
            raise not_encoded(path, codec, f"row {row:,} is UTF-8")
    try:
        with report_full_disk(), copy.with_suffix(".new").open("wb") as file:
            for n, text in enumerate(decoded(path, codec)):
                file.write((text if n else text.removeprefix("\ufeff")).encode())
    except EncodingError as error:
        raise not_encoded(path, codec, str(error.place)) from error
    copy.with_suffix(".new").replace(copy)


def not_encoded(path: Path, codec: str, where: str) -> ReadError:
    """The problem of a file whose text is not in the encoding that was stated."""
    evidence, name = Undecodable(path), codec.replace("_", "-")
    reason = f"{path.name} is not text in {name}: {where}{mixture_text(evidence)}"
    return ReadError("encoding", name, reason, right_for(evidence))
