"""A city as a witness of others' ledgers: it co-signs what continues the last head it co-signed.

FOLDER/cosigned.json    the last head of each ledger that this city has co-signed

It is written before a co-signature leaves, so a witness that is killed never signs two histories.
The first head of a ledger is believed, with its key, where no key is known otherwise.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from filelock import FileLock
from pydantic import Field

from deepcity.city.errors import LedgerError
from deepcity.store.atomic import write_error_text
from deepcity.store.release_ledger.heads import (
    CoSignature,
    HeadSheet,
    Rewritten,
    SignedHead,
    cosignature,
)
from deepcity.store.release_ledger.merkle import proves_consistency
from deepcity.store.release_ledger.release import Name, Strict
from deepcity.store.release_ledger.sheets import read_sheet, write_sheet

COSIGNED = "cosigned.json"


class RewrittenHistoryError(LedgerError):
    """A head does not continue the one that was co-signed before.

    Attributes:
        evidence: both heads, under their owner's signatures.
    """

    def __init__(self, text: str, evidence: Rewritten) -> None:
        super().__init__(text)
        self.evidence = evidence


class UnprovenHistoryError(LedgerError):
    """A head that does not continue the one co-signed before, as far as is shown: its proof may
    have been spoilt on the way, so its owner is asked for another.

    Attributes:
        evidence: both heads, under their owner's signatures.
    """

    def __init__(self, text: str, evidence: Rewritten) -> None:
        super().__init__(text)
        self.evidence = evidence


class CosignedHeads(Strict):
    """The last head of each ledger that a witness has co-signed, by the ledger's name."""

    heads: Annotated[dict[Name, SignedHead], Field(max_length=10_000)] = Field(default={})


@dataclass
class Witness:
    """A city that co-signs.

    Attributes:
        path: of its `COSIGNED`.
        name: under which it signs.
        key: its own; it never leaves.
        keys: ledger -> the owner's public key, as this city knows it by another way.
    """

    path: Path
    name: str
    key: Ed25519PrivateKey = field(repr=False)
    keys: Mapping[str, str] = field(default_factory=dict)
    clock: Callable[[], float] = time.time

    def known(self) -> dict[str, SignedHead]:
        """The last head of each ledger that it has co-signed.

        Raises:
            LedgerError: if they cannot be read.
        """
        return dict(read_sheet(self.path, CosignedHeads).heads) if self.path.exists() else {}

    def cosign(self, sheet: HeadSheet) -> CoSignature:
        """Co-sign a head that continues the last one.

        Raises:
            RewrittenHistoryError: if it does not; with the evidence.
            UnprovenHistoryError: if by its proof, or its age, it does not.
            LedgerError: if it is not signed by its owner, or a proof is missing.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self.path.with_suffix(".lock")):  # who signs meanwhile would be forgotten
                return self._cosign(sheet)
        except OSError as error:
            raise LedgerError(write_error_text(self.path, error, 0)) from error

    def _cosign(self, sheet: HeadSheet) -> CoSignature:
        signed, known = sheet.head, self.known()
        state, before = signed.head, known.get(signed.head.ledger)
        if not signed.is_genuine():
            raise LedgerError(
                f"{self.name} co-signs no head of {state.ledger}: its signature is wrong"
            )
        expected = self.keys.get(state.ledger, before.key if before is not None else signed.key)
        if signed.key != expected:
            raise LedgerError(
                f"{self.name} co-signs no head of {state.ledger} signed with {signed.key[:16]}: "
                f"{expected[:16]} is known as its owner's. Put the owner's key file back"
            )
        if before is not None:
            self._check_continues(before, sheet)
        found = cosignature(signed, self.name, int(self.clock()), self.key)
        write_sheet(self.path, CosignedHeads(heads={**known, state.ledger: signed}), private=True)
        return found

    def _check_continues(self, before: SignedHead, sheet: HeadSheet) -> None:
        old, new = before.head, sheet.head.head
        if old.size == new.size and old.root == new.root:
            return
        if new.size < old.size:
            text = (
                f"{self.name} co-signs no head of {new.ledger} of {new.size} entries: one of "
                f"{old.size} was co-signed before. Ask its owner for the newest: `deepcity ledger "
                f"head --since {old.size}`; if that has fewer entries too, entries are missing"
            )
            if new.time_s <= old.time_s:  # an old head that somebody sends again is no evidence
                raise LedgerError(text)
            raise UnprovenHistoryError(text, Rewritten(earlier=before, later=sheet.head))
        if new.size == old.size:
            raise RewrittenHistoryError(
                f"{self.name} co-signs no head of {new.ledger}: its root is {new.root[:16]}, and "
                f"{old.root[:16]} was co-signed of this size. Its history was rewritten",
                Rewritten(earlier=before, later=sheet.head),
            )
        if old.size > 0:
            proof = next((one for one in sheet.consistency if one.size == old.size), None)
            if proof is None:
                raise LedgerError(
                    f"{self.name} co-signs no head of {new.ledger} of {new.size} entries without a "
                    f"proof that it continues the one of {old.size}. Ask its owner for "
                    f"`deepcity ledger head --since {old.size}`"
                )
            path = [bytes.fromhex(step) for step in proof.path]
            roots = bytes.fromhex(old.root), bytes.fromhex(new.root)
            if not proves_consistency(old.size, new.size, *roots, path):
                raise UnprovenHistoryError(
                    f"{self.name} co-signs no head of {new.ledger}: by its proof its {new.size} "
                    f"entries do not begin with the {old.size} that were co-signed before. Ask its "
                    f"owner for `deepcity ledger head --since {old.size}`; if that fails too, its "
                    f"history was rewritten",
                    Rewritten(earlier=before, later=sheet.head),
                )
