"""A sum's roster: who takes part, with which keys and weights, and how many must stay.

Every member checks the roster by itself; all masks follow from its digest, so that members to
whom different rosters were shown have masks that do not cancel.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from struct import pack

from deepcity.city.errors import SecureSumError
from deepcity.privacy.secure_sums.signed_keys import SignedKeys, SumName, digest

LEAST_MEMBERS = 3
LEAST_SHARE = 1 / 9
"""Over two thirds must weigh at least this in the heaviest: who weighs nothing hides nobody."""


def threshold(members: int) -> int:
    """How many members must stay to open a sum: more than two thirds.

    A coordinator that asks some members for one secret of a party and some for the other needs
    this many answers of each kind, and members give only one of them: it would need the help of
    over a third of all.

    >>> threshold(10), threshold(4), threshold(3)
    (7, 3, 3)
    """
    return 2 * members // 3 + 1


@dataclass(frozen=True)
class Roster:
    """A sum's members.

    Attributes:
        keys: member -> its keys.
        weights: member -> its weight, within 0..1.
    """

    name: SumName
    keys: Mapping[str, SignedKeys]
    weights: Mapping[str, float]

    @cached_property
    def members(self) -> tuple[str, ...]:
        """Their names, sorted; the first has point 1 of every shared secret."""
        return tuple(sorted(self.keys))

    @property
    def threshold(self) -> int:
        """How many must stay."""
        return threshold(len(self.members))

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of all of it."""
        rows = [
            part
            for member in self.members
            for part in (member, self.keys[member].to_bytes(), pack(">d", self.weights[member]))
        ]
        return digest("roster", *self.name, *rows)

    def point(self, member: str) -> int:
        """Of a member, where polynomials of shared secrets are taken."""
        return self.members.index(member) + 1

    def check(self, identities: Mapping[str, bytes]) -> None:
        """Check that a sum of these members shows none of them, and that all keys are theirs.

        Raises:
            SecureSumError: naming the reason.
        """
        check_members(self.name.group, {one: self.weights.get(one, 0.0) for one in self.members})
        for member in self.members:
            self.keys[member].check(member, self.name, identities)


def check_members(group: str, weights: Mapping[str, float]) -> None:
    """Check that a sum with these weights shows no member's part.

    Raises:
        SecureSumError: if there are fewer than three, or a third or more hardly count.
    """
    if len(weights) < LEAST_MEMBERS:
        raise SecureSumError(
            f"{group} has {len(weights)} members, and a sum of two shows each the other's part. "
            f"Let {LEAST_MEMBERS} or more share it, or leave it out with a lower grant.level"
        )
    if wrong := [f"{one} = {weight}" for one, weight in weights.items() if not 0 < weight <= 1]:
        raise SecureSumError(f"{group}: weights must lie within 0..1, not {', '.join(wrong)}")
    heaviest = max(weights.values())
    counting = sum(weight >= LEAST_SHARE * heaviest for weight in weights.values())
    if counting < (needed := threshold(len(weights))):
        raise SecureSumError(
            f"{group}: {counting} of {len(weights)} members weigh a ninth of the heaviest or more, "
            f"and {needed} must, or the sum would show parts of the others. "
            f'Write strategy.weighting = "equal"'
        )
