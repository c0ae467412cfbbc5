"""Signed heads are handed round: each site gives the newest head of its ledger, the others co-sign.

Verbs: ``ledger_known`` (the heads that a site has co-signed), ``ledger_head`` (its own newest head,
with proofs that it continues those which others co-signed), ``ledger_cosign`` (others' heads;
returns co-signatures, and evidence where a history was rewritten), ``ledger_cosigned`` (its own
head with the others' co-signatures, to keep). No entry of a ledger leaves: heads hold hashes.

The coordinator carries heads and can drop them; it can make none, for it has no site's key.
On the wire each sheet is canonical JSON as an array of bytes.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from filelock import FileLock

from deepcity.city.errors import ExchangeError, LedgerError
from deepcity.city.level import Layers
from deepcity.exchange.exchange import COORDINATOR, Exchange, answers
from deepcity.exchange.message import Message
from deepcity.store.release_ledger.heads import CoSignature, HeadSheet, Rewritten
from deepcity.store.release_ledger.ledger_file import ReleaseLedger
from deepcity.store.release_ledger.proof import head_sheet
from deepcity.store.release_ledger.release import Strict
from deepcity.store.release_ledger.sheets import Sheet, parse_sheet, read_sheet, write_sheet
from deepcity.store.release_ledger.witness import CosignedHeads, RewrittenHistoryError, Witness

KNOWN, HEAD, COSIGN, COSIGNED = (
    "ledger_known",
    "ledger_head",
    "ledger_cosign",
    "ledger_cosigned",
)
OWN_HEAD = "cosignatures.json"
"""A site's own newest head that others have co-signed, in its folder."""
_SHEETS, _EVIDENCE = "sheets", "evidence"
_MOST = 1000  # sheets of a message
_MOST_BYTES = 1_000_000  # of a sheet


@dataclass
class HeadParty:
    """A site's answers when heads are handed round.

    Attributes:
        folder: where the site keeps its co-signed head, and evidence.
    """

    ledger: ReleaseLedger
    witness: Witness
    folder: Path

    def handle(self, message: Message, caller: str) -> Message:
        """Answer one message.

        Raises:
            ExchangeError: if the caller is not the coordinator, or the verb is another.
            LedgerError: if the ledger cannot be read, or was edited.
        """
        steps = {KNOWN: self._known, HEAD: self._head, COSIGN: self._cosign, COSIGNED: self._keep}
        if caller != COORDINATOR or message.verb not in steps:
            raise ExchangeError(f"{caller} may not ask for {message.verb!r} here")
        return Message(message.verb, {}, steps[message.verb](message))

    def _known(self, _message: Message) -> Layers:
        return _packed(_SHEETS, {"0": CosignedHeads(heads=self.witness.known())})

    def _head(self, message: Message) -> Layers:
        head = self.ledger.signed()
        if head is None:
            return {}
        sizes = {int(size) for size in message.numbers.values() if 0 < size <= head.head.size}
        return _packed(_SHEETS, {"0": head_sheet(self.ledger.path, sorted(sizes)[:_MOST], head)})

    def _cosign(self, message: Message) -> Layers:
        signed: dict[str, Strict] = {}
        evidence: dict[str, Strict] = {}
        for name, blob in _blobs(message, _SHEETS).items():
            try:
                sheet = parse_sheet(blob, HeadSheet, "a head")
                if sheet.head.head.ledger != self.ledger.name:
                    signed[name] = self.witness.cosign(sheet)
            except RewrittenHistoryError as error:
                evidence[name] = error.evidence
                write_sheet(self._evidence_file(error.evidence), error.evidence)
            except LedgerError:
                continue  # the coordinator sees that a co-signature is missing
        return {**_packed(_SHEETS, signed), **_packed(_EVIDENCE, evidence)}

    def _evidence_file(self, found: Rewritten) -> Path:
        return self.folder / f"rewritten-{found.later.head.root[:16]}.json"

    def _keep(self, message: Message) -> Layers:
        for sheet in _read(message, _SHEETS, HeadSheet).values():
            own = self.ledger.signed()
            if own is not None and own.key == sheet.head.key and not sheet.faults():
                with FileLock((self.folder / OWN_HEAD).with_suffix(".lock")):
                    self._keep_own(sheet.model_copy(update={"consistency": ()}))
        return {}

    def _keep_own(self, sheet: HeadSheet) -> None:
        """Keep a head's co-signatures beside those that came before; an older head never returns.

        Raises:
            LedgerError: if it cannot be written.
        """
        path = self.folder / OWN_HEAD
        with suppress(LedgerError):  # one that cannot be read is replaced
            before = read_sheet(path, HeadSheet) if path.exists() else sheet
            if before.head.head.size > sheet.head.head.size and not before.faults():
                return
            if before.head.head.root == sheet.head.head.root:
                for one in before.cosignatures:
                    known = {other.by for other in sheet.cosignatures}
                    if one.by not in known and one.is_of(sheet.head):
                        sheet = sheet.with_cosignature(one)
        write_sheet(path, sheet)


@dataclass
class HeadRound:
    """What one round of heads gave.

    Attributes:
        sheets: ledger -> its newest head, with co-signatures.
        missing: ledger -> sites that did not co-sign.
        evidence: of histories that were rewritten.
    """

    sheets: dict[str, HeadSheet] = field(default_factory=dict)
    missing: dict[str, list[str]] = field(default_factory=dict)
    evidence: list[Rewritten] = field(default_factory=list)


def hand_round(exchange: Exchange) -> HeadRound:
    """Collect the heads of all parties, let the others co-sign them, and hand them back.

    A party that fails or lies costs no other's: its head or co-signature is missing.
    """
    found, parties = HeadRound(), exchange.parties
    sizes = _known_sizes(exchange)
    asked = {party: Message(HEAD, sizes.get(party, {})) for party in parties}
    for party, reply in answers(exchange.call_group(asked)).items():
        for sheet in _read(reply, _SHEETS, HeadSheet).values():
            if sheet.head.head.ledger == party and not sheet.faults():
                found.sheets[party] = sheet
    if not found.sheets:
        return found
    layers = _packed(_SHEETS, found.sheets)
    replies = answers(exchange.call_group({one: Message(COSIGN, {}, layers) for one in parties}))
    for party, reply in replies.items():
        for ledger, one in _read(reply, _SHEETS, CoSignature).items():
            known = found.sheets.get(ledger)
            if known is None or one.by != party or one.by == ledger or not one.is_of(known.head):
                continue
            signed = known.with_cosignature(one)
            if not signed.faults():
                found.sheets[ledger] = signed
        found.evidence += _read(reply, _EVIDENCE, Rewritten).values()
    for ledger, sheet in found.sheets.items():
        signers = {one.by for one in sheet.cosignatures}
        found.missing[ledger] = [one for one in parties if one not in {*signers, ledger}]
    back = {
        ledger: Message(COSIGNED, {}, _packed(_SHEETS, {ledger: sheet}))
        for ledger, sheet in found.sheets.items()
    }
    exchange.call_group(back)
    return found


def _known_sizes(exchange: Exchange) -> dict[str, dict[str, float]]:
    """Ledger -> sizes of its heads that others have co-signed, as numbers of a message."""
    asked = {party: Message(KNOWN) for party in exchange.parties}
    sizes: dict[str, set[int]] = {}
    for reply in answers(exchange.call_group(asked)).values():
        for known in _read(reply, _SHEETS, CosignedHeads).values():
            for ledger, signed in known.heads.items():
                sizes.setdefault(ledger, set()).add(signed.head.size)
    return {
        ledger: {str(number): float(size) for number, size in enumerate(sorted(some)[:_MOST])}
        for ledger, some in sizes.items()
    }


def _packed(group: str, sheets: Mapping[str, Strict]) -> Layers:
    if not sheets:
        return {}
    return {group: {name: np.frombuffer(one.to_line(), np.uint8) for name, one in sheets.items()}}


def _blobs(message: Message, group: str) -> dict[str, bytes]:
    found = [*message.layers.get(group, {}).items()][:_MOST]
    return {name: tensor.tobytes() for name, tensor in found if tensor.nbytes <= _MOST_BYTES}


def _read(message: Message, group: str, kind: type[Sheet]) -> dict[str, Sheet]:
    """The sheets of a message; what cannot be read is left out."""
    found: dict[str, Sheet] = {}
    for name, blob in _blobs(message, group).items():
        try:
            found[name] = parse_sheet(blob, kind, "a sheet")
        except LedgerError:
            continue
    return found
