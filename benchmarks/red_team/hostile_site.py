"""The site of the red team's federation: a map's parties, and at one site a member that lies.

Every site runs this class. At `LIAR` answers in rounds are spoilt as the file `LIE` of its kit
says; and each site has a party of its own name, through which a play has the site's own process,
under its own certificate, send any bytes to any other site.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from deepcity.exchange.exchange import Handler
from deepcity.exchange.flare.access import CallAccess, CallerRole, Rule
from deepcity.exchange.flare.desk import Desk, PartyDesk
from deepcity.exchange.flare.link import Wire
from deepcity.exchange.flare.task import CallTask
from deepcity.exchange.message import Message
from deepcity.exchange.party import JOIN, ROWS, TRAIN
from deepcity.exchange.trust.row_claims import CLAIM
from deepcity.runs.machines.map_site import MapSite

LIAR, LIE = "south", Path("local") / "lie.txt"
SEND, SENT = "send", "sent"
"""The verb by which a play has a site send bytes, and the array that holds them."""
NAN, MANY_ROWS, NO_CLAIM = "NaN", "1e12 rows", "no claim"


class HostileSite(MapSite):
    """A map's parties of this site, of whom some lie, and a party that sends what plays want."""

    def desk(self, name: str, folder: Path, sites: tuple[str, ...], wire: Wire) -> Desk:
        """As `MapSite` has it, and what is hostile."""
        honest = super().desk(name, folder, sites, wire)
        rule = Rule(frozenset({CallerRole.COORDINATOR}), arrays=(SENT,), in_training=False)
        sender = PartyDesk(CallAccess({SEND: rule}), lambda _task: Sender(wire))
        parties = dict(honest.parties)
        if name == LIAR:
            parties = {party: _lying(desk, folder) for party, desk in parties.items()}
        return replace(honest, parties={**parties, name: sender})


@dataclass(frozen=True)
class Sender:
    """Sends any bytes to any site, and gives back how they were answered."""

    wire: Wire

    def handle(self, message: Message, caller: str) -> Message:
        """Send; the reply's kind and text are JSON in an array."""
        found = {name: np.asarray(one).tobytes() for name, one in message.layers[SENT].items()}
        reply = self.wire.ask(found["site"].decode(), found["task"].decode(), found["blob"], 60.0)
        text = json.dumps({"kind": reply.kind, "text": reply.text}).encode()
        return Message(SEND, {}, {SENT: {"reply": np.frombuffer(text, np.uint8)}})


def sending(parts: Mapping[str, bytes]) -> Message:
    """The message that has a site send: its parts are site, task and blob."""
    return Message(SEND, {}, {SENT: {n: np.frombuffer(b, np.uint8) for n, b in parts.items()}})


@dataclass(frozen=True)
class Lying:
    """A party's handler whose answers are spoilt."""

    inner: Handler
    kit: Path

    def handle(self, message: Message, caller: str) -> Message:
        """Answer, as the file of the kit says."""
        answer = self.inner.handle(message, caller)
        lie = (self.kit / LIE).read_text() if (self.kit / LIE).exists() else ""
        if lie == NAN and message.verb == TRAIN:
            layers = {
                layer: {name: np.full_like(one, np.nan) for name, one in tensors.items()}
                for layer, tensors in answer.layers.items()
            }
            return replace(answer, layers=layers)
        if lie == MANY_ROWS and message.verb == JOIN:
            return replace(answer, numbers={**answer.numbers, ROWS: 1e12})
        if lie == NO_CLAIM and message.verb == JOIN:
            return replace(answer, layers={n: t for n, t in answer.layers.items() if n != CLAIM})
        return answer


def _lying(desk: PartyDesk, kit: Path) -> PartyDesk:
    def opened(task: CallTask) -> Handler:
        return Lying(desk.opened(task), kit)

    return replace(desk, opened=opened)
