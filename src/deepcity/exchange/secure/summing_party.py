"""A site's side of secure sums: around its handler, so that no layer leaves but under masks.

Verbs: ``sum_keys`` (make keys for a round's sums), ``sum_shares`` (check each roster, seal a share
for every other member), ``train`` (as ever, with the shares that others sealed; layers are returned
under masks), ``sum_unmask`` (give one share of each member's secrets). Whatever is not in a sum of
this round does not leave, also where the coordinator asks for it.

Steps are taken once and in this order. A new ``sum_keys`` begins anew with new keys, until shares
have been given; from then on only later rounds are answered: the same layers in two sums with
different members would show the difference.

On the wire a sum's parts are arrays of bytes in one layer `MASKS`, named ``group|member``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from numpy.typing import NDArray

from deepcity.city.errors import SecureSumError
from deepcity.city.level import LADDER, STEM, Layers, Tensors
from deepcity.exchange.exchange import COORDINATOR, Handler
from deepcity.exchange.layer_vectors import flat_layers, shaped_layers
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.party import TRAIN
from deepcity.exchange.secure.opened_rounds import NONE_OPENED, OpenedRounds
from deepcity.exchange.secure.sum_groups import group_layers
from deepcity.privacy.secure_sums.member import KeyedMember, MaskedMember, SharingMember
from deepcity.privacy.secure_sums.roster import LEAST_MEMBERS, Roster
from deepcity.privacy.secure_sums.signed_keys import SignedKeys, SumName

SUM_KEYS, SUM_SHARES, SUM_UNMASK = "sum_keys", "sum_shares", "sum_unmask"
MASKS = "masks"
WEIGHT = "weight "
"""Before a member's name: the name of the number that holds its weight."""
Member = TypeVar("Member", KeyedMember, SharingMember, MaskedMember)
ByGroup = Mapping[str, Mapping[str, bytes]]
"""Group -> member -> bytes."""


def packed(parts: ByGroup) -> dict[str, Tensors]:
    """Bytes by group and member as the layer of a message; none where there are none."""
    tensors: dict[str, NDArray[Any]] = {
        f"{group}|{member}": np.frombuffer(part, np.uint8)
        for group, by_member in parts.items()
        for member, part in by_member.items()
    }
    return {MASKS: tensors} if tensors else {}


def unpacked(layers: Layers) -> dict[str, dict[str, bytes]]:
    """What `packed` made; group and member may be any text."""
    found: dict[str, dict[str, bytes]] = {}
    for name, tensor in layers.get(MASKS, {}).items():
        group, _, member = name.partition("|")
        found.setdefault(group, {})[member] = np.asarray(tensor).tobytes()
    return found


@dataclass
class SummingParty:
    """A handler around a site's own, through which layers leave in secure sums only.

    Attributes:
        inner: answers all else; its layers must have passed its grant already.
        training: what the sums are signed for.
        identity: the site's lasting Ed25519 key; it never leaves.
        identities: party -> public key, as this site knows them, not from the coordinator.
        opened: rounds opened by earlier workers of this site; None: there were none.
        least: members of a sum that this site takes part in, as its own map has it.
    """

    inner: Handler
    party: str
    training: str
    identity: Ed25519PrivateKey
    identities: Mapping[str, bytes]
    opened: OpenedRounds | None = None
    least: int = LEAST_MEMBERS
    _members: dict[str, KeyedMember | SharingMember | MaskedMember] = field(default_factory=dict)
    _round: int = -1
    _opened: int = NONE_OPENED

    def __post_init__(self) -> None:
        if self.opened is not None:
            self._opened = self.opened.newest()

    def handle(self, message: Message, caller: str) -> Message:
        """Answer one message.

        Raises:
            SecureSumError: if it is out of turn, of another round, or would show a single part.
            DeepCityError: as the handler inside.
        """
        steps = {SUM_KEYS: self._keys, SUM_SHARES: self._shares, SUM_UNMASK: self._unmask}
        if message.verb == TRAIN:
            return self._train(message, caller)
        if message.verb not in steps:
            return replace(self.inner.handle(message, caller), layers={})
        if caller != COORDINATOR:
            raise SecureSumError(
                f"{caller} may not ask for {message.verb!r}; only the coordinator leads rounds"
            )
        number = message.numbers.get(ROUND, -1.0)
        if message.verb != SUM_KEYS and number != self._round:
            raise SecureSumError(
                f"{message.verb!r} of round {number:g}, while {self.party} has keys for "
                f"{'none' if self._round < 0 else self._round}. Ask for keys first"
            )
        return Message(message.verb, {ROUND: number}, packed(steps[message.verb](message)))

    def _keys(self, message: Message) -> ByGroup:
        number = message.numbers.get(ROUND, -1.0)
        if not number.is_integer() or number < 0:
            raise SecureSumError(f"keys are made for a round >= 0, not for {number}")
        if number <= self._opened:
            raise SecureSumError(
                f"{self.party} makes no keys for round {number:g}: the sums of round "
                f"{self._opened} have been opened, and none is opened twice. Go on with round "
                f"{self._opened + 1}, or start the run anew"
            )
        groups = sorted(unpacked(message.layers))
        layers = [layer for group in groups for layer in group_layers(group)]
        if len(layers) != len(set(layers)) or not set(layers) <= {STEM, *LADDER}:
            raise SecureSumError(
                f"{', '.join(groups)} are no groups of layers, each in one sum alone: a layer in "
                f"two sums would show the difference of their members"
            )
        self._round = int(number)
        names = {group: SumName(self.training, self._round, group) for group in groups}
        begun = {
            group: KeyedMember.begin(self.party, name, self.identity)
            for group, name in names.items()
        }
        self._members = {**begun}
        return {group: {self.party: one.public.to_bytes()} for group, one in begun.items()}

    def _shares(self, message: Message) -> ByGroup:
        found: dict[str, dict[str, bytes]] = {}
        for group, blobs in unpacked(message.layers).items():
            keyed = self._member(group, KeyedMember)
            keys = {member: SignedKeys.from_bytes(blob) for member, blob in blobs.items()}
            if len(keys) < self.least:
                raise SecureSumError(
                    f"{group} has {len(keys)} members, and {self.party} takes part in sums of "
                    f"{self.least} or more. Give hub and sites the same map"
                )
            weights = {member: message.numbers.get(WEIGHT + member, 0.0) for member in keys}
            sharing, found[group] = keyed.share(Roster(keyed.name, keys, weights), self.identities)
            self._members[group] = sharing
        return found

    def _train(self, message: Message, caller: str) -> Message:
        sealed = unpacked(message.layers)
        plain = {name: part for name, part in message.layers.items() if name != MASKS}
        if sealed and message.numbers.get(ROUND) != self._round:
            raise SecureSumError(
                f"shares of round {self._round} do not serve to train in round "
                f"{message.numbers.get(ROUND)}. Ask for keys first"
            )
        members = {group: self._member(group, SharingMember) for group in sealed}
        answer = self.inner.handle(replace(message, layers=plain), caller)
        masked: dict[str, Tensors] = {}
        for group, member in members.items():
            layers = group_layers(group)
            if missing := [name for name in layers if name not in answer.layers]:
                raise SecureSumError(f"{self.party} sends no {', '.join(missing)} in this round")
            like = {name: answer.layers[name] for name in layers}
            state, vector_V = member.mask(flat_layers(like, like), sealed[group])
            self._members[group] = state
            masked |= shaped_layers(vector_V, like, np.uint32)
        return replace(answer, layers=masked)

    def _unmask(self, message: Message) -> ByGroup:
        marks = unpacked(message.layers)
        members = {group: self._member(group, MaskedMember) for group in marks}
        self._members = {}  # one answer, whatever was asked
        if self.opened is not None:
            self.opened.note(self._round)
        found = {
            group: members[group].unmask({one for one, mark in by.items() if mark == b"\1"})
            for group, by in marks.items()
        }
        self._opened = self._round
        return found

    def _member(self, group: str, kind: type[Member]) -> Member:
        """The state that a step begins with; taken out, so that it is used once."""
        state = self._members.get(group)
        if not isinstance(state, kind):
            raise SecureSumError(
                f"{self.party} is not at this step of the sum of {group} in round {self._round}: "
                f"each step is answered once, in order. Ask for keys first"
            )
        del self._members[group]
        return state


def secured(
    handlers: Mapping[str, Handler], training: str, least: int = LEAST_MEMBERS
) -> dict[str, Handler]:
    """Handlers of one process around which layers leave in secure sums only.

    Identities are new ones; each party gets the others' public keys here, not through the
    coordinator.
    """
    private = {party: Ed25519PrivateKey.generate() for party in handlers}
    public = {party: key.public_key().public_bytes_raw() for party, key in private.items()}
    return {
        party: SummingParty(handler, party, training, private[party], public, least=least)
        for party, handler in handlers.items()
    }
