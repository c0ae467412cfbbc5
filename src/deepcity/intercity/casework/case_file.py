"""A case at the city that searches: one folder, which closing empties.

FOLDER/case.json       what is approved, with its signatures; it may be handed to who approves
FOLDER/case.private    who is looked for, where last seen, and sightings; encrypted where a key is
                       named, and deleted when the case is closed
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from filelock import FileLock
from pydantic import ConfigDict, Field, ValidationError

from deepcity.applications.tasks.matching.match_state import Hit, HitVerdict
from deepcity.city.errors import CaseError, LedgerError, StorageKeyError
from deepcity.city.frozen_model import FrozenModel
from deepcity.intercity.casework.case import CityName, SignedCase
from deepcity.store.at_rest.private_file import read_private, write_private
from deepcity.store.atomic import write_error_text
from deepcity.store.blob import BlobError
from deepcity.store.release_ledger.release import Name
from deepcity.store.release_ledger.sheets import read_sheet, write_sheet

CASE_FILE, PRIVATE_FILE = "case.json", "case.private"
_MOST_BYTES = 20_000_000
_PATIENCE_S = 30
Degrees = Annotated[float, Field(allow_inf_nan=False, ge=-180, le=180)]


class _Kept(FrozenModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class KeptHit(_Kept):
    """A sighting, as a case keeps it."""

    city: CityName
    camera: Name
    time_s: Annotated[int, Field(ge=0, le=10**11)]
    score: Annotated[float, Field(ge=0, le=1)]
    verdict: HitVerdict = HitVerdict.NONE

    @property
    def key(self) -> tuple[str, str, int]:
        """City, camera and time, by which it is named."""
        return self.city, self.camera, self.time_s

    def hit(self) -> Hit:
        """As decisions take it."""
        return Hit(self.city, self.camera, float(self.time_s), self.score, self.verdict)


class OpenCase(_Kept):
    """What is private of a case.

    Attributes:
        query: who is looked for (`query_bytes`), hexadecimal.
        last_lat, last_lon, last_s: where and when the person was seen last.
        number: of the newest request.
        approved: persons whose approval stands in the record.
        silent: cities that did not answer the newest search.
    """

    query: Annotated[str, Field(pattern=r"^[0-9a-f]*$", max_length=_MOST_BYTES)]
    last_lat: Annotated[float, Field(ge=-90, le=90)]
    last_lon: Degrees
    last_s: Annotated[int, Field(ge=0, le=10**11)]
    number: Annotated[int, Field(ge=0)] = 0
    approved: tuple[str, ...] = ()
    hits: Annotated[tuple[KeptHit, ...], Field(max_length=100_000)] = ()
    silent: tuple[CityName, ...] = ()


@dataclass(frozen=True)
class CaseFile:
    """The files of one case."""

    folder: Path

    def signed(self) -> SignedCase:
        """What is approved.

        Raises:
            CaseError: if it cannot be read.
        """
        return read_case(self.folder / CASE_FILE)

    def write_signed(self, signed: SignedCase) -> None:
        """Keep what is approved, whole or not at all.

        Raises:
            CaseError: if it cannot be written.
        """
        try:
            write_sheet(self.folder / CASE_FILE, signed)
        except LedgerError as error:
            raise CaseError("disk", str(error)) from error

    @property
    def is_closed(self) -> bool:
        """Whether nothing private is kept any more."""
        return not any(path.exists() for path in self._private_paths)

    @property
    def _private_paths(self) -> tuple[Path, Path]:
        """The file, and what a writer that was killed left of it."""
        return self.folder / PRIVATE_FILE, self.folder / f".{PRIVATE_FILE}.part"

    def alone(self) -> FileLock:
        """Held while the case is read and written, so that two processes lose nothing."""
        return FileLock(self.folder / ".lock", timeout=_PATIENCE_S)

    def private(self) -> OpenCase:
        """What is private of it.

        Raises:
            CaseError: if it is closed, or cannot be read.
        """
        if self.is_closed:
            raise CaseError(
                "closed", f"{self.folder} was closed: who was looked for is deleted. Open another"
            )
        path = self.folder / PRIVATE_FILE
        try:
            return OpenCase.model_validate_json(read_private(path, _MOST_BYTES))
        except (OSError, StorageKeyError, BlobError, ValidationError) as error:
            raise CaseError("file", f"{path} cannot be read: {error}. Put back a copy") from error

    def write_private(self, found: OpenCase) -> None:
        """Keep what is private, whole or not at all.

        Raises:
            CaseError: if it cannot be written.
        """
        path, data = self.folder / PRIVATE_FILE, found.model_dump_json().encode()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_private(path, data)
        except OSError as error:
            raise CaseError("disk", write_error_text(path, error, len(data))) from error
        except StorageKeyError as error:
            raise CaseError("key", str(error)) from error

    def delete_private(self) -> None:
        """Delete what is private.

        Raises:
            CaseError: if it cannot be deleted.
        """
        for path in self._private_paths:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise CaseError(
                    "disk",
                    f"{path} cannot be deleted: {error.strerror}. Delete it by hand, and close the "
                    f"case again",
                ) from error


def read_case(path: Path) -> SignedCase:
    """The case in a file.

    Raises:
        CaseError: if there is none.
    """
    try:
        return read_sheet(path, SignedCase)
    except LedgerError as error:
        raise CaseError("file", str(error)) from error
