"""All ledgers in a folder, checked against every head of them that anyone in it keeps.

Of a run's folder each site's ledger is checked against its own co-signed head, the coordinator's
and every other site's memory of what it co-signed. Of one site's folder, against what is in it.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from deepcity.city.errors import CheckpointError, LedgerError
from deepcity.city.given_path import no_run
from deepcity.exchange.flare.task import site_of
from deepcity.exchange.trust.head_party import OWN_HEAD
from deepcity.parties.releases.heads import HEADS, collected_heads
from deepcity.runs.machines.status import read_status
from deepcity.runs.outcome.round_records import read_rounds
from deepcity.runs.releases.shown import check_shown, shown_elsewhere
from deepcity.store.release_ledger.heads import HeadSheet
from deepcity.store.release_ledger.ledger_file import RELEASES
from deepcity.store.release_ledger.proof import newest_head
from deepcity.store.release_ledger.sheets import read_sheet
from deepcity.store.release_ledger.verify import KnownHead, LedgerCheck, check_ledger
from deepcity.store.release_ledger.witness import COSIGNED, CosignedHeads
from deepcity.store.run_folder import coordinator_folder


@dataclass(frozen=True)
class LedgerReview:
    """A ledger's check, and who co-signed which of its heads.

    Attributes:
        name: of the ledger; that of its folder where no head can be read.
        sheet: its newest co-signed head; None: nobody has co-signed one.
        elsewhere: whether the ledger is at a site on another machine, and its head alone was
            checked.
    """

    name: str
    path: Path
    check: LedgerCheck
    sheet: HeadSheet | None = None
    elsewhere: bool = False


def ledger_files(folder: Path) -> list[Path]:
    """The ledgers in a run's, a kit's or a site's folder; a file is its own.

    Raises:
        LedgerError: if there is none.
    """
    if not folder.exists():
        raise LedgerError(f"{folder}: there is no such file or folder; name a run's or a site's")
    if not folder.is_dir():
        return [folder]
    for base in (folder, folder / "run"):
        if found := sorted(base.glob(f"sites/*/{RELEASES}")) or sorted(base.glob(RELEASES)):
            return found
    lacking = f"it holds no {RELEASES}: nothing has left a site there yet"
    reason, right = no_run(folder, lacking)
    raise LedgerError(f"{folder}: {reason}; {right}")


def review_ledgers(
    folder: Path,
    heads: Collection[HeadSheet] = (),
    keys: Mapping[str, str] | None = None,
) -> list[LedgerReview]:
    """Check every ledger in a folder.

    Args:
        heads: that are known from elsewhere.
        keys: site or party -> public key (hexadecimal), as it is known from elsewhere.

    Raises:
        LedgerError: if there is no ledger, or a file cannot be read.
    """
    anchors = _anchors(folder, heads)
    try:
        paths = [path.absolute() for path in ledger_files(folder)]
    except LedgerError:
        if not anchors:
            raise
        paths = []
    if not paths and any(map(read_status, (folder, folder.parent))):  # a hub keeps no ledger
        return [_at_its_site(name, *anchors[name]) for name in sorted(anchors)]
    names = {path: ledger_name(path) for path in paths}
    known = _keys(paths) | dict(keys or {})
    found = [_review(path, names[path], [*heads], known) for path in paths]
    for name in sorted(set(keys or ()) and {one.name for one in found}):
        if name not in known and site_of(name, known) is None:
            one = next(one for one in found if one.name == name)
            one.check.add("owner", f"nobody of that name is among the identities given: {name}")
    signing = {one.name for one in found}
    for one in found:
        if others := {other.name for other in found if _key(other) != _key(one)}:
            _check_cosigned(one, others - {one.name})
    for one in found:
        check_shown(one.check, one.name, one.path)
    elsewhere = [
        LedgerReview(name, where, check, sheet)
        for name, where, check, sheet in shown_elsewhere(paths, signing)
    ]
    return [*found, *_missing(anchors, signing), *elsewhere]


def _anchors(folder: Path, heads: Collection[HeadSheet]) -> dict[str, tuple[HeadSheet, str]]:
    """Ledgers of which somebody keeps a head, so that they must be here."""
    found = {one.head.head.ledger: (one, "the file given") for one in heads}
    for base in (folder, folder / "run"):
        for own in (*sorted(base.glob(f"sites/*/{OWN_HEAD}")), *sorted(base.glob(OWN_HEAD))):
            with suppress(LedgerError):  # named where its ledger is checked
                sheet = read_sheet(own, HeadSheet)
                found.setdefault(sheet.head.head.ledger, (sheet, str(own)))
        with suppress(LedgerError):
            for name, sheet in collected_heads(base).items():
                found.setdefault(name, (sheet, str(coordinator_folder(base) / HEADS)))
    return found


def _at_its_site(name: str, sheet: HeadSheet, where: str) -> LedgerReview:
    """The head of a ledger, as the hub of a federation keeps it."""
    check = LedgerCheck()
    for fault in sheet.faults():
        check.add("cosignature", fault)
    if not sheet.cosignatures:
        check.add("uncosigned", "no head of it was co-signed by anyone")
    return LedgerReview(name, Path(where), check, sheet, elsewhere=True)


def _missing(
    anchors: Mapping[str, tuple[HeadSheet, str]], here: Collection[str]
) -> list[LedgerReview]:
    """Ledgers that are not here, though a head of them is kept."""
    found = []
    for name, (sheet, where) in anchors.items():
        if name not in here and (size := sheet.head.head.size):
            check = LedgerCheck()
            check.add(
                "shorter",
                f"its ledger is not here, or under another name; {where} holds a head of {size} "
                f"entries of it",
            )
            found.append(LedgerReview(name, Path(where), check, sheet))
    return found


def _review(path: Path, name: str, heads: list[HeadSheet], keys: Mapping[str, str]) -> LedgerReview:
    sheets = [(one, "the file given") for one in heads if one.head.head.ledger == name]
    unread: list[str] = []
    sheets += _sheets(path, name, unread)
    kept = [KnownHead(one.head, where) for one, where in sheets]
    kept += _cosigned(path, name, unread)
    site = name if name in keys else site_of(name, keys)
    check = check_ledger(path, kept, (keys[site],) if site is not None else ())
    for problem in unread:
        check.add("unread", problem)
    for sheet, where in sheets:
        for fault in sheet.faults():
            check.add("cosignature", f"{where}: {fault}")
    newest = max((one for one, _ in sheets), key=lambda one: one.head.head.size, default=None)
    return LedgerReview(name, path, check, newest)


def _key(one: LedgerReview) -> str | None:
    """The key of a ledger; parties of one site have one, and are no witnesses of each other."""
    return one.check.newest.key if one.check.newest is not None else None


def _check_cosigned(one: LedgerReview, expected: Collection[str]) -> None:
    """Name sites that did not co-sign the newest head which was handed round."""
    if one.sheet is None:
        one.check.add("uncosigned", "no head of it was co-signed by anyone")
        return
    signers = {signed.by for signed in one.sheet.cosignatures}
    if missing := sorted(set(expected) - signers):
        size = one.sheet.head.head.size
        one.check.add(
            "uncosigned", f"its head of {size} entries was not co-signed by {', '.join(missing)}"
        )


def _sheets(path: Path, name: str, unread: list[str]) -> list[tuple[HeadSheet, str]]:
    """Co-signed heads of a ledger that its site and the coordinator keep."""
    own, run = path.parent / OWN_HEAD, path.parents[1].parent
    found: list[tuple[HeadSheet, str]] = []
    if own.exists():
        with _noting(unread):
            if (sheet := read_sheet(own, HeadSheet)).head.head.ledger == name:
                found.append((sheet, str(own)))
    with _noting(unread):
        if (kept := collected_heads(run).get(name)) is not None:
            found.append((kept, str(coordinator_folder(run) / HEADS)))
    return found


def _cosigned(path: Path, name: str, unread: list[str]) -> list[KnownHead]:
    """Heads of a ledger that other sites in the folder have co-signed."""
    found: list[KnownHead] = []
    for other in sorted(path.parents[1].glob(f"*/{COSIGNED}")):
        with _noting(unread):
            if (signed := read_sheet(other, CosignedHeads).heads.get(name)) is not None:
                found.append(KnownHead(signed, other.parent.name))
    return found


@contextmanager
def _noting(unread: list[str]) -> Iterator[None]:
    """Note what cannot be read, and go on."""
    try:
        yield
    except LedgerError as error:
        unread.append(str(error))


def ledger_name(path: Path) -> str:
    """The ledger's name by its newest head; that of its folder where there is none."""
    try:
        return newest_head(path).head.ledger
    except LedgerError:
        return path.parent.name


def _keys(paths: list[Path]) -> dict[str, str]:
    """Party -> the key with which it signed its rows, by the coordinator's record."""
    found: dict[str, str] = {}
    for run in {path.parents[1].parent for path in paths}:
        try:
            records = read_rounds(run)
        except CheckpointError:
            continue
        for record in records.values():
            for party, one in record.claims.items():
                found.setdefault(party, one.key)
    return found
