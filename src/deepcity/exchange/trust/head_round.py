"""Signed heads are handed round: each site gives the newest head of its ledger, the others co-sign.

Verbs: ``ledger_known`` (the heads that a site has co-signed), ``ledger_head`` (its own newest head,
with proofs that it continues those which others co-signed), ``ledger_cosign`` (others' heads;
returns co-signatures, and evidence where a history does not continue), ``ledger_cosigned`` (the
heads with co-signatures: its own with all, to keep; others' with some, to compare). No entry of a
ledger leaves: heads hold hashes. `deepcity.exchange.trust.head_party` answers.

The coordinator carries heads and can drop them; it can make none, for it has no site's key.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from deepcity.exchange.exchange import Exchange, answers
from deepcity.exchange.message import Message
from deepcity.exchange.trust.head_messages import (
    COSIGN,
    COSIGNED,
    EVIDENCE,
    HEAD,
    KNOWN,
    MOST_SHEETS,
    SHEETS,
    packed,
    read_sheets,
)
from deepcity.exchange.trust.shown_heads import shown_to
from deepcity.store.release_ledger.heads import CoSignature, HeadSheet, Rewritten
from deepcity.store.release_ledger.witness import CosignedHeads


@dataclass
class HeadRound:
    """What one round of heads gave.

    Attributes:
        sheets: ledger -> its newest head, with co-signatures.
        missing: ledger -> sites that did not co-sign.
        evidence: of histories that were rewritten; each proves itself.
    """

    sheets: dict[str, HeadSheet] = field(default_factory=dict)
    missing: dict[str, list[str]] = field(default_factory=dict)
    evidence: list[Rewritten] = field(default_factory=list)


def hand_round(exchange: Exchange, keys: Mapping[str, str] | None = None) -> HeadRound:
    """Collect the heads of all parties, let the others co-sign them, and hand them back.

    A party that fails or lies costs no other's: its head or co-signature is missing.

    Args:
        keys: party -> public key (hexadecimal), where the coordinator knows it.
    """
    found, parties, known = HeadRound(), exchange.parties, keys or {}
    sizes = _known_sizes(exchange)
    asked = {party: Message(HEAD, sizes.get(party, {})) for party in parties}
    for party, reply in answers(exchange.call_group(asked)).items():
        for sheet in read_sheets(reply, SHEETS, HeadSheet).values():
            right = known.get(party, sheet.head.key) == sheet.head.key
            if sheet.head.head.ledger == party and right and not sheet.faults():
                found.sheets[party] = sheet
    if not found.sheets:
        return found
    layers = packed(SHEETS, found.sheets)
    replies = answers(exchange.call_group({one: Message(COSIGN, {}, layers) for one in parties}))
    for party, reply in replies.items():
        for ledger, one in read_sheets(reply, SHEETS, CoSignature).items():
            _add(found, party, ledger, one)
        for claimed in read_sheets(reply, EVIDENCE, Rewritten).values():
            _note(found, claimed)
    for ledger, sheet in found.sheets.items():
        signers = {ledger, *(one.by for one in sheet.cosignatures)}
        same = {one for one in parties if known.get(one) == sheet.head.key}  # of the owner's site
        found.missing[ledger] = [one for one in parties if one not in signers | same]
    shown = {
        party: {ledger: shown_to(party, sheet) for ledger, sheet in found.sheets.items()}
        for party in parties
    }
    exchange.call_group({one: Message(COSIGNED, {}, packed(SHEETS, shown[one])) for one in parties})
    return found


def _add(found: HeadRound, party: str, ledger: str, one: CoSignature) -> None:
    """Add a co-signature, if it is this party's, of the head that it was given."""
    known = found.sheets.get(ledger)
    if known is None or one.by != party or one.by == ledger or not one.is_of(known.head):
        return
    signed = known.with_cosignature(one)
    if not signed.faults():
        found.sheets[ledger] = signed


def _note(found: HeadRound, claimed: Rewritten) -> None:
    """Note evidence that proves itself under the key of a head that was collected: no party's word
    counts against another.
    """
    sheet = found.sheets.get(claimed.later.head.ledger)
    genuine = sheet is not None and claimed.later.key == sheet.head.key and claimed.proves_itself()
    if genuine and claimed not in found.evidence:
        found.evidence.append(claimed)


def _known_sizes(exchange: Exchange) -> dict[str, dict[str, float]]:
    """Ledger -> sizes of its heads that others have co-signed, as numbers of a message."""
    asked = {party: Message(KNOWN) for party in exchange.parties}
    sizes: dict[str, set[int]] = {}
    for reply in answers(exchange.call_group(asked)).values():
        for known in read_sheets(reply, SHEETS, CosignedHeads).values():
            for ledger, signed in known.heads.items():
                sizes.setdefault(ledger, set()).add(signed.head.size)
    return {
        ledger: {str(number): float(size) for number, size in enumerate(sorted(some)[:MOST_SHEETS])}
        for ledger, some in sizes.items()
    }
