"""A site's answers when heads are handed round (`deepcity.exchange.trust.head_round`).

What comes is another's, carried by a coordinator that may lie: a head counts under its owner's key,
as this site knows it, and a co-signature under its city's. A head that does not continue the one
co-signed before is refused by name, and both are kept as evidence.
"""

import logging
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock

from deepcity.city.errors import ExchangeError, LedgerError
from deepcity.city.level import Layers
from deepcity.exchange.exchange import COORDINATOR
from deepcity.exchange.message import Message
from deepcity.exchange.trust.head_messages import (
    COSIGN,
    COSIGNED,
    EVIDENCE,
    HEAD,
    KNOWN,
    MOST_SHEETS,
    SHEETS,
    blobs,
    packed,
    read_sheets,
)
from deepcity.exchange.trust.shown_heads import SHOWN_HEADS, ShownHead, ShownHeads, lacking
from deepcity.store.release_ledger.heads import HeadSheet, Rewritten
from deepcity.store.release_ledger.ledger_file import ReleaseLedger
from deepcity.store.release_ledger.proof import head_sheet
from deepcity.store.release_ledger.release import Strict
from deepcity.store.release_ledger.sheets import parse_sheet, read_sheet, write_sheet
from deepcity.store.release_ledger.witness import (
    CosignedHeads,
    RewrittenHistoryError,
    UnprovenHistoryError,
    Witness,
)
from deepcity.store.signatures.ed25519 import public_hex

OWN_HEAD = "cosignatures.json"
"""A site's own newest head that others have co-signed, in its folder."""
_MOST_EVIDENCE = 100  # files: whoever signs a new history each round does not fill the disk
_log = logging.getLogger(__name__)


@dataclass
class HeadParty:
    """A site's answers when heads are handed round.

    Attributes:
        folder: where the site keeps its co-signed head, those shown to it, and evidence.
        members: whose heads it co-signs, and whose co-signatures it expects; empty: everybody's,
            and nobody's.
        keys: party -> public key (hexadecimal), as this site knows it; empty: the first is
            believed.
    """

    ledger: ReleaseLedger
    witness: Witness
    folder: Path
    members: Collection[str] = ()
    keys: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.witness.keys = self.keys

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
        return packed(SHEETS, {"0": CosignedHeads(heads=self.witness.known())})

    def _head(self, message: Message) -> Layers:
        head = self.ledger.signed()
        if head is None:
            return {}
        sizes = {int(size) for size in message.numbers.values() if 0 < size <= head.head.size}
        some = sorted(sizes)[:MOST_SHEETS]
        return packed(SHEETS, {"0": head_sheet(self.ledger.path, some, head)})

    def _cosign(self, message: Message) -> Layers:
        signed: dict[str, Strict] = {}
        evidence: dict[str, Strict] = {}
        for name, blob in blobs(message, SHEETS, self.members):
            try:
                sheet = parse_sheet(blob, HeadSheet, "a head")
                if self._is_anothers(name, sheet):
                    signed[name] = self.witness.cosign(sheet)
            except (RewrittenHistoryError, UnprovenHistoryError) as error:
                _log.warning("%s", error)
                self._keep_evidence(error.evidence)
                evidence[name] = error.evidence
            except LedgerError as error:
                # the coordinator sees that a co-signature is missing
                _log.warning("%s", error)
        return {**packed(SHEETS, signed), **packed(EVIDENCE, evidence)}

    def _is_anothers(self, name: str, sheet: HeadSheet) -> bool:
        """Whether a head is that of another site's ledger; a site is no witness of its own ones.

        Raises:
            LedgerError: if it is another ledger's than it is called, or of nobody known here.
        """
        ledger = sheet.head.head.ledger
        if ledger != name:
            raise LedgerError(
                f"{self.witness.name} co-signs no head of {ledger} that is handed round as that of "
                f"{name}"
            )
        own = {public_hex(self.witness.key)}
        if ledger == self.ledger.name or {sheet.head.key, self.keys.get(name)} & own:
            return False
        if self.keys and name not in self.keys:
            raise LedgerError(
                f"{self.witness.name} co-signs no head of {name}: its site has no identity here. "
                f"If it belongs to this federation, ask the operator for a newer identities.json"
            )
        return True

    def _keep_evidence(self, found: Rewritten) -> None:
        kind = "rewritten" if found.proves_itself() else "unproven"
        path = self.folder / f"{kind}-{found.later.head.root[:16]}.json"
        if path.exists() or len([*self.folder.glob(f"{kind}-*.json")]) < _MOST_EVIDENCE:
            write_sheet(path, found)
            _log.warning("both heads are kept: deepcity ledger verify %s", path)

    def _keep(self, message: Message) -> Layers:
        shown: dict[str, ShownHead] = {}
        for name, found in read_sheets(message, SHEETS, HeadSheet, self.members).items():
            ledger, sheet = found.head.head.ledger, self._known_alone(found)
            if name != ledger or sheet.faults() or not self._is_known(sheet):
                continue
            if ledger == self.ledger.name:
                self._keep_own(sheet.model_copy(update={"consistency": ()}))
            shown[ledger] = ShownHead(sheet=sheet, lacking=self._lacking(sheet))
        if shown:
            self._keep_shown(shown)
        return {}

    def _known_alone(self, sheet: HeadSheet) -> HeadSheet:
        """A head without co-signatures of strangers, or under other keys than are known."""
        some = tuple(
            one
            for one in sheet.cosignatures
            if (not self.members or one.by in self.members)
            and (not self.keys or self.keys.get(one.by) == one.key)
        )
        return sheet.model_copy(update={"cosignatures": some})

    def _is_known(self, sheet: HeadSheet) -> bool:
        """Whether a head that is shown is this site's own, or the one that it has co-signed."""
        ledger = sheet.head.head.ledger
        if ledger == self.ledger.name:
            own = self.ledger.signed()
            return own is not None and own.key == sheet.head.key
        known = self.witness.known().get(ledger)
        if known is None or known.key != sheet.head.key:
            return False
        found = Rewritten(earlier=known, later=sheet.head)
        if found.proves_itself():
            _log.warning("%s was shown two histories of %s", self.witness.name, ledger)
            self._keep_evidence(found)
        return known.head == sheet.head.head

    def _lacking(self, sheet: HeadSheet) -> tuple[str, ...]:
        """Whose co-signature should be there and is not; parties of the owner's site give none."""
        owner = sheet.head.key
        others = [one for one in self.members if self.keys.get(one) != owner]
        found = lacking(self.ledger.name, sheet, others)
        if found:
            _log.info("%s: not co-signed by %s", sheet.head.head.ledger, ", ".join(found))
        return found

    def _keep_shown(self, shown: Mapping[str, ShownHead]) -> None:
        path = self.folder / SHOWN_HEADS
        with FileLock(path.with_suffix(".lock")):
            before: Mapping[str, ShownHead] = {}
            with suppress(LedgerError):  # one that cannot be read is replaced
                before = read_sheet(path, ShownHeads).heads if path.exists() else {}
            write_sheet(path, ShownHeads(heads={**before, **shown}))

    def _keep_own(self, sheet: HeadSheet) -> None:
        """Keep a head's co-signatures beside those that came before; an older head never returns,
        and one that nobody has co-signed takes no other's place.

        Raises:
            LedgerError: if it cannot be written.
        """
        path = self.folder / OWN_HEAD
        with FileLock(path.with_suffix(".lock")):
            with suppress(LedgerError):  # one that cannot be read is replaced
                before = read_sheet(path, HeadSheet) if path.exists() else sheet
                same = before.head.head.root == sheet.head.head.root
                alone = bool(before.cosignatures and not sheet.cosignatures)
                older = before.head.head.size > sheet.head.head.size
                if (older or (alone and not same)) and not before.faults():
                    return
                if same:
                    for one in before.cosignatures:
                        known = {other.by for other in sheet.cosignatures}
                        if one.by not in known and one.is_of(sheet.head):
                            sheet = sheet.with_cosignature(one)
            write_sheet(path, sheet)
