"""Files of a run's folder: written whole or not at all, and read as what they are."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from deepcity.city.errors import CheckpointError
from deepcity.data.panel import Panel
from deepcity.store.atomic import why_not, write_whole

Model = TypeVar("Model", bound=BaseModel)


def put(path: Path, data: bytes) -> None:
    """Write a file, and its folder.

    Raises:
        CheckpointError: if the disk is full or refuses; what stood there before still stands.
    """
    try:
        write_whole(path, data)
    except OSError as error:
        raise CheckpointError(why_not(path, error, len(data))) from error


def made(folder: Path) -> Path:
    """The folder, made if it is not there.

    Raises:
        CheckpointError: if it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CheckpointError(why_not(folder, error, 0)) from error
    return folder


def read(path: Path, kind: type[Model], verb: str) -> Model:
    """What a finished run found out.

    Args:
        verb: the command that finishes it.

    Raises:
        CheckpointError: if there is none that can be read.
    """
    try:
        return kind.model_validate_json(path.read_bytes())
    except OSError as error:
        msg = f"{path} cannot be read ({error.strerror}); finish the run with `{verb}`"
        raise CheckpointError(msg) from error
    except ValueError as error:
        msg = f"{path} is not a results file of this version; run the map again: {error}"
        raise CheckpointError(msg) from error


def digest_of(named: Iterable[tuple[str, Panel]]) -> str:
    """SHA-256 of records, with the names of those who hold them; another where anything changed."""
    digest = hashlib.sha256()
    for name, panel in named:
        digest.update(name.encode() + panel.time_T.tobytes())
        digest.update(panel.values_TNF.tobytes())
    return digest.hexdigest()
