"""The coordinator's side of a round with secure sums: it learns means, and no single update.

Layers with the same members are one sum, or one for each of the groups that are drawn of them
(`deepcity.exchange.secure.drawn_groups`). Of a sum that cannot be opened nothing is learned; its
layers stay as they are, its members are named with the reason, and the next round begins anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from deepcity.city.errors import SecureSumError
from deepcity.city.level import Layers, Tensors
from deepcity.exchange.exchange import Exchange, Failure, answers, failures
from deepcity.exchange.layer_vectors import shaped_layers
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.secure.drawn_groups import GroupDraw
from deepcity.exchange.secure.fused_sums import OpenedSum
from deepcity.exchange.secure.masked_vectors import masked_vector
from deepcity.exchange.secure.sum_groups import SumGroup, whole_name
from deepcity.exchange.secure.summing_party import (
    SUM_KEYS,
    SUM_SHARES,
    SUM_UNMASK,
    WEIGHT,
    packed,
    unpacked,
)
from deepcity.privacy.secure_sums.fixed_point import Residues
from deepcity.privacy.secure_sums.opened_sum import opened_mean
from deepcity.privacy.secure_sums.roster import Roster, check_members
from deepcity.privacy.secure_sums.signed_keys import SignedKeys, SumName

Keys = Mapping[str, Mapping[str, SignedKeys]]
"""Group -> member -> its keys."""


@dataclass
class SecureSums:
    """The sums of one round while it runs.

    Attributes:
        weights: party -> weight within 0..1.
        draw: how groups are drawn; None: layers with the same members are one sum.
        groups: by name; those that keys are made for.
        rosters: group -> its members, once they have keys.
        sealed: group -> sender -> receiver -> share; senders are those that masks are made with.
        failed: parties left out of a sum, and why.
    """

    name: str
    round: int
    weights: Mapping[str, float]
    draw: GroupDraw | None = None
    groups: dict[str, SumGroup] = field(default_factory=dict)
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

    def lose(self, group: SumGroup, error: object, members: Sequence[str] = ()) -> None:
        """Give up a sum, and name its members with the reason."""
        layers = ", ".join(group.layers)
        for member in members or group.members:
            self.fail(member, f"its {layers} are in no sum of this round: {error}")
        for step in (self.groups, self.rosters, self.sealed):
            step.pop(group.name, None)

    def fail(self, party: str, reason: str) -> None:
        """Name a party that is left out of a sum."""
        self.failed.append(Failure(party, reason))


def agree_sums(
    exchange: Exchange,
    name: str,
    number: int,
    groups: Sequence[SumGroup],
    shares: Mapping[str, float],
    draw: GroupDraw | None = None,
) -> SecureSums:
    """Let the members of each group agree on masks, before they train.

    Groups are drawn of those that make keys: where some of a drawn group make none, as a site that
    is down, they are drawn once more of the others.

    Args:
        name: of the training; members sign their keys for it.
        number: of the round.
        shares: party -> weight over 0, of any scale.
    """
    heaviest = max(shares.values(), default=1.0)
    weights = {party: share / heaviest for party, share in shares.items()}
    sums = SecureSums(name, number, weights, draw)
    _form(sums, groups)
    keys = _collect_keys(exchange, sums)
    if draw is not None and any(len(found) < draw.size for found in keys.values()):
        _form(sums, _of_those_with_keys(sums, groups, keys))
        keys = _collect_keys(exchange, sums)
    _make_rosters(sums, keys)
    _collect_shares(exchange, sums)
    return sums


def open_sums(
    exchange: Exchange, sums: SecureSums, masked: Mapping[str, Layers]
) -> tuple[list[OpenedSum], list[Failure]]:
    """The mean of each sum, and who is left out.

    Args:
        masked: party that trained -> its layers under masks.
    """
    vectors = {group: _vectors(sums, group, masked) for group in sums.sealed}
    for group, found in vectors.items():
        needed = sums.rosters[group].threshold
        if len(found) < needed:
            of = len(sums.rosters[group].members)
            why = f"{len(found)} of {of} members sent theirs, and {needed} are needed"
            why = f"{why}. The next round asks all of them again"
            sums.lose(sums.groups[group], why, sorted(found))
    _lose_lone_groups(sums)
    vectors = {group: vectors[group] for group in sums.sealed}
    shares = _collect_unmasked(exchange, sums, vectors)
    means: dict[str, OpenedSum] = {}
    for group, found in vectors.items():
        whole, senders = sums.groups[group], frozenset(sums.sealed[group])
        try:
            mean_V = opened_mean(sums.rosters[group], found, senders, shares[group])
        except SecureSumError as error:
            sums.lose(whole, error, sorted(found))
            continue
        weight = sum(sums.weights[party] for party in found)
        means[group] = OpenedSum(whole, shaped_layers(mean_V, whole.layers), weight)
    _lose_lone_groups(sums)
    return [mean for group, mean in means.items() if group in sums.sealed], sums.failed


def _form(sums: SecureSums, groups: Sequence[SumGroup]) -> None:
    """Take the groups as they are, or draw parts of them; those that show a part are given up."""
    for group in groups:
        try:
            if sums.draw is not None:
                parts = sums.draw.split(group, sums.round)
            else:
                parts = [group]
                weights = {one: sums.weights[one] for one in group.members}
                check_members(", ".join(group.layers), weights)
        except SecureSumError as error:
            if len(group.members) > 1:  # one that shares with nobody loses nothing
                sums.lose(group, error)
            continue
        sums.groups |= {part.name: part for part in parts}


def _of_those_with_keys(sums: SecureSums, groups: Sequence[SumGroup], keys: Keys) -> list[SumGroup]:
    """The groups that were drawn, without members that lack keys; none is drawn any more."""
    drawn = {whole_name(name) for name in sums.groups}
    away = {
        one
        for group in sums.groups.values()
        for one in group.members
        if one not in keys[group.name]
    }
    sums.groups.clear()
    return [
        replace(group, members=tuple(one for one in group.members if one not in away))
        for group in groups
        if group.name in drawn
    ]


def _collect_keys(exchange: Exchange, sums: SecureSums) -> dict[str, dict[str, SignedKeys]]:
    """Ask for keys; those that send none are named."""
    wanted: dict[str, dict[str, dict[str, bytes]]] = {}
    for group in sums.groups.values():
        for member in group.members:
            wanted.setdefault(member, {})[group.name] = {member: b""}
    found = _ask(exchange, sums, SUM_KEYS, wanted)
    keys: dict[str, dict[str, SignedKeys]] = {}
    for group in sums.groups.values():
        keys[group.name] = {}
        for member in group.members:
            if member not in found:
                continue
            blob = found[member].get(group.name, {}).get(member, b"")
            try:
                keys[group.name][member] = SignedKeys.from_bytes(blob)
            except SecureSumError as error:
                sums.fail(member, f"it sent no keys for {_asked(group, found[member])}: {error}")
    return keys


def _make_rosters(sums: SecureSums, keys: Keys) -> None:
    """A roster of those that sent keys, where they are enough."""
    for group in list(sums.groups.values()):
        own, layers = keys[group.name], ", ".join(group.layers)
        weights = {member: sums.weights[member] for member in own}
        try:
            if sums.draw is not None and len(own) < sums.draw.size:
                raise SecureSumError(
                    f"{len(own)} of the {len(group.members)} members of its group made keys, and "
                    f"{sums.draw.size} are needed. The next round draws other groups"
                )
            check_members(layers, weights)
        except SecureSumError as error:
            sums.lose(group, error, sorted(own))
            continue
        name = SumName(sums.name, sums.round, group.name)
        sums.rosters[group.name] = Roster(name, own, weights)


def _collect_shares(exchange: Exchange, sums: SecureSums) -> None:
    """Send the rosters round; masks are made with those that sealed their shares."""
    wanted: dict[str, dict[str, dict[str, bytes]]] = {}
    for name, roster in sums.rosters.items():
        keys = {member: roster.keys[member].to_bytes() for member in roster.members}
        for member in roster.members:
            wanted.setdefault(member, {})[name] = keys
    found = _ask(exchange, sums, SUM_SHARES, wanted)
    for name, roster in list(sums.rosters.items()):
        group, sealed = sums.groups[name], {}
        for one in roster.members:
            shares = found.get(one, {}).get(name, {})
            if set(shares) == set(roster.members) - {one}:
                sealed[one] = shares
            elif one in found:
                sums.fail(one, f"it shared no secrets with all of {_asked(group, found[one])}")
        if len(sealed) < roster.threshold:
            why = f"{len(sealed)} of {len(roster.members)} members shared their secrets"
            sums.lose(group, f"{why}, and {roster.threshold} are needed", sorted(sealed))
        else:
            sums.sealed[name] = sealed


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
    shares: dict[str, dict[str, dict[str, bytes]]] = {}
    for group, found in vectors.items():
        answered = [giver for giver in found if giver in given]
        shares[group] = {one: given[one][group] for one in answered if group in given[one]}
        for one in sorted(set(answered) - set(shares[group])):
            sums.fail(one, f"it opened no {_asked(sums.groups[group], given[one])}")
    return shares


def _lose_lone_groups(sums: SecureSums) -> None:
    """Give up groups of which too few are left for a rule that compares them."""
    if sums.draw is None:
        return
    left: dict[str, list[str]] = {}
    for name in sums.sealed:
        left.setdefault(whole_name(name), []).append(name)
    for names in left.values():
        if len(names) >= sums.draw.least:
            continue
        for name in names:
            why = f"{len(names)} groups are left, and robust fusion compares {sums.draw.least}"
            members = sorted(sums.sealed[name])
            sums.lose(sums.groups[name], f"{why}. The next round draws other groups", members)


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


def _asked(group: SumGroup, answered: Mapping[str, object]) -> str:
    """What was asked for, and what was answered in its place."""
    others = ", ".join(sorted(set(answered) - {group.name}))
    return f"{group.name}, and answered for {others}" if others else group.name


def _vectors(sums: SecureSums, group: str, masked: Mapping[str, Layers]) -> dict[str, Residues]:
    """The masked vectors of a group that have the right form."""
    found: dict[str, Residues] = {}
    for party in sums.sealed[group]:
        if party not in masked:
            continue
        try:
            found[party] = masked_vector(masked[party], sums.groups[group].layers)
        except SecureSumError as error:
            sums.fail(party, str(error))
    return found
