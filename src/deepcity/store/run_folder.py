"""The layout of a run's folder, and the lock on it.

FOLDER/coordinator/     what the coordinator knows: rounds, fused layers, layer packages
FOLDER/sites/SITE/      what a site knows; moved to another machine, it can be resumed there
FOLDER/pooled/          the network of all raw rows, where a map asks for that upper bound
FOLDER/sites/SITE/releases.jsonl    what left the site; starting anew goes on with it
FOLDER/map.json         where the map file is, for `deepcity forecast` and `deepcity backtest`
FOLDER/rounds.json      who took part in which round, and what each sent
FOLDER/results.json     results of the run; what a site does not grant stays in its folder
FOLDER/report.html      the same as a page

Files are written whole or not at all.
"""

import json
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout
from pydantic import BaseModel, ValidationError

from deepcity.city.errors import CheckpointError, StorageKeyError
from deepcity.city.given_path import no_run
from deepcity.city.regular_file import read_regular
from deepcity.store.at_rest.encrypted import from_disk
from deepcity.store.at_rest.private_file import write_private
from deepcity.store.atomic import write_atomic, write_error_text
from deepcity.store.blob import BlobError
from deepcity.store.frugal_json import TooLongError, crowded, validate_frugally
from deepcity.store.result_bounds import beyond_bounds

Model = TypeVar("Model", bound=BaseModel)
_LOCK, _OWNER, _MAP = ".lock", ".lock-owner", "map.json"
_LONGEST_PART, _MOST_PARTS = 60, 8  # of a place in a file that is named
_ANEW = "Put back a copy of it, or run the map again"
_NAMED = 3  # numbers out of bounds
MOST_OF_RESULTS = 200_000_000
"""Bytes of results: those of thousands of parties."""
_MOST_OF_MAP = 100_000  # bytes: two paths

RUN_FILES = (
    "coordinator/run.json",
    "coordinator/*.checkpoint",
    "coordinator/.*.part",
    "coordinator/layers/*.layers",
    "sites/*/run.json",
    "sites/*/result.json",
    "sites/*/audit.json",
    "pooled/claims.pem",
    "sites/*/checkpoints/*.checkpoint",
    "sites/*/checkpoints/.*.part",
    "sites/*/own/*.checkpoint",
    "sites/*/own/.*.part",
    "pooled/checkpoints/*.checkpoint",
    "pooled/checkpoints/.*.part",
    "results.json",
    "rounds.json",
    "report.html",
    "map.json",
    _LOCK,
    "run.json",  # of runs before sites had folders: --fresh removes it
)
"""All that a run writes and `--fresh` removes."""

LASTING_FILES = (
    "coordinator/heads.json",
    "sites/*/releases.jsonl",
    "sites/*/releases.lock",
    "sites/*/claims.pem",
    "sites/*/cosigned.json",
    "sites/*/cosigned.lock",
    "sites/*/cosignatures.json",
    "sites/*/cosignatures.lock",
    "sites/*/shown_heads.json",
    "sites/*/shown_heads.lock",
    "sites/*/rewritten-*.json",
    "sites/*/unproven-*.json",
)
"""The record of what left, and the key that signs it: starting anew does not undo what has left."""


def coordinator_folder(folder: Path) -> Path:
    """The coordinator's, in a run's folder."""
    return folder / "coordinator"


def is_whole_run(folder: Path) -> bool:
    """Whether all parties of a map were run in a folder; a site's own has no coordinator's."""
    return coordinator_folder(folder).is_dir()


def layers_folder(folder: Path) -> Path:
    """Where layer packages of the common layers lie."""
    return coordinator_folder(folder) / "layers"


def site_folder(folder: Path, site: str) -> Path:
    """A site's own, in a run's folder; names hold no dots, so no two sites share one.

    >>> site_folder(Path("run"), "ferrara/district-1:inflow").as_posix()
    'run/sites/ferrara.district-1.inflow'
    """
    return folder / "sites" / site.replace("/", ".").replace(":", ".")


def record_map(folder: Path, map_file: Path) -> None:
    """Record where the map of a run is.

    Raises:
        CheckpointError: if it cannot be written.
    """
    whole = map_file.absolute()
    found = {"absolute": str(whole), "relative": os.path.relpath(whole, folder.absolute())}
    data = json.dumps(found, indent=1).encode()
    path = folder / _MAP
    if not path.exists() or path.read_bytes() != data:
        write_file(path, data)


def recorded_map(folder: Path) -> Path | None:
    """The map file of the run in a folder, if it is still where it was, or moved with it."""
    path = folder / _MAP
    if not path.is_file():  # a named pipe would be waited for
        return None
    try:
        found = json.loads(read_bounded(path, _MOST_OF_MAP))
        paths = [Path(found["absolute"]), folder / found["relative"]]
        return next((path for path in paths if path.is_file()), None)
    except (CheckpointError, OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock a run's folder for this process; a killed process releases it.

    Raises:
        CheckpointError: if another process holds it, or the folder cannot be made.
    """
    owner = ensure_folder(folder) / _OWNER
    lock = FileLock(folder / _LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise CheckpointError(
            f"{folder} is in use by {_owner(owner)}: two runs would overwrite each other there. "
            f"Wait until it ends, stop it, or choose another --out"
        ) from error
    except OSError as error:
        raise CheckpointError(write_error_text(folder / _LOCK, error, 0)) from error
    try:
        write_file(owner, f"process {os.getpid()} on {socket.gethostname()}".encode())
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()


def _owner(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:  # it has only just begun, or is about to end
        return "another process"


def forget(folder: Path, written: Sequence[str] = RUN_FILES) -> None:
    """Remove the files of a run, and nothing else in the folder."""
    for pattern in written:
        for path in folder.glob(pattern):
            if path.name != _LOCK:  # it is held
                path.unlink(missing_ok=True)


def write_file(path: Path, data: bytes, *, private: bool = False) -> None:
    """Write a file, and its folder.

    Args:
        private: it is a site's own, and encrypted where the environment names a key.

    Raises:
        CheckpointError: if the disk is full or refuses; the former file is kept.
        StorageKeyError: if it is to be encrypted, and the key cannot be had.
    """
    try:
        (write_private if private else write_atomic)(path, data)
    except OSError as error:
        raise CheckpointError(write_error_text(path, error, len(data))) from error


def ensure_folder(folder: Path) -> Path:
    """The folder, made if it is not there.

    Raises:
        CheckpointError: if it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CheckpointError(write_error_text(folder, error, 0)) from error
    return folder


def read_bounded(path: Path, most: int) -> bytes:
    """A file's bytes, decrypted if it is encrypted.

    Raises:
        CheckpointError: if there are more than `most`, or they cannot be read.
        StorageKeyError: if it is encrypted with a key that is not there.
    """
    try:
        found = from_disk(read_regular(path, most + 1))
    except BlobError as error:
        raise CheckpointError(f"{path}: {error}. {_ANEW}") from error
    except StorageKeyError as error:
        raise StorageKeyError(f"{path} cannot be read: {error}") from error
    except OSError as error:
        reason = f"{path} cannot be read ({error.strerror})"
        raise CheckpointError(f"{reason}. {_ANEW}") from error
    if len(found) > most:
        raise CheckpointError(f"{path} has over {most:,} bytes, more than a run writes. {_ANEW}")
    return found


def why_not(error: ValueError) -> str:
    """The first reason why a file is not what it should be; it quotes nothing of it: a file that
    may be anything, or a link to it, would show its secrets.
    """
    if isinstance(error, TooLongError):
        return str(error)
    if not isinstance(error, ValidationError):
        return type(error).__name__
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part)[:_LONGEST_PART] for part in first["loc"][:_MOST_PARTS])
    found = f"{where}: {first['msg']}" if where else first["msg"]
    return found.encode("unicode_escape").decode() if not found.isprintable() else found


def read_results(path: Path, kind: type[Model], verb: str, most: int = MOST_OF_RESULTS) -> Model:
    """The results of a finished run.

    Args:
        verb: the command that finishes it.
        most: bytes that are read of a file that may be anything.

    Raises:
        CheckpointError: if they cannot be read, or hold numbers that no run writes.
    """
    try:
        path.stat()
    except OSError as error:
        lacking = f"it holds no {path.name}, which `{verb}` writes when it ends ({error.strerror})"
        reason, right = no_run(path.parent, lacking)
        raise CheckpointError(f"{path.parent}: {reason}; {right}") from error
    data = read_bounded(path, most)
    if crowded(data):
        raise CheckpointError(
            f"{path} holds more values than a run writes into so many bytes. {_ANEW}"
        )
    try:
        found = validate_frugally(kind, data)
    except ValueError as error:
        raise CheckpointError(
            f"{path} is not a results file of this version ({why_not(error)}). Run the map again"
        ) from error
    if wrong := list(islice(beyond_bounds(found.model_dump()), _NAMED + 1)):
        more = " and more" if len(wrong) > _NAMED else ""
        raise CheckpointError(
            f"{path} holds numbers that no run writes: {', '.join(wrong[:_NAMED])}{more}. {_ANEW}"
        )
    return found
