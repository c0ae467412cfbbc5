"""The coordinator's side of a round with secure sums: it learns means, and no single update.

Layers with the same members are one sum. Of a sum that cannot be opened nothing is learned; its
layers stay as they are, its members are named with the reason, and the next round begins anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from deepcity.city.errors import SecureSumError
from deepcity.city.level import Layers, Tensors
from deepcity.exchange.exchange import Exchange, Failure, answers, failures
from deepcity.exchange.layer_vectors import flat_layers, shaped_layers
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.secure.summing_party import (
    SUM_KEYS,
    SUM_SHARES,
    SUM_UNMASK,
    WEIGHT,
    packed,
    unpacked,
)
from deepcity.exchange.shape_groups import Groups, group_key
from deepcity.privacy.secure_sums.fixed_point import Residues
from deepcity.privacy.secure_sums.opened_sum import opened_mean
from deepcity.privacy.secure_sums.roster import Roster, check_members
from deepcity.privacy.secure_sums.signed_keys import SignedKeys, SumName


@dataclass(frozen=True)
class SumGroup:
    """Layers with the same members.

    Attributes:
        layers: plain name -> tensors of the right names, shapes and dtypes.
        members: parties that share them, sorted.
    """

    name: str
    layers: Layers
    members: tuple[str, ...]


def sum_groups(
    common: Mapping[str, Sequence[str]], groups: Groups, reference: Layers
) -> list[SumGroup]:
    """The groups of layers with the same members.

    Args:
        common: party -> plain names of the layers it sends.
        groups, reference: as in a plan.
    """
    members: dict[str, list[str]] = {}
    for party in sorted(common):
        for layer in common[party]:
            own = groups.get(layer, {}).get(party)
            members.setdefault(group_key(layer, own) if own else layer, []).append(party)
    layers: dict[tuple[str, ...], list[str]] = {}
    for layer, parties in members.items():
        layers.setdefault(tuple(parties), []).append(layer)
    return [
        SumGroup("+".join(names), {one.partition("@")[0]: reference[one] for one in names}, parties)
        for parties, names in layers.items()
    ]


@dataclass
class SecureSums:
    """The sums of one round while it runs.

    Attributes:
        weights: party -> weight within 0..1.
        rosters: group -> its members, once they have keys.
        sealed: group -> sender -> receiver -> share; senders are those that masks are made with.
        failed: parties left out of a sum, and why.
    """

    name: str
    round: int
    groups: dict[str, SumGroup]
    weights: Mapping[str, float]
    rosters: dict[str, Roster] = field(default_factory=dict)
    sealed: dict[str, dict[str, dict[str, bytes]]] = field(default_factory=dict)
    failed: list[Failure] = field(default_factory=list)

    def shares_for(self, party: str) -> dict[str, Tensors]:
        """What goes with a party's request to train: the shares that others sealed for it."""
        return packed(
            {
                group: {
                    sender: shares[party] for sender, shares in senders.items() if sender != party
                }
                for group, senders in self.sealed.items()
                if party in senders
            }
        )

    def lose(self, group: str, error: object, members: Sequence[str] = ()) -> None:
        """Give up a sum, and name its members with the reason."""
        layers = ", ".join(self.groups[group].layers)
        self.failed += [
            Failure(member, f"its {layers} are in no sum of this round: {error}")
            for member in members or self.groups[group].members
        ]
        self.rosters.pop(group, None)
        self.sealed.pop(group, None)


def agree_sums(
    exchange: Exchange,
    name: str,
    number: int,
    groups: Sequence[SumGroup],
    shares: Mapping[str, float],
) -> SecureSums:
    """Let the members of each group agree on masks, before they train.

    Args:
        name: of the training; members sign their keys for it.
        number: of the round.
        shares: party -> weight over 0, of any scale.
    """
    heaviest = max(shares.values(), default=1.0)
    weights = {party: share / heaviest for party, share in shares.items()}
    sums = SecureSums(name, number, {group.name: group for group in groups}, weights)
    for group in groups:
        try:
            check_members(", ".join(group.layers), {one: weights[one] for one in group.members})
        except SecureSumError as error:
            if len(group.members) > 1:  # one that shares with nobody loses nothing
                sums.lose(group.name, error)
            continue
        sums.rosters[group.name] = Roster(SumName(name, number, group.name), {}, {})
    _collect_keys(exchange, sums)
    _collect_shares(exchange, sums)
    return sums


def open_sums(
    exchange: Exchange, sums: SecureSums, masked: Mapping[str, Layers]
) -> tuple[dict[str, Layers], list[Failure]]:
    """The mean of each sum, as the layers of every member in it.

    Args:
        masked: party that trained -> its layers under masks.
    """
    vectors = {group: _vectors(sums, group, masked) for group in sums.sealed}
    for group, found in list(vectors.items()):
        needed = sums.rosters[group].threshold
        if len(found) < needed:
            of = len(sums.rosters[group].members)
            why = f"{len(found)} of {of} members sent theirs, and {needed} are needed"
            sums.lose(group, f"{why}. The next round asks all of them again", sorted(found))
            del vectors[group]
    shares = _collect_unmasked(exchange, sums, vectors)
    updates: dict[str, dict[str, Tensors]] = {}
    for group, found in vectors.items():
        like, senders = sums.groups[group].layers, frozenset(sums.sealed[group])
        try:
            mean_V = opened_mean(sums.rosters[group], found, senders, shares[group])
        except SecureSumError as error:
            sums.lose(group, error, sorted(found))
            continue
        mean = shaped_layers(mean_V, like)
        for party in found:
            updates.setdefault(party, {}).update(mean)
    return {party: updates[party] for party in sorted(updates)}, sums.failed


def _collect_keys(exchange: Exchange, sums: SecureSums) -> None:
    """Ask for keys; each roster holds those that sent any."""
    wanted: dict[str, dict[str, dict[str, bytes]]] = {}
    for group in sums.rosters:
        for member in sums.groups[group].members:
            wanted.setdefault(member, {})[group] = {member: b""}
    found = _ask(exchange, sums, SUM_KEYS, wanted)
    for group, roster in list(sums.rosters.items()):
        keys: dict[str, SignedKeys] = {}
        for member in sums.groups[group].members:
            try:
                keys[member] = SignedKeys.from_bytes(found[member][group][member])
            except (KeyError, SecureSumError) as error:
                sums.failed.append(Failure(member, f"it sent no keys for a secure sum: {error}"))
        weights = {member: sums.weights[member] for member in keys}
        try:
            check_members(", ".join(sums.groups[group].layers), weights)
        except SecureSumError as error:
            sums.lose(group, error, sorted(keys))
            continue
        sums.rosters[group] = Roster(roster.name, keys, weights)


def _collect_shares(exchange: Exchange, sums: SecureSums) -> None:
    """Send the rosters round; masks are made with those that sealed their shares."""
    wanted: dict[str, dict[str, dict[str, bytes]]] = {}
    for group, roster in sums.rosters.items():
        keys = {member: roster.keys[member].to_bytes() for member in roster.members}
        for member in roster.members:
            wanted.setdefault(member, {})[group] = keys
    found = _ask(exchange, sums, SUM_SHARES, wanted)
    for group, roster in list(sums.rosters.items()):
        others = {one: set(roster.members) - {one} for one in roster.members}
        sealed = {
            one: found[one][group]
            for one in roster.members
            if set(found.get(one, {}).get(group, {})) == others[one]
        }
        if len(sealed) < roster.threshold:
            why = f"{len(sealed)} of {len(roster.members)} members shared their secrets"
            sums.lose(group, f"{why}, and {roster.threshold} are needed", sorted(sealed))
        else:
            sums.sealed[group] = sealed


def _collect_unmasked(
    exchange: Exchange, sums: SecureSums, vectors: Mapping[str, Mapping[str, Residues]]
) -> dict[str, dict[str, dict[str, bytes]]]:
    """Ask those in each sum for shares: group -> giver -> member -> share."""
    wanted: dict[str, dict[str, dict[str, bytes]]] = {}
    for group, found in vectors.items():
        marks = {one: b"\1" if one in found else b"\0" for one in sums.sealed[group]}
        for member in found:
            wanted.setdefault(member, {})[group] = marks
    given = _ask(exchange, sums, SUM_UNMASK, wanted)
    return {
        group: {giver: by[group] for giver, by in given.items() if group in by} for group in vectors
    }


def _ask(
    exchange: Exchange,
    sums: SecureSums,
    verb: str,
    wanted: Mapping[str, Mapping[str, Mapping[str, bytes]]],
) -> dict[str, dict[str, dict[str, bytes]]]:
    """One step of the sums: party -> group -> member -> bytes of those that answered."""
    numbers = {ROUND: float(sums.round)}
    if verb == SUM_SHARES:
        numbers |= {WEIGHT + party: weight for party, weight in sums.weights.items()}
    replies = exchange.call_group(
        {party: Message(verb, numbers, packed(parts)) for party, parts in wanted.items()}
    )
    sums.failed += failures(replies)
    return {party: unpacked(reply.layers) for party, reply in answers(replies).items()}


def _vectors(sums: SecureSums, group: str, masked: Mapping[str, Layers]) -> dict[str, Residues]:
    """The masked vectors of a group that have the right form."""
    like, found = sums.groups[group].layers, {}
    for party in sums.sealed[group]:
        if party not in masked:
            continue
        layers = {layer: masked[party].get(layer, {}) for layer in like}
        if all(_fits(layers[layer], like[layer]) for layer in like):
            found[party] = flat_layers(layers, like, np.uint32)
        else:
            sums.failed.append(Failure(party, "its part of a secure sum is no masked vector"))
    return found


def _fits(tensors: Tensors, like: Tensors) -> bool:
    """Whether masked tensors have the right names and shapes."""
    return set(tensors) == set(like) and all(
        tensors[name].dtype == np.uint32 and tensors[name].shape == like[name].shape
        for name in like
    )
