"""A network's files from their makers, a folder or a mirror, believed by their checksum alone.

Each file goes under a neighbour's name first, never more bytes than it should have, and takes its
own once the checksum is right: a folder never holds half of a file. That a mirror is unencrypted
or a redirect leads elsewhere changes nothing.
"""

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from deepcity.city.errors import NetworkFileError
from deepcity.store.atomic import atomic_file
from deepcity.vision.models.catalogue import CameraNetwork, NetworkBuild, NetworkFile
from deepcity.vision.models.model_folder import build_in, is_file_of

_PIECE = 1 << 16
_WAIT_S = 30.0
"""For a connection, and for each piece."""
OnBytes = Callable[[str, int, int], None]
"""Called with a file's name, its bytes so far, and all that it has."""


def fetch(
    network: CameraNetwork, to: Path, source: str | None = None, on_bytes: OnBytes | None = None
) -> NetworkBuild:
    """Put a network's files into a folder; what is there already is not fetched again.

    Args:
        source: a folder, or the address of one (http or https); None: the official addresses.

    Returns:
        The build that is there now. From a folder it may be an older one.

    Raises:
        NetworkFileError: if a file cannot be had, is not what its makers published, or cannot be
            written; what was there stays.
    """
    there = build_in(network, to)
    if there is not None:
        return there
    online = source is None or source.startswith(("http://", "https://"))
    build = network.build[0] if online else _build_of(network, Path(str(source)))
    for file in build.file:
        if not is_file_of(to / file.name, file):
            origin = f"{(source or build.folder).rstrip('/')}/{file.name}"
            pieces = _download(origin, file) if online else _read(Path(origin))
            _write(pieces, origin, file, to / file.name, on_bytes)
    return build


def _build_of(network: CameraNetwork, folder: Path) -> NetworkBuild:
    build = build_in(network, folder)
    if build is None:
        names = ", ".join(one.name for one in network.build[0].file)
        releases = ", ".join(one.release for one in network.build)
        raise NetworkFileError(
            f"{folder}: no whole build of {network.name} there; it needs {names} of one release "
            f"({releases}, FP16), as at {network.build[0].folder}"
        )
    return build


def _write(
    pieces: Iterator[bytes], origin: str, file: NetworkFile, to: Path, on_bytes: OnBytes | None
) -> None:
    digest, size = hashlib.sha384(), 0
    try:
        with contextlib.closing(pieces), atomic_file(to) as out:  # type: ignore[type-var]
            for piece in pieces:
                size += len(piece)
                if size > file.size:
                    raise NetworkFileError(_other(origin, f"over {file.size:,} bytes", file))
                digest.update(piece)
                out.write(piece)
                if on_bytes is not None:
                    on_bytes(file.name, size, file.size)
            if digest.hexdigest() != file.sha384:
                found = f"{size:,} bytes, SHA-384 {digest.hexdigest()[:16]}…"
                raise NetworkFileError(_other(origin, found, file))
    except OSError as error:
        raise NetworkFileError(
            f"{to}: {error.strerror or error}; choose a folder to write to by --to, with "
            f"{file.size:,} bytes free"
        ) from error


def _other(origin: str, found: str, file: NetworkFile) -> str:
    return (
        f"{origin}: {found}; its makers published {file.size:,} bytes, SHA-384 "
        f"{file.sha384[:16]}…. Nothing was kept; fetch it again, or from another place by --from"
    )


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as source:
        while piece := source.read(_PIECE):
            yield piece


def _download(url: str, file: NetworkFile) -> Iterator[bytes]:
    timeout = httpx.Timeout(_WAIT_S)
    try:
        head = {"Accept-Encoding": "identity"}  # its bytes as they are, of a known number
        with httpx.stream(
            "GET", url, headers=head, timeout=timeout, follow_redirects=True
        ) as answer:
            answer.raise_for_status()
            stated = answer.headers.get("content-length", "")
            if stated.isdigit() and int(stated) != file.size:
                raise NetworkFileError(_other(url, f"{int(stated):,} bytes", file))
            yield from answer.iter_raw(_PIECE)
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        raise NetworkFileError(
            f"{url}: the server answers {status}; give a folder or mirror that has "
            f"{file.name} by --from"
        ) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NetworkFileError(
            f"{url}: {str(error) or type(error).__name__}; this machine may have no way to it. "
            f"Fetch it on one that has, and give the folder by --from"
        ) from error
