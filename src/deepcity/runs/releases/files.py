"""The ledger's files as people hand them about: a ledger in a folder, heads, proofs, evidence."""

import json
from pathlib import Path

from deepcity.city.errors import LedgerError
from deepcity.exchange.flare.identities import IDENTITY
from deepcity.exchange.trust.head_party import OWN_HEAD
from deepcity.parties.releases.site_ledger import CLAIMS_KEY
from deepcity.runs.releases.review import ledger_files, ledger_name
from deepcity.store.release_ledger.heads import HeadSheet, Rewritten
from deepcity.store.release_ledger.proof import ReleaseProof
from deepcity.store.release_ledger.sheets import parse_sheet, read_bytes, read_sheet, write_sheet
from deepcity.store.release_ledger.witness import (
    COSIGNED,
    RewrittenHistoryError,
    UnprovenHistoryError,
    Witness,
)
from deepcity.store.signatures.ed25519 import signing_key

SheetKind = type[HeadSheet] | type[Rewritten] | type[ReleaseProof]
SHEETS: dict[str, SheetKind] = {
    str(kind.model_fields["kind"].default): kind for kind in (HeadSheet, Rewritten, ReleaseProof)
}
"""What a file says that it is -> what it holds."""
_LEDGER = ".jsonl"


def is_sheet(path: Path) -> bool:
    """Whether a path is a head, proof or evidence, and no ledger."""
    return path.is_file() and path.suffix != _LEDGER


def read_any(path: Path) -> HeadSheet | Rewritten | ReleaseProof:
    """What a file holds, by the kind that it names.

    Raises:
        LedgerError: if it is none of them.
    """
    data = read_bytes(path)
    try:
        found = json.loads(data)
        kind = found.get("kind") if isinstance(found, dict) else None
    except (ValueError, RecursionError):
        kind = None
    if not isinstance(kind, str) or kind not in SHEETS:
        raise LedgerError(
            f"{path} is no ledger, head, proof or evidence. Name a run's folder, or a file that "
            f"`deepcity ledger` wrote"
        )
    return parse_sheet(data, SHEETS[kind], str(path))


def one_ledger(folder: Path, party: str | None) -> Path:
    """The ledger of a party in a folder; without a name, the only one.

    Raises:
        LedgerError: if there is none, or several.
    """
    named = {ledger_name(path): path for path in ledger_files(folder)}
    if party is None and len(named) == 1:
        return next(iter(named.values()))
    if party is None or party not in named:
        what = "holds several ledgers" if party is None else f"holds no ledger of {party!r}"
        raise LedgerError(f"{folder} {what}; choose one by --party: {', '.join(named)}")
    return named[party]


def own_sheet(path: Path) -> HeadSheet | None:
    """A ledger's co-signed head, as its site keeps it; None where there is none.

    Raises:
        LedgerError: if it cannot be read.
    """
    own = path.parent / OWN_HEAD
    return read_sheet(own, HeadSheet) if own.exists() else None


def keep_sheet(sheet: Path, ledger: Path) -> Path:
    """Keep a co-signed head beside its ledger; returns the file.

    Raises:
        LedgerError: if it is of another ledger, or a signature is wrong.
    """
    found, name = read_sheet(sheet, HeadSheet), ledger_name(ledger)
    if found.head.head.ledger != name:
        raise LedgerError(f"{sheet} is a head of {found.head.head.ledger}, not of {name}")
    if faults := found.faults():
        raise LedgerError(f"{sheet} is not kept: {'; '.join(faults)}")
    before = own_sheet(ledger)
    if before is not None and before.head.head.size > found.head.head.size:
        raise LedgerError(
            f"{sheet} is a head of {found.head.head.size} entries; one of "
            f"{before.head.head.size} is kept already. Keep the newest"
        )
    write_sheet(ledger.parent / OWN_HEAD, found.model_copy(update={"consistency": ()}))
    return ledger.parent / OWN_HEAD


def cosign_sheet(sheet: Path, site: Path, name: str) -> HeadSheet:
    """Add a site's co-signature to a file that holds another's head.

    Args:
        site: folder of the site or its kit, where its key and its memory are.
        name: under which it signs.

    Raises:
        RewrittenHistoryError, UnprovenHistoryError: if the head does not continue the last one;
            the evidence is written beside the file.
        LedgerError: if the head cannot be co-signed for another reason.
    """
    found = read_sheet(sheet, HeadSheet)
    kit = site / "local" / IDENTITY
    key = kit if kit.exists() else site / CLAIMS_KEY
    if not key.exists():
        raise LedgerError(
            f"{site} holds no key ({CLAIMS_KEY}, or local/{IDENTITY} of a kit). Name the folder of "
            f"your own site: RUN/sites/SITE, or its kit"
        )
    witness = Witness(site / COSIGNED, name, signing_key(key))
    try:
        signed = found.with_cosignature(witness.cosign(found))
    except (RewrittenHistoryError, UnprovenHistoryError) as error:
        write_sheet(evidence_file(sheet), error.evidence)
        raise
    write_sheet(sheet, signed)
    return signed


def evidence_file(sheet: Path) -> Path:
    """Where evidence against a head is written: beside it."""
    return sheet.with_name(f"{sheet.stem}.rewritten.json")
