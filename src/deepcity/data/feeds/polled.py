"""Feeds that a running city asks for again and again: a URL or a file, within bounds."""

import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field

from deepcity.data.config.duration import Duration
from deepcity.data.connectors.sql import from_environment
from deepcity.data.errors import ReadError
from deepcity.data.feeds.kept_rows import FeedConnector
from deepcity.data.feeds.settings import FeedSettings

_GZIP = "gzip"
Row = dict[str, str]
"""A cell by column, among them the time and the place."""


class PolledSettings(FeedSettings):
    """Settings of feeds that are asked for.

    Attributes:
        url: http(s), or a file beside the city file; ``${NAME}`` is taken from the environment.
        every: time between two requests.
        timeout_s: seconds in which an answer must be complete.
        max_download_mb: size of an answer.
    """

    url: str = Field(min_length=1)
    every: Duration = timedelta(minutes=5)
    timeout_s: float = Field(default=20, gt=0)
    max_download_mb: float = Field(default=20, gt=0)


@dataclass(frozen=True)
class PolledConnector(FeedConnector):
    """Reads kept rows, and makes rows of an answer; a value for each format.

    Attributes:
        snapshot: settings, folder of the city file, and the newest time known (seconds since
            1970) -> the rows of an answer. Raises ReadError.
    """

    snapshot: Callable[[Any, Path, float], list[Row]] = lambda _source, _folder, _since_s: []


def fetch(source: PolledSettings, url: str, folder: Path) -> bytes:
    """What is at a URL, or in a file.

    Raises:
        ReadError: if it does not answer, redirects, or is too slow or too large.
    """
    most = round(source.max_download_mb * 1e6)
    found = from_environment(url)
    if not is_remote(found):
        return _file(source, folder / found, most)
    import httpx

    deadline, content = time.monotonic() + source.timeout_s, bytearray()
    plain = {"Accept-Encoding": _GZIP}
    try:
        with httpx.stream("GET", found, timeout=source.timeout_s, headers=plain) as answer:
            if answer.status_code != 200:
                right = "open it in a browser, and correct url"
                raise ReadError("url", url, f"it answered {answer.status_code}", right)
            unpack = _unpacker(url, answer.headers.get("content-encoding", ""), most)
            for piece in answer.iter_raw():
                content += unpack(piece)
                if len(content) > most:
                    right = "raise max_download_mb if it is meant to be so large"
                    raise ReadError("url", url, f"an answer of over {most:,} bytes", right)
                if time.monotonic() > deadline:
                    right = "raise timeout_s if it is meant to be so slow"
                    raise ReadError("url", url, f"no end within {source.timeout_s:g} s", right)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        right = "see whether the server is up, and the network lets requests through"
        reason = f"it does not answer: {type(error).__name__}"
        raise ReadError("url", url, reason, right) from error
    return bytes(content)


def _unpacker(url: str, encoding: str, most: int) -> Callable[[bytes], bytes]:
    """Unpacks the pieces of an answer, no more of each than a little over `most` bytes.

    Raises:
        ReadError: if it is packed in another way, or several times: then it grows without bound.
    """
    if encoding.strip().lower() in ("", "identity"):
        return lambda piece: piece
    if encoding.strip().lower() != _GZIP:
        reason = f"packed as {encoding[:50]!r}"
        raise ReadError("url", url, reason, "let its server send it plain, or as gzip")
    unpacking = zlib.decompressobj(wbits=31)

    def unpack(piece: bytes) -> bytes:
        try:
            return unpacking.decompress(piece, most + 1)
        except zlib.error as error:
            raise ReadError("url", url, "broken gzip", "see what its server sends") from error

    return unpack


def _file(source: PolledSettings, path: Path, most: int) -> bytes:
    try:
        if path.stat().st_size > most:
            right = "raise max_download_mb if it is meant to be so large"
            raise ReadError("url", source.url, f"a file of over {most:,} bytes", right)
        return path.read_bytes()
    except OSError as error:
        right = f"put the file at {path.absolute()}, or correct url"
        raise ReadError("url", source.url, str(error.strerror), right) from error


def is_remote(url: str) -> bool:
    """Whether it is asked for over the network."""
    return url.startswith(("http://", "https://"))


def same_host(url: str, other: str) -> bool:
    """Whether two URLs are of one host and way; whoever answers at one may not name others."""
    one, two = urlsplit(url), urlsplit(other)
    return (one.scheme, one.netloc) == (two.scheme, two.netloc)
