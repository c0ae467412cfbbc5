"""Checkpoints: a run's arrays and values after each round, so that it can go on.

One file a checkpoint, `NAME.ROUND.checkpoint`, sealed with its SHA-256, signed by its installation
and never pickle.
The last two are kept, so that a damaged one costs one round and not the run.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from pydantic import JsonValue, TypeAdapter, ValidationError

from deepcity.city.errors import CheckpointError, StorageKeyError
from deepcity.store.at_rest.private_file import read_private, write_private
from deepcity.store.atomic import write_error_text
from deepcity.store.blob import MOST_BYTES, Arrays, BlobError, seal, unseal
from deepcity.store.signatures.keyring import SignatureError, own_keyring
from deepcity.store.signatures.trust_list import SignedKind

FORMAT = 2
"""2: the head's tensors are `ridge_skip` and `residual_ratio`."""
KEPT_ROUNDS = 2

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_FILE = re.compile(r"(?P<name>.+)\.(?P<round>\d{6,})\.checkpoint")
_VALUES = TypeAdapter(dict[str, JsonValue])


@dataclass(frozen=True)
class Checkpoint:
    """The state of a run after a round.

    Attributes:
        arrays: group (layer) -> name -> array; dtypes and bits as saved.
        values: JSON values, floats exact.
        skipped: why newer checkpoints were skipped; empty if this is the newest.
    """

    name: str
    round: int
    arrays: Mapping[str, Mapping[str, NDArray[Any]]]
    values: Mapping[str, Any]
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True)
class CheckpointStore:
    """Checkpoints of any number of runs in one folder; one writer a run."""

    folder: Path

    def save(self, name: str, round: int, arrays: Arrays, values: Mapping[str, object]) -> Path:  # noqa: A002
        """Save a run after a round; the checkpoint before it is kept too.

        Older ones are removed, and later ones too: they are of a run that was started anew.
        A file with the same content is not written again.

        Args:
            name: letters, digits, ".", "_", "-".
            arrays: float32, float64, int64, uint8 or bool.
            values: JSON-able with text keys; lists, not tuples; NaN and infinities allowed.

        Raises:
            CheckpointError: if it cannot be written; earlier checkpoints are kept.
            StorageKeyError: if it is to be encrypted, and the key cannot be had.
        """
        path = self._path(name, round)
        data = _to_bytes(path, name, round, arrays, values)
        try:
            if not _holds(path, data):
                write_private(path, data)
        except OSError as error:
            kept = "; earlier checkpoints are intact" if self._rounds(name) else ""
            raise CheckpointError(write_error_text(path, error, len(data)) + kept) from error
        self._drop_all_but(name, round)
        return path

    def load_latest(self, name: str) -> Checkpoint | None:
        """The newest intact checkpoint of a run, or None if it never saved one.

        Raises:
            CheckpointError: if there are checkpoints but none is intact.
            StorageKeyError: if one is encrypted with a key that is not there: it is not skipped.
        """
        return next(self.history(name), None)

    def history(self, name: str) -> Iterator[Checkpoint]:
        """The intact checkpoints of a run, newest first; damaged ones are skipped.

        Raises:
            CheckpointError: if there are checkpoints but none is intact.
            StorageKeyError: if one is encrypted with a key that is not there: it is not skipped.
        """
        skipped: list[str] = []
        whole = untrusted = False
        for number in self._rounds(name):
            path = self._path(name, number)
            try:
                found = _read(path, name, number, tuple(skipped))
            except (BlobError, OSError) as error:
                skipped.append(f"{path.name} {_why(error)}")
                untrusted = untrusted or isinstance(error, SignatureError)
                continue
            whole = True
            yield found
        if skipped and not whole:
            # what is whole is not to be removed: its reason ends with what to do
            right = "" if untrusted else ". Remove them to start the run anew, or put back a copy"
            raise CheckpointError(
                f"no checkpoint of {name} in {self.folder} can be used: {'; '.join(skipped)}{right}"
            )

    def newest(self, name: str) -> int | None:
        """How many rounds the newest checkpoint of a run has done; None if there is none."""
        return next(iter(self._rounds(name)), None)

    def load_at(self, name: str, round: int) -> Checkpoint | None:  # noqa: A002
        """The newest checkpoint of a run with at most so many rounds done; None if there is none.

        Raises:
            CheckpointError: if that checkpoint is damaged or of another format.
        """
        for number in self._rounds(name):
            if number <= round:
                path = self._path(name, number)
                try:
                    return _read(path, name, number, ())
                except (BlobError, OSError) as error:
                    raise CheckpointError(
                        f"{path} {_why(error)}"
                        if isinstance(error, SignatureError)
                        else f"{path} {_why(error)}. Put back a copy, or start the run anew"
                    ) from error
        return None

    def forget(self, name: str) -> None:
        """Remove all checkpoints of a run, to start it anew."""
        for number in self._rounds(name):
            self._path(name, number).unlink(missing_ok=True)

    def _path(self, name: str, number: int) -> Path:
        if not _NAME.fullmatch(name) or number < 0:
            raise CheckpointError(
                f"a checkpoint cannot be named {name!r} with round {number}: "
                "use letters, digits, '.', '_' and '-', and a round of 0 or more"
            )
        return self.folder / f"{name}.{number:06d}.checkpoint"

    def _drop_all_but(self, name: str, newest: int) -> None:
        rounds = self._rounds(name)
        kept = [number for number in rounds if number <= newest][:KEPT_ROUNDS]
        for number in set(rounds) - set(kept):
            self._path(name, number).unlink(missing_ok=True)

    def _rounds(self, name: str) -> list[int]:
        """Rounds that have a file, newest first."""
        files = (_FILE.fullmatch(path.name) for path in self.folder.glob("*.checkpoint"))
        rounds = (int(file["round"]) for file in files if file and file["name"] == name)
        return sorted(rounds, reverse=True)


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.is_file() and read_private(path, MOST_BYTES) == data
    except (BlobError, StorageKeyError):
        return False


def _to_bytes(
    path: Path,
    name: str,
    number: int,
    arrays: Arrays,
    values: Mapping[str, object],
) -> bytes:
    try:
        checked = _VALUES.validate_python(values, strict=True)
        header = {"format": FORMAT, "name": name, "round": number, "values": checked}
        return seal(arrays, own_keyring().signed(SignedKind.CHECKPOINT, arrays, header))
    except (BlobError, ValidationError) as error:
        raise CheckpointError(f"{path.name} cannot hold these values: {error}") from error


def _why(error: Exception) -> str:
    """Why a file is not used, after its name."""
    is_whole = isinstance(error, SignatureError)
    return f"is not trusted: {error}" if is_whole else f"is damaged or of another version: {error}"


def _read(path: Path, name: str, number: int, skipped: tuple[str, ...]) -> Checkpoint:
    arrays, header = unseal(read_private(path, MOST_BYTES))
    version = header.get("format")
    if version != FORMAT:
        raise BlobError(f"its format is {version!r} and this version of deepcity reads {FORMAT}")
    if (header.get("name"), header.get("round")) != (name, number):
        was = f"{header.get('name')!r} after round {header.get('round')}"
        raise BlobError(f"it holds {was}: the file was renamed")
    own_keyring().check(SignedKind.CHECKPOINT, arrays, header)
    if not isinstance(header.get("values"), dict):
        raise BlobError("it holds no table of values")
    return Checkpoint(name, number, arrays, header["values"], skipped)
