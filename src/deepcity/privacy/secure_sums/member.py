"""A member's side of one sum: three steps, each of which can be taken once.

States are values: each step returns the next one, and whoever keeps them drops the one before.
"""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from deepcity.city.arrays import Floats
from deepcity.city.errors import SecureSumError
from deepcity.privacy.secure_sums.fixed_point import Residues, to_residues
from deepcity.privacy.secure_sums.masks import own_mask, pair_mask, sealed, unsealed
from deepcity.privacy.secure_sums.roster import Roster
from deepcity.privacy.secure_sums.shamir import SECRET_BYTES, SHARE_BYTES, split_secret
from deepcity.privacy.secure_sums.signed_keys import SignedKeys, SumName


@dataclass(frozen=True, eq=False)
class KeyedMember:
    """A member that has made its keys for a sum.

    Attributes:
        public: what others see of them.
    """

    party: str
    name: SumName
    sealing_key: X25519PrivateKey
    masking_key: X25519PrivateKey
    seed: bytes
    public: SignedKeys

    @classmethod
    def begin(cls, party: str, name: SumName, identity: Ed25519PrivateKey) -> "KeyedMember":
        """With new keys and a new seed."""
        sealing, masking = X25519PrivateKey.generate(), X25519PrivateKey.generate()
        seed = secrets.token_bytes(SECRET_BYTES)
        unsigned = SignedKeys(
            sealing.public_key().public_bytes_raw(),
            masking.public_key().public_bytes_raw(),
            sha256(seed).digest(),
        )
        public = unsigned.signed_by(identity, party, name)
        return cls(party, name, sealing, masking, seed, public)

    def share(
        self, roster: Roster, identities: Mapping[str, bytes]
    ) -> "tuple[SharingMember, dict[str, bytes]]":
        """Check the roster, and seal a share of both secrets for each other member.

        Raises:
            SecureSumError: naming what is wrong with the roster; nothing was sent then.
        """
        if roster.name != self.name or roster.keys.get(self.party) != self.public:
            raise SecureSumError(
                f"the roster is of round {roster.name.round} ({roster.name.group}) or has other "
                f"keys for {self.party}. Ask for the keys of this round again"
            )
        roster.check(identities)
        points = len(roster.members)
        of_seed = split_secret(self.seed, roster.threshold, points)
        of_key = split_secret(self.masking_key.private_bytes_raw(), roster.threshold, points)
        texts = {one: of_seed[at] + of_key[at] for at, one in enumerate(roster.members)}
        found = {
            other: sealed(
                self.sealing_key,
                texts[other],
                sender=self.party,
                receiver=other,
                to=roster.keys[other].sealing,
                roster=roster.digest,
            )
            for other in roster.members
            if other != self.party
        }
        return SharingMember(self, roster, texts[self.party]), found


@dataclass(frozen=True, eq=False)
class SharingMember:
    """A member that has sealed its shares.

    Attributes:
        own_share: of its own secrets.
    """

    keyed: KeyedMember
    roster: Roster
    own_share: bytes

    def mask(
        self, values_V: Floats, shares: Mapping[str, bytes]
    ) -> "tuple[MaskedMember, Residues]":
        """The weighted vector under its masks.

        Args:
            shares: other member -> the share that it sealed for this one. Masks are of pairs
                with these alone; a share that cannot be read counts, but helps nobody later.

        Raises:
            SecureSumError: if too few members have shared, one is unknown, or a value is not
                finite or out of bounds.
        """
        me, roster = self.keyed.party, self.roster
        if foreign := sorted(set(shares) - (set(roster.members) - {me})):
            raise SecureSumError(
                f"{', '.join(foreign)} cannot have sealed a share for {me} in this round. "
                f"Ask for the keys of this round again"
            )
        if len(shares) + 1 < roster.threshold:
            raise SecureSumError(
                f"{len(shares) + 1} of {len(roster.members)} members have shared their secrets, "
                f"and {roster.threshold} are needed. Wait until more answer"
            )
        found_V = to_residues(values_V, roster.weights[me], len(roster.members))
        found_V += own_mask(self.keyed.seed, roster.digest, values_V.size)
        for other in sorted(shares):
            found_V += self._pair_mask(other, values_V.size)
        read = {other: self._read(other, blob) for other, blob in shares.items()}
        return MaskedMember(me, roster, {**read, me: self.own_share}), found_V

    def _pair_mask(self, other: str, size: int) -> Residues:
        key, roster = self.keyed.masking_key, self.roster
        return pair_mask(
            key, self.keyed.party, roster.keys[other].masking, other, roster.digest, size
        )

    def _read(self, other: str, blob: bytes) -> bytes | None:
        text = unsealed(
            self.keyed.sealing_key,
            blob,
            sender=other,
            receiver=self.keyed.party,
            by=self.roster.keys[other].sealing,
            roster=self.roster.digest,
        )
        return text if text is not None and len(text) == 2 * SHARE_BYTES else None


@dataclass(frozen=True, eq=False)
class MaskedMember:
    """A member whose vector has left under masks.

    Attributes:
        shares: member -> its shares of seed and key; None where they could not be read.
    """

    party: str
    roster: Roster
    shares: Mapping[str, bytes | None]

    def unmask(self, stayed: Collection[str]) -> dict[str, bytes]:
        """One share of each member: of the seed where it stayed, of the masking key if not.

        Whoever keeps this state drops it now: a second answer could give both of one member.

        Args:
            stayed: members whose vectors are in the sum.

        Raises:
            SecureSumError: if they are too few, or others than those that shared their secrets.
        """
        if foreign := sorted(set(stayed) - set(self.shares)):
            raise SecureSumError(
                f"{', '.join(foreign)} cannot be in the sum: no secret was shared. "
                f"No share is given; the round is lost"
            )
        if self.party not in stayed or len(stayed) < self.roster.threshold:
            raise SecureSumError(
                f"{len(stayed)} of {len(self.roster.members)} members are in the sum, with or "
                f"without {self.party}, and {self.roster.threshold} are needed to open it. "
                f"No share is given; the round is lost"
            )
        return {
            member: text[:SHARE_BYTES] if member in stayed else text[SHARE_BYTES:]
            for member, text in self.shares.items()
            if text is not None
        }
