"""At the end of a service, the sites of a run sign the heads of their ledgers, and others co-sign.

Between machines they do so at the end of each lease, too (`deepcity.runs.machines.head_lead`).

FOLDER/coordinator/heads.json          the newest heads with co-signatures, at the coordinator
FOLDER/coordinator/rewritten-*.json    evidence, where a history was rewritten
FOLDER/sites/SITE/cosignatures.json    a site's own one, as it was handed back
FOLDER/sites/SITE/cosigned.json        what the site has co-signed of others
FOLDER/sites/SITE/shown_heads.json     what it was shown then, and whose co-signature was lacking
FOLDER/sites/SITE/rewritten-*.json     evidence, where another's history was rewritten
FOLDER/sites/SITE/unproven-*.json      the same, where the owner may still have a proof
"""

import logging
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field

from deepcity.city.errors import LedgerError
from deepcity.exchange.exchange import Handler
from deepcity.exchange.inprocess import InProcessExchange, lead_apart
from deepcity.exchange.trust.head_party import HeadParty
from deepcity.exchange.trust.head_round import HeadRound, hand_round
from deepcity.parties.releases.site_ledger import CLAIMS_KEY, site_ledger
from deepcity.store.release_ledger.heads import HeadSheet
from deepcity.store.release_ledger.release import Name, Strict
from deepcity.store.release_ledger.sheets import read_sheet, write_sheet
from deepcity.store.release_ledger.witness import COSIGNED, Witness
from deepcity.store.run_folder import coordinator_folder
from deepcity.store.signatures.ed25519 import public_hex, signing_key

HEADS = "heads.json"
_log = logging.getLogger(__name__)


class CollectedHeads(Strict):
    """The newest head of each ledger, with its co-signatures."""

    heads: Annotated[dict[Name, HeadSheet], Field(max_length=10_000)] = Field(default={})


def cosign_heads(sites: Mapping[str, Path], folder: Path) -> HeadRound:
    """Let the sites of a run in one process sign, co-sign and keep their ledgers' heads.

    Args:
        sites: party -> folder of its site.
        folder: of the run.

    Raises:
        LedgerError: if what a site or the coordinator keeps cannot be read or written.
    """
    keys = {name: public_hex(signing_key(site / CLAIMS_KEY)) for name, site in sites.items()}
    handlers = {name: head_party(site, name, keys=keys) for name, site in sites.items()}

    def lead(lines: Mapping[str, Handler]) -> HeadRound:
        return hand_round(InProcessExchange(lines), keys)

    found = lead_apart(handlers, lead)
    keep_heads(folder, found)
    return found


def head_party(
    site_folder: Path,
    name: str,
    key: Path | None = None,
    keys: Mapping[str, str] | None = None,
    members: Collection[str] = (),
) -> HeadParty:
    """A site's answers when heads are handed round.

    Args:
        key: file of its key; left out, in its folder.
        keys: party -> public key (hexadecimal), as this site knows it; none: the first is believed.
        members: who else takes part; left out, those of the keys.

    Raises:
        CheckpointError: if the key cannot be read.
    """
    own = signing_key(site_folder / CLAIMS_KEY if key is None else key)
    witness, known = Witness(site_folder / COSIGNED, name, own), dict(keys or {})
    ledger = site_ledger(site_folder, name, own)
    return HeadParty(ledger, witness, site_folder, frozenset(members or known), known)


def keep_heads(folder: Path, found: HeadRound) -> None:
    """Keep the newest heads at the coordinator; those of other ledgers stay.

    A head that does not continue the one kept is evidence, and kept beside it.

    Raises:
        LedgerError: if they cannot be written.
    """
    path = coordinator_folder(folder) / HEADS
    for one in found.evidence:
        write_sheet(path.with_name(f"rewritten-{one.later.head.root[:16]}.json"), one)
        _log.warning(
            "the history of %s's ledger was rewritten; see `deepcity ledger verify %s`",
            one.later.head.ledger,
            folder,
        )
    if not found.sheets:
        return
    try:
        before = collected_heads(folder)
    except LedgerError as error:  # sites keep their own; a run's results do not wait for this
        _log.warning("%s; heads of this run alone are kept there now", error)
        before = {}
    newer = {name: one for name, one in found.sheets.items() if _continues(before.get(name), one)}
    write_sheet(path, CollectedHeads(heads={**before, **newer}))


def _continues(before: HeadSheet | None, sheet: HeadSheet) -> bool:
    """Whether a head may take the place of the one kept: a shorter one, another of its size or one
    that nobody co-signed would hide what was cut off or rewritten.
    """
    if before is None:
        return True
    if before.cosignatures and not sheet.cosignatures:
        return False
    old, new = before.head.head, sheet.head.head
    return new.size > old.size or (new.size == old.size and new.root == old.root)


def collected_heads(folder: Path) -> dict[str, HeadSheet]:
    """The heads that the coordinator of a run has collected, by ledger.

    Raises:
        LedgerError: if they cannot be read.
    """
    path = coordinator_folder(folder) / HEADS
    return dict(read_sheet(path, CollectedHeads).heads) if path.exists() else {}
