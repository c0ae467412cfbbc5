"""A member's keys for one sum, signed by its lasting identity.

The signature is what keeps a coordinator from putting keys of its own in the place of a member's:
identities are exchanged once, by other ways than through the coordinator.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from deepcity.city.errors import SecureSumError

KEY_BYTES = 32
SIGNATURE_BYTES = 64
SIGNED_KEYS_BYTES = 3 * KEY_BYTES + SIGNATURE_BYTES


class SumName(NamedTuple):
    """What a sum is of: keys made for one serve no other."""

    training: str
    round: int
    group: str


def digest(*parts: str | bytes | int) -> bytes:
    """SHA-256 of parts, each with its length, so that no two lists give the same bytes."""
    found = sha256()
    for part in parts:
        piece = part if isinstance(part, bytes) else str(part).encode()
        found.update(len(piece).to_bytes(8, "big") + piece)
    return found.digest()


@dataclass(frozen=True)
class SignedKeys:
    """Public keys of one member.

    Attributes:
        sealing: X25519, by which others seal shares for it.
        masking: X25519, from which masks of pairs follow.
        commitment: SHA-256 of the seed of its own mask.
        signature: Ed25519, of all these, its name and the sum's.
    """

    sealing: bytes
    masking: bytes
    commitment: bytes
    signature: bytes = b""

    def to_bytes(self) -> bytes:
        """160 bytes."""
        return self.sealing + self.masking + self.commitment + self.signature

    @classmethod
    def from_bytes(cls, blob: bytes) -> "SignedKeys":
        """What `to_bytes` wrote.

        Raises:
            SecureSumError: if it has another length.
        """
        if len(blob) != SIGNED_KEYS_BYTES:
            raise SecureSumError(
                f"{len(blob)} bytes are no signed keys, which have {SIGNED_KEYS_BYTES}. "
                f"Ask for the keys again"
            )
        cuts = (0, KEY_BYTES, 2 * KEY_BYTES, 3 * KEY_BYTES, SIGNED_KEYS_BYTES)
        return cls(*(blob[start:end] for start, end in pairwise(cuts)))

    def signed_by(self, identity: Ed25519PrivateKey, party: str, name: SumName) -> "SignedKeys":
        """The same keys with a signature."""
        return SignedKeys(
            self.sealing, self.masking, self.commitment, identity.sign(self._text(party, name))
        )

    def check(self, party: str, name: SumName, identities: Mapping[str, bytes]) -> None:
        """Check who signed these keys, and for which sum.

        Args:
            identities: party -> Ed25519 public key (32 bytes), as this site knows them.

        Raises:
            SecureSumError: if the party is unknown, or did not sign them for this sum.
        """
        if party not in identities:
            raise SecureSumError(
                f"{party} has no identity here, so nobody can tell whose keys these are. Exchange "
                f"identities with it, or leave it out of the map"
            )
        try:
            key = Ed25519PublicKey.from_public_bytes(identities[party])
            key.verify(self.signature, self._text(party, name))
        except InvalidSignature as error:
            raise SecureSumError(
                f"the keys shown for {party} are not signed by it for round {name.round} of "
                f"{name.training} ({name.group}): they are another's or of another round. "
                f"Nothing is sent; ask {party} which identity it has"
            ) from error

    def _text(self, party: str, name: SumName) -> bytes:
        return digest("deepcity secure sum", party, *name, *self._public())

    def _public(self) -> tuple[bytes, bytes, bytes]:
        return self.sealing, self.masking, self.commitment
