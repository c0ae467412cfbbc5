"""The folder of an agency's outbox, and parcels that wait in one of an earlier name.

The folder was once named for the agency alone, `.AGENCY-live`; it is now one for each service,
`.AGENCY-SERVICE-live`. What lies in the earlier one is taken over as a whole, where this
encoder spoke from it, all parcels are of its space (one model's, so one service's) and the new
folder has no outbox yet: then it goes on as if the name had never changed. Else it stays, and
where parcels lie is said.
"""

from dataclasses import dataclass
from pathlib import Path

from deepcity.city.errors import StoreError
from deepcity.learning.encoder_package import EncoderPackage
from deepcity.store.outbox import Outbox, Waiting

OUTBOX = "outbox.sqlite"
_BESIDE = ("pushed", "records")  # rows taken by HTTP, whole lines of files
_PATIENCE_S = 0.5


@dataclass(frozen=True)
class Folder:
    """Where an agency keeps what it has to send.

    Attributes:
        path: the folder.
        adopted: what was taken over from a folder of the earlier name, in words.
        left: what waits there and was not, in words, with the next step.
    """

    path: Path
    adopted: str = ""
    left: str = ""


def own_folder(package: EncoderPackage, beside: Path) -> Folder:
    """The folder of an agency and service; takes over the one of the earlier name if it may.

    Args:
        package: whose parcels they are.
        beside: the folder that both are in.

    Raises:
        StoreError: if files cannot be moved; what is left is taken over at the next start.
    """
    facts = package.facts
    path = beside / f".{facts.agency}-{facts.service}-live"
    earlier = beside / f".{facts.agency}-live"
    if earlier == path or not (earlier / OUTBOX).is_file():
        return Folder(path)
    try:
        with Outbox(earlier / OUTBOX, patience_s=_PATIENCE_S) as outbox:
            waiting, spaces = outbox.waiting(), outbox.topics()
            spoke = outbox.mark(str(package.space)) is not None
    except StoreError as error:
        return Folder(path, left=f"an outbox of an earlier version was left: {error}")
    there = (path / OUTBOX).exists()
    if spoke and spaces <= {str(package.space)} and not there:
        _move(earlier, path)
        told = f"{earlier / OUTBOX}, of an earlier version, is now in {path}"
        return Folder(path, f"{told}: {waiting.rows:,} rows wait in it, and it goes on from there")
    if not waiting.parcels and not waiting.refused:
        return Folder(path)
    return Folder(path, left=_left(earlier, waiting, spaces, there))


def _left(earlier: Path, waiting: Waiting, spaces: frozenset[str], there: bool) -> str:
    of = f"they are of {', '.join(sorted(spaces))}"
    why = f"{of}, and this service has another outbox already" if there else of
    return (
        f"{waiting.rows:,} rows wait, and {waiting.refused:,} parcels were refused, in "
        f"{earlier / OUTBOX}, of an earlier version: {why}, so they stay there. To send them, run "
        f"`deepcity agency` with the encoder they are of, `--state {earlier} --once`; if nobody "
        "needs them, delete that file"
    )


def _move(earlier: Path, path: Path) -> None:
    """The outbox last: until it has come, the next start goes on."""
    if (earlier / f"{OUTBOX}-wal").exists():
        msg = f"{earlier / OUTBOX} was not closed as a whole. Start again; if it stays, use --state"
        raise StoreError(msg)
    try:
        path.mkdir(parents=True, exist_ok=True)
        for name in (*_BESIDE, OUTBOX):
            if (earlier / name).exists() and not (path / name).exists():
                (earlier / name).rename(path / name)
    except OSError as error:
        msg = f"{earlier} cannot be moved to {path}: {error.strerror}. Name a folder with --state"
        raise StoreError(msg) from error
    try:
        earlier.rmdir()
    except OSError:
        return  # somebody else's files are in it
